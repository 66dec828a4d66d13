"""Files of other versions: older ones are migrated forward after a backup, newer ones are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from curator.dataset.errors import ProjectError
from curator.project.connection import transaction, translated
from curator.project.schema import APPLICATION_ID, SCHEMA_VERSION

Migration = Callable[[apsw.Connection], None]


def _add_beginnings(connection: apsw.Connection) -> None:
    """Make room for the beginnings; the next reanalysis fills it, as the kernel is another one too."""
    connection.execute("ALTER TABLE conversation ADD COLUMN beginnings BLOB")


MIGRATIONS: Final[dict[int, Migration]] = {1: _add_beginnings}
"""By version: the step that makes a file of that version one of the next."""

_HEADER: Final = 100


def check_file(path: Path) -> None:
    """Look at a file's header; raises ProjectError for one that is no project or too new."""
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


def is_older(path: Path) -> bool:
    """Whether a project file is of an older version than this program writes."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
    return 0 < int.from_bytes(head[60:64], "big") < SCHEMA_VERSION


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
    return version


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
