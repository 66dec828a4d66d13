"""Rules T about calls and their answers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from curator.curate.checks.files import holds_two_values
from curator.curate.checks.schema import schema_of
from curator.curate.checks.subject import Call, Subject, Trouble, as_text, is_name, shown, trouble
from curator.dataset.conversation import kind_of
from curator.dataset.json_values import BadJson, Json, loads

_ANSWERS: Final = ("tool", "function")


def arguments_kind(subject: Subject) -> Iterator[Trouble]:
    """T01: arguments that are no text."""
    for call in subject.calls:
        if not isinstance(call.arguments, str):
            yield trouble(
                call.message,
                _arguments_field(call),
                name=shown(call.name),
                kind=kind_of(call.arguments),
                # Where they are missing, another key may hold them.
                fixable=isinstance(call.arguments, dict)
                or (call.arguments is None and not call.has_more),
            )


def arguments_json(subject: Subject) -> Iterator[Trouble]:
    """T02: arguments whose text is no JSON object; an object wrapped in one more text can be unwrapped."""
    for call in subject.calls:
        if isinstance(call.arguments, str):
            value, reason = read_arguments(call.arguments)
            inner = unwrapped(value)
            if not reason and holds_two_values(call.arguments):
                yield trouble(
                    call.message,
                    _arguments_field(call),
                    name=shown(call.name),
                    reason="a key in them has two values",
                    fixable=False,
                )
            if reason:
                reason = reason if inner is None else "the object is wrapped in one more text"
                yield trouble(
                    call.message,
                    _arguments_field(call),
                    name=shown(call.name),
                    reason=reason,
                    fixable=inner is not None or not call.arguments.strip(),
                )


def arguments_fit(subject: Subject) -> Iterator[Trouble]:
    """T03: arguments that contradict the tool's parameter schema."""
    schemas = {definition.name: definition.parameters for definition in subject.definitions}
    for call in subject.calls:
        schema = schemas.get(call.name)
        arguments = meant_arguments(call.arguments)
        if isinstance(schema, dict) and arguments is not None:
            reason = schema_of(schema).misfit(arguments)
            if reason:
                yield trouble(
                    call.message, _arguments_field(call), name=shown(call.name), reason=reason
                )


def unknown_call_answered(subject: Subject) -> Iterator[Trouble]:
    """T04: an answer to no earlier call, or to one whose turn is over."""
    made = _makers(subject)
    for index, role in enumerate(subject.roles):
        if role not in ("tool", "function"):
            continue
        problem = _misplaced(subject, index, made.get(_answer_key(subject, index), ()))
        if problem:
            fixable = role == "tool" and len(open_calls(subject, index)) == 1
            yield trouble(index, "tool_call_id", role=role, problem=problem, fixable=fixable)


def _makers(subject: Subject) -> dict[tuple[str, str], list[int]]:
    """Return which messages make the call that an answer names: by id, or by name in the old form."""
    made: dict[tuple[str, str], list[int]] = {}
    for call in subject.calls:
        key = ("function", call.name) if call.is_legacy else ("tool", call.id)
        made.setdefault(key, []).append(call.message)
    return made


def _misplaced(subject: Subject, index: int, makers: Sequence[int]) -> str:
    """Say why an answer answers nothing; empty where it does."""
    role, named = _answer_key(subject, index)
    if not named:
        return "does not say which call it answers"
    earlier = [maker for maker in makers if maker < index]
    if not earlier:
        what = "call" if role == "tool" else "function"
        return f"answers the {what} “{shown(named)}”, which no earlier message makes"
    between = next(
        (at for at in range(earlier[-1] + 1, index) if subject.roles[at] not in _ANSWERS), None
    )
    if between is None:
        return ""
    return (
        f"answers a call of message {earlier[-1] + 1} too late: message {between + 1} comes first"
    )


def answered_twice(subject: Subject) -> Iterator[Trouble]:
    """T17: a second answer to one call."""
    last = {call.id: call.message for call in subject.calls}
    answers: dict[str, int] = {}
    for index, role in enumerate(subject.roles):
        named = as_text(subject.messages[index].get("tool_call_id")) if role == "tool" else ""
        if not named or named not in last:
            continue
        first = answers.get(named)
        # Where a later message makes a call with the same id, the answer may be that call's.
        if first is not None and not first < last[named] < index:
            yield trouble(index, "tool_call_id", id=shown(named), first=first + 1)
        answers[named] = index


def ids_not_unique(subject: Subject) -> Iterator[Trouble]:
    """T18: two calls that cannot be told apart."""
    first: dict[str, int] = {}
    for call in subject.calls:
        if call.id in first:
            yield trouble(
                call.message, f"{call.field}.id", id=shown(call.id), first=first[call.id] + 1
            )
        elif call.id:
            first[call.id] = call.message


def open_calls(subject: Subject, index: int) -> list[str]:
    """Return the ids of calls made before a message that no tool message answers anywhere."""
    answered = {
        as_text(message.get("tool_call_id"))
        for message, role in zip(subject.messages, subject.roles, strict=True)
        if role == "tool"
    }
    return [
        call.id
        for call in subject.calls
        if call.id and call.message < index and call.id not in answered
    ]


