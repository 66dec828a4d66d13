"""A quick look for texts that may hold a lost, doubly encoded or invisible character.

A text of nothing but ASCII says so without being read. Of the others' UTF-8 only the first two bytes
of each character are looked at, all texts together; where they are among the few that such a character
begins with, the next two are. Nothing such is overlooked, and what is found needs a closer look.
Control characters below U+0080 are not looked for here.
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


def odd_characters(texts: Sequence[str]) -> set[int]:
    """Return the numbers of all texts with such a character, perhaps more; none holds a lone surrogate."""
    numbers = [number for number, text in enumerate(texts) if not text.isascii()]
    if not numbers:
        return set()
    some = [texts[number].encode() for number in numbers]
    codes = np.frombuffer(b"\n".join(some) + b"\n\n\n\n", np.uint8)
    places = np.flatnonzero(codes >= _FIRST_NOT_ASCII)
    kinds = _KINDS[_pairs(codes, places)]
    may_be = kinds > 0
    places, kinds = places[may_be], kinds[may_be]
    places = places[_FOLLOWS[kinds, _pairs(codes, places + 2)]]
    if not len(places):
        return set()
    ends = np.cumsum([len(text) + 1 for text in some])
    return {numbers[at] for at in np.unique(np.searchsorted(ends, places, "right")).tolist()}


def _pairs(codes: npt.NDArray[np.uint8], places: npt.NDArray[np.intp]) -> npt.NDArray[np.uint16]:
    both = codes[places].astype(np.uint16) * 256 + codes[places + 1]
    return both.astype(np.uint16, copy=False)


def _signs() -> Iterator[bytes]:
    """Yield what must stand in the bytes for a character or pair of characters to be there."""
    for first, last in RANGES:
        yield from (chr(point).encode() for point in range(max(first, 0x80), last + 1))
    yield from (_BLANK_PATTERN.encode(), _LOST.encode())
    yield from (chr(point).encode() for point in range(0x80, 0xA0))
    yield from (f"{lead} ".encode() for lead in SPACED)
    for leads, trails in LEADS_AND_TRAILS:
        yield from (f"{lead}{trail}".encode() for lead in leads for trail in trails)


def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the kind of each pair of first bytes (0 is none), and which pairs may follow each kind."""
    following: dict[int, set[tuple[int, int | None]]] = {}
    for sign in _signs():
        third = sign[2] if len(sign) > 2 else None
        rest = (third, sign[3] if len(sign) > 3 else None) if third is not None else (-1, None)
        following.setdefault(sign[0] << 8 | sign[1], set()).add(rest)
    kinds = np.zeros(1 << 16, np.uint8)
    alike: dict[frozenset[tuple[int, int | None]], int] = {}
    for pair, rests in following.items():
        kinds[pair] = alike.setdefault(frozenset(rests), len(alike) + 1)
    follows = np.zeros((len(alike) + 1, 256, 256), np.bool_)
    for each, kind in alike.items():
        for third, fourth in each:
            if third == -1:
                follows[kind] = True
            elif fourth is None:
                follows[kind, third] = True
            else:
                follows[kind, third, fourth] = True
    return kinds, follows.reshape(len(alike) + 1, -1)


_KINDS, _FOLLOWS = _tables()
