"""Reading and changing one place inside a message or a line, without touching the rest."""

import re
from collections.abc import Mapping
from typing import Final

from curator.dataset.conversation import Conversation
from curator.dataset.finding import Place
from curator.dataset.json_values import Json

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def value_at(holder: Json, path: str) -> Json:
    """Return what stands at a path such as ``tool_calls[0].function``; None where nothing does."""
    for key, number in _STEP.findall(path):
        if key and isinstance(holder, dict):
            holder = holder.get(key)
        elif number and isinstance(holder, list) and int(number) < len(holder):
            holder = holder[int(number)]
        else:
            return None
    return holder


def with_value(holder: Json, path: str, value: Json) -> Json:
    """Return a copy with another value at a path, copying only what lies on it; LookupError where it leads nowhere."""
    steps = _STEP.findall(path)
    if not steps:
        raise LookupError("an empty path")
    return _with(holder, steps, value)


def _with(holder: Json, steps: list[tuple[str, str]], value: Json) -> Json:
    if not steps:
        return value
    (key, number), rest = steps[0], steps[1:]
    if key and isinstance(holder, dict):
        return {**holder, key: _with(holder.get(key), rest, value)}
    if number and isinstance(holder, list) and int(number) < len(holder):
        copy = list(holder)
        copy[int(number)] = _with(copy[int(number)], rest, value)
        return copy
    raise LookupError(f"nothing at {key or number}")


def holder_of(conversation: Conversation, place: Place) -> Mapping[str, Json]:
    """Return the message a place names, or the line itself."""
    if place.message is None:
        return conversation.fields
    message: Mapping[str, Json] = conversation.fields["messages"][place.message]
    return message


def with_holder(
    conversation: Conversation, place: Place, fields: Mapping[str, Json]
) -> Conversation:
    """Return the conversation with the place's message, or the line itself, replaced."""
    if place.message is None:
        return Conversation(fields)
    messages = list(conversation.fields["messages"])
    messages[place.message] = dict(fields)
    return conversation.replace(messages=messages)


def value_in(conversation: Conversation, place: Place) -> Json:
    """Return what stands at a place; None where nothing does."""
    return value_at(holder_of(conversation, place), place.field)


def with_value_in(conversation: Conversation, place: Place, value: Json) -> Conversation:
    """Return the conversation with another value at a place; LookupError where it leads nowhere."""
    fields = with_value(holder_of(conversation, place), place.field, value)
    return with_holder(conversation, place, fields)


def without(fields: Mapping[str, Json], key: str) -> dict[str, Json]:
    """Return a copy without one key."""
    return {k: v for k, v in fields.items() if k != key}
