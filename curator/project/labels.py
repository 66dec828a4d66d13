"""Label sets of a project, and edits that set one annotation of many conversations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from curator.dataset import AnnotationPatch, LabelSet, SettingPatch
from curator.dataset.edit import one_for_all
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.dataset.label import plain_name, spelling
from curator.project.store.journal import last_values
from curator.project.store.label_rows import annotation_values
from curator.project.store.reader import Reader
from curator.project.store.values import LABEL_PREFIX

LABEL_SETS: Final = "label_sets"
"""The setting that holds the label sets: a list of {name, kind, values, help}."""

LOOKED_BACK: Final = 500
"""How many steps of the journal are looked through for the answers given last."""


def label_sets(reader: Reader) -> tuple[LabelSet, ...]:
    """Return the label sets of a project in the order annotators see them."""
    return tuple(label_set_from(entry) for entry in reader.setting(LABEL_SETS, []))


def label_sets_patch(reader: Reader, sets: Sequence[LabelSet]) -> SettingPatch:
    """Return the patch that makes these the label sets of a project."""
    after = [
        {"name": s.name, "kind": s.kind, "values": list(s.values), "help": s.help} for s in sets
    ]
    return SettingPatch(LABEL_SETS, reader.setting(LABEL_SETS), after)


def annotation_patch(
    reader: Reader,
    ids: Sequence[int],
    field: str,
    after: Json | Sequence[Json],
    *,
    annotator: str = "",
    each: bool = False,
) -> AnnotationPatch | None:
    """Return the patch that gives conversations a value, or with each one value each.

    Conversations that have the value already are left out; None where nothing would change. Names of
    annotators and tags are taken as plain_name says.
    """
    annotator = plain_name(annotator)
    before = annotation_values(reader, ids, field, annotator=annotator)
    values = list(after) if each else [after] * len(ids)
    if field == "tags":
        values = [plain_tags(tags) for tags in values]
    changed = [at for at, value in enumerate(values) if value != before[at]]
    if not changed:
        return None
    return AnnotationPatch(
        field,
        tuple(int(ids[at]) for at in changed),
        one_for_all([before[at] for at in changed]),
        one_for_all([values[at] for at in changed]),
        annotator,
    )


def last_answers(reader: Reader, sets: Sequence[LabelSet], annotator: str) -> dict[str, list[str]]:
    """Return the answers somebody gave last to each label set, newest first."""
    with reader.reading() as connection:
        return {
            each.name: last_values(connection, f"{LABEL_PREFIX}{each.name}", annotator, LOOKED_BACK)
            for each in sets
        }


def label_set_from(entry: Mapping[str, Any]) -> LabelSet:
    """Read a label set as settings and label files hold it."""
    kind: Literal["choice", "rating"] = "rating" if entry.get("kind") == "rating" else "choice"
    values = tuple(str(value) for value in entry.get("values", ()))
    return LabelSet(str(entry["name"]), kind, values, str(entry.get("help", "")))


def plain_tags(tags: Json) -> Json:
    """Return tags by their plain names, each once; what is no list of texts comes back as it is."""
    if not isinstance(tags, (list, tuple)) or not all(isinstance(tag, str) for tag in tags):
        return tags
    return list(dict.fromkeys(filter(None, map(plain_name, tags))))


def check_label(sets: Sequence[LabelSet], name: str, value: str | None) -> tuple[str, str | None]:
    """Return a label set and an answer as the project spells them; None stays None.

    Raises WrongUse where the set or the answer does not exist.
    """
    label_set = spelling(name, (each.name for each in sets))
    found = next((each for each in sets if each.name == label_set), None)
    if found is None:
        known = ", ".join(each.name for each in sets) or "none yet"
        raise WrongUse(f'There is no label set "{name}"; there are: {known}.')
    answer = None if value is None else spelling(value, found.values)
    if value is not None and answer is None:
        raise WrongUse(f'"{value}" is no answer to {name}; choose {", ".join(found.values)}.')
    return found.name, answer


def plain_set(label_set: LabelSet, sets: Sequence[LabelSet]) -> LabelSet:
    """Return a label set as it is kept among others: plain names, one spelling, each answer once."""
    name = spelling(label_set.name, (each.name for each in sets)) or plain_name(label_set.name)
    old = next((each.values for each in sets if each.name == name), ())
    values = (spelling(value, old) or plain_name(value) for value in label_set.values)
    return replace(label_set, name=name, values=tuple(dict.fromkeys(filter(None, values))))
