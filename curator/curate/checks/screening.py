"""A quick proof that a text holds nothing for the rules on texts (F10, L03, P01, P02).

Most texts are plain words; without lower-case letters, spaces and signs of prose little is left of
them, and that little is searched. Each rule's pattern cannot match without the sign tested here.
"""

import re
from typing import Final

# Deleting brings other characters together but never parts those of a sign that is left whole. The
# byte 0xEF stays for the full-width bar of "<｜".
_PROSE: Final = (
    b"abcdefghijklmnopqrstuvwxyz ,.\n'" + b'"\\:{}[' + bytes({*range(0x80, 0x100)} - {0xEF})
)
_SHAPE: Final = bytes(48 if 48 <= b <= 57 else 45 if b in b" -" else 120 for b in range(256))
# Each begins with one literal character, which the engine finds as fast as memory can be read.
_PHONE: Final = re.compile(rb"\+[1-9][0-9 ()-]{7}")
_LINE: Final = re.compile(
    rb"_(?:(?<=k_)(?:live|test)_|(?<=gh[pousr]_)|(?<=github_pat_)|(?<=hf_)|of_turn>)"
)
_DASH: Final = re.compile(rb"-(?:(?<=sk-)[\w-]{20}|----BEGIN|(?<=glpat-)|(?<=xox[abeprs]-))")
_CAPITAL: Final = re.compile(rb"I(?:(?<=AKI)A|(?<=ASI)A|NST\]|(?<=AI))")


def needs_reading(text: str) -> bool:
    """Say whether a text may hold something for the rules on texts; false proves that it does not."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return True
    return bytes_need_reading(data)


def bytes_need_reading(data: bytes) -> bool:
    """Say the same of UTF-8, or of texts written as JSON with non-ASCII characters as they are."""
    left = data.translate(None, _PROSE)
    return (
        b"@" in left
        or b"<|" in left
        or b"<\xef" in left
        or (b"_" in left and _LINE.search(data) is not None)
        or (b"-" in left and _DASH.search(data) is not None)
        or (b"+" in left and _PHONE.search(data) is not None)
        # What is left of most texts shows that they have no groups of figures.
        or (_has_groups(left) and _has_groups(data))
        or _has_capital_sign(left, data)
    )


def _has_groups(data: bytes) -> bool:
    """Look for eight figures in a row, or two groups of four."""
    shape = data.translate(_SHAPE)
    return b"00000000" in shape or b"0000-0000" in shape


def _has_capital_sign(left: bytes, data: bytes) -> bool:
    found = _CAPITAL.search(left)
    return (
        # Of AIza the capitals are left, as of many words; the other signs stand as they are.
        (found is not None and (b"AIza" in data or _has_key_id(left)))
        or (b"J" in left and b"eyJ" in data)
        or b"SYS>>" in left
        or (b"AK=" in left and b"AccountKey=" in data)
    )


def _has_key_id(left: bytes) -> bool:
    return b"AKIA" in left or b"ASIA" in left or b"INST]" in left
