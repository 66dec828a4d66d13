"""The words of a conversation as the full-text table holds them, kept in step with every edit."""

from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from curator.curate.analysis.plain_lines import said
from curator.curate.search.matching import fold
from curator.dataset import Conversation
from curator.project.store.connection import scalar
from curator.project.store.reader import Reader
from curator.project.store.stored_texts import contents_of


def words_of(conversation: Conversation) -> str:
    """Return all that a person may search for: every message's text, and what tools are asked."""
    parts = []
    for message in conversation.messages:
        parts.append(message.text)
        parts += [f"{call.name} {call.arguments}" for call in message.tool_calls]
    # A lone surrogate has no UTF-8 form.
    return "\n".join(parts).encode("utf-8", "replace").decode()


def words_of_line(line: str) -> str:
    """Return the same words from a JSON line, ten times as fast where that is a plain one."""
    texts = said(line)
    if texts is None:
        return words_of(Conversation.parse(line))
    return "\n".join([text for _, text in texts])


def indexed_through(connection: apsw.Connection) -> int:
    """Return the highest conversation id whose words are in the full-text table."""
    return int(scalar(connection, "SELECT indexed FROM search_progress"))


def waiting(connection: apsw.Connection) -> int:
    """Return how many conversations are not in the full-text table yet."""
    sql = "SELECT count(*) FROM conversation WHERE id > (SELECT indexed FROM search_progress)"
    return int(scalar(connection, sql))


def merge_often(connection: apsw.Connection) -> None:
    """Let the full-text table merge its parts in small steps, so that none takes long."""
    connection.execute("INSERT INTO search (search, rank) VALUES ('automerge', 8)")


def index_some(connection: apsw.Connection, most: int) -> int:
    """Put the words of the next conversations into the full-text table; returns how many those are."""
    rows = connection.execute(
        "SELECT id FROM conversation WHERE id > ? ORDER BY id LIMIT ?",
        (indexed_through(connection), most),
    )
    ids: list[Any] = [id_ for (id_,) in rows]
    if ids:
        # Whoever reads a damaged text is told; here its words are left out.
        lines = contents_of(connection, ids, set())
        connection.executemany(
            "INSERT INTO search (rowid, text) VALUES (?, ?)",
            ((id_, fold(words_of_line(line))) for id_, line in lines.items()),
        )
        connection.execute("UPDATE search_progress SET indexed = ?", (ids[-1],))
    return len(ids)


def matching(reader: Reader, match: str, after: int, limit: int) -> npt.NDArray[np.int64]:
    """Return the ids above one whose words fit an expression of FTS5, in order; limit -1 is no limit."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?",
            (match, after, limit),
        )
        return np.fromiter((id_ for (id_,) in rows), np.int64)


def keep_in_step(connection: apsw.Connection, id_: int, conversation: Conversation) -> None:
    """Put an edited conversation's words in place of its former ones, where it was indexed already."""
    if id_ <= indexed_through(connection):
        connection.execute(
            "INSERT OR REPLACE INTO search (rowid, text) VALUES (?, ?)",
            (id_, fold(words_of(conversation))),
        )


def forget(connection: apsw.Connection, id_: int) -> None:
    """Take a conversation's words out of the full-text table."""
    if id_ <= indexed_through(connection):
        connection.execute("DELETE FROM search WHERE rowid = ?", (id_,))
