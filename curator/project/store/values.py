"""How annotation values stand in the file: one codec per field, and how to read and write it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from curator.dataset import Annotation, Removal, Status
from curator.dataset.codes import SPLITS, STATUSES
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import LONE_SURROGATE, Json, canonical, loads

LABEL_PREFIX: Final = "label:"
"""How the field of a label patch begins; the label set's name follows."""


def storable(text: str) -> str:
    """Return a text for show that UTF-8 can hold: half characters become the replacement sign."""
    return LONE_SURROGATE.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the annotation table: stored() takes a patch's value, value() gives it back."""

    column: str
    stored: Callable[[Json], Any]
    value: Callable[[Any], Json]


def _code(names: tuple[str, ...], what: str) -> Callable[[Json], int]:
    codes = {str(name): code for code, name in enumerate(names)}

    def stored(value: Json) -> int:
        if not isinstance(value, str) or value not in codes:
            raise WrongUse(
                f"{value!r} is no {what}; choose one of {', '.join(filter(None, codes))}."
            )
        return codes[value]

    return stored


def _name(names: tuple[str, ...]) -> Callable[[Any], Json]:
    return lambda code: str(names[code or 0])


def _stored_removal(value: Json) -> str | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not isinstance(value.get("reason"), str):
        raise WrongUse("A removal needs a reason.")
    return canonical({"reason": value["reason"], "partner": value.get("partner")})


def _stored_tags(value: Json) -> str | None:
    if not isinstance(value, (list, tuple)) or not all(isinstance(tag, str) for tag in value):
        raise WrongUse("Tags are a list of texts.")
    return canonical(list(value)) if value else None


def _stored_metadata(value: Json) -> str | None:
    if value is not None and not isinstance(value, Mapping):
        raise WrongUse("Metadata is an object of keys and values.")
    return canonical(dict(value)) if value else None


def _stored_note(value: Json) -> str | None:
    if not isinstance(value, str):
        raise WrongUse("A note is a text.")
    # A lone surrogate has no UTF-8 form; the escape of JSON carries it.
    return canonical(value) if value else None


FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "status": Field("status", _code(STATUSES, "status"), _name(STATUSES)),
        "flag": Field("flag", lambda value: int(bool(value)), bool),
        "split": Field("split", _code(SPLITS, "split"), _name(SPLITS)),
        "note": Field("note", _stored_note, lambda text: loads(text) if text else ""),
        "tags": Field("tags", _stored_tags, lambda text: loads(text) if text else []),
        "removed": Field("removed", _stored_removal, lambda text: loads(text) if text else None),
        "metadata": Field("metadata", _stored_metadata, lambda text: loads(text) if text else {}),
    }
)
"""Every annotation field a patch can name, labels apart."""

NUMERIC: Final = frozenset({"status", "flag", "split"})
"""The fields whose column holds a number, 0 where there is no annotation."""


def field_of(name: str) -> Field:
    """Return the codec of an annotation field; raises WrongUse for an unknown one."""
    if name not in FIELDS:
        raise WrongUse(f"There is no annotation field {name!r}; there are {', '.join(FIELDS)}.")
    return FIELDS[name]


def annotation_from(row: tuple[Any, ...] | None) -> Annotation:
    """Build an annotation from the columns in the order of FIELDS; an absent row is pending."""
    if row is None:
        return Annotation()
    values = {
        name: field.value(cell) for (name, field), cell in zip(FIELDS.items(), row, strict=True)
    }
    removed = values["removed"]
    return Annotation(
        status=Status(values["status"]),
        flag=values["flag"],
        note=values["note"],
        tags=tuple(values["tags"]),
        split=values["split"],
        removed=None if removed is None else Removal(removed["reason"], removed.get("partner")),
        metadata=values["metadata"],
    )
