"""Counting drafts for a base on this computer: by its own vocabulary and what its template writes."""

from typing import TYPE_CHECKING

from curator.dataset import Conversation
from curator.dataset.json_values import dumps

if TYPE_CHECKING:
    from curator.curate.analysis.tokens import TokenCount
    from curator.tune.jobs.base_counts import Frame


class OwnBaseCounter:
    """Counts a conversation again and again, each time only the texts that are new."""

    def __init__(self, frame: "Frame") -> None:
        self.frame = frame
        self._known: dict[str, int] = {}

    def count(self, draft: Conversation) -> "TokenCount":
        """Return the tokens of a draft; calls and definitions make the count an estimate."""
        from curator.curate.analysis.tokens import TokenCount

        fresh: dict[str, int] = {}
        own: list[int] = []
        trained = 0
        exact = True
        for number, message in enumerate(draft.messages):
            fields = message.fields
            role = str(fields.get("role"))
            text_tokens = self._text(message.text, fresh)
            call_tokens = sum(
                self._text(dumps(fields[key]), fresh)
                for key in ("tool_calls", "function_call")
                if fields.get(key)
            )
            around = self.frame.around.get(role, self.frame.around["user"])
            opening = self.frame.opening if not number and role not in _PROMPTS else 0
            own.append(around + opening + text_tokens + call_tokens)
            trained += text_tokens + call_tokens + 1 if message.is_trained else 0
            exact &= fields.keys() <= _PLAIN and message.text == message.text.strip()
        defined = [draft.fields[key] for key in ("tools", "functions") if draft.fields.get(key)]
        tools = sum(self._text(dumps(value), fresh) for value in defined)
        self._known = fresh
        return TokenCount(sum(own) + tools, trained, tuple(own), exact and not defined)

    def _text(self, text: str, fresh: dict[str, int]) -> int:
        found = self._known.get(text)
        fresh[text] = self.frame.count(text) if found is None else found
        return fresh[text]


_PROMPTS = ("system", "developer")
_PLAIN = frozenset({"role", "content", "weight"})


def counting_frame(name: str) -> "Frame | None":
    """Return how a base of this computer counts, None for other bases; takes a second or more."""
    from curator.dataset.errors import WrongUse
    from curator.tune.jobs import base_counts

    own = base_counts.own_count(name)
    try:
        return base_counts.frame_of(own, lambda: False) if own is not None else None
    except WrongUse:
        return None  # without the trainer the usual count stands, and is call_tokens an estimate
