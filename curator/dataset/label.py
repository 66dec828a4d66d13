"""What people say of a conversation: status, labels, notes; nothing here reaches a training line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from unicodedata import normalize

from curator.dataset.json_values import Json


def plain_name(text: str) -> str:
    """Return a name as it is kept and compared: composed (NFC), without white space at the ends.

    Names of annotators, label sets, answers and tags that look equal are equal this way.
    """
    return normalize("NFC", text).strip()


def spelling(name: str, known: Iterable[str]) -> str | None:
    """Return the one of the known names that a name means; None where it means none of them."""
    wanted = plain_name(name)
    exact = {each: each for each in known}
    if name in exact:
        return name
    return next((each for each in exact if plain_name(each) == wanted), None)


class Status(StrEnum):
    """Where a conversation stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A question annotators answer: one of several values, or a rating from 1 to len(values)."""

    name: str
    kind: Literal["choice", "rating"]
    values: tuple[str, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One annotator's answer to one label set for one conversation."""

    conversation: int
    label_set: str
    annotator: str
    value: str


@dataclass(frozen=True, slots=True)
class Removal:
    """Why a conversation was taken out, and in whose favour; it stays recoverable."""

    reason: str
    partner: int | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """All that was said of one conversation, labels apart."""

    status: Status = Status.PENDING
    flag: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    split: str = ""
    removed: Removal | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
