"""Opening files that hold data: folders, pipes, devices and files the system makes up are refused.

A pipe would wait for ever, a device never ends, and a file such as /proc/self/mem is not what it says.
"""

import os
import stat
from contextlib import suppress
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Final

from curator.dataset.errors import UnreadableInput

_KINDS: Final = (
    (stat.S_ISDIR, "it is a folder; name a file in it"),
    (stat.S_ISFIFO, "it is a pipe; save its contents to a file and name that"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)
# Where a system has no such flag, it has no such files either. Without it a pipe is waited for.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_regular(path: Path | str) -> BufferedReader:
    """Open a regular file for reading in bytes; links to one are followed.

    Raises UnreadableInput in one sentence for anything else: a folder, a pipe, a device, a file that
    the system makes up (/proc), one that is not there or may not be read, or a name with a NUL.
    """
    try:
        handle = os.open(path, _FLAGS)
    except ValueError as error:
        raise refusal(path, "its name holds a NUL character, which no file can have") from error
    except OSError as error:
        raise refusal(path, _kind(path) or error.strerror or str(error)) from error
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise refusal(path, _word(facts) or "it is not a regular file")
        if facts.st_dev in _made_up():
            raise refusal(path, "the system makes it up; it is not a file with data")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def require_regular(path: Path | str) -> None:
    """Raise UnreadableInput where a path is not a regular file that can be read."""
    open_regular(path).close()


def read_regular(path: Path | str, most: int = 256 << 20) -> bytes:
    """Read a whole file of at most that many bytes; raises UnreadableInput as open_regular does."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise refusal(path, f"it is larger than {most >> 20} MB, which it should never be")
        try:
            # Never read(most): that reserves so much memory first, and a worker may be short of it.
            return file.read()
        except OSError as error:
            raise refusal(path, error.strerror or str(error)) from error


def refusal(path: Path | str, why: str) -> UnreadableInput:
    """Return the error that says in one sentence why a file cannot be read."""
    name = Path(path).name or str(path)
    shown = name.replace("\0", "\\0")
    return UnreadableInput(f"{shown} cannot be read: {why}.", path)


def _kind(path: Path | str) -> str:
    """Say what a path is that cannot even be opened; empty where that is not known."""
    with suppress(OSError):
        return _word(Path(path).stat())
    return ""


def _word(facts: os.stat_result) -> str:
    return next((word for is_kind, word in _KINDS if is_kind(facts.st_mode)), "")


@cache
def _made_up() -> frozenset[int]:
    """Return the devices of the file systems that hold no data but views of the system."""
    found = set()
    for place in ("/proc", "/sys"):
        with suppress(OSError):
            found.add(Path(place).stat().st_dev)
    # Where such a place is a plain folder, it lies on the same device as everything else.
    with suppress(OSError):
        found.discard(Path("/").stat().st_dev)
    return frozenset(found)
