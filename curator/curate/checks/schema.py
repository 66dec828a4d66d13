"""A small reading of JSON Schema: enough to see that a call's arguments contradict the definition."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from curator.curate.checks.subject import shown
from curator.dataset.conversation import kind_of
from curator.dataset.json_values import Json

_DEEPEST: Final = 24


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


_KINDS: Final[Mapping[str, Callable[[Json], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == int(value),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def misfit(value: Json, schema: Json, path: str = "", depth: int = 0) -> str:
    """Say in words where a value contradicts a schema; empty where nothing does."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return ""
    reason = _kind_misfit(value, schema, path)
    if reason:
        return reason
    options = schema.get("enum")
    if isinstance(options, list) and options and value not in options:
        return f"“{path or 'the value'}” is {shown(value)}, which is not one of the choices"
    if isinstance(value, dict):
        return _object_misfit(value, schema, path, depth)
    if isinstance(value, list):
        for number, item in enumerate(value):
            reason = misfit(item, schema.get("items"), f"{path}[{number}]", depth + 1)
            if reason:
                return reason
    return ""


def _kind_misfit(value: Json, schema: dict[str, Json], path: str) -> str:
    wanted = schema.get("type")
    kinds = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    tests = [_KINDS[kind] for kind in kinds if isinstance(kind, str) and kind in _KINDS]
    if not tests or len(tests) != len(kinds) or any(test(value) for test in tests):
        return ""
    return f"“{path or 'the whole'}” is {kind_of(value)}, not {' or '.join(map(str, kinds))}"


def _object_misfit(value: dict[str, Json], schema: dict[str, Json], path: str, depth: int) -> str:
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    for key in required if isinstance(required, list) else ():
        if isinstance(key, str) and key not in value:
            return f"“{shown(key)}” is missing"
    for key, item in value.items():
        if key in known:
            inner = f"{path}.{shown(key)}" if path else shown(key)
            reason = misfit(item, known[key], inner, depth + 1)
            if reason:
                return reason
        elif schema.get("additionalProperties") is False:
            return f"“{shown(key)}” is not in the definition"
    return ""
