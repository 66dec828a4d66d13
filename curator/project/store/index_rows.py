"""The small columns of all conversations, in blocks of whole numbers, as the index holds them."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final

import apsw
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Columns = Sequence[tuple[str, str, Any]]

CONVERSATION: Final = (
    ("ids", "id", np.int64),
    ("tokens", "tokens", np.int32),
    ("trained_tokens", "trained_tokens", np.int32),
    ("n_messages", "n_messages", np.int32),
    ("n_turns", "n_turns", np.int32),
    ("errors", "errors", np.int32),
    ("warnings", "warnings", np.int32),
    ("flags", "flags", np.int64),
    ("tokens_exact", "tokens_exact", np.bool_),
    ("source", "ifnull(source, 0)", np.int32),
    ("updated", "updated", np.int64),
)
"""Attribute of the index, column and type of what comes from the conversation table."""

ANNOTATION: Final = (
    ("status", "status", np.int8),
    ("split", "split", np.int8),
    ("flag", "flag", np.bool_),
    ("removed", "removed IS NOT NULL", np.bool_),
    ("noted", "note IS NOT NULL", np.bool_),
    ("tagged", "tags IS NOT NULL", np.bool_),
    ("described", "metadata IS NOT NULL", np.bool_),
    ("annotated", "updated", np.int64),
)
"""Attribute, column and type of what comes from the annotation table; 0 where there is no annotation."""

# In parts: a million rows as Python numbers would take hundreds of megabytes.
_CHUNK: Final = 100_000


def all_rows(connection: apsw.Connection, size: int) -> Iterator[Ints]:
    """Yield the columns of CONVERSATION of all size conversations in the order of their ids."""
    rows = connection.execute(f"SELECT {_listed(CONVERSATION)} FROM conversation ORDER BY id")
    cells: Any = chain.from_iterable(rows)
    width = len(CONVERSATION)
    for start in range(0, size, _CHUNK):
        count = min(_CHUNK, size - start)
        yield np.fromiter(cells, np.int64, count * width).reshape(count, width)


def rows_of(connection: apsw.Connection, ids: Ints) -> Iterator[Ints]:
    """Yield the columns of CONVERSATION of those of some conversations that are there."""
    sql = f"SELECT {_listed(CONVERSATION)} FROM carray(?) c JOIN conversation ON id = c.value"
    return _blocks(connection.execute(sql, (apsw.carray(ids),)), len(CONVERSATION))


def annotation_rows(connection: apsw.Connection) -> Iterator[Ints]:
    """Yield each annotated conversation's id and the columns of ANNOTATION."""
    sql = f"SELECT conversation, {_listed(ANNOTATION)} FROM annotation"
    return _blocks(connection.execute(sql), len(ANNOTATION) + 1)


def ids_there(connection: apsw.Connection, ids: Ints) -> Ints:
    """Return those of some ids that are there, in order."""
    rows = connection.execute(
        "SELECT id FROM conversation WHERE id IN carray(?) ORDER BY id", (apsw.carray(ids),)
    )
    return np.fromiter((id_ for (id_,) in rows), np.int64)


def _listed(columns: Columns) -> str:
    return ", ".join(column for _, column, _ in columns)


def _blocks(cursor: apsw.Cursor, width: int) -> Iterator[Ints]:
    while rows := list(islice(cursor, _CHUNK)):
        cells: Any = chain.from_iterable(rows)
        yield np.fromiter(cells, np.int64, len(rows) * width).reshape(len(rows), width)
