"""Opening any text file as UTF-8 bytes: gzip, byte-order marks, UTF-16 and UTF-32."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from curator.dataset.errors import UnreadableInput

BLOCK: Final = 1 << 20
HEAD: Final = 1 << 18
"""Bytes of a file that are looked at to find out what it is."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32 first: its little-endian mark starts with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Opening:
    """How a file is to be read: its encoding, the length of its mark, compression, and its start.

    head is the first part as UTF-8 without the mark; whole says that this is all of the file.
    """

    path: Path
    encoding: str
    mark: int
    compressed: bool
    head: bytes
    whole: bool

    @property
    def raw_mark(self) -> bytes:
        """The byte-order mark as it stands in the file."""
        return next((m for m, name in _MARKS if self.mark and name == self.encoding), b"")

    @property
    def is_plain(self) -> bool:
        """Whether the bytes on disk are UTF-8 text as they stand."""
        return self.encoding == "utf-8" and not self.compressed


def look(path: Path) -> Opening:
    """Find out how a file is to be read; raises UnreadableInput where it cannot be opened."""
    with _open(path) as (file, compressed):
        raw = _read(file, path, HEAD)
        whole = len(raw) < HEAD or not _read(file, path, 1)
    encoding, mark = _encoding(raw)
    head = b"".join(_transcoded(iter((raw[mark:],)), encoding, final=whole))
    return Opening(path, encoding, mark, compressed, head, whole)


def blocks(opening: Opening) -> Iterator[bytes]:
    """Read a file as UTF-8 blocks; bytes that are no UTF-8 come through as they are."""
    with _open(opening.path) as (file, _):
        _read(file, opening.path, opening.mark)
        raw = iter(lambda: _read(file, opening.path, BLOCK), b"")
        yield from _transcoded(raw, opening.encoding, final=True)


@contextmanager
def _open(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == _GZIP
            file.seek(0)
            if compressed:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield unpacked, True  # type: ignore[misc]
            else:
                yield file, False
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise _damaged(path) from error
        raise UnreadableInput(
            f"{path.name} cannot be read: {error.strerror or error}.", path
        ) from error


def _read(file: IO[bytes], path: Path, size: int) -> bytes:
    try:
        return file.read(size)
    except (EOFError, zlib.error) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> UnreadableInput:
    return UnreadableInput(
        f"{path.name} is a damaged or cut-off gzip file; fetch or pack it again.", path
    )


def _encoding(raw: bytes) -> tuple[str, int]:
    """Return the encoding and the length of the mark; without one, zero bytes tell UTF-16 and -32."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return encoding, len(mark)
    zeros: tuple[bool, ...] = tuple(byte == 0 for byte in raw[:4])
    patterns: dict[tuple[bool, ...], str] = {
        (True, True, True, False): "utf-32-be",
        (False, True, True, True): "utf-32-le",
        (True, False, True, False): "utf-16-be",
        (False, True, False, True): "utf-16-le",
    }
    return patterns.get(zeros, "utf-8"), 0


def _transcoded(raw: Iterator[bytes], encoding: str, *, final: bool) -> Iterator[bytes]:
    if encoding == "utf-8":
        yield from raw
        return
    # A lone surrogate becomes bytes that are no UTF-8, so that its line alone is refused.
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        for block in raw:
            yield decoder.decode(block).encode("utf-8", "surrogatepass")
        if final:
            yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        yield b"\xff"
