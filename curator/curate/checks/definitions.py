"""Rules T about the tool definitions of a line."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from curator.curate.checks.schema import schema_of
from curator.curate.checks.shape import name_is_usual
from curator.curate.checks.subject import (
    Subject,
    Trouble,
    as_text,
    definition_body,
    is_name,
    shown,
    trouble,
)
from curator.curate.checks.tools import NO_TYPE, type_problem
from curator.dataset.conversation import kind_of
from curator.dataset.json_values import Json
from curator.dataset.rule import load_rules

FLAT: Final = 'its name and parameters are not inside "function"'


def legacy_functions(subject: Subject) -> Iterator[Trouble]:
    """T08: the forerunners of tools."""
    keys = []
    if isinstance(subject.fields.get("functions"), list):
        keys.append("functions")
    if any(call.is_legacy for call in subject.calls):
        keys.append("function_call")
    if "function" in subject.roles:
        keys.append("function messages")
    if keys:
        yield trouble(keys=" and ".join(keys), fixable=can_convert(subject))


def tools_and_functions(subject: Subject) -> Iterator[Trouble]:
    """T09: both ways at once."""
    if subject.fields.get("tools") is not None and subject.fields.get("functions") is not None:
        yield trouble(field="functions")


def unusual_tool_name(subject: Subject) -> Iterator[Trouble]:
    """T10: a tool name that services refuse, each once; it is corrected wherever it stands."""
    places = {definition.name: (None, definition.field) for definition in subject.definitions}
    named: dict[str, tuple[int | None, str]] = {}
    named.update(places)
    for call in subject.calls:
        named.setdefault(call.name, (call.message, call.field))
    for name, (message, field) in named.items():
        if not name_is_usual(name):
            place = "in the definitions" if message is None else f"called in message {message + 1}"
            fixable = usual_name(name) not in named.keys() - {name} and _is_alone(name, named)
            yield trouble(message, field, name=shown(name), where=place, fixable=fixable)


def _is_alone(name: str, named: dict[str, tuple[int | None, str]]) -> bool:
    wanted = usual_name(name)
    return sum(usual_name(other) == wanted for other in named) == 1


def many_tools(subject: Subject) -> Iterator[Trouble]:
    """T12: more tools than a chat request takes."""
    limit = load_rules()["T12"].limit_for(subject.profile)
    if len(subject.definitions) > limit:
        yield trouble(field="tools", count=len(subject.definitions), limit=limit)


def incomplete_definition(subject: Subject) -> Iterator[Trouble]:
    """T15: a definition that no service can read."""
    for key in ("tools", "functions"):
        listed = subject.fields.get(key)
        if listed is None:
            continue
        if not isinstance(listed, list):
            problem = f'"{key}" is {kind_of(listed)}, not a list'
            yield trouble(field=key, number=1, problem=problem, fixable=False)
            continue
        for number, entry in enumerate(listed):
            problem = definition_problem(key, entry)
            if problem:
                fixable = problem in (NO_TYPE, FLAT)
                yield trouble(
                    field=f"{key}[{number}]", number=number + 1, problem=problem, fixable=fixable
                )


def definition_problem(key: str, entry: Json) -> str:
    """Say what a definition lacks; empty for a usable one."""
    body = definition_body(key, entry)
    if body is None:
        return f"it is {kind_of(entry)}" if not isinstance(entry, dict) else "it has no function"
    if not is_name(body.get("name")):
        return "it has no name"
    parameters = body.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        return f"its parameters are {kind_of(parameters)}"
    if key == "functions":
        return ""
    if "function" not in entry:
        return FLAT
    return type_problem(entry)


def no_object_schema(subject: Subject) -> Iterator[Trouble]:
    """T19: parameters that are no JSON Schema, or none of an object."""
    for definition in subject.definitions:
        if isinstance(definition.parameters, dict):
            problem = schema_of(definition.parameters).problem
            if problem:
                yield trouble(
                    field=definition.field,
                    name=shown(definition.name),
                    problem=problem,
                    fixable=lacks_type_only(definition.parameters),
                )


def lacks_type_only(parameters: dict[str, Json]) -> bool:
    """Say whether parameters are an object schema but for the type that says so."""
    return "type" not in parameters and not schema_of({"type": "object", **parameters}).problem


def wrong_parallel(subject: Subject) -> Iterator[Trouble]:
    """T16: a yes or no that is neither."""
    value = subject.fields.get("parallel_tool_calls")
    if value is None or isinstance(value, bool):
        return
    yield trouble(
        field="parallel_tool_calls", value=shown(value), fixable=meant_bool(value) is not None
    )


def meant_bool(value: Json) -> bool | None:
    """Return the yes or no a value means; None where it means neither."""
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())
    if isinstance(value, (dict, list)) or value is None:
        return None
    return bool(value) if value in (0, 1) else None


def usual_name(name: str) -> str:
    """Return a name made of the allowed characters only."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)
    return kept[:64] or "_"


def can_convert(subject: Subject) -> bool:
    """Say whether every legacy key here can become its modern twin without a guess."""
    if not isinstance(subject.fields.get("messages"), list):
        return False
    functions = subject.fields.get("functions")
    if functions is not None and ("tools" in subject.fields or not _all_usable(functions)):
        return False
    waiting: Counter[str] = Counter()
    for message, role in zip(subject.messages, subject.roles, strict=True):
        if message.get("function_call") is not None:
            name = _convertible_call(message, role)
            if not name:
                return False
            waiting[name] += 1
        if role == "function":
            name = as_text(message.get("name"))
            if not waiting[name] or "tool_call_id" in message or message["role"] != role:
                return False
            waiting[name] -= 1
    return True


def _all_usable(functions: Json) -> bool:
    return isinstance(functions, list) and not any(
        definition_problem("functions", entry) for entry in functions
    )


def _convertible_call(message: dict[str, Json], role: str) -> str:
    """Return the name of a legacy call that can become a tool call; empty where it cannot."""
    call = message["function_call"]
    if role != "assistant" or message.get("tool_calls") is not None or not isinstance(call, dict):
        return ""
    return as_text(call.get("name"))


CHECKS: Final = (
    ("T15", incomplete_definition),
    ("T19", no_object_schema),
    ("T08", legacy_functions),
    ("T09", tools_and_functions),
    ("T10", unusual_tool_name),
    ("T12", many_tools),
    ("T16", wrong_parallel),
)
