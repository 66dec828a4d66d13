"""Labels travel as a file: who answered what, and every status, tag, note and flag.

The first line holds the label sets, and in "past_answers" what was answered once and is offered no
more. Every other line names a conversation and the text it was said of (content_hash); its "answers"
hold each annotator's own answers by name, its "labels" one answer to each set, for readers that ask
for no more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from curator.curate.labels import labels_that_count
from curator.dataset import Edit, LabelSet
from curator.dataset.counted import counted
from curator.dataset.edit import Patch
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.json_values import BadJson, Json, dumps, loads
from curator.dataset.label import plain_name, spelling
from curator.dataset.small_files import written_whole
from curator.formats.opening import blocks, look, require_whole
from curator.formats.records import lines
from curator.project.label_matching import CONTENT_HASH, LineRefused, Matching, hash_words
from curator.project.labels import (
    LABEL_SETS,
    annotation_patch,
    label_set_from,
    label_sets,
    label_sets_patch,
    plain_set,
    plain_tags,
)
from curator.project.store.label_rows import annotated, given_answers
from curator.project.store.reader import Reader
from curator.project.store.values import FIELDS, LABEL_PREFIX

_FIELDS_READ: Final = ("status", "tags", "note", "flag")
"""The annotation fields that travel beside the labels."""


class RefusedLine(NamedTuple):
    """A line of a labels file that is about no conversation here for certain, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What a labels file holds for a project: the edit that applies it, and what is left out."""

    edit: Edit | None
    refused: tuple[RefusedLine, ...]
    notes: tuple[str, ...] = ()


def import_labels(reader: Reader, path: Path, author: str) -> LabelReport:
    """Read a labels file, in any encoding that an import reads.

    Each line is an object that names a conversation (content_hash, or for lines written by hand
    "source_line", with "source" where several files were imported, or "conversation", an id), and any
    of answers, labels, status, tags, note and flag. A line that fits no conversation, several, or one
    with another text is refused and listed. Answers are those of the annotators they name; labels that
    no annotator of the line gave are the author's own; null is no answer, and changes nothing. A line
    with "label_sets" defines label sets. Raises UnreadableInput that names the line at fault.
    """
    matching = Matching(reader)
    said = _Said(path, author, label_sets(reader))
    matching.doubt_ids(_taking_sets(path, said))
    refused: list[RefusedLine] = []
    without_hash = 0
    for number, entry in _entries(path):
        if "label_sets" in entry:
            continue
        try:
            conversation = matching.find(entry)
            said.take(conversation, entry, _Line(path, number))
            without_hash += CONTENT_HASH not in entry
        except LineRefused as reason:
            refused.append(RefusedLine(number, str(reason)))
    return LabelReport(said.edit(reader), tuple(refused), _notes(without_hash))


def _taking_sets(path: Path, said: "_Said") -> Iterator[dict[str, Any]]:
    """Yield all lines once; said takes their label sets, which may stand behind the answers."""
    for number, entry in _entries(path):
        if "label_sets" in entry:
            said.take_sets(entry, _Line(path, number))
        yield entry


def _notes(without_hash: int) -> tuple[str, ...]:
    if not without_hash:
        return ()
    if without_hash == 1:
        return ("1 line does not say for which text it was given; it was taken by its place.",)
    return (
        f"{counted(without_hash, 'line')} do not say for which texts they were given; they were taken by "
        "their places.",
    )


def export_labels(reader: Reader, path: Path, me: str = "") -> int:
    """Write who answered what, and all else that was said, to a file that import_labels reads.

    Where annotators differ, "labels" holds my answer, or else the one that counts (curate.labels). The
    file takes its name once it is whole. Returns how many conversations are in it.
    """
    count = 0
    with written_whole(path) as file:
        for line in _lines(reader, me):
            file.write(f"{line}\n")
            count += 1
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


class _Said:
    """What the lines of a file say, in the spelling of the project."""

    def __init__(self, path: Path, author: str, sets: tuple[LabelSet, ...]) -> None:
        self._path = path
        self._author = plain_name(author)
        self._sets: dict[str, LabelSet] = {each.name: each for each in sets}
        self._past: dict[str, set[str]] = {}
        self._values: dict[tuple[str, str], dict[int, Json]] = {}

    def take_sets(self, entry: Mapping[str, Any], at: "_Line") -> None:
        """Take label sets and the answers that they do not offer any more."""
        for each in _sets(entry, at):
            plain = plain_set(each, tuple(self._sets.values()))
            self._sets[plain.name] = plain
        for name, given in at.mapping(entry, "past_answers").items():
            past = self._past.setdefault(spelling(name, self._sets) or plain_name(name), set())
            past.update(plain_name(str(each)) for each in given or ())

    def take(self, conversation: int, entry: Mapping[str, Any], at: "_Line") -> None:
        """Take what a line says of a conversation; raises LineRefused where it contradicts itself."""
        answers: dict[tuple[str, str], str] = {}
        for annotator, name, value in _answers(entry, self._author, at):
            key = f"{LABEL_PREFIX}{self._set(name, at)}", plain_name(annotator)
            answer = self._answer(key[0].removeprefix(LABEL_PREFIX), value, at)
            if answers.setdefault(key, answer) != answer:
                raise LineRefused(f"It holds two answers of {key[1] or 'nobody'} to {name}.")
        given = {(field, ""): value for field, value in _fields_given(entry, at)}
        for key, value in (answers | given).items():
            if self._values.get(key, {}).get(conversation, value) != value:
                raise LineRefused(
                    "A line before it says otherwise of the same conversation; that one counts."
                )
        for key, value in (answers | given).items():
            self._values.setdefault(key, {})[conversation] = value

    def _set(self, name: str, at: "_Line") -> str:
        known = spelling(name, (*self._sets, *self._past))
        if known is None:
            raise at.fault(f'there is no label set "{name}".')
        return known

    def _answer(self, name: str, value: str, at: "_Line") -> str:
        offered = self._sets[name].values if name in self._sets else ()
        answer = spelling(value, (*offered, *self._past.get(name, ())))
        if answer is None:
            raise at.fault(f'"{value}" is no answer to {name}.')
        return answer

    def edit(self, reader: Reader) -> Edit | None:
        """Return the edit that applies it all; None where nothing would change."""
        patches: list[Patch] = []
        sets = tuple(self._sets.values())
        if sets != label_sets(reader):
            patches.append(label_sets_patch(reader, sets))
        for (field, annotator), by_id in self._values.items():
            patch = annotation_patch(
                reader, list(by_id), field, list(by_id.values()), annotator=annotator, each=True
            )
            patches += [patch] if patch else []
        if not patches:
            return None
        return Edit(f"Labels from {self._path.name}", self._author, tuple(patches))


def _lines(reader: Reader, me: str) -> Iterator[str]:
    names = {source.id: source.name for source in reader.sources()}
    head: dict[str, Json] = {"label_sets": reader.setting(LABEL_SETS, [])}
    past = _past_answers(reader)
    yield dumps({**head, "past_answers": past} if past else head)
    for id_ in annotated(reader):
        said = _everything(reader, id_, me)
        if said:
            row = reader.row(id_)
            place = {"conversation": id_, "source_line": row.source_line}
            text = {
                "source": names.get(row.source or 0),
                CONTENT_HASH: hash_words(row.content_hash),
            }
            yield dumps({**place, **text, **said})


def _past_answers(reader: Reader) -> dict[str, list[str]]:
    """Return the answers in the project that its label sets do not offer any more."""
    offered = {each.name: each.values for each in label_sets(reader)}
    past: dict[str, list[str]] = {}
    for name, value in given_answers(reader):
        if value not in offered.get(name, ()):
            past.setdefault(name, []).append(value)
    return past


def _everything(reader: Reader, id_: int, me: str) -> dict[str, Json]:
    annotation = reader.annotation(id_)
    given = reader.labels(id_)
    said: dict[str, Json] = {}
    if given:
        answers: dict[str, dict[str, Json]] = {}
        for label in given:
            answers.setdefault(label.annotator, {})[label.label_set] = label.value
        said |= {"labels": dict(labels_that_count(given, me)), "answers": answers}
    if annotation.status != "pending":
        said["status"] = str(annotation.status)
    if annotation.tags:
        said["tags"] = list(annotation.tags)
    if annotation.note:
        said["note"] = annotation.note
    if annotation.flag:
        said["flag"] = True
    return said


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    opening = look(path)
    require_whole(opening)
    for chunk in lines(blocks(opening)):
        for number, line in zip(chunk.numbers, chunk.records, strict=True):
            if not line.strip():
                continue
            try:
                value = loads(line.decode("utf-8"))
            except UnicodeDecodeError as error:
                raise UnreadableInput(
                    f"Line {number} of {path} is not UTF-8. Save the file as UTF-8.", path, number
                ) from error
            except BadJson as error:
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
    """Yield annotator, label set and value of every answer on a line; null is none."""
    told: set[str] = set()
    for annotator, by_set in at.mapping(entry, "answers").items():
        for name, value in at.mapping({annotator: by_set}, annotator).items():
            if value is not None:
                told.add(plain_name(name))
                yield annotator, name, _answer(value, at)
    for name, value in at.mapping(entry, "labels").items():
        if value is not None and plain_name(name) not in told:
            yield author, name, _answer(value, at)


def _answer(value: Json, at: _Line) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, list, dict)):
        raise at.fault("an answer is a text or a number.")
    return str(value)


def _fields_given(entry: Mapping[str, Any], at: _Line) -> Iterator[tuple[str, Json]]:
    """Yield the status, tags, note and flag of a line that says something; null says nothing."""
    for field in _FIELDS_READ:
        value = entry.get(field)
        if value is None:
            continue
        if field == "flag" and not isinstance(value, bool):
            raise at.fault("a flag is true or false.")
        try:
            FIELDS[field].stored(value)
        except WrongUse as error:
            raise at.fault(str(error)) from error
        yield field, plain_tags(value) if field == "tags" else value
