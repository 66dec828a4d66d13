"""Evaluation runs as they stand in the project file: what is asked, and every reply as it came."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import apsw

from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json, dumps, loads
from curator.project.store.connection import scalar
from curator.project.store.patches import now_ms
from curator.project.store.project import Project
from curator.project.store.reader import Reader
from curator.project.store.values import storable

RUNNING: Final = "running"
DONE: Final = "done"
STOPPED: Final = "stopped"

LAST: Final = "last"
"""The word for the newest run, where its token is asked for."""

_RUN_COLUMNS: Final = "id, token, author, state, at, changed, plan, reason"
_REPLY_COLUMNS: Final = (
    "r.key, r.prompt, r.target, r.model, r.settings, r.author, r.at, r.message, r.finish_reason, "
    "r.prompt_tokens, r.reply_tokens, r.milliseconds, r.error"
)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One question of a run: whose, the hash of its prompt, the answer it demonstrates, its label."""

    position: int
    conversation: int
    prompt: bytes
    expected: Json
    label: str | None


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A reply as it came, with what was asked of whom; at is in milliseconds since 1970.

    message is the assistant's message; error is the server's sentence where it refused this one.
    """

    key: bytes
    prompt: bytes
    target: str
    model: str
    settings: Json
    author: str
    at: int
    message: Json
    finish_reason: str
    prompt_tokens: int | None
    reply_tokens: int | None
    milliseconds: int
    error: str = ""

    def to_row(self) -> tuple[Any, ...]:
        """Return the columns of the table, lone surrogates as escapes."""
        return (
            self.key,
            self.prompt,
            storable(self.target),
            storable(self.model),
            dumps(self.settings),
            storable(self.author),
            self.at,
            dumps(self.message),
            storable(self.finish_reason),
            self.prompt_tokens,
            self.reply_tokens,
            self.milliseconds,
            storable(self.error),
        )


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run; state is running, done or stopped, at and changed are milliseconds since 1970."""

    id: int
    token: str
    author: str
    state: str
    at: int
    changed: int
    plan: Json
    reason: str


def add_run(
    project: Project,
    token: str,
    plan: Json,
    items: Iterable[StoredItem],
    prompts: Iterable[tuple[bytes, str]],
) -> StoredRun:
    """Store a new run with all its questions; the prompts are theirs, by their hashes."""
    now = now_ms()
    with project.writing() as connection:
        connection.execute(
            "INSERT INTO evaluation (token, author, state, at, changed, plan) VALUES (?,?,?,?,?,?)",
            (token, project.author, RUNNING, now, now, dumps(plan)),
        )
        number = int(connection.last_insert_rowid())
        keep_prompts(connection, prompts)
        connection.executemany(
            "INSERT INTO evaluation_item VALUES (?,?,?,?,?,?)",
            (
                (number, i.position, i.conversation, i.prompt, dumps(i.expected), i.label)
                for i in items
            ),
        )
    return StoredRun(number, token, project.author, RUNNING, now, now, plan, "")


def keep_prompts(connection: apsw.Connection, prompts: Iterable[tuple[bytes, str]]) -> None:
    """Store prompts that are not there yet."""
    connection.executemany("INSERT OR IGNORE INTO asked_prompt VALUES (?,?)", prompts)


def set_state(project: Project, run: int, state: str, reason: str = "") -> None:
    """Note that a run goes on, is done or stopped, and why."""
    with project.writing() as connection:
        connection.execute(
            "UPDATE evaluation SET state = ?, reason = ?, changed = ? WHERE id = ?",
            (state, storable(reason), now_ms(), run),
        )


def add_replies(
    project: Project,
    run: int,
    came: Sequence[tuple[int, Sequence[int], StoredReply]],
    prompts: Iterable[tuple[bytes, str]] = (),
) -> None:
    """Store replies as (candidate, positions, reply) in one durable transaction, and what was asked."""
    with project.writing() as connection:
        keep_prompts(connection, prompts)
        for candidate, positions, reply in came:
            connection.execute(
                "INSERT INTO reply (key, prompt, target, model, settings, author, at, message, "
                "finish_reason, prompt_tokens, reply_tokens, milliseconds, error) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                reply.to_row(),
            )
            _link(connection, run, candidate, positions, connection.last_insert_rowid())


