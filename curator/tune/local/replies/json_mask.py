"""What holds a reply to JSON of a schema, token by token."""

from collections.abc import Mapping
from typing import Any


class JsonMask:
    """Which tokens may come next so that a reply stays JSON of its schema."""

    def __init__(self, described: str, size: int, end: int, schema: Mapping[str, Any]) -> None:
        """described is the tokenizer as its tokenizer.json says; raises ValueError for a schema too hard."""
        from llguidance import LLMatcher, LLTokenizer

        known = LLTokenizer(described, n_vocab=size, eos_token=end)
        compact = {"whitespace_flexible": False}
        grammar = LLMatcher.grammar_from_json_schema(dict(schema), defaults=compact)
        self._matcher = LLMatcher(known, grammar)
        if self._matcher.is_error():
            raise ValueError(f"The schema cannot be kept: {self._matcher.get_error()}")

    def allowed(self) -> bytes:
        """Return one bit for each token, lowest bit first."""
        bits: bytes = self._matcher.compute_bitmask()
        return bits

    def take(self, token: int) -> None:
        """Go on after a token."""
        self._matcher.consume_token(token)
