"""A tool definition taken apart into what a form shows, and put together again without losing a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from curator.dataset.json_values import Json

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object")
"""The types a parameter may be given in the form; others are written in the JSON."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as a row shows it; values that are no text stand as they are and stay locked."""

    name: str
    type: Json
    required: bool
    description: Json


def is_usual(tool: Json) -> bool:
    """Whether a form can show a definition: a function with an object of named schemas, or none yet."""
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping):
        return False
    schema = function.get("parameters", {})
    if not isinstance(schema, Mapping):
        return False
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return (
        isinstance(properties, Mapping)
        and all(isinstance(each, Mapping) for each in properties.values())
        and isinstance(required, list)
    )


def parameters(tool: Json) -> list[Parameter]:
    """Return the parameters of a usual definition, in their order."""
    required = _schema(tool).get("required", [])
    return [
        Parameter(name, each.get("type"), name in required, each.get("description"))
        for name, each in _properties(tool).items()
    ]


def with_word(tool: Json, key: str, value: str) -> Json:
    """Return the definition with another name or description."""
    return {**tool, "function": {**tool["function"], key: value}}


def with_parameter(tool: Json, name: str, key: str, value: str) -> Json:
    """Return the definition with another type or description of one parameter."""
    properties = _properties(tool)
    return _with(tool, properties={**properties, name: {**properties[name], key: value}})


def renamed(tool: Json, name: str, to: str) -> Json:
    """Return the definition with a parameter under another name, at its place; as it is where that is taken."""
    properties = _properties(tool)
    if not to or (to != name and to in properties):
        return tool
    moved = {to if each == name else each: value for each, value in properties.items()}
    required = _schema(tool).get("required")
    if not isinstance(required, list) or name not in required:
        return _with(tool, properties=moved)
    return _with(tool, properties=moved, required=[to if r == name else r for r in required])


def with_required(tool: Json, name: str, *, required: bool) -> Json:
    """Return the definition with a parameter that must be given, or may be left out."""
    known = _schema(tool).get("required", [])
    if (name in known) == required:
        return tool
    return _with(tool, required=[*known, name] if required else [r for r in known if r != name])


def with_new_parameter(tool: Json) -> Json:
    """Return the definition with one parameter more, a text under a free name."""
    properties = _properties(tool)
    names = ("parameter", *(f"parameter_{n}" for n in range(2, len(properties) + 3)))
    name = next(each for each in names if each not in properties)
    begun = {} if "type" in _schema(tool) else {"type": "object"}
    fresh = {"type": "string", "description": ""}
    return _with(tool, **begun, properties={**properties, name: fresh})


def without_parameter(tool: Json, name: str) -> Json:
    """Return the definition without a parameter."""
    properties = {each: value for each, value in _properties(tool).items() if each != name}
    return _with(with_required(tool, name, required=False), properties=properties)


def _schema(tool: Json) -> dict[str, Json]:
    return dict(tool["function"].get("parameters", {}))


def _properties(tool: Json) -> dict[str, Json]:
    return dict(_schema(tool).get("properties", {}))


def _with(tool: Json, **changes: Json) -> Json:
    schema = {**_schema(tool), **changes}
    return {**tool, "function": {**tool["function"], "parameters": schema}}