def link_known(
    project: Project, run: int, wanted: Iterable[tuple[int, Sequence[int], bytes]]
) -> list[bytes]:
    """Give (candidate, positions, key) the newest good reply of that key; returns the keys there were."""
    known = []
    with project.writing() as connection:
        for candidate, positions, key in wanted:
            found = scalar(
                connection, "SELECT max(id) FROM reply WHERE key = ? AND error = ''", (key,)
            )
            if found is not None:
                _link(connection, run, candidate, positions, int(found))
                known.append(key)
    return known


def _link(
    connection: apsw.Connection, run: int, candidate: int, positions: Sequence[int], reply: int
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO evaluation_reply VALUES (?,?,?,?)",
        ((run, candidate, position, reply) for position in positions),
    )


def runs(reader: Reader) -> tuple[StoredRun, ...]:
    """Return every run, newest first."""
    with reader.reading() as connection:
        rows = connection.execute(f"SELECT {_RUN_COLUMNS} FROM evaluation ORDER BY id DESC")
        return tuple(_run(row) for row in rows)


def find_run(reader: Reader, token: str) -> StoredRun:
    """Return a run by its token, the beginning of it, or "last"; raises WrongUse where there is none."""
    every = runs(reader)
    found = every[:1] if token == LAST else [r for r in every if r.token.startswith(token)]
    exact = [run for run in found if run.token == token]
    if len(exact or found) == 1:
        return (exact or found)[0]
    known = ", ".join(run.token for run in every[:5]) or "none yet"
    problem = "is the beginning of several" if found else "is none"
    raise WrongUse(f'"{token}" {problem} of the evaluation runs of {reader.path.name}: {known}.')


def items_of(reader: Reader, run: int) -> tuple[StoredItem, ...]:
    """Return the questions of a run, in order."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT position, conversation, prompt, expected, label FROM evaluation_item "
            "WHERE evaluation = ? ORDER BY position",
            (run,),
        )
        return tuple(
            StoredItem(int(p), int(c), bytes(h), loads(e), label) for p, c, h, e, label in rows
        )


def item_count(reader: Reader, run: int) -> int:
    """Return how many questions a run has."""
    counting = "SELECT count(*) FROM evaluation_item WHERE evaluation = ?"
    with reader.reading() as connection:
        return int(scalar(connection, counting, (run,)))


def reply_count(reader: Reader, run: int) -> int:
    """Return how many replies a run has."""
    counting = "SELECT count(*) FROM evaluation_reply WHERE evaluation = ?"
    with reader.reading() as connection:
        return int(scalar(connection, counting, (run,)))


def prompt_texts(reader: Reader, run: int) -> dict[bytes, str]:
    """Return the prompts of a run's questions by their hashes."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT hash, content FROM asked_prompt WHERE hash IN "
            "(SELECT prompt FROM evaluation_item WHERE evaluation = ?)",
            (run,),
        )
        return {bytes(key): str(text) for key, text in rows}


def prompt_text(reader: Reader, key: bytes) -> str:
    """Return one prompt; an empty text where it is not there."""
    with reader.reading() as connection:
        found = scalar(connection, "SELECT content FROM asked_prompt WHERE hash = ?", (key,))
    return str(found or "")


def answered(reader: Reader, run: int) -> set[tuple[int, int]]:
    """Return which (candidate, position) of a run have their reply."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT candidate, position FROM evaluation_reply WHERE evaluation = ?", (run,)
        )
        return {(int(candidate), int(position)) for candidate, position in rows}


def replies_of(reader: Reader, run: int) -> dict[tuple[int, int], StoredReply]:
    """Return the replies of a run by (candidate, position)."""
    with reader.reading() as connection:
        rows = connection.execute(
            f"SELECT e.candidate, e.position, {_REPLY_COLUMNS} FROM evaluation_reply e "
            "JOIN reply r ON r.id = e.reply WHERE e.evaluation = ?",
            (run,),
        )
        # The settings are the same nearly everywhere, so each text of them is read once.
        read = cache(loads)
        return {(int(row[0]), int(row[1])): _reply(row[2:], read) for row in rows}


def _run(row: Sequence[Any]) -> StoredRun:
    number, token, author, state, at, changed, plan, reason = row
    return StoredRun(
        int(number), str(token), str(author), str(state), int(at), int(changed), loads(plan),
        str(reason),
    )  # fmt: skip


def _reply(row: Sequence[Any], read: Callable[[str], Json]) -> StoredReply:
    key, prompt, target, model, settings, author, at, message, finish, *numbers, error = row
    asked, said, spent = numbers
    return StoredReply(
        bytes(key), bytes(prompt), str(target), str(model), read(settings), str(author), int(at),
        loads(message), str(finish), asked, said, int(spent), str(error),
    )  # fmt: skip
