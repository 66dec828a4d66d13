"""Replies in JSON: which schemas a reply can be held to."""

from collections.abc import Mapping
from typing import Any, Final

from curator.tune.local.server.answers import ApiError

_ANY_OBJECT: Final = {"type": "object"}
_TYPES: Final = ("object", "array", "string", "number", "integer", "boolean", "null")
_KEYWORDS: Final = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"}
    | {"$ref", "$defs", "minItems", "maxItems", "minLength", "maxLength"}
    | {"title", "description", "$schema"}
)
"""What both engines hold a reply to; a schema with anything else is refused, not half kept."""


def schema_of(response_format: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the schema a reply must keep to, None for plain text; raises ApiError for what cannot be kept."""
    if response_format is None or response_format == {"type": "text"}:
        return None
    if response_format == {"type": "json_object"}:
        return _ANY_OBJECT
    if response_format.get("type") != "json_schema":
        raise _refused("it is one of text, json_object and json_schema")
    declared = response_format.get("json_schema")
    if set(response_format) != {"type", "json_schema"} or not isinstance(declared, dict):
        raise _refused('a json_schema stands beside its type, as {"name", "schema"}')
    unknown = set(declared) - {"name", "schema", "strict", "description"}
    if unknown:
        raise _refused(f"json_schema has no {sorted(unknown)[0]!r}")
    schema = declared.get("schema")
    if not isinstance(schema, dict):
        raise _refused("json_schema.schema is not a JSON schema")
    _check(schema, schema, "schema", 0)
    return schema


def _check(schema: Any, root: Mapping[str, Any], where: str, depth: int) -> None:
    if schema is True or schema is False:
        return
    if not isinstance(schema, dict):
        raise _refused(f"{where} is not a JSON schema")
    if depth > 20:
        raise _refused(f"{where} is nested too deeply")
    unknown = sorted(set(schema) - _KEYWORDS)
    if unknown:
        raise _refused(f"{where} uses {unknown[0]!r}, which replies cannot be held to here")
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds] if kinds is not None else []:
        if kind not in _TYPES:
            raise _refused(f"{where} has the unknown type {kind!r}")
    link = schema.get("$ref")
    if link is not None and not _leads_somewhere(link, root):
        raise _refused(f"{where} refers to {link!r}, which is not among the $defs")
    inner = {f"{where}.{n}": s for n, s in _named(schema, "properties", where)}
    inner |= {f"{where}.$defs.{n}": s for n, s in _named(schema, "$defs", where)}
    options = schema.get("anyOf", [])
    if not isinstance(options, list):
        raise _refused(f"{where}.anyOf is not a list")
    inner |= {f"{where}.anyOf.{n}": s for n, s in enumerate(options)}
    inner |= {f"{where}.{k}": schema[k] for k in ("items", "additionalProperties") if k in schema}
    for place, part in inner.items():
        _check(part, root, place, depth + 1)


def _named(schema: Mapping[str, Any], key: str, where: str) -> Any:
    found = schema.get(key, {})
    if not isinstance(found, dict):
        raise _refused(f"{where}.{key} is not an object")
    return found.items()


def _leads_somewhere(link: Any, root: Mapping[str, Any]) -> bool:
    if not isinstance(link, str) or not link.startswith("#"):
        return False
    name = link.removeprefix("#/$defs/")
    return link == "#" or (name != link and name in (root.get("$defs") or {}))


def _refused(why: str) -> ApiError:
    return ApiError(
        400, f"response_format: {why}.", code="unsupported_parameter", param="response_format"
    )
