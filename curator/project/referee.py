"""The run-time proof of the token counts: tiktoken counts about one conversation in a hundred again."""

from typing import Final

from curator.curate.analysis import Analysis
from curator.curate.tokens import Counter, count_conversation
from curator.dataset import Conversation
from curator.dataset.json_values import BadJson

EVERY: Final = 128


class Referee:
    """Re-counts a sample of rows; `differing` says how many had another count."""

    def __init__(self, encoding: str) -> None:
        self._reference = Counter(encoding)
        self._next = 0
        self.recounted = 0
        self.differing = 0

    def look(self, data: bytes, analysis: Analysis, starts: list[int]) -> bool:
        """Re-count some rows of a part; return whether all agree."""
        tokens = analysis.columns["tokens"]
        differing = 0
        at = self._next
        while at < len(analysis):
            raw = data[starts[at] : starts[at] + int(analysis.length[at])]
            differing += self._count(raw) != int(tokens[at])
            self.recounted += 1
            at += EVERY
        self._next = at - len(analysis)
        self.differing += differing
        return not differing

    def _count(self, raw: bytes) -> int:
        try:
            conversation = Conversation.parse(raw.decode("utf-8"))
        except (BadJson, UnicodeDecodeError):
            return -1
        return count_conversation(conversation, self._reference).total
