"""Checkpoints of SQLite's write-ahead log, made in the background.

A checkpoint moves what was written from the log into the file. SQLite would do so inside the commit
that fills the log, which on a slow disk holds a keystroke up for a tenth of a second.
"""

import contextlib
import threading
from pathlib import Path
from typing import Final

import apsw

from curator.dataset.errors import ProjectError
from curator.project.store.connection import connect

DUE_PAGES: Final = 1_000
"""As long as SQLite itself lets the log become (its default of wal_autocheckpoint)."""


class LogWatch:
    """Counts the pages of the log, as the commit hook of one connection reports them."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._pages = 0
        # Takes the place of SQLite's own hook, which checkpoints at once.
        connection.set_wal_hook(self._note)

    def _note(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK

    @property
    def is_due(self) -> bool:
        """Whether the log is long enough to be moved into the file."""
        return self._pages >= DUE_PAGES

    def checkpoint(self) -> None:
        """Make a checkpoint in this thread, for work that has one of its own; writers need not wait."""
        self._pages = 0
        # Busy means that another connection is doing just this.
        with contextlib.suppress(apsw.BusyError):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)


class Checkpointer:
    """Checkpoints in a thread of its own, one at a time, when a watch says so."""

    def __init__(self, path: Path, watch: LogWatch) -> None:
        self._path = path
        self._watch = watch
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Start a checkpoint where one is due and none runs; returns at once."""
        if self._watch.is_due and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for a checkpoint that runs."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            connection = connect(self._path, write=True)
        except ProjectError:
            return  # The file was closed or moved meanwhile; its next writer checkpoints.
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error:
            return  # The log stays as it is, and is safe; the next edit tries again.
        finally:
            connection.close()
