"""A person's regular expression, matched so that it can be given up.

Python's ``re`` may search for years, and no other thread runs meanwhile. ``regex`` takes a time
limit and lets the others run. What a pattern means stays what ``re`` says: it judges the pattern,
and the few signs that mean more to ``regex`` are made plain.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from curator.dataset.errors import WrongUse

if TYPE_CHECKING:
    import regex

SECONDS: Final = 3.0
"""How long one text may take. Sane patterns need milliseconds for the longest text."""

_PIECE: Final = re.compile(
    r"""
    (?P<escape>\\.)
    | \[(?P<not>\^?)(?P<close>\]?)(?P<set>(?:\\.|[^\]\\])*)\]   # a ] right after the bracket is a character
    | (?P<brace>\{)(?!\d*,?\d*\})                           # it repeats nothing
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_SET: Final = re.compile(r"\\.|[\[&~|]", re.DOTALL)


class Pattern:
    """A compiled regular expression; raises WrongUse where it is none, or takes too long on a text."""

    def __init__(self, source: str, *, shown: str = "", match_case: bool = True) -> None:
        self._shown = shown or source
        try:
            self._compiled = _compile(_plain(source), match_case)
        except (re.error, OverflowError, RecursionError) as error:
            raise WrongUse(f"/{self._shown}/ is no regular expression: {error}.") from error

    def found_in(self, text: str) -> bool:
        """Whether a text holds a match."""
        try:
            return self._compiled.search(text, timeout=SECONDS) is not None
        except TimeoutError as error:
            raise self._too_slow() from error

    def matches(self, text: str) -> "Iterator[regex.Match[str]]":
        """Yield every match in a text, in order."""
        try:
            yield from self._compiled.finditer(text, timeout=SECONDS)
        except TimeoutError as error:
            raise self._too_slow() from error

    def check_replacement(self, template: str) -> None:
        """Raise WrongUse where a replacement names a group that the pattern does not have."""
        try:
            # regex reads a template only where it found something.
            re.compile(self._compiled.pattern).sub(template, "")
        except (re.error, IndexError) as error:
            raise WrongUse(f"The replacement does not fit the pattern: {error}.") from error

    def _too_slow(self) -> WrongUse:
        return WrongUse(
            f"/{self._shown}/ was given up: one text alone took over {SECONDS:.0f} seconds. A repeat"
            " of a repeat, as in (a+)+, tries far too many ways; write it with one repeat."
        )


@lru_cache(maxsize=64)
def _compile(source: str, match_case: bool) -> "regex.Pattern[str]":  # noqa: FBT001 - a cache's key
    import regex

    re.compile(source)
    try:
        flags = regex.VERSION0 if match_case else regex.VERSION0 | regex.IGNORECASE
        return regex.compile(source, flags)
    except regex.error as error:
        raise re.error(str(error)) from error


def _plain(source: str) -> str:
    """Return a pattern without what only ``regex`` knows: rough matches, and sets inside of sets."""

    def plain(found: re.Match[str]) -> str:
        if found["escape"]:
            return found[0]
        if found["brace"]:
            return "\\{"
        # There it would warn of sets inside of sets, and regex would make some.
        inside = found["close"].replace("]", "\\]") + _IN_SET.sub(_bare, found["set"])
        return f"[{found['not']}{inside}]"

    return _PIECE.sub(plain, source)


def _bare(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("\\") else "\\" + found[0]
