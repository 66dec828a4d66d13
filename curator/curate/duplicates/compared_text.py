"""What of a conversation is compared when near-duplicates are sought: texts by their words, the rest exactly.

System prompts and tool definitions stand alike in most conversations of a project and are left out
unless asked for. Images, other parts and calls are no words: two conversations that show other images
or make other calls are never alike, whatever their texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from curator.curate.analysis.identity import (
    answer_hash,
    call_items,
    content_items,
    hash_text,
    marked,
    tool_definitions,
)
from curator.curate.analysis.plain_lines import said
from curator.dataset.conversation import SYSTEM_ROLES, Conversation, Message

WHOLE: Final = "conversation"

COMPARISONS: Final = (WHOLE, "prompt", "answer")
"""What can be compared: everything said, what was read before the last answer, or that answer."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of a conversation is compared, and whether system prompts and tools count."""

    part: str = WHOLE
    system: bool = False
    tools: bool = False


class Compared(NamedTuple):
    """The texts of one conversation in order, and a hash of its images and calls; 0 where it has none."""

    texts: Sequence[str]
    things: int = 0


def compared(line: str, scope: Scope) -> Compared:
    """Return what is compared of a line; a plain one is read fast, all others the exact way."""
    turns = said(line, with_tools=scope.tools)
    if turns is None:
        return compared_of(Conversation.parse(line), scope)
    texts = [text for role, text in _part(turns, scope) if text and not text.isspace()]
    return Compared(texts)


def compared_of(conversation: Conversation, scope: Scope) -> Compared:
    """Return what is compared of a conversation."""
    messages = [(message.role, message) for message in conversation.messages]
    texts: list[str] = []
    things: list[str] = []
    if scope.tools and scope.part != "answer":
        texts += tool_definitions(conversation)
    for _, message in _part(messages, scope):
        items = [*content_items(message), *call_items(message)]
        texts += [item for item in (*items, _refusal(message)) if item and not marked(item)]
        things += [item for item in items if marked(item)]
    return Compared(texts, hash_text("\n".join(things)) if things else 0)


def answer_of(line: str) -> int:
    """Return the hash of the last answer of a line, 0 where there is none."""
    return answer_hash(Conversation.parse(line))


def _part(turns: Sequence[tuple[str, T]], scope: Scope) -> Sequence[tuple[str, T]]:
    """Return the turns that a scope takes in."""
    if scope.part != WHOLE:
        last = max((n for n, turn in enumerate(turns) if turn[0] == "assistant"), default=None)
        if scope.part == "answer":
            return [] if last is None else turns[last : last + 1]
        turns = turns[:last]
    return turns if scope.system else [turn for turn in turns if turn[0] not in SYSTEM_ROLES]


def _refusal(message: Message) -> str:
    refusal = message.fields.get("refusal")
    return refusal if isinstance(refusal, str) else ""
