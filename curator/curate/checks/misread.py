"""Texts that were read in the wrong encoding: letters that come out as pairs of signs, such as Ã©.

A pair of signs that UTF-8 bytes become under another encoding is looked for first; whether the word
around it really is such a text, and what it was, decides ftfy.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_ENCODINGS: Final = (
    ("".join(map(chr, range(0xC2, 0xF5))), "cp1252"),
    ("РСГВ", "cp1251"),
    ("√¬‚–—", "mac_roman"),
    ("├┬Γ╨╤", "cp437"),
)


def _trails(encoding: str) -> str:
    """Return what the bytes behind the first of a letter become; undefined ones stay control characters."""
    signs = (bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in range(0x80, 0xC0))
    return "".join(signs)


LEADS_AND_TRAILS: Final = (
    *((leads, _trails(encoding)) for leads, encoding in _ENCODINGS),
    ("в", "Ђ"),  # the first two bytes of quotes and dashes, as cp1251
)
"""The signs that the first byte of a letter becomes under some encodings, and those of its second byte."""

SPACED: Final = "ÂÃ"
"""The signs behind which a space may have been a letter's second byte."""

_PAIR: Final = re.compile(
    "|".join(f"[{leads}][{re.escape(trails)}]" for leads, trails in LEADS_AND_TRAILS)
    + f"|[{SPACED}] |[\x80-\x9f]"
)
_REACH: Final = 60
_LONGEST: Final = 2_000
# A no-break space may be the second half of a letter.
_SPACES: Final = " \t\n\r"


class Misread(NamedTuple):
    """Where misread words stand, and what it was before."""

    start: int
    end: int
    meant: str


def misread(text: str) -> Iterator[Misread]:
    """Yield each stretch that was read in the wrong encoding, with what it was before."""
    words = _suspect_words(text)
    while words:
        # Words beside each other tell more together; one alone may be all that is wrong.
        run = next((n for n in range(1, len(words)) if words[n - 1][1] != words[n][0]), len(words))
        start, end = words[0][0], words[run - 1][1]
        meant = _fixed(text[start:end]) if end - start <= _LONGEST else text[start:end]
        if meant != text[start:end]:
            yield Misread(start, end, meant)
        else:
            for start, end in words[:run]:
                meant = _fixed(text[start:end])
                if meant != text[start:end]:
                    yield Misread(start, end, meant)
        words = words[run:]


def _suspect_words(text: str) -> list[tuple[int, int]]:
    """Return where words with such a pair begin and end, in order."""
    found: list[tuple[int, int]] = []
    for match in _PAIR.finditer(text):
        if not found or match.start() >= found[-1][1]:
            start, end = _word_around(text, match.start(), match.end())
            found.append((max(start, found[-1][1] if found else 0), end))
    return found


def reread(text: str) -> str:
    """Return a text with every word that was read in the wrong encoding as it was before."""
    for each in reversed(list(misread(text))):
        text = text[: each.start] + each.meant + text[each.end :]
    return text


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the ends of the word around a place, and of one space behind it, which may be a part."""
    first, last = max(0, start - _REACH), min(len(text), end + _REACH)
    while start > first and text[start - 1] not in _SPACES:
        start -= 1
    while end < last and text[end] not in _SPACES:
        end += 1
    return start, end + 1 if text[end : end + 1] == " " else end


def _fixed(word: str) -> str:
    from ftfy import fix_encoding  # a tenth of a second, so only when wanted

    return fix_encoding(word)
