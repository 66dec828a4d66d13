"""Cutting UTF-8 blocks into records: lines, elements of one array, or objects one after another.

Lines end at LF, CR or CR LF only; U+2028, U+2029 and U+0085 are text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from curator.formats.opening import BLOCK

LONGEST: Final = 64 << 20
"""Bytes one record may have; what is longer is cut there and refused as broken."""

_END: Final = re.compile(rb"\r\n|\r|\n")
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\],]', re.DOTALL)
_BREAKS: Final = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|[\r\n]+[ \t]*', re.DOTALL)
_SPACE: Final = b" \t\r\n"


class Chunk(NamedTuple):
    """Some records in order and the number of each: its line, or its place in an array."""

    records: list[bytes]
    numbers: Sequence[int]


def split_lines(data: bytes) -> tuple[list[bytes], list[int] | None]:
    """Cut bytes into lines; the starts are given only where they do not follow from the lengths.

    A CR before an LF stays at the end of its line, where it is white space.
    """
    if b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"):
        return data.split(b"\n"), None
    starts = [0]
    starts.extend(match.end() for match in _END.finditer(data))
    return _END.split(data), starts


def lines(blocks: Iterable[bytes]) -> Iterator[Chunk]:
    """Yield the lines of a file, blank ones too; numbers count from 1."""
    number = 1
    rest = b""
    for block in blocks:
        data = rest + block
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        if not cut:
            rest = data[:LONGEST]
            continue
        found, _ = split_lines(_without_end(data[:cut]))
        yield Chunk(found, range(number, number + len(found)))
        number += len(found)
        rest = data[cut:]
    if rest:
        found, _ = split_lines(_without_end(rest))
        yield Chunk(found, range(number, number + len(found)))


def _without_end(data: bytes) -> bytes:
    return data[:-2] if data.endswith(b"\r\n") else data[:-1] if data[-1:] in b"\r\n" else data


def one_line(record: bytes) -> bytes:
    """Take the line breaks out of a record without touching its texts."""
    if b"\n" not in record and b"\r" not in record:
        return record
    return _BREAKS.sub(lambda match: match[1] or b"", record)


class Scanner:
    """Finds the ends of records in a stream by its brackets, whatever stands inside them."""

    def __init__(self, *, in_array: bool) -> None:
        self._in_array = in_array
        self._depth = 0
        self._data = b""
        self._start = 0
        self._at = 0
        self._line = 1
        self._count = 0
        self._lost = False

    def feed(self, block: bytes, *, final: bool = False) -> Iterator[tuple[int, bytes]]:
        """Take the next bytes; yield each finished record with its number."""
        if self._lost:
            return
        self._data += block
        for match in _TOKEN.finditer(self._data, self._at):
            self._at = match.start()
            if match[0] == b'"' and not final:
                # This text goes on in the next block.
                break
            self._at = match.end()
            yield from self._token(match[0], match.start(), match.end())
        else:
            self._at = len(self._data)
        if len(self._data) - self._start > LONGEST:
            # A bracket or a quote is missing and nothing after it can be told apart.
            self._lost = final = True
        if final:
            yield from self._cut(len(self._data), len(self._data))
        self._forget()

    def _token(self, token: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        if token in b"{[":
            self._depth += 1
            if self._in_array and self._depth == 1:
                self._start = end
        elif token in b"}]":
            self._depth = max(self._depth - 1, 0)
            if not self._depth:
                yield from self._cut(start if self._in_array else end, end)
        elif token == b"," and self._in_array and self._depth == 1:
            yield from self._cut(start, end)

    def _cut(self, end: int, next_start: int) -> Iterator[tuple[int, bytes]]:
        piece = self._data[self._start : end]
        record = piece.strip(_SPACE)
        if record:
            self._count += 1
            at = self._start + piece.index(record)
            line = self._line + self._data.count(b"\n", 0, at)
            yield (self._count if self._in_array else line), one_line(record)
        self._start = next_start

    def _forget(self) -> None:
        """Drop the bytes that no open record needs."""
        if self._start:
            self._line += self._data.count(b"\n", 0, self._start)
            self._data = self._data[self._start :]
            self._at -= self._start
            self._start = 0


def scanned(blocks: Iterable[bytes], *, in_array: bool) -> Iterator[Chunk]:
    """Yield the elements of one array, or objects that follow each other and may span lines."""
    scanner = Scanner(in_array=in_array)
    pending: list[tuple[int, bytes]] = []
    size = 0

    def ready() -> Chunk:
        chunk = Chunk([record for _, record in pending], [number for number, _ in pending])
        pending.clear()
        return chunk

    for block, final in _and_end(blocks):
        for number, record in scanner.feed(block, final=final):
            pending.append((number, record))
            size += len(record)
            if size >= BLOCK:
                yield ready()
                size = 0
    if pending:
        yield ready()


def _and_end(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    for block in blocks:
        yield block, False
    yield b"", True
