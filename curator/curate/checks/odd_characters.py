"""A quick look for texts that may hold a lost, doubly encoded or invisible character.

A fast filter before the rules that look at every character: it may name a text without such a
character, and overlooks none with one. ASCII texts are skipped (str.isascii reads no character). The
others are joined as UTF-8. The first two bytes of each character are looked up in a table; only where
that pair can begin such a character are the two bytes after it looked up as well. Control characters
below U+0080 are not looked for here.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from curator.curate.checks.invisible import RANGES
from curator.curate.checks.misread import LEADS_AND_TRAILS, SPACED

_BLANK_PATTERN: Final = "\u2800"
_LOST: Final = "\ufffd"
_FIRST_NOT_ASCII: Final = 0xC2
_ANY: Final = -1
"""Stands for whatever byte comes."""


def odd_characters(texts: Sequence[str]) -> set[int]:
    """Return the indexes of all texts with such a character, and perhaps of others.

    Raises UnicodeEncodeError where a text holds a lone surrogate.
    """
    numbers = [number for number, text in enumerate(texts) if not text.isascii()]
    if not numbers:
        return set()
    some = [texts[number].encode() for number in numbers]
    # Padded: up to three bytes after the first one of the last character are read.
    codes = np.frombuffer(b"\n".join(some) + b"\n\n\n\n", np.uint8)
    places = np.flatnonzero(codes >= _FIRST_NOT_ASCII)
    classes = _PAIR_CLASS[_pairs(codes, places)]
    may_be = classes > 0
    places, classes = places[may_be], classes[may_be]
    places = places[_MAY_FOLLOW[classes, _pairs(codes, places + 2)]]
    if not len(places):
        return set()
    ends = np.cumsum([len(text) + 1 for text in some])
    return {numbers[at] for at in np.unique(np.searchsorted(ends, places, "right")).tolist()}


def _pairs(codes: npt.NDArray[np.uint8], places: npt.NDArray[np.intp]) -> npt.NDArray[np.uint16]:
    both = codes[places].astype(np.uint16) * 256 + codes[places + 1]
    return both.astype(np.uint16, copy=False)


def _beginnings() -> Iterator[bytes]:
    """Yield the UTF-8 of each character, or pair of characters, that is looked for."""
    for first, last in RANGES:
        yield from (chr(point).encode() for point in range(max(first, 0x80), last + 1))
    yield from (_BLANK_PATTERN.encode(), _LOST.encode())
    yield from (chr(point).encode() for point in range(0x80, 0xA0))
    yield from (f"{lead} ".encode() for lead in SPACED)
    for leads, trails in LEADS_AND_TRAILS:
        yield from (f"{lead}{trail}".encode() for lead in leads for trail in trails)


def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the class of each pair of first bytes (0: begins nothing that is looked for), and what may follow.

    Pairs after which the same bytes may stand are one class; the second table says for each class
    which third and fourth bytes those are. There are few classes, so that they fit a byte.
    """
    following: dict[int, set[tuple[int, int]]] = {}
    for found in _beginnings():
        third = found[2] if len(found) > 2 else _ANY
        fourth = found[3] if len(found) > 3 else _ANY
        following.setdefault(found[0] << 8 | found[1], set()).add((third, fourth))
    classes = np.zeros(1 << 16, np.uint8)
    known: dict[frozenset[tuple[int, int]], int] = {}
    for pair, allowed in following.items():
        classes[pair] = known.setdefault(frozenset(allowed), len(known) + 1)
    follows = np.zeros((len(known) + 1, 256, 256), np.bool_)
    for pairs, number in known.items():
        for third, fourth in pairs:
            if third == _ANY:
                follows[number] = True
            elif fourth == _ANY:
                follows[number, third] = True
            else:
                follows[number, third, fourth] = True
    return classes, follows.reshape(len(known) + 1, -1)


_PAIR_CLASS, _MAY_FOLLOW = _tables()
