"""One writer per project: an operating-system lock held for the writer's life, with its holder's name.

The lock lies in a file beside the project. The operating system drops it when its holder dies, so a
crashed window never locks anybody out.
"""

import contextlib
import getpass
import json
import os
import platform
import sys
from pathlib import Path

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import read_object

_LOCK_BYTE = 1 << 30


class LockHeld(Exception):
    """Somebody else holds the lock; holder says who."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class WriterLock:
    """The right to write one project; released by release() or by the end of the process."""

    def __init__(self, project: Path, *, application: str = "curator") -> None:
        self._path = lock_path(project)
        self._file = self._take()
        facts = {
            "user": user_name(),
            "host": platform.node(),
            "pid": os.getpid(),
            "application": application,
        }
        # On a full disk nobody learns the name, but the lock holds all the same.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.write(self._file, json.dumps(facts).encode())

    def _take(self) -> int:
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(file)
            except OSError as error:
                os.close(file)
                raise LockHeld(holder_of(self._path)) from error
            if _is_same(file, self._path):
                return file
            # The former holder took the file away between our open and our lock.
            fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)

    def release(self) -> None:
        """Give the right back; doing so twice is fine."""
        if self._file < 0:
            return
        file, self._file = self._file, -1
        if sys.platform == "win32":
            os.close(file)
            with contextlib.suppress(OSError):
                self._path.unlink()
        else:
            with contextlib.suppress(OSError):
                self._path.unlink()
            fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)


def lock_path(project: Path) -> Path:
    """Return where a project's lock file lies."""
    return project.with_name(f".{project.name}.lock")


def holder_of(lock: Path) -> str:
    """Say who wrote a lock file, as far as it tells."""
    try:
        facts = read_object(lock, {"user": str, "host": str, "pid": int})
    except BrokenFile:
        return "another program"
    return f"{facts['user']} on {facts['host']} (process {facts['pid']})"


def user_name() -> str:
    """Return the name of whoever runs this process, or "somebody" where the system does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        # A byte far behind the text, so that others can still read who holds the lock.
        os.lseek(file, _LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

    def _is_same(file: int, path: Path) -> bool:  # noqa: ARG001
        return True  # Windows lets nobody take a file away that is open.

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_same(file: int, path: Path) -> bool:
        try:
            there = path.stat()
        except FileNotFoundError:
            return False
        here = os.fstat(file)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
