"""From tokens to what may be said already: whole characters, and nothing of a text that ends the reply."""

from collections.abc import Sequence
from typing import Any


class Speech:
    """The text of a reply as its tokens come."""

    def __init__(self, tokenizer: Any, stops: Sequence[str], openings: Sequence[str] = ()) -> None:
        """Take the texts that end a reply, and those behind which nothing is said before its end."""
        self.tokens: list[int] = []
        self.stopped = False
        self._tokenizer = tokenizer
        self._stops = stops
        self._openings = openings
        self._text = ""
        self._said = 0

    def take(self, token: int) -> str:
        """Take a token and return what can be said since the last one.

        Half a character waits for its other half, and what may be the beginning of a stop text for
        what follows; stopped tells that one is complete, and nothing of it is ever said.
        """
        self.tokens.append(token)
        self._text = self._tokenizer.decode(self.tokens, skip_special_tokens=True)
        found = [place for stop in self._stops if (place := self._text.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._say(min(found))
        if self._text.endswith("\ufffd"):
            return ""
        return self._say(len(self._text) - self._held())

    def rest(self) -> str:
        """Return what was held back, when no more tokens come."""
        return "" if self.stopped else self._say(len(self._text))

    def _say(self, end: int) -> str:
        piece = self._text[self._said : end]
        self._said = max(self._said, end)
        return piece

    def _held(self) -> int:
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
