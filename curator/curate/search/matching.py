"""Whether a text holds what a search asks for: the meaning that every search engine here must keep.

Case and accents do not matter. A word matches where a word begins (``refun`` finds refunds); a phrase
matches whole words with anything but letters and digits between them. A term with signs in it, such
as ``c++``, is taken literally. A regular expression sees the text as it is.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

from curator.curate.search.patterns import Pattern
from curator.curate.search.query import Query, Term

PREFIX_FROM: Final = 3
"""Shorter words are matched whole: two letters begin too many words to be of use."""

_TOKEN: Final = re.compile(r"[^\W_]+")
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_SPACE: Final = re.compile(r"\s+")
# Greek, Cyrillic, Armenian and Latin put spaces between words; from here on scripts may not.
_ALPHABETS_END: Final = 0x590


def fold(text: str) -> str:
    """Return a text without case and accents, as searches compare it."""
    text = text.lower()
    if text.isascii():
        return text
    return _ACCENTS.sub("", unicodedata.normalize("NFD", text))


def tokens(folded: str) -> list[str]:
    """Return the words of a folded text."""
    return _TOKEN.findall(folded)


def is_plain(term: Term) -> bool:
    """Whether a word index answers a term: only letters and digits of scripts that space their words."""
    folded = fold(term.text)
    return (
        term.kind != "regex"
        and bool(tokens(folded))
        and not _SPACE.sub("", _TOKEN.sub("", folded))
        and all(ord(c) < _ALPHABETS_END for c in folded)
    )


def is_prefix(term: Term) -> bool:
    """Whether a term matches the beginning of a word, not only a whole one."""
    folded = fold(term.text).strip()
    return term.kind == "word" and len(folded) >= PREFIX_FROM and folded[-1].isalnum()


@cache
def pattern(term: Term) -> re.Pattern[str]:
    """Return what to look for in a folded text."""
    whole = fold(term.text)
    # An accent alone at the end leaves the space before it.
    folded = whole.strip() or whole
    if any(ord(c) >= _ALPHABETS_END for c in folded):
        return re.compile(_spaced(folded))
    body = r"[\W_]+".join(map(re.escape, tokens(folded))) if is_plain(term) else _spaced(folded)
    before = r"(?<![^\W_])" if folded[:1].isalnum() else ""
    after = r"(?![^\W_])" if folded[-1:].isalnum() and not is_prefix(term) else ""
    return re.compile(before + body + after)


def _spaced(folded: str) -> str:
    return r"\s+".join(re.escape(part) for part in folded.split()) or re.escape(folded)


def matcher(query: Query) -> Callable[[str], bool]:
    """Return the test of all terms of a query on a text.

    It raises WrongUse where a regular expression takes too long on a text.
    """
    folded = [(pattern(t).search, t.negated) for t in query.terms if t.kind != "regex"]
    raw = [
        (Pattern(t.text, shown=t.text.removeprefix("(?i)")).found_in, t.negated)
        for t in query.terms
        if t.kind == "regex"
    ]

    def matches(text: str) -> bool:
        # Plain loops: this runs a million times for one search.
        for found_in, negated in raw:
            if found_in(text) is negated:
                return False
        if folded:
            low = fold(text)
            for search, negated in folded:
                if (search(low) is None) is not negated:
                    return False
        return True

    return matches
