"""Texts that were read in the wrong encoding: letters that come out as pairs of signs, such as Ã©.

A pair of signs that UTF-8 bytes become under another encoding is looked for first; whether the word
around it really is such a text, and what it was, decides ftfy.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LEADS_AND_TRAILS: Final = tuple(
    (
        leads,
        "".join(
            {
                char
                for byte in range(0x80, 0xC0)
                # What an encoding leaves undefined comes out as the control character of that number.
                for char in bytes([byte]).decode(encoding, "ignore") or chr(byte)
            }
        ),
    )
    for leads, encoding in (
        ("".join(map(chr, range(0xC2, 0xF5))), "cp1252"),
        ("РС", "cp1251"),
        ("√¬‚", "mac_roman"),
        ("├┬Γ", "cp437"),
    )
)
"""The signs that the first byte of a letter becomes under some encodings, and those of its second byte."""

SPACED: Final = "ÂÃ"
"""The signs behind which a space may have been a letter's second byte."""

_PAIR: Final = re.compile(
    "|".join(f"[{leads}][{re.escape(trails)}]" for leads, trails in LEADS_AND_TRAILS)
    + f"|[{SPACED}] |[\x80-\x9f]"
)
_REACH: Final = 60


class Misread(NamedTuple):
    """Where a misread word stands, and what it was before."""

    start: int
    end: int
    meant: str


def misread(text: str) -> Iterator[Misread]:
    """Yield each word that was read in the wrong encoding, with what it was before."""
    done = 0
    for match in _PAIR.finditer(text):
        if match.start() < done:
            continue
        start, end = _word_around(text, match.start(), match.end())
        start = max(start, done)
        meant = _mended(text[start:end])
        if meant != text[start:end]:
            done = end
            yield Misread(start, end, meant)


def reread(text: str) -> str:
    """Return a text with every word that was read in the wrong encoding as it was before."""
    for each in reversed(list(misread(text))):
        text = text[: each.start] + each.meant + text[each.end :]
    return text


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the ends of the word around a place, and of one space behind it, which may be a part."""
    first, last = max(0, start - _REACH), min(len(text), end + _REACH)
    while start > first and not text[start - 1].isspace():
        start -= 1
    while end < last and not text[end].isspace():
        end += 1
    return start, end + 1 if text[end : end + 1] == " " else end


def _mended(word: str) -> str:
    from ftfy import fix_encoding  # a tenth of a second, so only when wanted

    return fix_encoding(word)
