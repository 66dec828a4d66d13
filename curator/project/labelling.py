"""Label sets of a project, edits that set one annotation of many conversations, and labels from files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import apsw
import numpy as np

from curator.dataset import AnnotationPatch, Edit, LabelSet, SettingPatch
from curator.dataset.edit import Patch
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.json_values import BadJson, Json, dumps, loads
from curator.project.bulk import IMPORT_UNDONE
from curator.project.reader import Reader
from curator.project.values import FIELDS, LABEL_PREFIX

LABEL_SETS: Final = "label_sets"
"""The setting that holds the label sets: a list of {name, kind, values, help}."""


def label_sets(reader: Reader) -> tuple[LabelSet, ...]:
    """Return the label sets of a project in the order annotators see them."""
    return tuple(_label_set(entry) for entry in reader.setting(LABEL_SETS, []))


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

    Conversations that have the value already are left out; None where nothing would change.
    """
    before = annotation_values(reader, ids, field, annotator=annotator)
    values = list(after) if each else [after] * len(ids)
    changed = [at for at, value in enumerate(values) if value != before[at]]
    if not changed:
        return None
    return AnnotationPatch(
        field,
        tuple(int(ids[at]) for at in changed),
        _folded([before[at] for at in changed]),
        _folded([values[at] for at in changed]),
        annotator,
    )


def annotation_values(
    reader: Reader, ids: Sequence[int], field: str, *, annotator: str = ""
) -> list[Json]:
    """Return one annotation field of many conversations, in the order of ids."""
    rows = apsw.carray(np.asarray(ids, np.int64)) if len(ids) else None
    with reader.reading() as connection:
        if rows is None:
            return []
        if field.startswith(LABEL_PREFIX):
            found = connection.execute(
                "SELECT c.value, l.value FROM carray(?) c LEFT JOIN label l ON "
                "l.conversation = c.value AND l.label_set = ? AND l.annotator = ?",
                (rows, field.removeprefix(LABEL_PREFIX), annotator),
            )
            return [value for _, value in found]
        column = FIELDS[field]
        found = connection.execute(
            f"SELECT a.{column.column} FROM carray(?) c "
            "LEFT JOIN annotation a ON a.conversation = c.value",
            (rows,),
        )
        return [column.value(value) for (value,) in found]


def import_labels(reader: Reader, path: Path, author: str) -> tuple[Edit | None, int]:
    """Read a labels file; returns the edit that applies it and how many lines named no conversation.

    Each line is an object with "conversation" (an id) or "source_line" (and "source", a file name,
    where several files were imported), and any of labels, status, tags, note and flag; one whose
    place several conversations share names none without their id. A line with "label_sets" defines
    label sets. Raises UnreadableInput that names the line at fault.
    """
    sets: dict[str, LabelSet] = {each.name: each for each in label_sets(reader)}
    values: dict[str, dict[int, Json]] = {}
    unknown = 0
    places = _places(reader)
    known = set(reader.ids().tolist())
    for number, entry in _entries(path):
        if "label_sets" in entry:
            sets |= {each["name"]: _label_set(each) for each in entry["label_sets"]}
            continue
        conversation = _find(entry, places, known)
        if conversation is None:
            unknown += 1
            continue
        for field, value in _said(entry, sets, path, number):
            values.setdefault(field, {})[conversation] = value
    patches: list[Patch] = []
    if tuple(sets.values()) != label_sets(reader):
        patches.append(label_sets_patch(reader, tuple(sets.values())))
    for field, by_id in values.items():
        annotator = author if field.startswith(LABEL_PREFIX) else ""
        patch = annotation_patch(
            reader, list(by_id), field, list(by_id.values()), annotator=annotator, each=True
        )
        patches += [patch] if patch else []
    edit = Edit(f"Labels from {path.name}", author, tuple(patches)) if patches else None
    return edit, unknown


def export_labels(reader: Reader, path: Path) -> int:
    """Write every label, status, tag, note and flag to a file that import_labels reads; returns the lines."""
    names = {source.id: source.name for source in reader.sources()}
    lines = [dumps({"label_sets": reader.setting(LABEL_SETS, [])})]
    for id_ in reader.ids().tolist():
        said = _everything(reader, id_)
        if said:
            row = reader.row(id_)
            place = {"conversation": id_, "source_line": row.source_line}
            lines.append(dumps({**place, "source": names.get(row.source or 0), **said}))
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return len(lines) - 1


