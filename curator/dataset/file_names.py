"""Names that become names of files: what other systems keep for themselves is refused everywhere.

A project, its recipes and its bases travel between systems; a name that one of them takes for a device
or cannot write would be lost there.
"""

import re
from typing import Final

_DEVICES: Final = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*([.:].*)?", re.IGNORECASE | re.DOTALL
)
_NOWHERE: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]\Z')


def is_reserved(name: str) -> bool:
    """Say whether a system keeps a name for a device, or cannot write it as it is."""
    return bool(_DEVICES.fullmatch(name) or _NOWHERE.search(name))
