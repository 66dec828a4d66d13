"""The one reader and the one writer of the small files that this program keeps: notes, settings, states.

They may be broken in any way: whoever reads one gets what it should hold, or BrokenFile with one
sentence that names it. Whoever writes one replaces it whole or leaves it as it was. Only the standard
library is used: the trainer's processes read such files too.
"""

import errno
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from curator.dataset.errors import BrokenFile, UnreadableInput
from curator.dataset.regular_files import read_regular

LARGEST: Final = 64 * 2**20
"""The most bytes such a file may have; the largest, a tokenizer's description, have a third of it."""

DEEPEST: Final = 100
"""How many folders are made for one file at most: more is a mistake, and the system's tools fail there."""

Fields = Mapping[str, type | tuple[type, ...]]
"""The keys that an object must have, and of which type each is."""


def read_text(path: Path, largest: int = LARGEST) -> str:
    """Return the text of a small file, UTF-8 with or without its mark; raises BrokenFile."""
    try:
        raw = read_regular(path, largest)
    except UnreadableInput as error:
        raise BrokenFile(path, str(error).partition("cannot be read: ")[2].rstrip(".")) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFile(path, "it is not UTF-8 text") from error


def read_object(path: Path, fields: Fields | None = None, largest: int = LARGEST) -> dict[str, Any]:
    """Return the JSON object of a small file; raises BrokenFile where it is another, or lacks a field."""
    text = read_text(path, largest)
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise BrokenFile(path, "it is nested too deeply") from error
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise BrokenFile(
            path, f"it is not JSON ({where})" if text.strip() else "it is empty"
        ) from error
    if not isinstance(value, dict):
        raise BrokenFile(path, "it holds no JSON object")
    return checked(path, value, fields or {})


def checked(path: Path, value: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """Return an object whose fields have their types; raises BrokenFile that names the first that has not."""
    for name, kind in fields.items():
        if name not in value:
            raise BrokenFile(path, f'it has no "{name}"')
        if not isinstance(value[name], kind) or (kind is int and isinstance(value[name], bool)):
            raise BrokenFile(path, f'its "{name}" is not what it should be')
    return value


def write_object(path: Path, value: Mapping[str, Any], *, private: bool = False) -> None:
    """Replace a small file by a JSON object, whole or not at all; raises OSError."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Half of a pair, as a name of a file may hold, is written as an escape and read back the same.
        text = json.dumps(value, ensure_ascii=True, indent=1)
    with written_whole(path, private=private) as stream:
        stream.write(text)


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing; raises OSError, also for too many of them."""
    missing = []
    for place in (path, *path.parents):
        if place.is_dir():
            break
        missing.append(place)
        if len(missing) > DEEPEST:
            raise OSError(
                errno.ENAMETOOLONG, f"more than {DEEPEST} new folders would be needed", str(path)
            )
    for place in reversed(missing):
        place.mkdir(exist_ok=True)


def _refuse_to_replace(path: Path) -> None:
    if path.name in ("", "..") or path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file in it", str(path))
    if path.is_file():
        with path.open("rb") as there:
            if there.read(16).startswith(b"SQLite format 3\0"):
                raise FileExistsError(
                    errno.EEXIST, "it is a project or a database, which would be lost", str(path)
                )


@contextmanager
def written_whole(path: Path, *, private: bool = False) -> Iterator[IO[str]]:
    """Give a UTF-8 stream whose text takes the place of path when the block ends well.

    It is written beside the place and renamed, on disk by then; where the block or the disk fails,
    what was there stays and nothing else is left. Raises OSError, also where a folder or a database,
    such as a project, stands in its place.
    """
    _refuse_to_replace(path)
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o600 if private else 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
