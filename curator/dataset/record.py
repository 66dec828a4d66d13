"""One line of a training file, whatever kind it is of, and the parts that the program asks for.

A conversation demonstrates answers, a preference compares two answers to one prompt, a reinforcement
item has a question and what a grader reads, and plain text is read as it is. Whoever counts, checks or
trains a line asks its record and never looks for the keys itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from curator.dataset.conversation import CONTENT_KEYS, Conversation, kind_of
from curator.dataset.json_values import BadJson, Json, loads

_PREFERRED, _OTHER = "preferred_output", "non_preferred_output"
# What a message of a plain text may hold beside it.
_BARE: Final = frozenset({"role", "content", "weight"})


class Kind(StrEnum):
    """What a line is for."""

    CONVERSATION = "conversation"
    PREFERENCE = "preference"
    REINFORCEMENT = "reinforcement"
    TEXT = "text"


KINDS: Final = tuple(Kind)
"""A kind by its stored code; one may be added, none may get another meaning."""


@dataclass(frozen=True, slots=True)
class Record:
    """A line as one kind: what is read first, and the answers to it, the preferred one first.

    shared holds what all answers have in common: a whole conversation, the prompt of a preference, or
    the question of a reinforcement item. Only a preference has answers apart from it.
    """

    kind: Kind
    fields: Mapping[str, Json]
    shared: Conversation
    answers: tuple[Sequence[Json], ...] = ()

    @classmethod
    def of(cls, fields: Mapping[str, Json], kind: Kind | None = None) -> "Record":
        """Return a line as a kind, by default the one it looks like.

        Raises BadJson that says what the line lacks for that kind.
        """
        kind = kind or looks_like(fields)
        if kind is Kind.PREFERENCE:
            return cls(kind, fields, *_preference(fields))
        if kind is Kind.TEXT:
            text = fields.get("text")
            if not isinstance(text, str):
                raise BadJson(f'its "text" is {kind_of(text)}, not a text')
            return cls(kind, fields, Conversation({"messages": [{"content": text}]}))
        if not isinstance(fields.get("messages"), list):
            raise BadJson('it has no "messages" list')
        return cls(kind, fields, Conversation(fields))

    @classmethod
    def parse(cls, text: str, kind: Kind | None = None) -> "Record":
        """Read a line; raises BadJson where it is no JSON object, or as `of` does."""
        value = loads(text)
        if not isinstance(value, dict):
            raise BadJson(f"it is {kind_of(value)}, not an object")
        return cls.of(value, kind)

    @property
    def counted(self) -> Conversation:
        """Everything whose tokens are read: of a preference the prompt once, and both answers."""
        if not self.answers:
            return self.shared
        messages = [
            *self.shared.fields["messages"],
            *(m for answer in self.answers for m in answer),
        ]
        return self.shared.replace(messages=messages)

    @property
    def trained(self) -> tuple[Conversation, ...]:
        """The conversations a trainer reads: of a preference one for each answer, its prompt masked."""
        if not self.answers:
            return (self.shared,)
        masked = [{**message, "weight": 0} for message in self.shared.fields["messages"]]
        return tuple(
            self.shared.replace(messages=[*masked, *({**m, "weight": 1} for m in answer)])
            for answer in self.answers
        )

    @property
    def text(self) -> str | None:
        """The text of a line that is nothing but a text; None where it has turns to be rendered."""
        messages = self.shared.fields["messages"]
        if (
            len(messages) != 1
            or self.answers
            or self.fields.get("tools")
            or self.fields.get("functions")
        ):
            return None
        (only,) = messages
        if not isinstance(only, dict):
            return None
        held = {key for key, value in only.items() if value is not None}
        text = only.get("content")
        return text if held <= _BARE and isinstance(text, str) else None

    @property
    def unasked(self) -> str:
        """Why a reinforcement trainer cannot ask the line's question; empty where it can."""
        roles = [message.role for message in self.shared.messages]
        if "system" in roles:
            return "it has a system message; reinforcement wants the role developer there"
        if not roles or roles[-1] != "user":
            return "its last message is not the user's, so there is nothing to answer"
        return ""

    def item(self, path: str) -> Json:
        """Return what a grader reads as {{item.path}}; None where the line does not have it."""
        value: Json = self.fields
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def looks_like(fields: Mapping[str, Json]) -> Kind:
    """Return which kind a line looks like by its keys; a conversation where nothing says otherwise."""
    messages = fields.get("messages")
    if messages is None:
        if {_PREFERRED, _OTHER} & fields.keys() or isinstance(fields.get("input"), dict):
            return Kind.PREFERENCE
        return Kind.TEXT if "text" in fields else Kind.CONVERSATION
    if fields.keys() <= set(CONTENT_KEYS) or not isinstance(messages, list) or not messages:
        return Kind.CONVERSATION
    # No answer, but keys that no demonstration has: the reference that a grader compares with.
    is_question = not any(isinstance(m, dict) and m.get("role") == "assistant" for m in messages)
    return Kind.REINFORCEMENT if is_question else Kind.CONVERSATION


def _preference(fields: Mapping[str, Json]) -> tuple[Conversation, tuple[Sequence[Json], ...]]:
    """Return the prompt and both answers (types/fine_tuning/preference_input of OpenAI's protocol)."""
    given = fields.get("input")
    if not isinstance(given, dict):
        raise BadJson(
            'it has no "input" with two answers, which preference training needs; a plain '
            "conversation trains with the supervised method"
        )
    answers: tuple[Json, Json] = (fields.get(_PREFERRED), fields.get(_OTHER))
    for part in (given.get("messages"), *answers):
        if not isinstance(part, list) or not all(isinstance(message, dict) for message in part):
            raise BadJson("its input or one of its answers is not a list of messages")
    return Conversation(given), answers
