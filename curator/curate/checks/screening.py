"""A quick proof that a text holds nothing for the rules on texts (F10, L03, P01, P02).

Most texts are plain words; without lower-case letters, spaces and signs of prose little is left of
them, and that little is searched. Each rule's pattern cannot match without the sign tested here.
"""

import re
from typing import Final

_PROSE: Final = b"abcdefghijklmnopqrstuvwxyz ,.\n'" + bytes(range(0x80, 0x100))
_FIGURES_LEFT: Final = re.compile(rb"[0-9]{4}-?[0-9]{4}|\+[0-9]")
_FIGURES: Final = re.compile(r"[0-9]{4}[ -]?[0-9]{4}|\+[0-9]")
_WITH_LINE: Final = (
    "k_live_",
    "k_test_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "hf_",
    "_of_turn>",
)
_WITH_DASH: Final = ("sk-", "-----BEGIN", "glpat-", "xox")


def needs_reading(text: str) -> bool:
    """Say whether a text may hold something for the rules on texts; false proves that it does not."""
    if "@" in text or "<|" in text or "<｜" in text:
        return True
    try:
        left = text.encode().translate(None, _PROSE)
    except UnicodeEncodeError:
        return True
    if _FIGURES_LEFT.search(left) and _FIGURES.search(text):
        return True
    if b"_" in left and any(sign in text for sign in _WITH_LINE):
        return True
    if b"-" in left and any(sign in text for sign in _WITH_DASH):
        return True
    return _has_capital_sign(left, text)


def _has_capital_sign(left: bytes, text: str) -> bool:
    return (
        b"AKIA" in left
        or b"ASIA" in left
        or b"INST]" in left
        or b"SYS>>" in left
        or (b"AI" in left and "AIza" in text)
        or (b"J" in left and "eyJ" in text)
        or (b"=" in left and "AccountKey=" in text)
    )
