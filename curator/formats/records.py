"""Cutting UTF-8 blocks into records, and what is known of each; here the lines of a file.

Lines end at LF, CR or CR LF only; U+2028, U+2029 and U+0085 are text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

LONGEST: Final = 64 << 20
"""Bytes one record may have; what is longer is not read but named, and of it the start is kept."""

KEPT: Final = 1 << 20
"""Bytes that are kept of a record that is too long."""

_END: Final = re.compile(rb"\r\n|\r|\n")


class Place(NamedTuple):
    """Where a record stands: the line it begins on (from 1), and its bytes in the UTF-8 stream."""

    line: int
    begin: int
    end: int

    @property
    def size(self) -> int:
        """The bytes it has in the file."""
        return self.end - self.begin


class Fault(NamedTuple):
    """Something wrong between records: the number that the next record has, its line, and a sentence."""

    number: int
    line: int
    reason: str


@dataclass(slots=True)
class Chunk:
    """Some records in order and the number of each: its line, or its place in an array.

    places is empty where a number is the line. long holds the size in bytes of records that are too
    long, by their index here. faults and remarks tell what is wrong around the records: a fault means
    that something may be missing, a remark (a sentence that goes on behind the file's name) that nothing is.
    """

    records: list[bytes]
    numbers: Sequence[int]
    places: list[Place] = field(default_factory=list)
    long: dict[int, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


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
    number, last = 1, b""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        # A CR at the end of a block waits: an LF may follow it.
        tail = last + block
        found = max(tail.rfind(b"\n"), tail.rfind(b"\r", 0, -1)) + 1
        if found:
            cut = found - len(last)
            chunk = _lines(number, held, size, block[:cut])
            yield chunk
            number += len(chunk.records)
            block, last, held, size = block[cut:], b"", [], 0
        last = block[-1:] or last
        size += len(block)
        if size <= LONGEST:
            held.append(block)
        elif held:
            held = [b"".join(held)[:KEPT]]
    if size:
        yield _lines(number, held, size, b"")


def _lines(number: int, held: list[bytes], size: int, end: bytes) -> Chunk:
    """Cut the bytes held, of which there were size in the file, and those that end their last line."""
    start = b"".join(held)
    found, _ = split_lines(_without_end(start + end))
    chunk = Chunk(found, range(number, number + len(found)))
    if size > LONGEST:
        chunk.long[0] = size + len(found[0]) - len(start)
    return chunk


def _without_end(data: bytes) -> bytes:
    return data[:-2] if data.endswith(b"\r\n") else data[:-1] if data[-1:] in b"\r\n" else data
