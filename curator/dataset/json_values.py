"""Reading and writing JSON values without losing anything: lone surrogates, NUL and huge numbers."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Any, Final, NamedTuple

Json = Any
"""A JSON value: None, bool, int, float, Decimal (a number no float holds), str, list or dict."""

LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a pair of UTF-16: JSON can write it, UTF-8 cannot."""


class BadJson(ValueError):
    """A text that is not one JSON value; column is 1-based where it is known."""

    def __init__(self, reason: str, column: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


def _exact_number(literal: str) -> float | Decimal:
    number = float(literal)
    exact = Decimal(literal)
    if number in (float("inf"), float("-inf")):
        return exact
    return number if Decimal(repr(number)) == exact else exact


def _refuse_constant(literal: str) -> float:
    raise BadJson(f"{literal} is not JSON")


def loads(text: str) -> Json:
    """Read one JSON value; raises BadJson for anything else, NaN, Infinity and bottomless nesting included."""
    try:
        return json.loads(text, parse_float=_exact_number, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BadJson(error.msg, error.colno) from error
    except RecursionError as error:
        raise BadJson("it is nested too deeply") from error
    except InvalidOperation as error:
        raise BadJson("a number has an exponent that no reader can hold") from error
    except ValueError as error:
        # Python refuses integers of over 4,300 digits.
        raise error if isinstance(error, BadJson) else BadJson(str(error)) from error


class Repeated(NamedTuple):
    """A key that stands more than once in one object of a JSON text, and all its values in order."""

    key: str
    values: tuple[Json, ...]

    @property
    def differ(self) -> bool:
        """Whether the values are not all the same, so that a reader who keeps one loses another."""
        return len({canonical(value) for value in self.values}) > 1


def repeated_keys(text: str) -> tuple[Repeated, ...]:
    """Return the keys that stand twice in one object of a valid JSON text; readers keep the last value."""
    found: list[Repeated] = []

    def note(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        seen = dict(pairs)
        if len(seen) != len(pairs):
            values: dict[str, list[Json]] = {}
            for key, value in pairs:
                values.setdefault(key, []).append(value)
            found.extend(Repeated(k, tuple(v)) for k, v in sorted(values.items()) if len(v) > 1)
        return seen

    json.loads(text, object_pairs_hook=note, parse_float=_exact_number)
    return tuple(found)


def canonical_pairs(text: str) -> str:
    """Write a valid JSON text in the form that equal texts share, every value of a repeated key kept."""

    def ordered(pairs: list[tuple[str, Json]]) -> Json:
        return {"": [[key, value] for key, value in sorted(pairs, key=itemgetter(0))]}

    return canonical(json.loads(text, object_pairs_hook=ordered, parse_float=_exact_number))


def dumps(value: Json, *, sort_keys: bool = False) -> str:
    """Write a JSON value compactly; lone surrogates leave as escapes, so the text is always valid UTF-8."""
    try:
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, allow_nan=False
        )
    except TypeError:
        text = _write(value, sort_keys)
    return LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def canonical(value: Json) -> str:
    """Write a JSON value in the one form that equal values share: sorted keys, no spaces."""
    return dumps(value, sort_keys=True)


def _write(value: Json, sort_keys: bool) -> str:  # noqa: FBT001 - private twin of dumps
    """Write a value that holds Decimals, which the standard writer cannot."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        keys = sorted(value) if sort_keys else value
        return "{" + ",".join(f"{dumps(k)}:{_write(value[k], sort_keys)}" for k in keys) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_write(item, sort_keys) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def string_values(
    value: Json, path: str = "", *, with_keys: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield every string inside a JSON value with its path; a key has the path of its object.

    A stack of its own instead of recursion: a line may be nested deeper than Python calls go.
    """
    stack: list[tuple[str, Json]] = [(path, value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            if with_keys:
                yield from ((path, str(key)) for key in item)
            stack.extend((f"{path}.{key}" if path else str(key), i) for key, i in item.items())
        elif isinstance(item, list):
            stack.extend((f"{path}[{number}]", inner) for number, inner in enumerate(item))
