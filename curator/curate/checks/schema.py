"""JSON Schema, read by jsonschema: whether a tool's parameters are one, and whether a call fits them.

A schema comes from strangers: nothing is fetched for it, and its regular expressions are not run, for
one can be written that never ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final

from curator.curate.checks.subject import shown
from curator.dataset.conversation import kind_of
from curator.dataset.json_values import Json, dumps

_NOT_RUN: Final = ("pattern", "patternProperties", "propertyNames", "unevaluatedProperties")
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Schema:
    """The parameters of a tool as jsonschema reads them; problem says why they are no object schema."""

    problem: str
    validator: Any = None

    def misfit(self, value: Json) -> str:
        """Say in words where a value contradicts the schema; empty where nothing does."""
        if self.validator is None:
            return ""
        try:
            errors = list(self.validator.iter_errors(_with_floats(value)))
        except RecursionError:
            return ""
        except _unresolvable() as error:
            return f"the definition refers to {shown(error.ref)}, which it does not hold"
        return _in_words(min(errors, key=_depth)) if errors else ""


def schema_of(parameters: Json) -> Schema:
    """Return what a tool's parameters are; equal ones are read once."""
    if not isinstance(parameters, dict) or not isinstance(parameters.get("$schema", ""), str):
        return Schema("they are not written as an object, or its $schema is no text")
    try:
        return _schema(dumps(parameters))
    except RecursionError:
        return Schema("they are nested too deeply")


@lru_cache(maxsize=2048)
def _schema(text: str) -> Schema:
    from jsonschema.validators import Draft7Validator, validator_for
    from referencing import Registry

    from curator.dataset.json_values import loads

    schema = _with_floats(loads(text))
    known = validator_for(schema, default=Draft7Validator)
    error = next(iter(_first_errors(known, schema)), None)
    if error is not None:
        return Schema(_in_words(error))
    if schema.get("type") != "object":
        kind = "no type" if "type" not in schema else f"the type {dumps(schema['type'])[:40]}"
        return Schema(f"they have {kind}, not the type object")
    return Schema("", _careful(known)(schema, registry=Registry()))


def _first_errors(known: Any, schema: Json) -> Iterator[Any]:
    """Yield the error of a schema that says most, if it has any."""
    from jsonschema.exceptions import best_match

    error = best_match(known(known.META_SCHEMA).iter_errors(schema))
    if error is not None:
        yield error


@cache
def _careful(known: Any) -> Any:
    """Return a validator class that runs no regular expression of the schema."""
    from jsonschema.validators import extend

    silent: dict[str, Any] = dict.fromkeys(_NOT_RUN, _no_error)
    usual = known.VALIDATORS["additionalProperties"]
    silent["additionalProperties"] = lambda validator, wanted, value, schema: (
        () if "patternProperties" in schema else usual(validator, wanted, value, schema)
    )
    return extend(known, silent)  # type: ignore[no-untyped-call]


def _no_error(*_: object) -> tuple[()]:
    return ()


def _unresolvable() -> Any:
    from referencing.exceptions import Unresolvable

    return Unresolvable


def _depth(error: Any) -> int:
    return len(error.absolute_path)


def _with_floats(value: Json) -> Json:
    """Return a value whose numbers are Python's own; the exact ones are unknown to jsonschema."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    return [_with_floats(item) for item in value] if isinstance(value, list) else value


def _in_words(error: Any) -> str:
    """Say what an error of jsonschema means, the most frequent ones as people would."""
    path = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path
    )
    place = shown(path.removeprefix(".")) or "the whole"
    value, wanted = error.instance, error.validator_value
    if error.validator == "type":
        kinds = " or ".join(map(str, wanted if isinstance(wanted, list) else [wanted]))
        return f"“{place}” is {kind_of(value)}, not {kinds}"
    if error.validator == "enum":
        return f"“{place}” is {shown(value)}, which is not one of the choices"
    if error.validator == "required":
        missing = next((key for key in wanted if key not in value), "")
        return f"“{shown(missing)}” is missing"
    if error.validator == "additionalProperties" and wanted is False:
        known = error.schema.get("properties", {})
        return f"“{shown(next((k for k in value if k not in known), ''))}” is not in the definition"
    return f"“{place}”: {shown(error.message, _LONGEST)}"
