"""What a fix would lose: the values that are in a line before it and in nothing after it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding
from curator.dataset.json_values import LONE_SURROGATE, BadJson, Json, canonical, dumps, loads

_MOST_NESTED: Final = 3
"""Texts inside texts are opened so often: arguments are JSON in a text, and some files wrap that once more."""


def lost_values(
    before: Conversation, after: Conversation, moved: Mapping[str, Json], finding: Finding
) -> dict[str, Json]:
    """Return the values, by their JSON path, that a fix dropped and that stand nowhere else.

    moved holds what the fix put into the metadata. A value that the finding's message quotes is not
    lost, nor is one that is only written in another way, such as an object as a text.
    """
    left = Counter(form for _, form, _ in values(dict(after.fields)))
    left.update(form for _, form, _ in values(dict(moved)))
    lost: dict[str, Json] = {}
    listed: set[str] = set()  # forms, because Python takes false, 0 and 0.0 for the same value
    for place, form, value in values(dict(before.fields)):
        if left[form] > 0:
            left[form] -= 1
        elif not _is_quoted(value, place, finding) and form not in listed:
            listed.add(form)
            lost[place] = value
    return lost


def values(fields: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield place, plain form and value of everything in a line that is neither empty nor null."""
    stack: list[tuple[str, Json, int]] = [("", fields, 0)]
    while stack:
        place, value, depth = stack.pop()
        inner = _decoded_object(value) if isinstance(value, str) and depth < _MOST_NESTED else value
        if isinstance(inner, dict):
            down = depth + (inner is not value)
            stack.extend((f"{place}.{k}" if place else str(k), v, down) for k, v in inner.items())
        elif isinstance(inner, list):
            stack.extend((f"{place}[{n}]", v, depth) for n, v in enumerate(inner))
        elif isinstance(inner, str):
            if inner.strip():
                yield place, LONE_SURROGATE.sub("\ufffd", inner), value
        elif inner is not None:
            yield place, canonical(inner), value


def _decoded_object(text: str) -> Json:
    """Return the object that a text holds as JSON, also where it was encoded twice; else the text itself."""
    value: Json = text
    for _ in range(_MOST_NESTED):
        if not isinstance(value, str) or value.strip()[:1] not in ("{", '"'):
            break
        try:
            value = loads(value)
        except BadJson:
            return text
    return value if isinstance(value, dict) else text


def _is_quoted(value: Json, place: str, finding: Finding) -> bool:
    """Whether a finding's message quotes a value, whole, that stood at its place or below it."""
    at = finding.place
    whole = at.field if at.message is None else f"messages[{at.message}].{at.field}"
    words = value if isinstance(value, str) else dumps(value)
    is_there = place == whole or place.startswith((f"{whole}.", f"{whole}["))
    return is_there and words in finding.message


def merge_metadata(
    metadata: Mapping[str, Json] | None, moved: Mapping[str, Json]
) -> dict[str, Json]:
    """Add moved keys to metadata; a key that is there with another value gets a number."""
    both = dict(metadata or {})
    for key, value in moved.items():
        name, number = key, 2
        while name in both and canonical(both[name]) != canonical(value):
            name, number = f"{key} ({number})", number + 1
        both[name] = value
    return both
