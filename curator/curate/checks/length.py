"""Rules L: what does not fit the limit, and control tokens written out in a text."""

from collections.abc import Iterator
from typing import Final

from curator.curate.checks.kinds import control_token
from curator.curate.checks.subject import TOOL_KEYS, Subject, Trouble, trouble, trouble_in, where
from curator.dataset.json_values import BadJson, Json, dumps, loads
from curator.dataset.rule import load_rules


def too_long(subject: Subject) -> Iterator[Trouble]:
    """L01: longer than the target reads."""
    if subject.tokens is not None and subject.limit and subject.tokens > subject.limit:
        yield trouble(tokens=f"{subject.tokens:,}", limit=f"{subject.limit:,}")


def nearly_too_long(subject: Subject) -> Iterator[Trouble]:
    """L02: so close to the limit that a different count may cross it."""
    if subject.tokens is None or not subject.limit:
        return
    percent = load_rules()["L02"].limit_for(subject.profile)
    if subject.limit * percent < subject.tokens * 100 <= subject.limit * 100:
        yield trouble(tokens=f"{subject.tokens:,}", percent=percent, limit=f"{subject.limit:,}")


def control_tokens(subject: Subject) -> Iterator[Trouble]:
    """L03: a template's own mark as plain text."""
    for text in subject.suspect_texts:
        for match in control_token().finditer(text.words):
            yield trouble_in(text, *match.span(), token=match[0])
    for index, message in enumerate(subject.messages):
        said = where(index, subject.roles[index])
        for key in message.keys() - {"role", "content"}:
            yield from _in_value(index, said, key, message[key])
    for key in sorted(TOOL_KEYS & subject.fields.keys()):
        yield from _in_value(None, "A tool definition", key, subject.fields[key])


def _in_value(message: int | None, said: str, field: str, value: Json) -> Iterator[Trouble]:
    """Look at what a row holds besides contents: names, calls and their arguments, definitions."""
    if isinstance(value, str):
        yield from _in_text(message, said, field, value)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _in_value(message, said, f"{field}[{number}]", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            for match in control_token().finditer(key):
                yield trouble(message, field, fixable=False, where=said, token=match[0])
            yield from _in_value(message, said, f"{field}.{key}", item)


def _in_text(message: int | None, said: str, field: str, text: str) -> Iterator[Trouble]:
    """Find control tokens in one text; JSON's escapes hide one only until the arguments are read.

    No fix changes a name, which must keep agreeing with its other places.
    """
    matches = list(control_token().finditer(text))
    fixable = not field.endswith("name") and control_token().search(field) is None
    for match in matches:
        start, end = match.span()
        yield trouble(message, field, start, end, fixable=fixable, where=said, token=match[0])
    if not matches and "\\u" in text and field.endswith("arguments"):
        for match in control_token().finditer(_unescaped(text)):
            yield trouble(message, field, fixable=False, where=said, token=match[0])


def _unescaped(arguments: str) -> str:
    try:
        return dumps(loads(arguments))
    except BadJson:
        return ""


CHECKS: Final = (("L01", too_long), ("L02", nearly_too_long), ("L03", control_tokens))
