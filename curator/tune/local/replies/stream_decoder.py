"""From tokens to the text that can be sent already: whole characters, and nothing of a stop text."""

from collections.abc import Sequence
from typing import Any


class StreamDecoder:
    """The text of a reply as its tokens come."""

    def __init__(self, tokenizer: Any, stops: Sequence[str], openings: Sequence[str] = ()) -> None:
        """Take the texts that end a reply, and those behind which nothing is sent before its end."""
        self.tokens: list[int] = []
        self.stopped = False
        self._tokenizer = tokenizer
        self._stops = stops
        self._openings = openings
        self._text = ""
        self._emitted = 0

    def take(self, token: int) -> str:
        """Take a token and return the text that can be sent since the last one.

        An incomplete character waits for its other bytes, and what may be the beginning of a stop text
        for what follows; stopped is true once one is complete, and nothing of it is ever sent.
        """
        self.tokens.append(token)
        self._text = self._tokenizer.decode(self.tokens, skip_special_tokens=True)
        found = [place for stop in self._stops if (place := self._text.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._emit(min(found))
        if self._text.endswith("\ufffd"):
            return ""
        return self._emit(len(self._text) - self._waiting())

    def rest(self) -> str:
        """Return what was held back, when no more tokens come."""
        return "" if self.stopped else self._emit(len(self._text))

    def _emit(self, end: int) -> str:
        piece = self._text[self._emitted : end]
        self._emitted = max(self._emitted, end)
        return piece

    def _waiting(self) -> int:
        """Return how much of the text's end waits: an opening, or what one or a stop text begins with."""
        found = [at for text in self._openings if (at := self._text.find(text)) >= 0]
        if found:
            return len(self._text) - min(found)
        return max(
            (
                size
                for text in (*self._stops, *self._openings)
                for size in range(1, len(text))
                if self._text.endswith(text[:size])
            ),
            default=0,
        )
