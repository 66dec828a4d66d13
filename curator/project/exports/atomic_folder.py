"""A folder that appears whole or not at all: written beside its place under a hidden name, then renamed."""

import ctypes
import glob
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from curator.dataset.counted import first_of
from curator.dataset.errors import BrokenFile, ProjectError, WrongUse
from curator.dataset.small_files import make_folder, read_object

MANIFEST: Final = "manifest.json"
"""The file by which a folder is known as an export."""

CARD: Final = "README.md"
"""The dataset card of an export."""

_OF_SYSTEMS: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in any folder that was looked at."""

_EXCHANGE: Final = 2
_AT_FDCWD: Final = -100
_AT_WORK: Final[set[str]] = set()  # of this process; two exports may run in it at once


@contextmanager
def publishing(folder: Path, what: str = "export") -> Iterator[Path]:
    """Give a hidden folder to write into; it takes the place of folder when the block ends well.

    An earlier export there is replaced; a folder with anything else in it is refused. Where the
    block fails, nothing is left behind. what is written is a word for the sentence of a refusal.
    """
    folder = folder.absolute()
    _refuse_foreign(folder)
    with _os_errors_in_words(folder, what):
        make_folder(folder.parent)
        _clear_leftovers(folder)
        staging = folder.parent / f".{folder.name}.partial-{os.urandom(4).hex()}-{os.getpid()}"
        _AT_WORK.add(staging.name)
        staging.mkdir()
    try:
        with _os_errors_in_words(folder, what):
            yield staging
            sync_folder(staging)
            _put_in_place(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        _AT_WORK.discard(staging.name)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system lets folders be opened."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise WrongUse(f"{folder} is a file. Choose a folder to export into.")
    ours = _written_by_us(folder)
    others = sorted(path.name for path in folder.iterdir() if path.name not in ours | _OF_SYSTEMS)
    if not others:
        return
    if ours:
        raise WrongUse(
            f"{folder} is an earlier export, but somebody put {first_of(others, 3)} beside it, which would "
            "be lost. Move that elsewhere, or choose a new or an empty folder."
        )
    raise WrongUse(
        f"{folder} has other things in it and is no earlier export, so it is left alone. "
        "Choose a new or an empty folder."
    )


def _written_by_us(folder: Path) -> set[str]:
    """Return the names an export wrote into a folder; none where it is not one."""
    try:
        facts = read_object(folder / MANIFEST)
    except BrokenFile:
        return set()
    if "curator_export" not in facts:
        return set()
    names = {MANIFEST, CARD}
    files = facts.get("files")
    for file in files if isinstance(files, list) else ():
        if isinstance(file, dict):
            names |= {str(file.get("path")), str(file.get("lines"))}
    return names


def _put_in_place(staging: Path, folder: Path) -> None:
    if not folder.exists():
        staging.rename(folder)
    elif _exchange(staging, folder):
        shutil.rmtree(staging, ignore_errors=True)
    else:
        old = folder.parent / f".{folder.name}.replaced-{os.getpid()}"
        folder.rename(old)
        staging.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    sync_folder(folder.parent)


def _exchange(staging: Path, folder: Path) -> bool:
    """Swap two folders in one step, where the system can."""
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    names = os.fsencode(staging), os.fsencode(folder)
    done = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_EXCHANGE))
    return bool(done == 0)


def _clear_leftovers(folder: Path) -> None:
    """Take away what a killed export left, and bring back an export that it had moved aside."""
    for old in folder.parent.glob(f".{glob.escape(folder.name)}.replaced-*"):
        if not _is_running(old) and not folder.exists():
            old.rename(folder)
    for kind in ("partial", "replaced"):
        for left in folder.parent.glob(f".{glob.escape(folder.name)}.{kind}-*"):
            if not _is_running(left):
                shutil.rmtree(left, ignore_errors=True)


def _is_running(left: Path) -> bool:
    """Say whether the process that wrote a leftover may still be at work."""
    number = left.name.rpartition("-")[2]
    if not number.isdigit() or int(number) == os.getpid():
        return left.name in _AT_WORK
    if sys.platform == "win32":
        return False  # files in use cannot be removed there anyway
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _os_errors_in_words(folder: Path, what: str) -> Iterator[None]:
    """Raise what the system refuses as one sentence that says the way out."""
    try:
        yield
    except OSError as error:
        # A copied tree tells its faults in a list: place, target, reason.
        first = error.args[0][0][-1] if isinstance(error, shutil.Error) and error.args[0] else error
        reason = (getattr(first, "strerror", None) or str(first)).lower()
        raise ProjectError(
            f"The {what} to {folder} failed: {reason}. Nothing was changed there. "
            f"Free some space or choose another folder, then {what} again.",
            folder,
        ) from error
