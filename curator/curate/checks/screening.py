"""A quick proof that a text holds nothing for the rules on texts (F10, L03, P01, P02).

Most texts are plain words; without lower-case letters, spaces and signs of prose little is left of
them, and that little is searched. Each rule's pattern cannot match without the sign tested here.
"""

import re
from typing import Final

_PROSE: Final = b"abcdefghijklmnopqrstuvwxyz ,.\n'" + bytes(range(0x80, 0x100))
_SHAPE: Final = bytes(48 if 48 <= b <= 57 else 45 if b in b" -" else 120 for b in range(256))
# Each begins with one literal character, which the engine finds as fast as memory can be read.
_PHONE: Final = re.compile(r"\+[1-9][0-9 ()-]{7}")
_LINE: Final = re.compile(
    r"_(?:(?<=k_)(?:live|test)_|(?<=gh[pousr]_)|(?<=github_pat_)|(?<=hf_)|of_turn>)"
)
_DASH: Final = re.compile(
    r"-(?:(?<=sk-)(?<![\w-]sk-)[\w-]{20}|----BEGIN|(?<=glpat-)|(?<=xox[abeprs]-))", re.ASCII
)
_CAPITAL_SIGNS: Final = ("AKIA", "ASIA", "AIza", "INST]")
# Of AIza the capitals are left.
_CAPITAL: Final = re.compile(rb"I(?:(?<=AI)|(?<=AKI)A|(?<=ASI)A|NST\])")


def needs_reading(text: str) -> bool:
    """Say whether a text may hold something for the rules on texts; false proves that it does not."""
    try:
        left = text.encode().translate(None, _PROSE)
    except UnicodeEncodeError:
        return True
    return (
        b"@" in left
        or (b"<" in left and ("<|" in text or "<｜" in text))
        or (b"_" in left and _LINE.search(text) is not None)
        or (b"-" in left and _DASH.search(text) is not None)
        or (b"+" in left and _PHONE.search(text) is not None)
        or _has_figures(left, text)
        or _has_capital_sign(left, text)
    )


def _has_figures(left: bytes, text: str) -> bool:
    """Look for eight figures in a row, or two groups of four; what is left shows most texts free."""
    return _has_groups(left) and _has_groups(text.encode())


def _has_groups(data: bytes) -> bool:
    shape = data.translate(_SHAPE)
    return b"00000000" in shape or b"0000-0000" in shape


def _has_capital_sign(left: bytes, text: str) -> bool:
    return (
        (_CAPITAL.search(left) is not None and any(map(text.__contains__, _CAPITAL_SIGNS)))
        or (b"J" in left and "eyJ" in text)
        or (b">>" in left and b"SYS>>" in left)
        or (b"AK=" in left and "AccountKey=" in text)
    )
