"""What an import is in the journal: one step, also where a crash or a power cut ended it."""

from collections.abc import Iterable
from itertools import chain
from typing import Final

import apsw

from curator.dataset import AnnotationPatch, Edit
from curator.project.store import journal
from curator.project.store.patches import now_ms
from curator.project.store.values import storable

IMPORT_UNDONE: Final = {"reason": "import undone", "partner": None}
"""How rows of an import that was taken back are marked; redo clears it."""


def import_step(name: str, author: str, ranges: Iterable[range]) -> Edit:
    """Return the journal step of an import, whose inverse marks the rows as removed."""
    ids = tuple(chain.from_iterable(ranges))
    patch = AnnotationPatch("removed", ids, (IMPORT_UNDONE,), (None,))
    return Edit(f"Import {storable(name)}", author, (patch,))


def close_interrupted(connection: apsw.Connection) -> None:
    """Give imports that a crash or a power cut ended their step in the journal, so undo takes them back.

    An evaluation that it ended is stopped, so that it can be resumed.
    """
    left = connection.execute("SELECT id, name, author FROM source WHERE state = 'importing'")
    for source, name, author in left.fetchall():
        rows = connection.execute(
            "SELECT min(id), max(id), count(*) FROM conversation WHERE source = ?", (source,)
        )
        ((first, last, count),) = rows
        connection.execute(
            "UPDATE source SET records = max(records, ?), imported = ?, state = 'interrupted' "
            "WHERE id = ?",
            (count, count, source),
        )
        if count:
            ids = connection.execute(
                "SELECT id FROM conversation WHERE id BETWEEN ? AND ? AND source = ?",
                (first, last, source),
            )
            ranges = [range(id_, id_ + 1) for (id_,) in ids]
            journal.record(connection, import_step(str(name), str(author), ranges), now_ms())
    connection.execute(
        "UPDATE evaluation SET state = 'stopped', reason = 'The program ended.' "
        "WHERE state = 'running'"
    )
