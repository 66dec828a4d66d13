"""Opening SQLite connections the one right way, and turning SQLite's faults into clear sentences."""

import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import apsw

from curator.dataset.errors import CuratorError, ProjectError
from curator.dataset.json_values import BadJson

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
        except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError):
            # In a read-only folder or on a full disk SQLite cannot make the files readers share.
            log = path.with_name(f"{path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise
            return _opened(path, "mode=ro&immutable=1", apsw.SQLITE_OPEN_READONLY)


def _opened(path: Path, options: str, flags: int) -> apsw.Connection:
    connection = _at(path, options, flags)
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
        connection = _at(path, "mode=rwc", apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
        connection.pragma("page_size", PAGE_SIZE)
        connection.pragma("journal_mode", "wal")
        _set_up(connection)
    return connection


def _at(path: Path, options: str, flags: int) -> apsw.Connection:
    # Bytes: a name on disk need not be UTF-8.
    uri = f"file:{quote(os.fsencode(path.absolute()))}?{options}"
    return apsw.Connection(uri, flags=flags | apsw.SQLITE_OPEN_URI)


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
            with suppress(apsw.ConnectionClosedError):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's faults as one clear ProjectError that says the way out."""
    try:
        yield
    except apsw.ConnectionClosedError as error:
        raise ProjectError(
            f"{path.name} was closed meanwhile, so nothing was changed. Open it and try again.",
            path,
        ) from error
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
    except (apsw.NotADBError, apsw.CorruptError, apsw.FormatError) as error:
        raise ProjectError(_damaged(path), path) from error
    except (zlib.error, UnicodeDecodeError, BadJson) as error:
        # Names, notes, answers and the texts of former states: what SQLite itself cannot prove.
        raise ProjectError(_damaged(path), path) from error
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


def _damaged(path: Path) -> str:
    return (
        f"{path.name} is damaged or not a project file. Open its backup "
        f"({path.name}.backup-v…) or another copy."
    )


def structure_fault(path: Path) -> ProjectError | None:
    """Return what is wrong with a file's own structure, None where it is whole; reads all of it."""
    try:
        with translated(path):
            connection = connect(path)
            try:
                whole = scalar(connection, "PRAGMA quick_check(1)") == "ok"
                whole = whole and not _strange_value(connection)
            finally:
                connection.close()
    except ProjectError as error:
        return error
    return None if whole else ProjectError(_damaged(path), path)


def _strange_value(connection: apsw.Connection) -> bool:
    """Whether a column holds a value of a type that nobody ever writes there."""
    columns = connection.execute(
        "SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c "
        "WHERE t.type = 'table' AND c.type IN ('INTEGER', 'TEXT', 'BLOB', 'REAL')"
    ).fetchall()
    return any(
        scalar(
            connection,
            f'SELECT 1 FROM "{table}" WHERE typeof("{column}") NOT IN (lower(?), \'null\', '
            "iif(? = 'REAL', 'integer', 'null')) LIMIT 1",
            (kind, kind),
        )
        for table, column, kind in columns
    )


def scalar(connection: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> Any:
    """Return the first column of the first row, or None where there is no row."""
    row = connection.execute(sql, values).fetchone()
    return None if row is None else row[0]


class OpenFile:
    """A project file with one connection to it, which one thread at a time may use."""

    def __init__(self, path: Path | str, connection: apsw.Connection | None = None) -> None:
        self.path = Path(path)
        self._connection = connection or connect(self.path)
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        self.close()
        if isinstance(error, apsw.Error):
            # A connection of its own, or the end of one: nobody nearer has said what it means.
            with translated(self.path):
                raise error
        if isinstance(error, Exception) and not isinstance(error, CuratorError):
            fault = structure_fault(self.path)
            if fault is not None:
                # A number that is none, a row that is missing: what a damaged page looks like.
                raise fault from error

    def close(self) -> None:
        """Close the connection; doing so twice is fine."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Give the connection to one caller at a time, SQLite's faults as ProjectError."""
        with self._lock, translated(self.path):
            yield self._connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read everything inside the block as it stands at its beginning."""
        with self.reading() as connection:
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
            try:
                # SQLite takes its snapshot at the first read.
                connection.execute("SELECT 1 FROM setting LIMIT 1").fetchall()
                yield
            finally:
                connection.execute("COMMIT")