def call_not_answered(subject: Subject) -> Iterator[Trouble]:
    """T05: the talk goes on, or other calls of the turn have answers, while a call is still open."""
    for call in subject.calls:
        answers: set[str] = set()
        before = ""
        for index in range(call.message + 1, len(subject.roles)):
            if subject.roles[index] not in _ANSWERS:
                before = f"before message {index + 1}"
                break
            answers.add(_answer_key(subject, index)[1])
        before = before or ("although other calls have one" if answers else "")
        if before and (call.name if call.is_legacy else call.id) not in answers:
            yield trouble(call.message, call.field, id=shown(call.id or call.name), before=before)


def _answer_key(subject: Subject, index: int) -> tuple[str, str]:
    role = subject.roles[index]
    key = "name" if role == "function" else "tool_call_id"
    return role, as_text(subject.messages[index].get(key))


def unknown_tool(subject: Subject) -> Iterator[Trouble]:
    """T06: a call to a tool that the line does not define, each name once."""
    known = {definition.name for definition in subject.definitions}
    for call in subject.calls:
        if call.name not in known:
            known.add(call.name)
            yield trouble(call.message, call.field, name=shown(call.name))


def several_calls(subject: Subject) -> Iterator[Trouble]:
    """T11: several calls in one turn although the line says one at a time."""
    if subject.fields.get("parallel_tool_calls") is False:
        for index, count in Counter(call.message for call in subject.calls).items():
            if count > 1:
                yield trouble(index, "tool_calls", count=count)


def calls_are_no_list(subject: Subject) -> Iterator[Trouble]:
    """T13: tool_calls that is no list, or an empty one."""
    for index, message in _assistants(subject):
        calls = message.get("tool_calls")
        if calls is None or (isinstance(calls, list) and calls):
            continue
        is_empty = calls == []
        yield trouble(
            index,
            "tool_calls",
            kind="an empty list" if is_empty else kind_of(calls),
            way_out="Leave the key out." if is_empty else "Write a list of calls.",
            fixable=is_empty,
        )


def incomplete_call(subject: Subject) -> Iterator[Trouble]:
    """T14: a call without id, type, function or name."""
    for index, message in _assistants(subject):
        calls = message.get("tool_calls")
        for number, call in enumerate(calls if isinstance(calls, list) else ()):
            problem = call_problem(call)
            if problem:
                yield trouble(
                    index, f"tool_calls[{number}]", problem=problem, fixable=problem == NO_TYPE
                )
        legacy = message.get("function_call")
        if legacy is not None and not (isinstance(legacy, dict) and is_name(legacy.get("name"))):
            problem = "it has no name" if isinstance(legacy, dict) else f"it is {kind_of(legacy)}"
            yield trouble(index, "function_call", problem=problem, fixable=False)


NO_TYPE: Final = "it has no type"


def call_problem(call: Json) -> str:
    """Say what a call lacks; empty for a complete one."""
    if not isinstance(call, dict):
        return f"it is {kind_of(call)}"
    function = call.get("function")
    if not isinstance(function, dict):
        return "it has no function"
    if not is_name(function.get("name")):
        return "its function has no name"
    if not is_name(call.get("id")):
        return "it has no id"
    return type_problem(call)


def type_problem(entry: dict[str, Json]) -> str:
    """Say what is wrong with the type of a call or a definition; empty for function."""
    if entry.get("type") is None:
        return NO_TYPE
    return "" if entry["type"] == "function" else 'its type is not "function"'


def _assistants(subject: Subject) -> Iterator[tuple[int, dict[str, Json]]]:
    for index, role in enumerate(subject.roles):
        if role == "assistant":
            yield index, subject.messages[index]


def read_arguments(text: str) -> tuple[Json, str]:
    """Read arguments; the reason is empty where they are a JSON object."""
    if not text.strip():
        return None, "the text is empty"
    try:
        value = loads(text)
    except BadJson as error:
        place = f" (character {error.column})" if error.column else ""
        return None, shown(error.reason) + place
    return value, "" if isinstance(value, dict) else f"it is {kind_of(value)}"


def unwrapped(value: Json) -> str | None:
    """Return the object's text that a JSON text wraps once more, or None where it wraps none."""
    for _ in range(3):
        if not isinstance(value, str):
            return None
        text = value
        value, reason = read_arguments(text)
        if not reason:
            return text
    return None


def meant_arguments(arguments: Json) -> dict[str, Json] | None:
    """Return the arguments as an object, however they are written; None where they are unreadable."""
    if arguments is None:
        return {}
    if isinstance(arguments, str):
        value, reason = read_arguments(arguments)
        if reason and not arguments.strip():
            return {}
        inner = unwrapped(value)
        value = loads(inner) if inner is not None else value
    else:
        value = arguments
    return value if isinstance(value, dict) else None


def _arguments_field(call: Call) -> str:
    return "function_call.arguments" if call.is_legacy else f"{call.field}.function.arguments"


CHECKS: Final = (
    ("T13", calls_are_no_list),
    ("T14", incomplete_call),
    ("T01", arguments_kind),
    ("T02", arguments_json),
    ("T03", arguments_fit),
    ("T04", unknown_call_answered),
    ("T05", call_not_answered),
    ("T17", answered_twice),
    ("T18", ids_not_unique),
    ("T06", unknown_tool),
    ("T11", several_calls),
)
