"""Which conversation a line of a labels file is about: the one that has the text it was given for.

A line says so by the hash of that text. One without a hash, written by hand or by an older version,
is taken by its place alone, and only where nothing speaks against it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from curator.dataset.counted import counted
from curator.project.store.import_steps import IMPORT_UNDONE
from curator.project.store.reader import Reader
from curator.project.store.tables import places_in_files
from curator.project.store.values import FIELDS

CONTENT_HASH: Final = "content_hash"
"""The key of a line that holds the first 16 hexadecimal digits of a SHA-256, that of the conversation
as JSON in UTF-8 with sorted keys and without spaces."""

_HASH: Final = re.compile(r"[0-9a-f]{16}")
_NAMED: Final = 5


class LineRefused(Exception):
    """A line cannot be taken; its text is the reason."""


class _Row(NamedTuple):
    """What is known of a conversation here."""

    id: int
    hash: str
    source: str
    line: int
    is_removed: bool


def hash_words(content_hash: int) -> str:
    """Return a stored content hash as label files hold it."""
    return f"{content_hash & 0xFFFF_FFFF_FFFF_FFFF:016x}"


class Matching:
    """The conversations of a project, to be found by their text or by their place."""

    def __init__(self, reader: Reader) -> None:
        self._by_id: dict[int, _Row] = {}
        self._by_hash: dict[str, list[_Row]] = {}
        self._by_place: dict[tuple[str, int], list[_Row]] = {}
        for row in _rows(reader):
            self._by_id[row.id] = row
            self._by_hash.setdefault(row.hash, []).append(row)
            if row.source:
                for name in {row.source, ""}:
                    self._by_place.setdefault((name, row.line), []).append(row)
        self._ids_are_ours = True

    def doubt_ids(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Look whether the ids in lines without a hash are those of this project, all of them."""
        for entry in entries:
            id_, found = entry.get("conversation"), self._at(entry)
            if CONTENT_HASH not in entry and type(id_) is int and found is not None:
                self._ids_are_ours &= id_ in {row.id for row in found}

    def find(self, entry: Mapping[str, Any]) -> int:
        """Return the id of the conversation a line is about; raises LineRefused."""
        return self._by_text(entry) if CONTENT_HASH in entry else self._without_hash(entry)

    def _by_text(self, entry: Mapping[str, Any]) -> int:
        given = entry[CONTENT_HASH]
        if not isinstance(given, str) or not _HASH.fullmatch(given):
            raise LineRefused(f'Its "{CONTENT_HASH}" is not 16 hexadecimal digits.')
        found = self._by_hash.get(given, [])
        if len(found) > 1:
            found = self._narrowed(entry, found)
        if len(found) == 1:
            return found[0].id
        if found:
            raise LineRefused(
                f"{counted(len(found), 'conversation')} have this text ({_ids(found)}), and neither its place "
                "nor its id names one of them."
            )
        if self._at(entry):
            raise LineRefused(
                f"{_place(entry)} holds another text here than the one this was said of."
            )
        raise LineRefused("No conversation here has the text that this was said of.")

    def _narrowed(self, entry: Mapping[str, Any], found: list[_Row]) -> list[_Row]:
        """Choose among copies: those that are not removed, at the place, or else with the id told."""
        found = [row for row in found if not row.is_removed] or found
        here = {row.id for row in self._at(entry) or ()}
        at_place = [row for row in found if row.id in here]
        if at_place:
            found = at_place
        with_id = [row for row in found if row.id == entry.get("conversation")]
        return with_id if len(found) > 1 and with_id else found

    def _without_hash(self, entry: Mapping[str, Any]) -> int:
        id_, found = entry.get("conversation"), self._at(entry)
        is_id = type(id_) is int
        if found is None:
            if is_id and id_ in self._by_id:
                return int(id_)
            raise LineRefused("It names no conversation of this project.")
        if len(found) > 1:
            raise LineRefused(
                f"{_place(entry)} fits {counted(len(found), 'conversation')} ({_ids(found)}), and it does not "
                "say for which text it was given."
            )
        if not found:
            raise LineRefused(f"{_place(entry)} is not in this project.")
        if is_id and (id_ != found[0].id or not self._ids_are_ours):
            raise LineRefused(
                "It was written in another project and does not say for which text. Open that "
                "project with this version and export its labels again."
            )
        return found[0].id

    def _at(self, entry: Mapping[str, Any]) -> Sequence[_Row] | None:
        """Return what stands at the place a line tells; None where it tells none."""
        line = entry.get("source_line")
        if type(line) is not int:
            return None
        return self._by_place.get((str(entry.get("source") or ""), line), ())


def _rows(reader: Reader) -> list[_Row]:
    """Read all conversations but those of imports that were taken back."""
    names = {source.id: source.name for source in reader.sources()}
    undone = FIELDS["removed"].stored(IMPORT_UNDONE)
    return [
        _Row(
            id_,
            hash_words(hash_),
            names.get(source, "") if source else "",
            line or 0,
            is_removed,
        )
        for id_, hash_, source, line, is_removed in places_in_files(reader, undone)
    ]


def _place(entry: Mapping[str, Any]) -> str:
    source = entry.get("source")
    line = f"Line {entry.get('source_line')}"
    return f"{line} of {source}" if source else line


def _ids(found: Sequence[_Row]) -> str:
    ids = ", ".join(str(row.id) for row in found[:_NAMED])
    return ids if len(found) <= _NAMED else f"{ids}, ..."
