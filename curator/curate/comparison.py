"""Which words of a conversation are compared when duplicates are sought."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from curator.dataset.conversation import Conversation

Turns = Sequence[tuple[str, str]]
"""Role and text of each turn."""


def turns_of(conversation: Conversation) -> list[tuple[str, str]]:
    """Return role and text of every turn."""
    return [(message.role, message.text) for message in conversation.messages]


def compared_text(turns: Turns, compare: str) -> str:
    """Return the text that one of COMPARISONS looks at."""
    return COMPARISONS[compare](turns)


def _all(turns: Turns) -> str:
    return "\n".join(text for _, text in turns)


def _prompt(turns: Turns) -> str:
    end = _last_answer(turns)
    return "\n".join(text for role, text in turns[:end] if role in ("user", "tool"))


def _answer(turns: Turns) -> str:
    end = _last_answer(turns)
    return turns[end][1] if end < len(turns) else ""


def _last_answer(turns: Turns) -> int:
    places = (place for place in range(len(turns) - 1, -1, -1) if turns[place][0] == "assistant")
    return next(places, len(turns))


COMPARISONS: Final[Mapping[str, Callable[[Turns], str]]] = MappingProxyType(
    {"conversation": _all, "prompt": _prompt, "answer": _answer}
)
"""What can be compared: everything said, what was asked before the last answer, or that answer."""
