"""Reading a project: one SQLite connection, cheap to open, one for each thread."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np

from curator.dataset import Annotation, Conversation, Finding, Label, Place
from curator.dataset.errors import ProjectError
from curator.dataset.json_values import Json, loads
from curator.project import journal
from curator.project.connection import OpenFile, scalar
from curator.project.values import FIELDS, annotation_from

if TYPE_CHECKING:
    from curator.project.index import Index

_SEEK_UP_TO: Final = 8
"""Fewer rows than this of one segment are read by seeking, more by reading the segment whole."""

ROW_COLUMNS: Final = (
    "id, title, content_hash, prompt_hash, system_hash, import_hash, n_messages, n_turns, tokens, "
    "trained_tokens, tokens_exact, errors, warnings, flags, updated, source, source_line"
)


@dataclass(frozen=True, slots=True)
class RowFacts:
    """The numbers and names of one conversation as they are stored; source is None for hand-written ones."""

    id: int
    title: str
    content_hash: int
    prompt_hash: int
    system_hash: int
    import_hash: int
    n_messages: int
    n_turns: int
    tokens: int
    trained_tokens: int
    tokens_exact: bool
    errors: int
    warnings: int
    flags: int
    updated: int
    source: int | None
    source_line: int | None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """One imported file; state is importing, done, cancelled or interrupted."""

    id: int
    path: str
    name: str
    digest: str
    format: str
    records: int
    imported: int
    rejected: int
    state: str
    author: str
    at: int


class Reader(OpenFile):
    """The read side of a project; use each reader in one thread at a time."""

    def reader(self) -> "Reader":
        """Open another reader of the same project, for another thread."""
        return Reader(self.path)

    def content(self, id: int) -> str:  # noqa: A002 - a conversation's id
        """Return one conversation's JSON line; raises ProjectError where there is no such one."""
        with self.reading() as connection:
            text = stored_content(connection, id)
        if text is None:
            raise ProjectError(f"There is no conversation {id} in {self.path.name}.", self.path)
        return text

    def contents(self, ids: Sequence[int]) -> list[str]:
        """Return many conversations' JSON lines, in the order of ids."""
        with self.reading() as connection:
            found = contents_of(connection, ids)
        if len(found) < len(set(ids)):
            missing = next(id_ for id_ in ids if id_ not in found)
            raise ProjectError(
                f"There is no conversation {missing} in {self.path.name}.", self.path
            )
        return [found[id_] for id_ in ids]

    def conversation(self, id: int) -> Conversation:  # noqa: A002
        """Return one conversation."""
        return Conversation.parse(self.content(id))

    def annotation(self, id: int) -> Annotation:  # noqa: A002
        """Return what was said of one conversation; an untouched one is pending."""
        columns = ", ".join(field.column for field in FIELDS.values())
        with self.reading() as connection:
            row = connection.execute(
                f"SELECT {columns} FROM annotation WHERE conversation = ?", (id,)
            ).fetchone()
        return annotation_from(row)

    def labels(self, id: int) -> tuple[Label, ...]:  # noqa: A002
        """Return every annotator's answers for one conversation."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT conversation, label_set, annotator, value FROM label "
                "WHERE conversation = ? ORDER BY label_set, annotator",
                (id,),
            )
            return tuple(Label(*row) for row in rows)

    def findings(self, id: int) -> tuple[Finding, ...]:  # noqa: A002
        """Return what the checks found in one conversation."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT rule, severity, message, message_index, field, start, end, fix "
                "FROM finding WHERE conversation = ? ORDER BY position",
                (id,),
            )
            return tuple(
                Finding(rule, severity, message, Place(index, field, start, end), fix)
                for rule, severity, message, index, field, start, end, fix in rows
            )

    def titles(self, ids: Sequence[int]) -> list[str]:
        """Return the titles of many conversations; an empty text where there is no such one."""
        if not len(ids):
            return []
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT c.value, v.title FROM carray(?) c JOIN conversation v ON v.id = c.value",
                (apsw.carray(np.asarray(ids, np.int64)),),
            )
            found = dict(rows)
        return [found.get(id_, "") for id_ in ids]

    def row(self, id: int) -> RowFacts:  # noqa: A002
        """Return the stored numbers of one conversation; raises ProjectError where there is none."""
        with self.reading() as connection:
            row = connection.execute(
                f"SELECT {ROW_COLUMNS} FROM conversation WHERE id = ?", (id,)
            ).fetchone()
        if row is None:
            raise ProjectError(f"There is no conversation {id} in {self.path.name}.", self.path)
        return RowFacts(*row)

    def iterate(
        self, ids: Iterable[int] | None = None, batch: int = 2_000
    ) -> Iterator[tuple[int, str]]:
        """Yield id and JSON line of the given conversations, or of all in the order of their ids."""
        wanted = self.ids() if ids is None else np.fromiter(ids, np.int64)
        for start in range(0, len(wanted), batch):
            part = wanted[start : start + batch].tolist()
            yield from zip(part, self.contents(part), strict=True)

    def ids(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Return the ids of all conversations, removed ones too, in order."""
        return self.column("id")

    def column(self, name: str) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Return one whole-number column of all conversations in the order of their ids; NULL is 0."""
        with self.reading() as connection:
            rows = connection.execute(f'SELECT ifnull("{name}", 0) FROM conversation ORDER BY id')
            return np.fromiter((value for (value,) in rows), np.int64)

    def setting(self, name: str, default: Json = None) -> Json:
        """Return a project setting."""
        with self.reading() as connection:
            value = stored_setting(connection, name)
        return default if value is None else value

    def settings_named(self, prefix: str) -> list[str]:
        """Return the names of the settings that begin with a prefix, in order."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT name FROM setting WHERE name >= ? AND name < ? ORDER BY name",
                (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)),
            )
            return [str(name) for (name,) in rows]

    def settings(self) -> dict[str, Json]:
        """Return every project setting."""
        with self.reading() as connection:
            rows = connection.execute("SELECT name, value FROM setting ORDER BY name")
            return {name: loads(value) for name, value in rows}

    def sources(self) -> tuple[SourceFacts, ...]:
        """Return every imported file, oldest first."""
        with self.reading() as connection:
            return tuple(
                SourceFacts(*row) for row in connection.execute("SELECT * FROM source ORDER BY id")
            )

    def history(self, id: int) -> list[journal.HistoryEntry]:  # noqa: A002
        """Return who did what to one conversation, newest first."""
        with self.reading() as connection:
            return journal.history(connection, id)

    def journal(self, limit: int = 100) -> list[journal.Step]:
        """Return the latest steps of the whole project, newest first."""
        with self.reading() as connection:
            return journal.steps(connection, limit)

    def count(self) -> int:
        """Return how many conversations there are, removed ones too."""
        with self.reading() as connection:
            return int(scalar(connection, "SELECT count(*) FROM conversation"))

    def index(self) -> "Index":
        """Load the index of all conversations."""
        from curator.project.index import Index

        return Index(self.path)


def stored_setting(connection: apsw.Connection, name: str) -> Json:
    """Return a setting, None where it is absent."""
    text = scalar(connection, "SELECT value FROM setting WHERE name = ?", (name,))
    return None if text is None else loads(text)


def stored_content(connection: apsw.Connection, id_: int) -> str | None:
    """Return one conversation's JSON line, None where there is no such one."""
    return contents_of(connection, (id_,)).get(id_)


def contents_of(connection: apsw.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return the JSON lines of those ids that are there."""
    if not len(ids):
        return {}
    rows = connection.execute(
        "SELECT v.id, v.content, v.segment, v.start, v.length "
        "FROM carray(?) c JOIN conversation v ON v.id = c.value",
        (apsw.carray(np.asarray(ids, np.int64)),),
    )
    found: dict[int, str] = {}
    places: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for id_, content, segment, start, length in rows:
        if content is not None:
            found[id_] = content
        else:
            places[segment].append((id_, start, length))
    for segment, wanted in places.items():
        found.update(_from_segment(connection, segment, wanted))
    return found


def _from_segment(
    connection: apsw.Connection, segment: int, wanted: list[tuple[int, int, int]]
) -> Iterator[tuple[int, str]]:
    if len(wanted) > _SEEK_UP_TO:
        whole = scalar(connection, "SELECT bytes FROM segment WHERE id = ?", (segment,))
        for id_, start, length in wanted:
            yield id_, whole[start : start + length].decode("utf-8")
        return
    with connection.blob_open("main", "segment", "bytes", segment, writeable=False) as blob:
        for id_, start, length in wanted:
            blob.seek(start)
            yield id_, blob.read(length).decode("utf-8")
