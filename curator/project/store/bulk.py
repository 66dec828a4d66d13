"""Writing many imported conversations fast: whole segments of lines with their columns."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curator.curate.analysis.identity import hash_all
from curator.dataset import Finding
from curator.project.store import journal
from curator.project.store.changes import Changes
from curator.project.store.connection import connect
from curator.project.store.derive import stamp_if_empty
from curator.project.store.import_steps import IMPORT_UNDONE, import_step
from curator.project.store.patches import FINDING_COLUMNS, finding_row, now_ms
from curator.project.store.project import Project
from curator.project.store.reader import Reader
from curator.project.store.values import FIELDS, storable
from curator.project.store.wal import LogWatch

BULK_COLUMNS: Final = (
    "start",
    "length",
    "source_line",
    "tokens",
    "trained_tokens",
    "tokens_exact",
    "n_messages",
    "n_turns",
    "errors",
    "warnings",
    "flags",
    "kind",
    "content_hash",
    "prompt_hash",
    "system_hash",
    "import_hash",
    "beginnings",
    "title",
)
"""What add() wants of every row: numpy arrays or lists of equal length; start and length count bytes."""


class Bulk:
    """One import into a project: chunks are durable together when the block ends.

    Use it as a context manager. Where the block ends by an error or a cancel, what was added so far
    stays, is noted as cancelled and can be taken back by undo. Raises ProjectError where the project
    cannot be changed.
    """

    def __init__(self, project: Project) -> None:
        project.check_writable()
        self._project = project
        self._connection = connect(project.path, write=True)
        self._watch = LogWatch(self._connection)
        self._sources: dict[int, str] = {}
        self._added: dict[int, list[range]] = {}
        self.changes: list[Changes] = []

    def __enter__(self) -> "Bulk":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            for source in list(self._added):
                self.finish_source(source, state="done" if kind is None else "cancelled")
            self._watch.checkpoint()
        finally:
            self._connection.close()

    def add_source(self, path: str, name: str, digest: str = "", format: str = "") -> int:  # noqa: A002
        """Note the file that the next rows come from; returns its id."""
        self._connection.pragma("synchronous", "normal")
        with self._project.writing(self._connection):
            stamp_if_empty(self._connection)
            self._connection.execute(
                "INSERT INTO source (path, name, digest, format, state, author, at) "
                "VALUES (?,?,?,?,'importing',?,?)",
                (storable(path), storable(name), digest, format, self._project.author, now_ms()),
            )
            source = self._connection.last_insert_rowid()
        self._sources[source] = name
        self._added[source] = []
        return source

    def add(
        self,
        segment: bytes,
        columns: Mapping[str, Sequence[Any]],
        *,
        source: int,
        findings: Iterable[tuple[int, Finding]] = (),
    ) -> range:
        """Store a segment of lines and its rows in one transaction; returns the new ids in order.

        columns has every name of BULK_COLUMNS; findings come as pairs of row (0-based, in this call)
        and finding.
        """
        cells = [_plain(columns[name]) for name in BULK_COLUMNS]
        cells[-1] = _storable_all(cells[-1])
        cells.append(_text_hashes(segment, *cells[:2]))
        count = len(cells[0])
        ids = range(0)
        with self._project.writing(self._connection):
            ids = self._project.take_ids(count)
            self._connection.execute("INSERT INTO segment (bytes) VALUES (?)", (segment,))
            shared = f"{self._connection.last_insert_rowid()}, {source}, {now_ms()}"
            self._connection.executemany(
                f"INSERT INTO conversation (id, {', '.join(BULK_COLUMNS)}, text_hash, segment, "
                f"source, updated) VALUES (?,{'?,' * len(cells)} {shared})",
                zip(ids, *cells, strict=True),
            )
            self._add_findings(ids, findings)
        self._added[source].append(ids)
        if self._watch.is_due:
            # Outside of the transaction: an edit of the user need not wait for it.
            self._watch.checkpoint()
        return ids

    def finish_source(
        self,
        source: int,
        *,
        records: int = 0,
        rejected: int = 0,
        state: str = "done",
        digest: str = "",
    ) -> None:
        """Close a file: its counts are kept, and its rows become one step of the journal."""
        ranges = self._added.pop(source, [])
        imported = sum(len(ids) for ids in ranges)
        # This one durable commit makes every chunk before it durable.
        self._connection.pragma("synchronous", "full")
        with self._project.writing(self._connection):
            self._connection.execute(
                "UPDATE source SET records = max(?, ?), imported = ?, rejected = ?, state = ?, "
                "digest = CASE ? WHEN '' THEN digest ELSE ? END WHERE id = ?",
                (records, imported, imported, rejected, state, digest, digest, source),
            )
            edit = import_step(self._sources[source], self._project.author, ranges)
            now = now_ms()
            if imported:
                journal.record(self._connection, edit, now)
        if imported:
            ids = tuple(chain.from_iterable(ranges))
            fields = frozenset({"content"})
            self.changes.append(Changes(edit, ids, fields, rows_changed=True, at=now))

    def _add_findings(self, ids: range, findings: Iterable[tuple[int, Finding]]) -> None:
        positions: dict[int, int] = {}
        rows = []
        for at, finding in findings:
            positions[at] = positions.get(at, -1) + 1
            rows.append(finding_row(ids[at], positions[at], finding))
        if rows:
            self._connection.executemany(
                f"INSERT INTO finding ({FINDING_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)", rows
            )


def import_hashes(reader: Reader) -> npt.NDArray[np.int64]:
    """Return the import hashes a project has, without those of imports that were taken back.

    So the same file can be imported again after an undo.
    """
    undone = FIELDS["removed"].stored(IMPORT_UNDONE)
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT import_hash FROM conversation WHERE id NOT IN "
            "(SELECT conversation FROM annotation WHERE removed = ?)",
            (undone,),
        )
        return np.fromiter((value for (value,) in rows), np.int64)


def _text_hashes(segment: bytes, starts: Sequence[int], lengths: Sequence[int]) -> list[int]:
    raw = memoryview(segment)
    places = zip(starts, lengths, strict=True)
    hashes: list[int] = hash_all(raw[start : start + length] for start, length in places).tolist()
    return hashes


def _storable_all(titles: Sequence[str]) -> Sequence[str]:
    try:
        "".join(titles).encode()
    except UnicodeEncodeError:
        return [storable(title) for title in titles]
    return titles


def _plain(values: Sequence[Any]) -> Sequence[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values
