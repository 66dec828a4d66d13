"""What of a text a search is about: the places to tint."""

import re
from collections.abc import Iterator

from curator.curate.search.patterns import Pattern
from curator.curate.search.query import Query
from curator.dataset.errors import WrongUse


class Hits:
    """The words, phrases and regular expressions of a query, found again in a text.

    An expression that takes too long on one text is given up, and marks nothing from then on.
    """

    def __init__(self, query: Query) -> None:
        texts = [t for t in query.terms if not t.negated]
        words = [r"\s+".join(map(re.escape, t.text.split())) for t in texts if t.kind != "regex"]
        self._words = re.compile("|".join(words), re.IGNORECASE) if words else None
        self._patterns = [Pattern(t.text) for t in texts if t.kind == "regex"]

    def __bool__(self) -> bool:
        return self._words is not None or bool(self._patterns)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield start and end of every hit; none is empty."""
        if self._words is not None:
            yield from (match.span() for match in self._words.finditer(text) if match[0])
        for pattern in tuple(self._patterns):
            try:
                yield from (match.span() for match in pattern.matches(text) if match[0])
            except WrongUse:
                self._patterns.remove(pattern)
