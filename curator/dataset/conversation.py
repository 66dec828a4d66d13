"""The nouns that train: a conversation, its messages and tool calls.

Each is a frozen view over the JSON object it came from, so nothing a file said is ever lost: unknown
keys, wrong types, absent against null. Typed properties answer the usual questions; a change makes
a new value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from curator.dataset.json_values import BadJson, Json, canonical, dumps, loads

SYSTEM_ROLES: Final = ("system", "developer")
"""The roles of instructions: a service reads both as the same rank."""

ROLES: Final = (*SYSTEM_ROLES, "user", "assistant", "tool", "function")
"""Roles a person can choose, in the order menus show them."""

TITLE_CHARACTERS: Final = 80
"""How long the title of a conversation is at most."""

CONTENT_KEYS: Final = ("messages", "tools", "parallel_tool_calls", "functions")
"""Top-level keys of a training line; any other key is metadata."""


def title_of(text: str) -> str:
    """Return the first words of a text on one line; at most 80 characters, the last one "…" if cut."""
    short = " ".join(text[:400].split())
    if len(short) <= TITLE_CHARACTERS and (len(text) <= 400 or not text[400:].strip()):
        return short
    return short[: TITLE_CHARACTERS - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call an assistant message makes; arguments is a string holding JSON in a correct file."""

    fields: Mapping[str, Json]

    @property
    def id(self) -> str:
        """The id a tool message answers; empty where none is given."""
        return _text(self.fields.get("id"))

    @property
    def name(self) -> str:
        """The function's name; empty where none is given."""
        return _text(_mapping(self.fields.get("function")).get("name"))

    @property
    def arguments(self) -> Json:
        """The arguments as the file holds them."""
        return _mapping(self.fields.get("function")).get("arguments")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: a role and what it says."""

    fields: Mapping[str, Json]

    @classmethod
    def of(cls, role: str, content: str, **more: Json) -> "Message":
        """Build a plain message."""
        return cls({"role": role, "content": content, **more})

    @property
    def role(self) -> str:
        """The role as written, or an empty string where it is absent or not a text."""
        return _text(self.fields.get("role"))

    @property
    def content(self) -> Json:
        """The content as the file holds it: a string, a list of parts, None, or something odd."""
        return self.fields.get("content")

    @property
    def text(self) -> str:
        """The words of the content: the string itself, or the text parts joined by newlines."""
        content = self.content
        if isinstance(content, str):
            return content
        return "\n".join(_text(p.get("text")) for p in self.parts if p.get("type") == "text")

    @property
    def parts(self) -> tuple[Mapping[str, Json], ...]:
        """The content parts that are objects; empty for a plain string."""
        content = self.content
        return tuple(p for p in content if isinstance(p, dict)) if isinstance(content, list) else ()

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of an assistant message that are objects."""
        calls = self.fields.get("tool_calls")
        return (
            tuple(ToolCall(c) for c in calls if isinstance(c, dict))
            if isinstance(calls, list)
            else ()
        )

    @property
    def weight(self) -> Json:
        """The weight as written; None where absent."""
        return self.fields.get("weight")

    @property
    def is_trained(self) -> bool:
        """Whether the model learns to say this: an assistant message whose weight is not 0."""
        return self.role == "assistant" and self.weight != 0

    def replace(self, **changes: Json) -> "Message":
        """Return a copy with some keys set; the order of the other keys stays."""
        return Message({**self.fields, **changes})

    def without(self, *keys: str) -> "Message":
        """Return a copy without some keys."""
        return Message({k: v for k, v in self.fields.items() if k not in keys})


@dataclass(frozen=True, slots=True)
class Conversation:
    """One demonstration: the object of one training line."""

    fields: Mapping[str, Json]

    @classmethod
    def of(cls, messages: Iterable[Message], **more: Json) -> "Conversation":
        """Build a conversation from messages and further top-level keys such as tools."""
        return cls({"messages": [dict(m.fields) for m in messages], **more})

    @classmethod
    def parse(cls, text: str) -> "Conversation":
        """Read one line; raises BadJson where it is not a JSON object with a list of messages."""
        value = loads(text)
        if not isinstance(value, dict):
            raise BadJson(f"it is {kind_of(value)}, not an object")
        if not isinstance(value.get("messages"), list):
            raise BadJson('it has no "messages" list')
        return cls(value)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turns in order; one that is not an object shows as a message without any key."""
        return tuple(
            Message(m if isinstance(m, dict) else {}) for m in self.fields.get("messages", ())
        )

    @property
    def tools(self) -> tuple[Mapping[str, Json], ...]:
        """The tool definitions that are objects."""
        tools = self.fields.get("tools")
        return tuple(t for t in tools if isinstance(t, dict)) if isinstance(tools, list) else ()

    @property
    def system_prompt(self) -> str:
        """The text of the first message where that is a system or developer message, else empty."""
        messages = self.messages
        return messages[0].text if messages and messages[0].role in SYSTEM_ROLES else ""

    @property
    def opening(self) -> str:
        """The text of the first user turn, or of the first message where no user speaks."""
        messages = self.messages
        first = next((m for m in messages if m.role == "user"), messages[0] if messages else None)
        return first.text if first else ""

    @property
    def title(self) -> str:
        """The first words of the opening: one line of at most 80 characters, "…" where it goes on."""
        return title_of(self.opening)

    def replace(self, **changes: Json) -> "Conversation":
        """Return a copy with some top-level keys set."""
        return Conversation({**self.fields, **changes})

    def without(self, *keys: str) -> "Conversation":
        """Return a copy without some top-level keys."""
        return Conversation({k: v for k, v in self.fields.items() if k not in keys})

    def to_json(self) -> str:
        """Write the line, keys in their own order."""
        return dumps(dict(self.fields))

    def canonical(self) -> str:
        """Write the line in the form that equal conversations share."""
        return canonical(dict(self.fields))


def kind_of(value: Json) -> str:
    """Name a JSON value's type in words."""
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
