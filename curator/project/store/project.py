"""The project file: opened, changed by edits only, undone and redone; rows and journal in one transaction."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import apsw

from curator.dataset import Conversation, Edit, Message
from curator.dataset.errors import ProjectError, UnreadableInput
from curator.dataset.label import plain_name
from curator.dataset.regular_files import require_regular
from curator.project.store import journal, migrations
from curator.project.store.changes import Changes
from curator.project.store.connection import connect, create, scalar, transaction, translated
from curator.project.store.derive import derive, terms_in
from curator.project.store.import_steps import close_interrupted
from curator.project.store.locking import LockHeld, WriterLock, user_name
from curator.project.store.patches import now_ms, write_patch
from curator.project.store.reader import Reader
from curator.project.store.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES
from curator.project.store.values import storable
from curator.project.store.wal import Checkpointer, LogWatch


class Project(Reader):
    """A project open for work, or, where another window holds it, for reading only.

    holder says who holds it then. Its edits may come from any thread; they wait for each other.
    """

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        *,
        lock: WriterLock | None,
        holder: str = "",
        author: str = "",
    ) -> None:
        super().__init__(path, connection)
        self._writer_lock = lock
        self._checkpointer = Checkpointer(path, LogWatch(connection))
        self._write_lock = threading.RLock()
        self._last_id = 0
        self.holder = holder
        self.author = plain_name(storable(author)) or plain_name(user_name())

    @property
    def read_only(self) -> bool:
        """Whether edits are refused."""
        return self._writer_lock is None

    @property
    def read_only_reason(self) -> str:
        """Say why edits are refused, and the way out; empty where they are not."""
        if not self.read_only:
            return ""
        if self.holder:
            return f"{self.holder} has it open. Close it there, then open it again here."
        if not _may_write(self.path):
            return "the file or its folder is read-only. Copy it to a folder you may write to."
        return "it was opened for reading only."

    @classmethod
    def create(cls, path: Path | str, author: str = "") -> Self:
        """Make a new, empty project; raises ProjectError where a file lies there already."""
        path = Path(path)
        if path.exists():
            raise ProjectError(
                f"{path} exists already. Choose another name, or open it instead.", path
            )
        try:
            lock = _take_lock(path)
        except LockHeld as held:
            raise ProjectError(f"{held.holder} is making {path.name} just now.", path) from held
        try:
            connection = create(path)
            with transaction(connection, path):
                connection.execute(TABLES)
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", SCHEMA_VERSION)
            # The marks must stand in the file itself, where the next open looks for them.
            with translated(path):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except BaseException:
            lock.release()
            path.unlink(missing_ok=True)
            raise
        return cls(path, connection, lock=lock, author=author)

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False, author: str = "") -> Self:
        """Open a project, an older one after a backup and migration; raises ProjectError."""
        path = Path(path)
        if path.exists():
            try:
                require_regular(path)
            except UnreadableInput as error:
                raise ProjectError(str(error), path) from error
        migrations.check_file(path)
        if read_only or not _may_write(path):
            return cls._open_for_reading(path, author, "")
        try:
            lock = _take_lock(path)
        except LockHeld as held:
            return cls._open_for_reading(path, author, held.holder)
        connection = None
        try:
            connection = connect(path, write=True)
            migrations.migrate(connection, path)
            with transaction(connection, path):
                close_interrupted(connection)
            return cls(path, connection, lock=lock, author=author)
        except BaseException:
            if connection is not None:
                connection.close()
            lock.release()
            raise

    @classmethod
    def _open_for_reading(cls, path: Path, author: str, holder: str) -> Self:
        connection = connect(path)
        try:
            migrations.check_current(connection, path)
        except ProjectError:
            connection.close()
            raise
        return cls(path, connection, lock=None, holder=holder, author=author)

    def close(self) -> None:
        """Close the project and let others write; doing so twice is fine."""
        self._checkpointer.close()
        super().close()
        if self._writer_lock is not None:
            self._writer_lock.release()

    def apply(self, edit: Edit) -> Changes:
        """Make a change: rows and journal in one durable transaction; what changes nothing is no step.

        Raises StaleEdit, and changes nothing, where what the edit started from is no longer there.
        """
        with self.writing() as connection:
            now = now_ms()
            for patch in edit.patches:
                write_patch(connection, patch, now)
            if not edit.changes_nothing:
                journal.record(connection, edit, now)
        self._checkpointer.look()
        return Changes.of(edit, now)

    def undo(self) -> Changes | None:
        """Take back the last step; None where there is none."""
        with self.writing() as connection:
            step = journal.last_done(connection)
            if step is None:
                return None
            edit = journal.load(connection, step).inverse()
            now = self._replay(connection, step, edit, "undone")
        return Changes.of(edit, now)

    def redo(self) -> Changes | None:
        """Bring back the step that was undone last; None where there is none."""
        with self.writing() as connection:
            step = journal.first_undone(connection)
            if step is None:
                return None
            edit = journal.load(connection, step)
            now = self._replay(connection, step, edit, "done")
        return Changes.of(edit, now)

    def _replay(
        self, connection: apsw.Connection, step: journal.Step, edit: Edit, state: str
    ) -> int:
        now = now_ms()
        for patch in edit.patches:
            write_patch(connection, patch, now)
        journal.mark(connection, step, state, now)
        return now

    def warm_up(self) -> None:
        """Load what the first edit needs, half a second of work; call it in the background."""
        with self.reader() as reader, reader.reading() as connection:
            terms = terms_in(connection)
        derive(Conversation.of([Message.of("user", "hello")]), terms)

    def undo_title(self) -> str | None:
        """Return the title of the step that undo would take back."""
        with self.reading() as connection:
            step = journal.last_done(connection)
        return step.title if step else None

    def last_step(self) -> int | None:
        """Return the number of the step that undo would take back."""
        with self.reading() as connection:
            step = journal.last_done(connection)
        return step.id if step else None

    def redo_title(self) -> str | None:
        """Return the title of the step that redo would bring back."""
        with self.reading() as connection:
            step = journal.first_undone(connection)
        return step.title if step else None

    def new_conversation_ids(self, n: int) -> list[int]:
        """Return n ids that no conversation has or ever had, for patches that create."""
        return list(self.take_ids(n))

    def take_ids(self, n: int) -> range:
        """Reserve n ids in a row."""
        with self._write_lock:
            if not self._last_id:
                with self.reading() as connection:
                    known = "SELECT seq FROM sqlite_sequence WHERE name = 'conversation'"
                    self._last_id = int(scalar(connection, known) or 0)
            first = self._last_id + 1
            self._last_id += n
            return range(first, first + n)

    @contextmanager
    def writing(self, connection: apsw.Connection | None = None) -> Iterator[apsw.Connection]:
        """Hold the write side for one transaction, on this project's connection or a given one."""
        self.check_writable()
        with self._write_lock:
            if connection is not None:
                with transaction(connection, self.path):
                    yield connection
                return
            with self.reading() as own, transaction(own, self.path):
                yield own

    def check_writable(self) -> None:
        """Raise ProjectError where this project cannot be changed here."""
        if self.read_only:
            raise ProjectError(
                f"{self.path.name} cannot be changed here: {self.read_only_reason}", self.path
            )


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


def _take_lock(path: Path) -> WriterLock:
    try:
        return WriterLock(path)
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be written: {error.strerror or error}. "
            "Choose a folder that exists and that you may write to.",
            path,
        ) from error
