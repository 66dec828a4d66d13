"""What the editor does to a conversation: pure steps on its list of messages, odd entries kept."""

import json
from collections.abc import Mapping
from typing import Final

from curator.dataset import Conversation
from curator.dataset.json_values import Json, dumps

NEXT_ROLE: Final = {
    "system": "user",
    "developer": "user",
    "user": "assistant",
    "assistant": "user",
    "tool": "assistant",
    "function": "assistant",
}
"""Who most likely speaks after whom."""


def messages_of(conversation: Conversation) -> list[Json]:
    """Return a copy of the raw list, entries that are no objects included."""
    return list(conversation.fields.get("messages", ()))


def role_of(message: Json) -> str:
    """Return the role of a raw entry, or an empty string."""
    role = message.get("role") if isinstance(message, Mapping) else None
    return role if isinstance(role, str) else ""


def inserted(conversation: Conversation, index: int, message: Json) -> Conversation:
    """Return the conversation with one more message at a position."""
    messages = messages_of(conversation)
    messages.insert(index, message)
    return conversation.replace(messages=messages)


def removed(conversation: Conversation, index: int) -> Conversation:
    """Return the conversation without one message."""
    messages = messages_of(conversation)
    del messages[index]
    return conversation.replace(messages=messages)


def moved(conversation: Conversation, index: int, to: int) -> Conversation:
    """Return the conversation with one message at another position."""
    messages = messages_of(conversation)
    messages.insert(to, messages.pop(index))
    return conversation.replace(messages=messages)


def exchanged(conversation: Conversation, index: int, message: Json) -> Conversation:
    """Return the conversation with one message in place of another."""
    messages = messages_of(conversation)
    messages[index] = message
    return conversation.replace(messages=messages)


def new_message(conversation: Conversation, index: int, role: str = "") -> dict[str, Json]:
    """Return an empty message that fits after the one before the position."""
    messages = messages_of(conversation)
    before = role_of(messages[index - 1]) if 0 < index <= len(messages) else ""
    role = role or NEXT_ROLE.get(before, "user")
    made: dict[str, Json] = {"role": role, "content": ""}
    if role == "tool":
        made = {"role": role, "tool_call_id": _open_call(messages[:index]), "content": ""}
    return made


def new_conversation(system_prompt: str = "") -> Conversation:
    """Return the template of a conversation: a prompt where there is one, a question, an answer."""
    messages = [{"role": "system", "content": system_prompt}] if system_prompt else []
    messages += [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
    return Conversation({"messages": messages})


def first_difference(before: str | None, after: str | None) -> int:
    """Return the place in a line's messages where it first differs from another; -1 where nowhere."""
    if before is None or after is None:
        return -1
    old, new = (messages_of(Conversation.parse(line)) for line in (before, after))
    for number, (one, other) in enumerate(zip(old, new, strict=False)):
        if not same(one, other):
            return number
    return min(len(old), len(new) - 1) if len(old) != len(new) else -1


def with_key(fields: Mapping[str, Json], key: str, value: Json) -> dict[str, Json]:
    """Return the fields with one key set, or taken away where the value is None."""
    if value is None:
        return {k: v for k, v in fields.items() if k != key}
    return {**fields, key: value}


def same(a: Json, b: Json) -> bool:
    """Whether two values are the same JSON; unlike ==, 1 and true differ."""
    return a is b or (a == b and dumps(a) == dumps(b))


def pretty(value: Json) -> str:
    """Write a value over several lines for a person to edit, or compactly where only that is exact."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    except TypeError:
        return dumps(value)


def _open_call(messages: list[Json]) -> str:
    """Return the id of the first call that no tool message answers yet."""
    answered = {m.get("tool_call_id") for m in messages if isinstance(m, Mapping)}
    for message in reversed(messages):
        calls = message.get("tool_calls") if isinstance(message, Mapping) else None
        for call in calls if isinstance(calls, list) else ():
            found = call.get("id") if isinstance(call, Mapping) else None
            if isinstance(found, str) and found not in answered:
                return found
    return ""
