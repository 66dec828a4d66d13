"""A quick proof that raw JSON lines hold no secret (rule P01): every secret shows a sign beside a rare character.

The rare characters are found many kilobytes at a time; only their neighbours are looked at. The signs
are wider than the rule's own patterns, so a text without signs needs no closer look.
"""

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_PAD: Final = 4
_PART: Final = 1 << 17
_RARE: Final = b"_-\\J@=A"
# Wider than the rule's own: an escape in the raw line takes up to three characters for one.
_ADDRESS: Final = re.compile(rb"://[^\s:/@]{1,400}:[^\s:/@]{3,400}@")
_LONGEST_ADDRESS: Final = 3 + 400 + 1 + 400
_LETTERS: Final = np.zeros(256, dtype=bool)
_LETTERS[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] = True
_AFTER_GH: Final = np.zeros(256, dtype=bool)
_AFTER_GH[list(b"pousrf")] = True


class SignSearch:
    """Looks for signs again and again in the same working memory, which one thread may use at a time."""

    def __init__(self) -> None:
        self._room = 0
        self._text: Bytes = np.zeros(0, dtype=np.uint8)
        self._mask: Mask = np.zeros(0, dtype=bool)
        self._more: Mask = np.zeros(0, dtype=bool)

    def places(self, raw: bytes | memoryview) -> "npt.NDArray[np.intp]":
        """Return the places in raw lines, in order, where rule P01 must look; nowhere else is any."""
        text = self._padded(raw)
        at = self._rare(text)
        here = text[at]
        found = [at[:0]]
        for character, is_sign in _SIGNS:
            some = at[here == character]
            if len(some):
                found.append(some[is_sign(_Around(text, some))] - _PAD)
        mails = (at[here == ord("@")] - _PAD).tolist()
        if mails:
            whole = bytes(raw)
            ends = [place for place in mails if _ends_address(whole, place)]
            found.append(np.array(ends, dtype=np.intp))
        return np.sort(np.concatenate(found))

    def _padded(self, raw: bytes | memoryview) -> Bytes:
        size = len(raw) + 2 * _PAD
        if size > self._room:
            self._room = size + (size >> 2)
            self._text = np.zeros(self._room, dtype=np.uint8)
            self._mask = np.zeros(self._room, dtype=bool)
            self._more = np.zeros(self._room, dtype=bool)
        text = self._text[:size]
        text[_PAD:-_PAD] = np.frombuffer(raw, dtype=np.uint8)
        text[:_PAD] = text[-_PAD:] = 0
        return text

    def _rare(self, text: Bytes) -> "npt.NDArray[np.intp]":
        """Return where the rare characters stand, a part at a time that the processor holds near."""
        found = []
        for begin in range(0, len(text), _PART):
            part = text[begin : begin + _PART]
            mask, more = self._mask[: len(part)], self._more[: len(part)]
            np.equal(part, _RARE[0], out=mask)
            for character in _RARE[1:]:
                np.equal(part, character, out=more)
                np.logical_or(mask, more, out=mask)
            found.append(np.flatnonzero(mask) + begin)
        return found[0] if len(found) == 1 else np.concatenate(found)


def _ends_address(raw: bytes, place: int) -> bool:
    """Say whether an @ may stand behind a name and a password: ://name:password@."""
    begin = raw.rfind(b"://", max(0, place - _LONGEST_ADDRESS), place)
    return begin >= 0 and _ADDRESS.match(raw, begin) is not None


class _Around:
    """The neighbours of some places of a text where one rare character stands."""

    def __init__(self, text: Bytes, at: "npt.NDArray[np.intp]") -> None:
        self._text = text
        self._at = at

    def _is(self, offset: int, character: str) -> Mask:
        here: Mask = self._text[self._at + offset] == ord(character)
        return here

    def dashes(self) -> Mask:
        """Find sk-, glpat-, xox?- and the five dashes before BEGIN."""
        key = self._is(-1, "k") & self._is(-2, "s") & ~_LETTERS[self._text[self._at - 3]]
        token = self._is(-1, "t") & self._is(-2, "a")
        block = self._is(-1, "-") & self._is(1, "B") & self._is(2, "E")
        return key | token | self._is(-2, "x") | block

    def lines(self) -> Mask:
        """Find k_live_, k_test_, gh?_, hf_ and github_pat_."""
        hub = self._is(-2, "h") & _AFTER_GH[self._text[self._at - 1]]
        hub |= self._is(-1, "f") & self._is(-2, "h")
        pat = self._is(-1, "t") & self._is(-2, "a")
        stripe = self._is(-1, "k") & (self._is(1, "l") | self._is(1, "t"))
        return hub | pat | stripe

    def escapes(self) -> Mask:
        """Find escapes that could hide a sign: of a slash, or of a character below U+0080."""
        digit = self._text[self._at + 4]
        low = self._is(2, "0") & self._is(3, "0") & (digit >= ord("2")) & (digit <= ord("7"))
        return self._is(1, "/") | (self._is(1, "u") & low)

    def web_tokens(self) -> Mask:
        """Find eyJ."""
        return self._is(-1, "y") & self._is(-2, "e")

    def account_keys(self) -> Mask:
        """Find AccountKey=."""
        return self._is(-1, "y") & self._is(-2, "e") & self._is(-3, "K")

    def capitals(self) -> Mask:
        """Find AKIA, ASIA and AIza."""
        cloud = (self._is(1, "K") | self._is(1, "S")) & self._is(2, "I") & self._is(3, "A")
        return cloud | (self._is(1, "I") & self._is(2, "z"))


_SIGNS: Final[tuple[tuple[int, Callable[[_Around], Mask]], ...]] = (
    (ord("-"), _Around.dashes),
    (ord("_"), _Around.lines),
    (ord("\\"), _Around.escapes),
    (ord("J"), _Around.web_tokens),
    (ord("="), _Around.account_keys),
    (ord("A"), _Around.capitals),
)
