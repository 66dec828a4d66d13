"""Labels travel as a file: who answered what, and every status, tag, note and flag.

The first line holds the label sets, and in "past_answers" what was answered once and is offered no
more. Every other line names a conversation; its "answers" hold each annotator's own answers by name,
its "labels" one answer to each set, for readers that ask for no more.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from curator.dataset import Edit, Label, LabelSet
from curator.dataset.edit import Patch
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.json_values import BadJson, Json, dumps, loads
from curator.project.bulk import IMPORT_UNDONE
from curator.project.labelling import (
    LABEL_SETS,
    annotation_patch,
    label_set_from,
    label_sets,
    label_sets_patch,
)
from curator.project.reader import Reader
from curator.project.values import FIELDS, LABEL_PREFIX

_SAID: Final = ("status", "tags", "note", "flag")
"""The annotation fields that travel beside the labels."""


def import_labels(reader: Reader, path: Path, author: str) -> tuple[Edit | None, int]:
    """Read a labels file; returns the edit that applies it and how many lines named no conversation.

    Each line is an object with "conversation" (an id) or "source_line" (and "source", a file name,
    where several files were imported), and any of answers, labels, status, tags, note and flag; one
    whose place several conversations share names none without their id. Answers are those of the
    annotators they name; labels that no annotator of the line gave are the author's own. A line with
    "label_sets" defines label sets. Raises UnreadableInput that names the line at fault.
    """
    sets: dict[str, LabelSet] = {each.name: each for each in label_sets(reader)}
    past: dict[str, set[str]] = {}
    values: dict[tuple[str, str], dict[int, Json]] = {}
    unknown = 0
    places = _places(reader)
    known = set(reader.ids().tolist())
    for number, entry in _entries(path):
        at = _Line(path, number)
        if "label_sets" in entry:
            sets |= {each.name: each for each in _sets(entry, at)}
            for name, given in at.mapping(entry, "past_answers").items():
                past.setdefault(name, set()).update(map(str, given or ()))
            continue
        conversation = _find(entry, places, known)
        if conversation is None:
            unknown += 1
            continue
        for annotator, name, value in _answers(entry, author, at):
            at.check_answer(sets, past, name, value)
            values.setdefault((f"{LABEL_PREFIX}{name}", annotator), {})[conversation] = value
        for field, said in _said(entry, at):
            values.setdefault((field, ""), {})[conversation] = said
    edit = _edit(reader, path, author, tuple(sets.values()), values)
    return edit, unknown


def export_labels(reader: Reader, path: Path, me: str = "") -> int:
    """Write who answered what, and all else that was said, to a file that import_labels reads.

    Where annotators differ, "labels" holds the answer of me, or else of the first by name. The file
    takes its name once it is whole. Returns how many conversations are in it.
    """
    whole = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with whole.open("w", encoding="utf-8", newline="\n") as file:
            count = 0
            for line in _lines(reader, me):
                file.write(f"{line}\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
        whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)
    return count - 1


class _Line:
    """A place in a labels file, for words that name it."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number

    def fault(self, words: str) -> UnreadableInput:
        """Return the error that says what is wrong on this line."""
        return UnreadableInput(
            f"Line {self.number} of {self.path}: {words}", self.path, self.number
        )

    def mapping(self, entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Return the object behind a key, an empty one where there is none."""
        found = entry.get(key)
        if found is not None and not isinstance(found, dict):
            raise self.fault(f'"{key}" is no object.')
        return found or {}

    def check_answer(
        self, sets: Mapping[str, LabelSet], past: Mapping[str, set[str]], name: str, value: str
    ) -> None:
        """Raise where a set does not exist, or does not offer a value and never did."""
        if value in past.get(name, ()):
            return
        if name not in sets:
            raise self.fault(f'there is no label set "{name}".')
        if value not in sets[name].values:
            raise self.fault(f'"{value}" is no answer to {name}.')


def _edit(
    reader: Reader,
    path: Path,
    author: str,
    sets: tuple[LabelSet, ...],
    values: Mapping[tuple[str, str], Mapping[int, Json]],
) -> Edit | None:
    patches: list[Patch] = []
    if sets != label_sets(reader):
        patches.append(label_sets_patch(reader, sets))
    for (field, annotator), by_id in values.items():
        patch = annotation_patch(
            reader, list(by_id), field, list(by_id.values()), annotator=annotator, each=True
        )
        patches += [patch] if patch else []
    return Edit(f"Labels from {path.name}", author, tuple(patches)) if patches else None


def _lines(reader: Reader, me: str) -> Iterator[str]:
    names = {source.id: source.name for source in reader.sources()}
    head: dict[str, Json] = {"label_sets": reader.setting(LABEL_SETS, [])}
    past = _past_answers(reader)
    yield dumps({**head, "past_answers": past} if past else head)
    with reader.reading() as connection:
        touched = connection.execute(
            "SELECT conversation FROM label UNION SELECT conversation FROM annotation ORDER BY 1"
        ).fetchall()
    for (id_,) in touched:
        said = _everything(reader, int(id_ or 0), me)
        if said:
            row = reader.row(int(id_ or 0))
            place = {"conversation": id_, "source_line": row.source_line}
            yield dumps({**place, "source": names.get(row.source or 0), **said})


def _past_answers(reader: Reader) -> dict[str, list[str]]:
    """Return the answers in the project that its label sets do not offer any more."""
    offered = {each.name: each.values for each in label_sets(reader)}
    with reader.reading() as connection:
        given = connection.execute("SELECT DISTINCT label_set, value FROM label ORDER BY 1, 2")
        past: dict[str, list[str]] = {}
        for name, value in given:
            if value not in offered.get(str(name), ()):
                past.setdefault(str(name), []).append(str(value))
    return past


def _everything(reader: Reader, id_: int, me: str) -> dict[str, Json]:
    annotation = reader.annotation(id_)
    given = reader.labels(id_)
    said: dict[str, Json] = {}
    if given:
        answers: dict[str, dict[str, Json]] = {}
        for label in given:
            answers.setdefault(label.annotator, {})[label.label_set] = label.value
        said |= {"labels": _one_each(given, me), "answers": answers}
    if annotation.status != "pending":
        said["status"] = str(annotation.status)
    if annotation.tags:
        said["tags"] = list(annotation.tags)
    if annotation.note:
        said["note"] = annotation.note
    if annotation.flag:
        said["flag"] = True
    return said


def _one_each(given: Sequence[Label], me: str) -> dict[str, Json]:
    first: dict[str, Json] = {}
    for label in given:
        first.setdefault(label.label_set, label.value)
    return first | {label.label_set: label.value for label in given if label.annotator == me}


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UnreadableInput(f"{path} cannot be read: {error.strerror}.", path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (BadJson, UnicodeDecodeError) as error:
            raise UnreadableInput(
                f"Line {number} of {path} is no JSON: {error}.", path, number
            ) from error
        if not isinstance(value, dict):
            raise UnreadableInput(f"Line {number} of {path} is no object.", path, number)
        yield number, value


def _sets(entry: Mapping[str, Any], at: _Line) -> tuple[LabelSet, ...]:
    found = entry["label_sets"]
    if not isinstance(found, list) or not all(_is_set(each) for each in found):
        raise at.fault('"label_sets" is a list of {"name", "kind", "values"}.')
    return tuple(label_set_from(each) for each in found)


def _is_set(entry: Json) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and isinstance(entry.get("values"), list)
    )


def _answers(entry: Mapping[str, Any], author: str, at: _Line) -> Iterator[tuple[str, str, str]]:
    """Yield annotator, label set and value of every answer on a line."""
    told: set[str] = set()
    for annotator, by_set in at.mapping(entry, "answers").items():
        for name, value in at.mapping({annotator: by_set}, annotator).items():
            told.add(name)
            yield annotator, name, str(value)
    for name, value in at.mapping(entry, "labels").items():
        if name not in told:
            yield author, name, str(value)


def _said(entry: Mapping[str, Any], at: _Line) -> Iterator[tuple[str, Json]]:
    for field in _SAID:
        if field in entry:
            value = entry[field]
            if field == "flag" and not isinstance(value, bool):
                raise at.fault("a flag is true or false.")
            try:
                FIELDS[field].stored(value)
            except WrongUse as error:
                raise at.fault(str(error)) from error
            yield field, value


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
