"""Fixes of tool calls, answers and definitions."""

from collections.abc import Mapping
from typing import Final

from curator.curate.checks.definitions import can_convert, meant_bool, usual_name
from curator.curate.checks.keys import holders
from curator.curate.checks.shape import has_only_empty_parts
from curator.curate.checks.subject import Subject, definition_body
from curator.curate.checks.tools import open_calls, read_arguments, unwrapped
from curator.curate.fixes.messages import FixFunction, Moved
from curator.curate.fixes.places import (
    holder_of,
    value_at,
    value_in,
    with_holder,
    with_value,
    with_value_in,
    without,
)
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding
from curator.dataset.json_values import Json, dumps


def _arguments_to_text(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    arguments = value_in(conversation, finding.place)
    if arguments is not None and not isinstance(arguments, dict):
        return conversation
    return with_value_in(conversation, finding.place, dumps(arguments) if arguments else "{}")


def _unwrap_arguments(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    arguments = value_in(conversation, finding.place)
    if not isinstance(arguments, str):
        return conversation
    inner = unwrapped(read_arguments(arguments)[0]) if arguments.strip() else "{}"
    return conversation if inner is None else with_value_in(conversation, finding.place, inner)


def _relink(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    at = finding.place.message
    candidates = open_calls(_subject(conversation), at) if at is not None else []
    if len(candidates) != 1:
        return conversation
    fields = holder_of(conversation, finding.place)
    return with_holder(conversation, finding.place, {**fields, "tool_call_id": candidates[0]})


def _add_tool(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    subject = _subject(conversation)
    place = (finding.place.message, finding.place.field)
    names = [call.name for call in subject.calls if (call.message, call.field) == place]
    key = "functions" if "functions" in conversation.fields else "tools"
    listed = conversation.fields.get(key)
    known = [definition.name for definition in subject.definitions]
    if not names or names[0] in known or not (listed is None or isinstance(listed, list)):
        return conversation
    body = {"name": names[0], "description": "", "parameters": {"type": "object", "properties": {}}}
    entry = body if key == "functions" else {"type": "function", "function": body}
    return conversation.replace(**{key: [*(listed or ()), entry]})


def _drop_functions(conversation: Conversation, _finding: Finding, moved: Moved) -> Conversation:
    moved["functions"] = conversation.fields.get("functions")
    return conversation.without("functions")


def _slugify_tool(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    """Correct one tool name in its definition, in every call and in the function messages."""
    subject = _subject(conversation)
    place = (finding.place.message, finding.place.field)
    named: list[tuple[int | None, str, str]] = [
        (None, d.field, d.name) for d in subject.definitions
    ]
    named += [(c.message, c.field, c.name) for c in subject.calls]
    old = next((name for message, field, name in named if (message, field) == place), None)
    if old is None:
        return conversation
    new = usual_name(old)
    fields = dict(conversation.fields)
    for key in ("tools", "functions"):
        if isinstance(fields.get(key), list):
            fields[key] = [_renamed_definition(key, entry, old, new) for entry in fields[key]]
    if subject.entries:
        fields["messages"] = [_renamed_message(entry, old, new) for entry in fields["messages"]]
    return Conversation(fields)


def _renamed_definition(key: str, entry: Json, old: str, new: str) -> Json:
    body = definition_body(key, entry)
    if body is None or body.get("name") != old:
        return entry
    renamed = {**body, "name": new}
    return renamed if body is entry else {**entry, "function": renamed}


def _renamed_message(entry: Json, old: str, new: str) -> Json:
    if not isinstance(entry, dict):
        return entry
    message = dict(entry)
    if isinstance(message.get("tool_calls"), list):
        message["tool_calls"] = [
            _renamed_definition("tools", call, old, new)
            if isinstance(call, dict) and "function" in call
            else call
            for call in message["tool_calls"]
        ]
    if isinstance(message.get("function_call"), dict):
        message["function_call"] = _renamed_definition(
            "functions", message["function_call"], old, new
        )
    if message.get("role") in ("function", "tool") and message.get("name") == old:
        message["name"] = new
    return message


def _correct_parallel(conversation: Conversation, _finding: Finding, _moved: Moved) -> Conversation:
    value = meant_bool(conversation.fields.get("parallel_tool_calls"))
    return conversation if value is None else conversation.replace(parallel_tool_calls=value)


def _remove_calls(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    fields = holder_of(conversation, finding.place)
    if fields.get("tool_calls") != []:
        return conversation
    return with_holder(conversation, finding.place, without(fields, "tool_calls"))


def _complete_call(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    call = value_in(conversation, finding.place)
    if not isinstance(call, dict):
        return conversation
    return with_value_in(conversation, finding.place, {**call, "type": "function"})


def _complete_tool(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    entry = value_at(conversation.fields, finding.place.field)
    if not isinstance(entry, dict):
        return conversation
    body = entry["function"] if "function" in entry else without(entry, "type")
    more = {k: v for k, v in entry.items() if k not in ("type", "function")}
    kept = more if "function" in entry else {}
    return with_value_in(
        conversation, finding.place, {"type": "function", "function": body, **kept}
    )


def _convert_functions(
    conversation: Conversation, _finding: Finding, _moved: Moved
) -> Conversation:
    """Write functions as tools: each function message answers the nearest open call of its name."""
    subject = _subject(conversation)
    if not can_convert(subject):
        return conversation
    taken = {call.id for call in subject.calls}
    waiting: dict[str, list[str]] = {}
    messages: list[Json] = []
    for index, message in enumerate(subject.messages):
        call = message.get("function_call")
        if call is not None:
            fresh = next(i for i in _ids(index) if i not in taken)
            taken.add(fresh)
            waiting.setdefault(call["name"], []).append(fresh)
            messages.append(_with_tool_call(message, fresh))
        elif subject.roles[index] == "function":
            messages.append(_as_tool_message(message, waiting[message["name"]].pop()))
        else:
            messages.append(subject.entries[index])
    fields = {
        "tools" if key == "functions" else key: (
            [{"type": "function", "function": entry} for entry in value]
            if key == "functions"
            else value
        )
        for key, value in conversation.fields.items()
    }
    return Conversation({**fields, "messages": messages})


def _ids(index: int) -> list[str]:
    return [f"call_{index + 1}", *(f"call_{index + 1}_{n}" for n in range(2, 100_000))]


def _with_tool_call(message: dict[str, Json], call_id: str) -> dict[str, Json]:
    call = {"id": call_id, "type": "function", "function": message["function_call"]}
    return {
        "tool_calls" if key == "function_call" else key: [call] if key == "function_call" else value
        for key, value in message.items()
    }


def _as_tool_message(message: dict[str, Json], call_id: str) -> dict[str, Json]:
    content = message.get("content")
    silent = content is None or content == [] or has_only_empty_parts(content)
    rest = {k: v for k, v in message.items() if k not in ("role", "name", "content")}
    return {"role": "tool", "tool_call_id": call_id, "content": "" if silent else content, **rest}


def _subject(conversation: Conversation) -> Subject:
    return Subject(conversation, DEFAULT_RULES_PROFILE)


def _move_inner_key(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    """Move the unknown keys of one object into the object within that wants them, or to the metadata."""
    place = finding.place
    wanted = (place.message, place.field)
    holder = next(
        (h for h in holders(_subject(conversation)) if (h.message, h.path) == wanted), None
    )
    if holder is None:
        return conversation
    kept = dict(holder.fields)
    prefix = "" if place.message is None else f"messages[{place.message}]."
    for key in holder.unknown:
        if holder.is_misplaced(key):
            kept[holder.inside] = {**kept[holder.inside], key: kept.pop(key)}
        elif not holder.meant(key):
            value = kept.pop(key)
            if value is not None:
                moved[f"{prefix}{place.field}.{key}"] = value
    return with_value_in(conversation, finding.place, kept)


def _complete_parameters(conversation: Conversation, finding: Finding, _m: Moved) -> Conversation:
    """Add the type to parameters that are an object schema but for it."""
    subject = _subject(conversation)
    body = next((d for d in subject.definitions if d.field == finding.place.field), None)
    if body is None or not isinstance(body.parameters, dict):
        return conversation
    key, at = finding.place.field.partition("[")[0], value_at(conversation.fields, body.field)
    path = f"{body.field}.parameters"
    if key == "tools" and isinstance(at, dict) and "function" in at:
        path = f"{body.field}.function.parameters"
    added = {"type": "object", "properties": {}} if not body.parameters else {"type": "object"}
    fields = with_value(conversation.fields, path, {**added, **body.parameters})
    return Conversation(fields)


FIXES: Final[Mapping[str, FixFunction]] = {
    "arguments_to_text": _arguments_to_text,
    "unwrap_arguments": _unwrap_arguments,
    "relink_tool": _relink,
    "add_tool": _add_tool,
    "drop_functions": _drop_functions,
    "slugify_tool": _slugify_tool,
    "allow_parallel_calls": lambda line, _f, _m: line.replace(parallel_tool_calls=True),
    "correct_parallel": _correct_parallel,
    "remove_tool_calls": _remove_calls,
    "complete_call": _complete_call,
    "complete_tool": _complete_tool,
    "convert_functions": _convert_functions,
    "move_inner_key": _move_inner_key,
    "complete_parameters": _complete_parameters,
}
