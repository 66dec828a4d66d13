"""A quick proof that raw JSON lines hold no secret (rule P01): every secret shows a sign beside a rare character.

The rare characters are found many kilobytes at a time; only their neighbours are looked at. The signs
are wider than the rule's own patterns, so a text without signs needs no closer look.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_PAD: Final = 4
# Wider than the rule's own: an escape in the raw line takes up to three characters for one.
_ADDRESS: Final = re.compile(rb"://[^\s:/@]{1,400}:[^\s:/@]{3,400}@")
_LONGEST_ADDRESS: Final = 3 + 400 + 1 + 400
_LETTERS: Final = np.zeros(256, dtype=bool)
_LETTERS[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] = True
_AFTER_GH: Final = np.zeros(256, dtype=bool)
_AFTER_GH[list(b"pousrf")] = True


def signs_of_secrets(raw: bytes) -> "npt.NDArray[np.intp]":
    """Return the places in raw lines, in order, where rule P01 must look; nowhere else can it find any."""
    text = np.frombuffer(b"\0" * _PAD + raw + b"\0" * _PAD, dtype=np.uint8)
    at = np.flatnonzero(_any_of(text, b"_-\\J@="))
    around = _Around(text, at)
    signs = [at[around.dashes() | around.lines() | around.escapes() | around.others()] - _PAD]
    capitals = np.flatnonzero(text == ord("A"))
    signs.append(capitals[_Around(text, capitals).capitals()] - _PAD)
    mails = (np.flatnonzero(text == ord("@")) - _PAD).tolist()
    ends = [place for place in mails if _ends_address(raw, place)]
    return np.sort(np.concatenate([*signs, np.array(ends, dtype=np.intp)]))


def _ends_address(raw: bytes, place: int) -> bool:
    """Say whether an @ may stand behind a name and a password: ://name:password@."""
    begin = raw.rfind(b"://", max(0, place - _LONGEST_ADDRESS), place)
    return begin >= 0 and _ADDRESS.match(raw, begin) is not None


def _any_of(text: Bytes, characters: bytes) -> Mask:
    found: Mask = text == characters[0]
    for character in characters[1:]:
        found |= text == character
    return found


class _Around:
    """The neighbours of some places of a text."""

    def __init__(self, text: Bytes, at: "npt.NDArray[np.intp]") -> None:
        self._text = text
        self._at = at
        self._here = text[at]

    def _is(self, offset: int, character: str) -> Mask:
        here: Mask = self._text[self._at + offset] == ord(character)
        return here

    def dashes(self) -> Mask:
        """Find sk-, glpat-, xox?- and the five dashes before BEGIN."""
        key = self._is(-1, "k") & self._is(-2, "s") & ~_LETTERS[self._text[self._at - 3]]
        token = self._is(-1, "t") & self._is(-2, "a")
        block = self._is(-1, "-") & self._is(1, "B") & self._is(2, "E")
        signs: Mask = (self._here == ord("-")) & (key | token | self._is(-2, "x") | block)
        return signs

    def lines(self) -> Mask:
        """Find k_live_, k_test_, gh?_, hf_ and github_pat_."""
        hub = self._is(-2, "h") & _AFTER_GH[self._text[self._at - 1]]
        hub |= self._is(-1, "f") & self._is(-2, "h")
        pat = self._is(-1, "t") & self._is(-2, "a")
        stripe = self._is(-1, "k") & (self._is(1, "l") | self._is(1, "t"))
        signs: Mask = (self._here == ord("_")) & (hub | pat | stripe)
        return signs

    def escapes(self) -> Mask:
        """Find escapes that could hide a sign: of a slash, or of a character below U+0080."""
        digit = self._text[self._at + 4] if len(self._at) else self._here
        low = self._is(2, "0") & self._is(3, "0") & (digit >= ord("2")) & (digit <= ord("7"))
        signs: Mask = (self._here == ord("\\")) & (self._is(1, "/") | (self._is(1, "u") & low))
        return signs

    def others(self) -> Mask:
        """Find eyJ and AccountKey=."""
        web = (self._here == ord("J")) & self._is(-1, "y") & self._is(-2, "e")
        key = (self._here == ord("=")) & self._is(-1, "y") & self._is(-2, "e")
        signs: Mask = web | (key & self._is(-3, "K"))
        return signs

    def capitals(self) -> Mask:
        """Find AKIA, ASIA and AIza."""
        cloud = (self._is(1, "K") | self._is(1, "S")) & self._is(2, "I") & self._is(3, "A")
        signs: Mask = cloud | (self._is(1, "I") & self._is(2, "z"))
        return signs
