"""Fixes of keys, roles, weights and the order of turns."""

from collections.abc import Callable, Mapping
from typing import Final

from curator.curate.checks.definitions import usual_name
from curator.curate.checks.shape import usual_weight
from curator.curate.checks.subject import KNOWN_ROLES, usual_role
from curator.curate.fixes.places import holder_of, with_holder, without
from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding
from curator.dataset.json_values import Json, dumps

Moved = dict[str, Json]
FixFunction = Callable[[Conversation, Finding, Moved], Conversation]


def _keep_last_key(conversation: Conversation, _finding: Finding, _moved: Moved) -> Conversation:
    """Give the line as it was read: the last value of each key; writing it again drops the others."""
    return conversation


def _move_key(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    key = finding.place.field
    if key not in conversation.fields:
        return conversation
    moved[key] = conversation.fields[key]
    return conversation.without(key)


def _move_message_key(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    place = finding.place
    fields = holder_of(conversation, place)
    if place.field not in fields:
        return conversation
    if fields[place.field] is not None:
        moved[f"messages[{place.message}].{place.field}"] = fields[place.field]
    return with_holder(conversation, place, without(fields, place.field))


def _remove_null(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    fields = holder_of(conversation, finding.place)
    if fields.get(finding.place.field, "") is not None:
        return conversation
    return with_holder(conversation, finding.place, without(fields, finding.place.field))


def _set_role(conversation: Conversation, finding: Finding, role: str) -> Conversation:
    fields = holder_of(conversation, finding.place)
    return with_holder(conversation, finding.place, {**fields, "role": role})


def _map_role(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    role = usual_role(holder_of(conversation, finding.place).get("role"))
    return _set_role(conversation, finding, role) if role else conversation


def _correct_weight(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    fields = holder_of(conversation, finding.place)
    if usual_role(fields.get("role")) in KNOWN_ROLES - {"assistant"}:
        return _move_message_key(conversation, finding, moved)
    weight = usual_weight(fields.get("weight"))
    if weight is None:
        return conversation
    return with_holder(conversation, finding.place, {**fields, "weight": weight})


def _slugify_name(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    fields = holder_of(conversation, finding.place)
    name = fields.get("name")
    if not isinstance(name, str):
        return conversation
    fixed = {**fields, "name": usual_name(name)} if name.strip() else without(fields, "name")
    return with_holder(conversation, finding.place, fixed)


def _delete_message(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    """Delete a message that says nothing; whatever else it is goes to the metadata."""
    at = finding.place.message
    messages = list(conversation.fields["messages"])
    if at is None:
        return conversation
    message = messages.pop(at)
    if not isinstance(message, dict) or not message.keys() <= {"role", "content"}:
        moved[f"messages[{at}]"] = message
    return conversation.replace(messages=messages)


def _content_to_text(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    fields = holder_of(conversation, finding.place)
    content = fields.get("content")
    if content is None or isinstance(content, (str, list)):
        return conversation
    inner = content.get("text", content.get("value")) if isinstance(content, dict) else None
    text = inner if isinstance(inner, str) else dumps(content)
    if isinstance(inner, str) and len(content) > 1:
        moved[f"messages[{finding.place.message}].content"] = content
    return with_holder(conversation, finding.place, {**fields, "content": text})


def _train_last(conversation: Conversation, _finding: Finding, _moved: Moved) -> Conversation:
    messages = list(conversation.fields["messages"])
    for index in range(len(messages) - 1, -1, -1):
        if _role_of(messages[index]) == "assistant":
            messages[index] = {**messages[index], "weight": 1}
            return conversation.replace(messages=messages)
    return conversation


def _drop_tail(conversation: Conversation, _finding: Finding, moved: Moved) -> Conversation:
    messages = list(conversation.fields["messages"])
    roles = [_role_of(message) for message in messages]
    if "assistant" not in roles:
        return conversation
    while roles[-1] != "assistant":
        roles.pop()
    for at in range(len(roles), len(messages)):
        moved[f"messages[{at}]"] = messages[at]
    return conversation.replace(messages=messages[: len(roles)])


def _merge(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    """Join a message to the one before it; what either trains stays trained."""
    at = finding.place.message
    messages = list(conversation.fields["messages"])
    if not at or not all(
        isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages[at - 1 : at + 1]
    ):
        return conversation
    first, second = messages[at - 1], messages[at]
    merged = {**first, "content": f"{first['content']}\n\n{second['content']}"}
    if not (first.get("weight") == 0 and second.get("weight") == 0):
        merged.pop("weight", None)
    return conversation.replace(messages=[*messages[: at - 1], merged, *messages[at + 1 :]])


def _system_first(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    at = finding.place.message
    if not at:
        return conversation
    messages = list(conversation.fields["messages"])
    return conversation.replace(messages=[messages.pop(at), *messages])


def _role_of(message: Json) -> str:
    return usual_role(message.get("role")) if isinstance(message, dict) else ""


FIXES: Final[Mapping[str, FixFunction]] = {
    "keep_last_key": _keep_last_key,
    "move_key_to_metadata": _move_key,
    "move_message_key_to_metadata": _move_message_key,
    "remove_null_key": _remove_null,
    "map_role": _map_role,
    "developer_to_system": lambda line, finding, _: _set_role(line, finding, "system"),
    "system_to_developer": lambda line, finding, _: _set_role(line, finding, "developer"),
    "correct_weight": _correct_weight,
    "slugify_name": _slugify_name,
    "delete_message": _delete_message,
    "content_to_text": _content_to_text,
    "train_last_answer": _train_last,
    "drop_tail": _drop_tail,
    "merge_messages": _merge,
    "move_system_first": _system_first,
}
