"""Files of other versions: older ones are migrated forward after a backup, newer ones are refused."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import apsw

from curator.dataset.errors import ProjectError
from curator.dataset.json_values import loads
from curator.dataset.record import KINDS, looks_like
from curator.project.store.connection import scalar, transaction, translated
from curator.project.store.schema import APPLICATION_ID, EVALUATION_TABLES, SCHEMA_VERSION, TABLES
from curator.project.store.stored_texts import contents_of, text_hash

Migration = Callable[[apsw.Connection], None]


def _add_beginnings(connection: apsw.Connection) -> None:
    """Make room for the beginnings; the next reanalysis fills it, as the kernel is another one too."""
    connection.execute("ALTER TABLE conversation ADD COLUMN beginnings BLOB")


def _add_text_hashes(connection: apsw.Connection) -> None:
    """Hash every text as it is now: from here on it is compared with that."""
    connection.execute("ALTER TABLE conversation ADD COLUMN text_hash INTEGER")
    after, segment, whole = 0, None, b""
    while True:
        rows: list[Any] = connection.execute(
            "SELECT id, CAST(content AS BLOB), segment, start, length FROM conversation "
            "WHERE id > ? ORDER BY id LIMIT ?",
            (after, _AT_ONCE),
        ).fetchall()
        if not rows:
            return
        hashes: list[tuple[int, Any]] = []
        for id_, content, of, start, length in rows:
            if content is None and of != segment:
                segment = of
                whole = scalar(connection, "SELECT bytes FROM segment WHERE id = ?", (of,)) or b""
            raw: Any = whole[start : start + length] if content is None else content
            hashes.append((text_hash(raw), id_))
        connection.executemany("UPDATE conversation SET text_hash = ? WHERE id = ?", hashes)
        after = hashes[-1][1]


def _add_kinds(connection: apsw.Connection) -> None:
    """Note the kind of every record; only one without an answer to train can be no conversation."""
    connection.execute("ALTER TABLE conversation ADD COLUMN kind INTEGER NOT NULL DEFAULT 0")
    rows = connection.execute("SELECT id FROM conversation WHERE trained_tokens = 0 ORDER BY id")
    ids: list[Any] = [id_ for (id_,) in rows]
    for start in range(0, len(ids), _AT_ONCE):
        # What a damaged text is cannot be known; it stays a conversation, as it was until now.
        lines = contents_of(connection, ids[start : start + _AT_ONCE], set())
        kinds = ((KINDS.index(looks_like(loads(line))), id_) for id_, line in lines.items())
        connection.executemany("UPDATE conversation SET kind = ? WHERE id = ?", kinds)


def _add_evaluations(connection: apsw.Connection) -> None:
    connection.execute(EVALUATION_TABLES)


MIGRATIONS: Final[dict[int, Migration]] = {
    1: _add_beginnings,
    2: _add_text_hashes,
    3: _add_kinds,
    4: _add_evaluations,
}
"""By version: the step that makes a file of that version one of the next."""

_FIRST: Final = 1
_HEADER: Final = 100
_AT_ONCE: Final = 5_000


def check_file(path: Path) -> bytes:
    """Return a file's header; raises ProjectError for one that is no project."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
    except FileNotFoundError as error:
        raise ProjectError(f"There is no file {path}. Check the name.", path) from error
    except IsADirectoryError as error:
        raise ProjectError(f"{path} is a folder, not a project file.", path) from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.", path) from error
    mark = int.from_bytes(head[68:72], "big")
    if not head.startswith(b"SQLite format 3\0") or mark != APPLICATION_ID:
        raise ProjectError(
            f"{path.name} is not a Curator project. To work with its conversations, "
            "make a new project and import it.",
            path,
        )
    return head


def is_older(path: Path) -> bool:
    """Whether a project file is of an older version than this program writes; raises as check_file."""
    return 0 < int.from_bytes(check_file(path)[60:64], "big") < SCHEMA_VERSION


def check_version(connection: apsw.Connection, path: Path) -> int:
    """Return the version of an open file; raises ProjectError where it is newer than this program."""
    with translated(path):
        version = int(connection.pragma("user_version"))
    if version > SCHEMA_VERSION:
        raise ProjectError(
            f"{path.name} was written by a newer version of Curator. "
            "Install the newest version to open it.",
            path,
        )
    if version < _FIRST:
        raise ProjectError(
            f"{path.name} says it is of version {version}, which no Curator has written, so it is "
            f"damaged. Open its backup ({path.name}.backup-v…) or another copy.",
            path,
        )
    if version == SCHEMA_VERSION:
        _check_tables(connection, path)
    return version


def _check_tables(connection: apsw.Connection, path: Path) -> None:
    """Raise ProjectError where the list of tables and columns itself is damaged."""
    with translated(path):
        absent = sorted(_ours() - _columns(connection))
    if absent:
        raise ProjectError(
            f"{path.name} is damaged: {'.'.join(absent[0])} is missing in it. Open its backup "
            f"({path.name}.backup-v…) or another copy.",
            path,
        )


def _columns(connection: apsw.Connection) -> frozenset[tuple[str, str]]:
    found = connection.execute(
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c"
    )
    return frozenset((str(table), str(column)) for table, column in found)


@cache
def _ours() -> frozenset[tuple[str, str]]:
    fresh = apsw.Connection(":memory:")
    try:
        fresh.execute(TABLES)
        return _columns(fresh)
    finally:
        fresh.close()


def check_current(connection: apsw.Connection, path: Path) -> None:
    """Raise ProjectError where a file that is only read would have to be migrated first."""
    if check_version(connection, path) < SCHEMA_VERSION:
        raise ProjectError(
            f"{path.name} was written by an older version of Curator and must be brought up to date "
            "first. Open it once where it may be changed.",
            path,
        )


def migrate(connection: apsw.Connection, path: Path) -> None:
    """Bring an open file up to this version, keeping a backup of how it was."""
    version = check_version(connection, path)
    if version == SCHEMA_VERSION:
        return
    _back_up(connection, path, version)
    with transaction(connection, path):
        for step in range(version, SCHEMA_VERSION):
            MIGRATIONS[step](connection)
        connection.pragma("user_version", SCHEMA_VERSION)


def _back_up(connection: apsw.Connection, path: Path, version: int) -> None:
    backup = path.with_name(f"{path.name}.backup-v{version}")
    with translated(backup):
        copy = apsw.Connection(str(backup))
        try:
            with copy.backup("main", connection, "main") as work:
                while not work.done:
                    work.step(1_000)
        finally:
            copy.close()
