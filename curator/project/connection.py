"""Opening SQLite connections the one right way, and turning SQLite's faults into clear sentences."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import apsw

from curator.dataset.errors import ProjectError

PAGE_SIZE: Final = 16384
_BUSY_MS: Final = 2_000
_KEPT_JOURNAL_BYTES: Final = 64 * 1024 * 1024
_CACHE_KIB: Final = 32 * 1024


def connect(path: Path, *, write: bool = False) -> apsw.Connection:
    """Open a connection to an existing file; raises ProjectError where SQLite cannot."""
    with translated(path):
        if write:
            return _opened(path, "mode=rw", apsw.SQLITE_OPEN_READWRITE)
        try:
            return _opened(path, "mode=ro", apsw.SQLITE_OPEN_READONLY)
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            # In a folder nobody may write to, SQLite cannot make the files that readers share.
            if path.with_name(f"{path.name}-wal").exists():
                raise
            return _opened(path, "mode=ro&immutable=1", apsw.SQLITE_OPEN_READONLY)


def _opened(path: Path, options: str, flags: int) -> apsw.Connection:
    uri = f"file:{quote(str(path.absolute()))}?{options}"
    connection = apsw.Connection(uri, flags=flags | apsw.SQLITE_OPEN_URI)
    try:
        _set_up(connection)
        # The first read shows whether the file can be used at all.
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def create(path: Path) -> apsw.Connection:
    """Open a connection to a new, empty file in WAL mode."""
    with translated(path):
        connection = apsw.Connection(str(path.absolute()))
        connection.pragma("page_size", PAGE_SIZE)
        connection.pragma("journal_mode", "wal")
        _set_up(connection)
    return connection


def _set_up(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(_BUSY_MS)
    connection.pragma("foreign_keys", "on")
    connection.pragma("synchronous", "full")
    connection.pragma("cache_size", -_CACHE_KIB)
    connection.pragma("journal_size_limit", _KEPT_JOURNAL_BYTES)


@contextmanager
def transaction(connection: apsw.Connection, path: Path) -> Iterator[None]:
    """Run statements as one transaction that takes the write lock at once; any error rolls it back."""
    with translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's faults as one clear ProjectError that says the way out."""
    try:
        yield
    except apsw.FullError as error:
        raise ProjectError(
            f"The disk is full, so {path.name} could not be saved; nothing of the project was lost. "
            "Free some space and try again.",
            path,
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise ProjectError(
            f"Another program is writing to {path.name}. Close it there, then try again.", path
        ) from error
    except (apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise ProjectError(
            f"{path.name} cannot be changed: the file or its folder is read-only. "
            "Copy it to a folder you may write to, then open the copy.",
            path,
        ) from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise ProjectError(
            f"{path.name} is damaged or not a project file. Open its backup "
            f"({path.name}.backup-v…) or another copy.",
            path,
        ) from error
    except apsw.CantOpenError as error:
        raise ProjectError(
            f"{path} cannot be opened. Check that it exists and that you may read and write it.",
            path,
        ) from error
    except apsw.IOError as error:
        raise ProjectError(
            f"Reading or writing {path.name} failed ({error}). Check the disk and its free space, "
            "then open the project again.",
            path,
        ) from error


def scalar(connection: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> Any:
    """Return the first column of the first row, or None where there is no row."""
    row = connection.execute(sql, values).fetchone()
    return None if row is None else row[0]