def _everything(reader: Reader, id_: int) -> dict[str, Json]:
    annotation = reader.annotation(id_)
    labels = {label.label_set: label.value for label in reader.labels(id_)}
    said: dict[str, Json] = {"labels": labels} if labels else {}
    if annotation.status != "pending":
        said["status"] = str(annotation.status)
    if annotation.tags:
        said["tags"] = list(annotation.tags)
    if annotation.note:
        said["note"] = annotation.note
    if annotation.flag:
        said["flag"] = True
    return said


def _label_set(entry: Mapping[str, Any]) -> LabelSet:
    kind: Literal["choice", "rating"] = "rating" if entry.get("kind") == "rating" else "choice"
    values = tuple(str(value) for value in entry.get("values", ()))
    return LabelSet(str(entry["name"]), kind, values, str(entry.get("help", "")))


def _folded(values: list[Json]) -> tuple[Json, ...]:
    first = values[0]
    return (first,) if all(value == first for value in values) else tuple(values)


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UnreadableInput(f"{path} cannot be read: {error.strerror}.", path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = loads(line.decode("utf-8"))
        except (BadJson, UnicodeDecodeError) as error:
            raise UnreadableInput(
                f"Line {number} of {path} is no JSON: {error}.", path, number
            ) from error
        if not isinstance(value, dict):
            raise UnreadableInput(f"Line {number} of {path} is no object.", path, number)
        yield number, value


Places = Mapping[tuple[str, int], Sequence[int]]
"""Conversations by file name and line; the empty name holds those of every file."""


def _places(reader: Reader) -> Places:
    """Return where conversations came from, without those of imports that were taken back."""
    names = {source.id: source.name for source in reader.sources()}
    undone = FIELDS["removed"].stored(IMPORT_UNDONE)
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT id, source, source_line FROM conversation WHERE source IS NOT NULL "
            "AND id NOT IN (SELECT conversation FROM annotation WHERE removed = ?) ORDER BY id",
            (undone,),
        ).fetchall()
    places: dict[tuple[str, int], list[int]] = {}
    for cells in rows:
        id_, source, line = (int(cell or 0) for cell in cells)
        for name in {names.get(source, ""), ""}:
            places.setdefault((name, line), []).append(id_)
    return places


def _find(entry: Mapping[str, Any], places: Places, known: set[int]) -> int | None:
    """Return which conversation a line is about; None where that is not certain.

    An id alone means little in another project, so a place that is told decides; where several files
    have that place, only an id that stands there does.
    """
    id_, line = entry.get("conversation"), entry.get("source_line")
    if type(line) is not int:
        return id_ if type(id_) is int and id_ in known else None
    found = places.get((str(entry.get("source") or ""), line), ())
    if type(id_) is int and id_ in found:
        return id_
    return found[0] if len(found) == 1 else None


def _said(
    entry: Mapping[str, Any], sets: Mapping[str, LabelSet], path: Path, number: int
) -> Iterator[tuple[str, Json]]:
    for name, value in (entry.get("labels") or {}).items():
        if name not in sets:
            raise UnreadableInput(
                f'Line {number} of {path}: there is no label set "{name}".', path, number
            )
        if str(value) not in sets[name].values:
            raise UnreadableInput(
                f'Line {number} of {path}: "{value}" is no answer to {name}.', path, number
            )
        yield f"{LABEL_PREFIX}{name}", str(value)
    for field in ("status", "tags", "note", "flag"):
        if field in entry:
            yield field, entry[field]


def check_label(sets: Sequence[LabelSet], name: str, value: str) -> None:
    """Raise WrongUse where a label set or one of its values does not exist."""
    found = next((each for each in sets if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in sets) or "none yet"
        raise WrongUse(f'There is no label set "{name}"; there are: {known}.')
    if value not in found.values:
        raise WrongUse(f'"{value}" is no answer to {name}; choose {", ".join(found.values)}.')
