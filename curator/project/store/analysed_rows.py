"""Putting what the kernel found anew in place of the stored columns and findings."""

from collections.abc import Sequence
from typing import Any, Final

import apsw
import numpy as np

from curator.curate.analysis.columns import NUMBERS, Row
from curator.dataset.codes import EDITED
from curator.project.store.connection import scalar
from curator.project.store.patches import FINDING_COLUMNS, finding_row
from curator.project.store.values import storable

_COLUMNS: Final = (*(name for name in NUMBERS if name != "flags"), "beginnings")


def how_many(connection: apsw.Connection) -> int:
    """Return how many conversations there are, removed ones too."""
    return int(scalar(connection, "SELECT count(*) FROM conversation"))


def next_ids(connection: apsw.Connection, after: int, most: int) -> dict[int, int]:
    """Return the next ids in order, with the time each was last changed."""
    rows: Any = connection.execute(
        "SELECT id, updated FROM conversation WHERE id > ? ORDER BY id LIMIT ?", (after, most)
    )
    return dict(rows)


def times_of(connection: apsw.Connection, ids: Sequence[int]) -> dict[int, int]:
    """Return when each of those conversations that are there was last changed."""
    if not ids:
        return {}
    rows: Any = connection.execute(
        "SELECT id, updated FROM conversation WHERE id IN carray(?)",
        (apsw.carray(np.array(ids, np.int64)),),
    )
    return dict(rows)


def replace_analysis(connection: apsw.Connection, rows: Sequence[tuple[int, Row]]) -> None:
    """Write the columns and findings of some conversations; that one was edited stays known."""
    if not rows:
        return
    sets = ", ".join(f"{name} = ?" for name in _COLUMNS)
    connection.executemany(
        f"UPDATE conversation SET {sets}, flags = ? | (flags & {EDITED}), title = ? WHERE id = ?",
        (
            (*(getattr(row, name) for name in _COLUMNS), row.flags, storable(row.title), id_)
            for id_, row in rows
        ),
    )
    ids = apsw.carray(np.array([id_ for id_, _ in rows], np.int64))
    connection.execute("DELETE FROM finding WHERE conversation IN carray(?)", (ids,))
    connection.executemany(
        f"INSERT INTO finding ({FINDING_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            finding_row(id_, position, finding)
            for id_, row in rows
            for position, finding in enumerate(row.findings)
        ),
    )
