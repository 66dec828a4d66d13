"""Opening any text file as UTF-8 bytes: gzip, byte-order marks, UTF-16 and UTF-32."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from curator.dataset.errors import UnreadableInput
from curator.dataset.regular_files import open_regular, refusal

BLOCK: Final = 1 << 20
HEAD: Final = 1 << 18
"""Bytes of a file that are looked at to find out what it is."""

MOST_UNPACKED: Final = 2 << 30
"""Bytes a gzip file may unpack to: a few seconds' work. The size at its end tells up to twice that."""

MOST_RATIO: Final = 200
"""How many times its own size a gzip file may unpack to; conversations stay under 100."""

_MOST_DEFLATED: Final = 1032
"""How many times its size anything packed with gzip can have; a larger size at its end is damage."""

_JUDGED_FROM: Final = 64 << 20
"""Unpacked bytes from which the ratio counts: a small file may well repeat itself."""

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
        raw = file.read(HEAD)
        whole = len(raw) < HEAD or not file.read(1)
    encoding, mark = _encoding(raw)
    head = b"".join(_transcoded(iter((raw[mark:],)), encoding, final=whole))
    return Opening(path, encoding, mark, compressed, head, whole)


def blocks(opening: Opening) -> Iterator[bytes]:
    """Read a file as UTF-8 blocks; bytes that are no UTF-8 come through as they are."""
    with _open(opening.path) as (file, _):
        file.read(opening.mark)
        raw = iter(lambda: file.read(BLOCK), b"")
        yield from _transcoded(raw, opening.encoding, final=True)


def prove(opening: Opening) -> Iterator[int]:
    """Unpack a compressed file to its end, because its checksum stands there; yields the bytes so far.

    Raises UnreadableInput where it is damaged or unpacks to more than the limits. Nothing is kept.
    """
    if opening.compressed:
        with _open(opening.path) as (file, _):
            done = 0
            while block := file.read(BLOCK):
                done += len(block)
                yield done


def require_whole(opening: Opening) -> None:
    """Unpack a compressed file to its end once, before anything is made of it; raises as prove does."""
    for _ in prove(opening):
        pass


class _Readable(Protocol):
    """What reads some bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most that many bytes, none at the end."""
        ...


class _Plain:
    """A file as it lies there."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path

    def read(self, size: int, /) -> bytes:
        """Return at most that many bytes; raises UnreadableInput where the disk fails."""
        try:
            return self._file.read(size)
        except OSError as error:
            raise refusal(self._path, error.strerror or str(error)) from error


class _Unpacked:
    """The contents of a gzip file, within limits on their size and on how much they grow."""

    def __init__(self, packed: BinaryIO, path: Path) -> None:
        self._packed = packed
        self._unpacked = gzip.GzipFile(fileobj=packed, mode="rb")
        self._path = path
        self._done = 0
        size = packed.seek(0, 2)
        packed.seek(max(size - 4, 0))
        told = int.from_bytes(packed.read(4), "little")
        packed.seek(0)
        if MOST_UNPACKED < told <= _MOST_DEFLATED * size:
            self._refuse(f"{_shown(MOST_UNPACKED)} ({_shown(told)}, as its end says)")

    def read(self, size: int, /) -> bytes:
        """Return at most that many bytes; raises UnreadableInput where it is damaged or too large."""
        try:
            block = self._unpacked.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableInput(
                f"{self._path.name} is a damaged or cut-off gzip file; fetch or pack it again.",
                self._path,
            ) from error
        except OSError as error:
            raise refusal(self._path, error.strerror or str(error)) from error
        self._done += len(block)
        ratio = self._done // max(self._packed.tell(), 1)
        if self._done > MOST_UNPACKED:
            self._refuse(_shown(MOST_UNPACKED))
        if self._done > _JUDGED_FROM and ratio > MOST_RATIO:
            self._refuse(f"{MOST_RATIO} times its size")
        return block

    def _refuse(self, limit: str) -> None:
        raise UnreadableInput(
            f"{self._path.name} unpacks to more than {limit}, so it is not read; unpack it "
            "yourself, look at it, and name the unpacked file.",
            self._path,
        )


def _shown(size: int) -> str:
    return f"{size / (1 << 30):.3g} GB"


@contextmanager
def _open(path: Path) -> Iterator[tuple[_Readable, bool]]:
    with open_regular(path) as file:
        plain = _Plain(file, path)
        compressed = plain.read(2) == _GZIP
        file.seek(0)
        yield (_Unpacked(file, path) if compressed else plain), compressed


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
    decoder = codecs.getincrementaldecoder(encoding)(_BYTES_AS_THEY_ARE)
    for block in raw:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    if final:
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


CUT_OFF: Final = "\udfff"
"""Stands before the bytes of a character that the end of the file cuts in two."""

_BYTES_AS_THEY_ARE: Final = "curator-bytes-as-they-are"


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Turn bytes that are no character into lone surrogates, which no UTF-8 has: only their line is refused."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    kind = CUT_OFF if "truncated" in error.reason or "unexpected end" in error.reason else ""
    return kind + "".join(chr(0xDC00 + byte) for byte in wrong), error.end


codecs.register_error(_BYTES_AS_THEY_ARE, _keep)
