"""What the formats share that are no OpenAI chat: what is refused, and how a line becomes another one."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from curator.dataset.conversation import kind_of
from curator.dataset.json_values import BadJson, Json, dumps, loads, repeated_keys

Fields = Mapping[str, Json]


class BadRecord(ValueError):
    """A record cannot be converted; the text is one sentence that says what of it, and why."""


class CannotHold(ValueError):
    """A format has no place for something that a conversation holds; the text names it."""


class Written(NamedTuple):
    """A conversation as a record of another format, and what of it that format does not keep."""

    fields: dict[str, Json]
    losses: frozenset[str]


# Of two answers, or of one that somebody disliked, an import of conversations would train the wrong one.
_OF_PREFERENCES: Final = ("chosen", "rejected", "kto_tag")


def refuse_preferences(fields: Fields) -> None:
    """Raise BadRecord where a record compares or rates answers instead of demonstrating one."""
    if isinstance(fields.get("label"), bool) or any(key in fields for key in _OF_PREFERENCES):
        raise BadRecord("It rates answers (a preference), so it demonstrates none.")


def text_of(fields: Fields, key: str, where: str = "It") -> str:
    """Return the text under a key; raises BadRecord where there is none."""
    if key not in fields:
        raise BadRecord(f'{where} has no "{key}".')
    value = fields[key]
    if not isinstance(value, str):
        raise BadRecord(f'{where} has {kind_of(value)} as "{key}", not a text.')
    return value


def others(fields: Fields, known: frozenset[str]) -> dict[str, Json]:
    """Return the keys that a format does not know: they are kept, and checks name them."""
    return {key: value for key, value in fields.items() if key not in known}


def converted(
    line: bytes, holds: Callable[[Fields], bool], convert: Callable[[Fields], Fields]
) -> bytes:
    """Return a line as OpenAI chat, and one that is none of the format as it is; raises BadRecord.

    What is no JSON, or no object, is said better by those who know every way a line can be broken.
    """
    try:
        text = line.decode("utf-8").strip()
        value = loads(text)
        if not isinstance(value, dict) or not holds(value):
            return line
        for twice in repeated_keys(text):
            if twice.differ:
                raise BadRecord(f'It has two values for "{twice.key}". Keep one of them.')
        return dumps(dict(convert(value))).encode()
    except (UnicodeDecodeError, BadJson):
        return line
    except RecursionError:
        raise BadRecord("It is nested too deeply for any reader. Write it flatter.") from None
