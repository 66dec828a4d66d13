"""Columns of many conversations at once."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final

import apsw
import numpy as np
import numpy.typing as npt

from curator.project.store.connection import scalar
from curator.project.store.reader import Reader

Ints = npt.NDArray[np.int64]

_CHUNK: Final = 50_000

TextPlace = tuple[
    int, int | None, int | None, int | None, bytes | None, int | None, int | None, int
]
"""Id, segment, start and length there, the content where it is in none, source, source line, text hash."""


def number_table(reader: Reader, columns: Sequence[str], *, removed_too: bool = False) -> Ints:
    """Return whole-number columns of conversations and their annotations, a row each, in the order of ids.

    A column is an SQL expression: one of an annotation is null where nobody annotated anything, so it
    needs an ifnull.
    """
    living = "" if removed_too else "WHERE removed IS NULL "
    with reader.reading() as connection:
        rows = connection.execute(
            f"SELECT {', '.join(columns)} FROM conversation "
            f"LEFT JOIN annotation ON conversation = id {living}ORDER BY id"
        )
        cells: Any = chain.from_iterable(rows)
        return np.fromiter(cells, np.int64).reshape(-1, len(columns))


def living(reader: Reader) -> Ints:
    """Return the ids of all conversations that are not removed, in order."""
    return number_table(reader, ("id",))[:, 0]


def hashes_and_beginnings(reader: Reader) -> Iterator[list[tuple[int, int, int, bytes]]]:
    """Yield id, content hash, prompt hash and beginnings of all conversations in order, many at a time."""
    with reader.reading() as connection:
        cursor: Any = connection.execute(
            "SELECT id, content_hash, prompt_hash, ifnull(beginnings, x'') FROM conversation "
            "ORDER BY id"
        )
        while rows := list(islice(cursor, _CHUNK)):
            yield rows


def ids_after(reader: Reader, id_: int) -> Ints:
    """Return the ids above one, removed ones too, in order."""
    with reader.reading() as connection:
        rows = connection.execute("SELECT id FROM conversation WHERE id > ? ORDER BY id", (id_,))
        return np.fromiter((each for (each,) in rows), np.int64)


def ids_by_title(reader: Reader) -> Ints:
    """Return all ids in the order of their titles, case aside."""
    with reader.reading() as connection:
        rows = connection.execute("SELECT id FROM conversation ORDER BY title COLLATE NOCASE, id")
        return np.fromiter((id_ for (id_,) in rows), np.int64)


def text_places(reader: Reader, ids: Ints) -> list[TextPlace]:
    """Return where the texts of conversations stand, in the order of ids; nothing is checked here."""
    sql = (
        "SELECT v.id, v.segment, v.start, v.length, CAST(v.content AS BLOB), v.source, "
        "v.source_line, v.text_hash FROM carray(?) c JOIN conversation v ON v.id = c.value"
    )
    with reader.reading() as connection:
        return connection.execute(sql, (apsw.carray(ids),)).fetchall()  # type: ignore[return-value]


def segment_bytes(reader: Reader, segment: int) -> bytes:
    """Return the bytes of a segment, none where it is not there."""
    with reader.reading() as connection:
        found = scalar(connection, "SELECT bytes FROM segment WHERE id = ?", (segment,))
    return bytes(found or b"")


def places_in_files(
    reader: Reader, but_removed: str | None
) -> list[tuple[int, int, int | None, int | None, bool]]:
    """Return id, content hash, source, source line and whether it is removed, in the order of ids.

    Those whose removal is stored as but_removed are left out.
    """
    with reader.reading() as connection:
        rows: Any = connection.execute(
            "SELECT c.id, c.content_hash, c.source, c.source_line, a.removed IS NOT NULL "
            "FROM conversation c LEFT JOIN annotation a ON a.conversation = c.id "
            "WHERE a.removed IS NOT ? ORDER BY c.id",
            (but_removed,),
        )
        return [(*row[:4], bool(row[4])) for row in rows]
