"""The tables that hold what the last search for duplicates found."""

from collections.abc import Iterable

import apsw

Cluster = tuple[int, int, int]
"""A conversation, the first of its equals, and the first of its cluster."""

Pair = tuple[int, int, float]
"""Two conversations and how similar they are, from 0 to 1."""


def replace_all(
    connection: apsw.Connection, clusters: Iterable[Cluster], pairs: Iterable[Pair]
) -> None:
    """Put these rows in place of those that are there."""
    connection.execute("DELETE FROM duplicate_cluster; DELETE FROM duplicate_pair;")
    connection.executemany(
        "INSERT INTO duplicate_cluster (conversation, class, cluster) VALUES (?,?,?)", clusters
    )
    connection.executemany("INSERT INTO duplicate_pair (a, b, similarity) VALUES (?,?,?)", pairs)


def equals(connection: apsw.Connection) -> list[tuple[int, int]]:
    """Return each conversation that has duplicates with the first of its equals."""
    rows = connection.execute("SELECT conversation, class FROM duplicate_cluster")
    return [(int(id_), int(first)) for id_, first in rows]


def pairs(connection: apsw.Connection) -> list[Pair]:
    """Return the similar pairs."""
    rows = connection.execute("SELECT a, b, similarity FROM duplicate_pair")
    return [(int(a), int(b), float(much)) for a, b, much in rows]


def edited_since(connection: apsw.Connection, at: int) -> list[int]:
    """Return the conversations whose content changed after a time in milliseconds."""
    rows = connection.execute("SELECT id FROM conversation WHERE updated > ?", (at,))
    return [int(id_) for (id_,) in rows]
