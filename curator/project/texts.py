"""The words of a conversation as the full-text table holds them, kept in step with every edit."""

import apsw

from curator.dataset import Conversation
from curator.project.connection import scalar


def words_of(conversation: Conversation) -> str:
    """Return all that a person may search for: the text of every message, and what tools are asked."""
    parts = []
    for message in conversation.messages:
        parts.append(message.text)
        parts += [f"{call.name} {call.arguments}" for call in message.tool_calls]
    # A lone surrogate has no UTF-8 form, and NUL ends a text for the tokenizer.
    return "\n".join(parts).encode("utf-8", "replace").decode().replace("\0", " ")


def indexed_through(connection: apsw.Connection) -> int:
    """Return the highest conversation id whose words are in the full-text table."""
    return int(scalar(connection, "SELECT indexed FROM search_progress"))


def keep_in_step(connection: apsw.Connection, id_: int, conversation: Conversation) -> None:
    """Put an edited conversation's words in place of its former ones, where it was indexed already."""
    if id_ <= indexed_through(connection):
        connection.execute(
            "INSERT OR REPLACE INTO search (rowid, text) VALUES (?, ?)",
            (id_, words_of(conversation)),
        )


def forget(connection: apsw.Connection, id_: int) -> None:
    """Take a conversation's words out of the full-text table."""
    if id_ <= indexed_through(connection):
        connection.execute("DELETE FROM search WHERE rowid = ?", (id_,))
