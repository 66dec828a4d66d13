"""The notes of work on the whole project that was done: exports, and the last search for duplicates."""

from typing import Any, Final

import apsw

from curator.dataset.json_values import dumps, loads
from curator.project.store.connection import scalar
from curator.project.store.patches import now_ms
from curator.project.store.reader import Reader

EXPORT: Final = "export"
DUPLICATES: Final = "duplicates"


def note_run(
    connection: apsw.Connection, kind: str, facts: dict[str, Any], *, read_at: int | None = None
) -> None:
    """Note work that is done; read_at says when it read the project, in milliseconds."""
    now = now_ms()
    connection.execute(
        "INSERT INTO run (kind, state, at, changed, facts) VALUES (?,?,?,?,?)",
        (kind, "done", read_at or now, now, dumps(facts)),
    )


def forget_runs(connection: apsw.Connection, kind: str) -> None:
    """Take the notes of a kind away."""
    connection.execute("DELETE FROM run WHERE kind = ?", (kind,))


def last_run(connection: apsw.Connection, kind: str) -> tuple[dict[str, Any], int] | None:
    """Return facts and time of what was noted last; None before the first."""
    found = connection.execute(
        "SELECT facts, at FROM run WHERE kind = ? ORDER BY id DESC LIMIT 1", (kind,)
    ).fetchone()
    return None if found is None else (dict(loads(found[0])), int(found[1]))


def kinds_noted(reader: Reader) -> frozenset[str]:
    """Return the kinds of work that were ever noted."""
    with reader.reading() as connection:
        rows = connection.execute("SELECT DISTINCT kind FROM run")
        return frozenset(str(kind) for (kind,) in rows)


def changed_since(connection: apsw.Connection, at: int) -> bool:
    """Say whether anything was edited or imported after a time in milliseconds."""
    later = (
        "SELECT EXISTS (SELECT 1 FROM edit WHERE changed > ?1) "
        "OR EXISTS (SELECT 1 FROM source WHERE at > ?1)"
    )
    return bool(scalar(connection, later, (at,)))
