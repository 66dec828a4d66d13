"""What a check found: a value that names the rule, the place and the way out."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a conversation: message index (0-based; None for the whole), field, and characters.

    field is a key or path such as "content", "weight" or "tool_calls[0].arguments"; start and end
    count Python characters of that field's text, and are None where the whole field is meant.
    """

    message: int | None = None
    field: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or hint; message is a whole sentence, fix names one of curate.fixes or is empty."""

    rule: str
    severity: Severity
    message: str
    place: Place = Place()
    fix: str = ""
