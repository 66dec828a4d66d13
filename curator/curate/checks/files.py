"""Rules F that look inside one line: repeated keys and broken characters."""

import re
from collections.abc import Iterator
from typing import Final

from curator.curate.checks.subject import Subject, Trouble, shown, trouble, trouble_in, where
from curator.dataset import json_values
from curator.dataset.json_values import LONE_SURROGATE, Json, string_values

_ESCAPED_LETTER: Final = re.compile(r"\\u00[2-7]")


def two_values(subject: Subject) -> Iterator[Trouble]:
    """F08: a key that stands twice in one object of the line as it was read, with different values."""
    for each in _repeated(subject):
        if each.differ:
            values = " and ".join(shown(_as_words(value)) for value in each.values[:3])
            yield trouble(key=shown(each.key), values=values)


def repeated_keys(subject: Subject) -> Iterator[Trouble]:
    """F14: a key that stands twice in one object of the line as it was read, with one value."""
    for key in dict.fromkeys(each.key for each in _repeated(subject) if not each.differ):
        yield trouble(key=shown(key))


def holds_two_values(raw: str) -> bool:
    """Say whether a key of a line stands twice with different values, of which readers keep but one."""
    try:
        return any(each.differ for each in json_values.repeated_keys(raw))
    except (ValueError, RecursionError):
        # The line parsed before; only its numbers or its depth can stop this stricter reading.
        return False


def _repeated(subject: Subject) -> tuple[json_values.Repeated, ...]:
    if subject.raw is None:
        return ()
    try:
        return json_values.repeated_keys(subject.raw)
    except (ValueError, RecursionError):
        return ()


def _as_words(value: Json) -> Json:
    """Return a value as it is written, for a person to tell two of them apart."""
    return f"“{value}”" if isinstance(value, str) else json_values.dumps(value)


def keys_stand_once(raw: str, messages: int) -> bool:
    """Say quickly that a plain line (nothing but messages, role and content) repeats no key.

    A quote inside a text is escaped, so the counts meet keys, or a text that is such a word and
    nothing else; where a key could be hidden by escapes the answer is no, which means look closer.
    """
    return (
        raw.count('"role"') == messages
        and raw.count('"content"') == messages
        and raw.count('"messages"') == 1
        and not _ESCAPED_LETTER.search(raw)
    )


def broken_characters(subject: Subject) -> Iterator[Trouble]:
    """F10: half of a surrogate pair in any text or key of the line."""
    seen: set[tuple[int | None, str]] = set()
    for text in subject.suspect_texts:
        for match in LONE_SURROGATE.finditer(text.words):
            seen.add((text.message, text.field))
            yield trouble_in(text, *match.span(), code=f"U+{ord(match[0]):04X}")
    for message, entry in enumerate(subject.entries):
        yield from _elsewhere(entry, message, seen)
    for key, value in subject.fields.items():
        if key != "messages":
            yield from _elsewhere({key: value}, None, set())


def _elsewhere(
    value: Json, message: int | None, seen: set[tuple[int | None, str]]
) -> Iterator[Trouble]:
    """Report once per value the broken characters outside the texts already looked at."""
    for field, text in string_values(value, with_keys=True):
        match = LONE_SURROGATE.search(text)
        if match and (message, field) not in seen:
            yield trouble(
                message, shown(field), where=where(message), code=f"U+{ord(match[0]):04X}"
            )
            return


CHECKS: Final = (("F08", two_values), ("F14", repeated_keys), ("F10", broken_characters))
