"""Reading a project: one SQLite connection, cheap to open, one for each thread."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw
import numpy as np

from curator.dataset import Annotation, Conversation, Finding, Label, Place
from curator.dataset.errors import Cancelled, ProjectError
from curator.dataset.json_values import Json, loads
from curator.dataset.progress import CancelledCall
from curator.project.store import journal
from curator.project.store.connection import OpenFile, scalar
from curator.project.store.stored_texts import DamagedText, contents_of, stored_content
from curator.project.store.values import FIELDS, annotation_from

_COMPARED: Final = 2_000

ROW_COLUMNS: Final = (
    "id, title, content_hash, prompt_hash, system_hash, import_hash, n_messages, n_turns, tokens, "
    "trained_tokens, tokens_exact, errors, warnings, flags, kind, updated, source, source_line"
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
    kind: int
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
    """The read side of a project; use each reader in one thread at a time.

    damaged holds the conversations whose stored text was found to be another than was written; all
    readers of one project share it.
    """

    def __init__(self, path: Path | str, connection: apsw.Connection | None = None) -> None:
        super().__init__(path, connection)
        self.damaged: set[int] = set()

    def reader(self) -> "Reader":
        """Open another reader of the same project, for another thread."""
        other = Reader(self.path)
        other.damaged = self.damaged
        return other

    def content(self, id: int) -> str:  # noqa: A002 - a conversation's id
        """Return one conversation's JSON line; raises ProjectError where there is none or it is damaged."""
        with self.reading() as connection:
            try:
                text = stored_content(connection, id)
            except DamagedText as error:
                self.damaged.update(error.conversations)
                raise
        if text is None:
            raise ProjectError(f"There is no conversation {id} in {self.path.name}.", self.path)
        return text

    def contents(self, ids: Sequence[int]) -> list[str]:
        """Return many conversations' JSON lines, in the order of ids; raises as content does."""
        lines = self._lines(ids)
        broken = [id_ for id_, line in zip(ids, lines, strict=True) if line is None]
        if broken:
            raise DamagedText(broken)
        return [line for line in lines if line is not None]

    def _lines(self, ids: Sequence[int]) -> list[str | None]:
        """Return many conversations' JSON lines, in the order of ids; None for one that is damaged."""
        damaged: set[int] = set()
        with self.reading() as connection:
            found = contents_of(connection, ids, damaged)
        self.damaged |= damaged
        missing = next((id_ for id_ in ids if id_ not in found and id_ not in damaged), None)
        if missing is not None:
            raise ProjectError(
                f"There is no conversation {missing} in {self.path.name}.", self.path
            )
        return [found.get(id_) for id_ in ids]

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
                "SELECT c.value, CAST(v.title AS BLOB) FROM carray(?) c "
                "JOIN conversation v ON v.id = c.value",
                (apsw.carray(np.asarray(ids, np.int64)),),
            )
            # A damaged title is still a name to find its conversation by.
            found = {id_: title.decode("utf-8", "replace") for id_, title in rows}
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
        """Yield id and JSON line of the given conversations, or of all in the order of their ids.

        Damaged ones are left out and join damaged.
        """
        wanted = self.ids() if ids is None else np.fromiter(ids, np.int64)
        for start in range(0, len(wanted), batch):
            part = wanted[start : start + batch].tolist()
            for id_, line in zip(part, self._lines(part), strict=True):
                if line is not None:
                    yield id_, line

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


def damaged_among(
    reader: Reader,
    ids: Sequence[int],
    progress: Callable[[int, int, str], None],
    cancelled: CancelledCall,
) -> list[int]:
    """Compare stored texts with their stored hashes; returns the damaged conversations, in order."""
    found: set[int] = set()
    for start in range(0, len(ids), _COMPARED):
        if cancelled():
            raise Cancelled("The stored texts were not all compared; nothing was changed.")
        progress(start, len(ids), "Comparing the stored texts")
        with reader.reading() as connection:
            contents_of(connection, ids[start : start + _COMPARED], found)
    reader.damaged |= found
    return sorted(found)


def stored_setting(connection: apsw.Connection, name: str) -> Json:
    """Return a setting, None where it is absent."""
    text = scalar(connection, "SELECT value FROM setting WHERE name = ?", (name,))
    return None if text is None else loads(text)
