"""Cutting a stream of JSON values into records: elements of arrays, or objects that span lines.

A record begins at a bracket and ends at the bracket that closes it, whatever stands inside. Every
byte is accounted for: it belongs to a record, or it is white space, a comma or a bracket of an array
around the records, and what is missing there or too many is named. Where a record is broken so that
it would swallow the next one, it ends where the next one begins.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from curator.dataset.json_values import BadJson, loads
from curator.formats.opening import BLOCK
from curator.formats.records import KEPT, LONGEST, Chunk, Fault, Place

# Only single characters repeat possessively: before Python 3.11.5 a possessive group whose last round
# fails leaves the place where it failed as its end (CPython issue 106052).
_SPACE: Final = re.compile(rb"(?:[ \t\r\n\x0b\x0c]++|\xef\xbb\xbf)*")
# All up to the next bracket, or to a quote that nothing closes.
_RUN: Final = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*")*', re.DOTALL)
_QUOTED: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*', re.DOTALL)
_STRAY: Final = re.compile(rb'(?:"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*"|[^{}\[\],\r\n])+|\}++')
_STRAY_LINE: Final = re.compile(rb"[\]},]++|[^\r\n]++")
_BREAKS: Final = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|[\r\n]+[ \t]*', re.DOTALL)
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*+("[^"\\\r\n]{1,80}+")')
_TEXTS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_FIRST_LINE: Final = re.compile(rb'(?:[^"\r\n]++|"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*")*')
_MESSAGES: Final = b'"messages"'
_WHITE: Final = b" \t\r\n"

_LOOK: Final = 4 << 20
"""Bytes for which a record may go on after another one seems to begin in it."""

_OVERLAP: Final = 1 << 10


def one_line(record: bytes) -> bytes:
    """Take the line breaks out of a record without touching its texts."""
    if b"\n" not in record and b"\r" not in record:
        return record
    return _BREAKS.sub(lambda match: match[1] or b"", record)


def scanned(blocks: Iterable[bytes], *, in_array: bool, wrapped: int = 0) -> Iterator[Chunk]:
    """Yield the elements of arrays, or objects that follow each other and may span lines.

    Numbers count the elements where the file is an array, else they are the lines of the objects.
    wrapped counts the bytes before the first element where the array stands in an object.
    """
    scanner = Scanner(in_array=in_array, wrapped=wrapped)
    for block in blocks:
        yield from scanner.feed(block)
    yield from scanner.feed(b"", final=True)


def _beginning(keys: Iterable[bytes]) -> re.Pattern[bytes]:
    """Return the pattern of a record's beginning; such text cannot stand inside a text of JSON."""
    names = b"|".join(map(re.escape, keys))
    return re.compile(rb"\{[ \t\r\n]*+(?:" + names + rb")[ \t\r\n]*+:")


BEGINNING: Final = _beginning((_MESSAGES,))
"""Where a conversation begins inside other text."""


class Scanner:
    """Finds the records of a stream that comes in blocks; holds no more of it than one record."""

    def __init__(self, *, in_array: bool, wrapped: int = 0) -> None:
        self._counts_elements = in_array
        self._skipped = wrapped
        self._closes_object = self._wrapped = bool(wrapped)
        self._data = bytearray()
        self._gone = 0
        self._at = 0
        self._record = _Open(0, 0, 0)
        self._look = _LOOK
        self._keys: tuple[bytes, ...] = (_MESSAGES,)
        self._beginning = _beginning(self._keys)
        # Around the records: the line of the array that is open, and what stood last.
        self._array = 0
        self._last = ""
        self._line = 1
        self._lines_to = 0
        self._count = 0
        self._missing = 0
        self._first_missing = Place(0, 0, 0)
        self._chunk, self._numbers = _empty()
        self._size = 0

    def feed(self, block: bytes, *, final: bool = False) -> Iterator[Chunk]:
        """Take the next bytes; yields chunks of finished records."""
        self._data += block
        if self._skipped:
            if len(self._data) < self._skipped and not final:
                return
            self._at, self._array, self._skipped = self._skipped, 1, 0
        while self._inside(final=final) if self._record.depth else self._between(final=final):
            if self._size >= BLOCK:
                yield self._ready()
        if final:
            self._finish()
            yield self._ready()
        self._forget()

    # Around the records.

    def _between(self, *, final: bool) -> bool:
        """Take the next thing that stands between records; False where more bytes are wanted."""
        data = self._data
        at = self._at = _end(_SPACE, data, self._at)
        byte = data[at : at + 1]
        if byte == b"{" or (byte == b"[" and self._array):
            self._begin(at)
        elif byte == b"[":
            return self._begin_array(at, final=final)
        elif byte == b"]" and self._array:
            self._array, self._last, self._at = 0, "value", at + 1
        elif byte == b"}" and self._closes_object and not self._array:
            self._closes_object, self._at = False, at + 1
        elif byte == b"," and (self._array or self._last == "value"):
            if self._last != "value":
                self._fault(at, "Nothing stands before this comma. Delete the comma.")
            self._last, self._at = "comma", at + 1
        else:
            return bool(byte) and self._stray(at, final=final)
        return True

    def _begin(self, at: int) -> None:
        self._count_lines(at)
        self._record = _Open(self._gone + at, self._line, at + 1)
        self._record.next_look = at + self._look
        self._at = at + 1
        if self._array and self._last == "value":
            self._missing += 1
            if self._missing == 1:
                self._first_missing = Place(self._line, self._count + 1, 0)

    def _begin_array(self, at: int, *, final: bool) -> bool:
        """Enter an array; a line such as [INFO] is none."""
        behind = _end(_SPACE, self._data, at + 1)
        if behind == len(self._data) and not final and behind - at < BLOCK:
            return False
        if bytes(self._data[behind : behind + 1]) not in (b"{", b"[", b"]", b",", b""):
            return self._stray(at, final=final)
        self._count_lines(at)
        self._array, self._last, self._at = self._line, "", at + 1
        return True

    def _stray(self, at: int, *, final: bool) -> bool:
        """Take what is neither record nor structure as a record of its own; it will be refused."""
        end = _end(_STRAY if self._array else _STRAY_LINE, self._data, at)
        if end == len(self._data) and not final and end - at < BLOCK:
            return False
        self._count_lines(at)
        self._record = _Open(self._gone + at, self._line, at)
        self._emit(end)
        return True

    # Inside a record.

    def _inside(self, *, final: bool) -> bool:
        """Go on to the end of the open record; False where more bytes are wanted."""
        data, record = self._data, self._record
        while record.depth:
            if self._at >= record.next_look and self._seems_swallowed():
                self._cut(record.inner)
                return True
            if record.quoted:
                at = self._at = _end(_QUOTED, data, self._at)
                if data[at : at + 1] != b'"':
                    return final and self._cut_off()
                record.quoted, self._at = False, at + 1
            at = self._at = _end(_RUN, data, self._at)
            byte = data[at : at + 1]
            if not byte:
                return final and self._cut_off()
            self._at = at + 1
            if byte == b'"':
                record.quoted = True
            else:
                record.depth += 1 if byte in b"{[" else -1
        if self._swallowed_another():
            self._cut(record.inner)
        else:
            self._emit(self._at)
            self._look = min(max(4 * self._look, _OVERLAP), _LOOK)
        return True

    def _seems_swallowed(self) -> bool:
        """Tell whether another record began in the open one and neither came to an end since."""
        record = self._record
        if record.inner >= 0:
            return True
        self._find_inner(len(self._data))
        known = record.inner >= 0
        record.next_look = self._look + (record.inner if known else len(self._data))
        return known and self._at >= record.next_look

    def _swallowed_another(self) -> bool:
        """Tell whether a record that ended is broken and holds the beginning of another one."""
        record, data = self._record, self._data
        begin = max(record.begin - self._gone, 0)
        if record.inner < 0:
            if all(data.count(key, begin, self._at) < 2 for key in self._keys):
                return False
            self._find_inner(self._at)
        return record.inner >= 0 and (record.kept != b"" or not _is_json(data[begin : self._at]))

    def _find_inner(self, end: int) -> None:
        record = self._record
        for match in self._beginning.finditer(self._data, record.searched, end):
            at = match.start()
            # Behind a colon stands the value of a key.
            if self._data[max(at - 80, 0) : at].rstrip(_WHITE)[-1:] != b":":
                record.inner = at
                break
        record.searched = max(record.searched, end - _OVERLAP)

    def _cut(self, inner: int) -> None:
        """End the open record where another one begins."""
        end = inner
        while self._data[end - 1] in b" \t\r\n,":
            end -= 1
        comma = b"," in self._data[end:inner]
        self._emit(end)
        self._last, self._at = "comma" if comma else "value", inner
        # Where every record is broken, looking far behind each would take for ever.
        self._look //= 4

    def _cut_off(self) -> bool:
        """End a record that is still open at the end of the file."""
        if self._record.inner < 0:
            self._find_inner(len(self._data))
        if self._record.inner >= 0:
            self._cut(self._record.inner)
        else:
            # The record will be refused as cut off; that the array has no end needs no more words.
            self._array = 0
            self._emit(len(self._data))
        return True

    # What was found.

    def _emit(self, end: int) -> None:
        """Hand out the open record."""
        record = self._record
        begin = record.begin - self._gone
        piece = record.kept or one_line(bytes(self._data[begin:end]).rstrip(_WHITE))
        self._count += 1
        chunk = self._chunk
        number = self._count if self._counts_elements else record.line
        place = Place(record.line, record.begin, self._gone + end)
        if place.size > LONGEST:
            chunk.long[len(chunk.records)] = place.size
        chunk.records.append(piece)
        self._numbers.append(number)
        chunk.places.append(place)
        self._size += len(piece)
        record.depth = 0
        self._last, self._at = "value", end
        if self._count == 1:
            self._learn_key(piece)

    def _learn_key(self, piece: bytes) -> None:
        """Take the key that the first record begins with as the sign of any other one."""
        key = _FIRST_KEY.match(piece)
        if key and key[1] not in self._keys:
            self._keys = (*self._keys, key[1])
            self._beginning = _beginning(self._keys)

    def _fault(self, at: int, reason: str) -> None:
        """Note a fault that no record holds."""
        self._count_lines(at)
        self._count += 1
        number = self._count if self._counts_elements else self._line
        self._chunk.faults.append(Fault(number, self._line, reason))

    def _finish(self) -> None:
        if self._array:
            self._fault(
                len(self._data),
                f"The list that begins on line {self._array} has no end: the file was cut off here, "
                "and elements may be missing. Fetch or write it again.",
            )
        if self._wrapped:
            self._chunk.remarks.append(
                "the conversations stand in a list inside one object; what it holds before the "
                "list was left out."
            )
        if self._missing:
            what = "a comma is" if self._missing == 1 else f"{self._missing:,} commas are"
            place = self._first_missing
            where = f"element {place.begin}, line {place.line}"
            self._chunk.remarks.append(
                f"{what} missing between elements (first before {where}); they "
                "were read all the same."
            )

    def _ready(self) -> Chunk:
        chunk = self._chunk
        (self._chunk, self._numbers), self._size = _empty(), 0
        return chunk

    # The stream.

    def _count_lines(self, to: int) -> None:
        data, since = self._data, self._lines_to
        self._line += data.count(b"\n", since, to)
        if data.find(b"\r", since, to) >= 0:
            self._line += data.count(b"\r", since, to) - data.count(b"\r\n", since, to)
        self._lines_to = to

    def _forget(self) -> None:
        """Drop the bytes that no open record needs; of a record that is too long, keep the start."""
        record, drop = self._record, self._at
        if record.depth:
            begin = record.begin - self._gone
            drop = max(begin, 0)
            if len(self._data) - begin > LONGEST and record.inner < 0:
                record.kept = record.kept or bytes(self._data[begin : begin + KEPT])
                drop = min(self._at, record.searched)
        if drop and self._data[drop - 1] == 13:
            # The LF of this CR may come with the next bytes.
            drop -= 1
        if drop <= 0:
            return
        self._count_lines(max(drop, self._lines_to))
        del self._data[:drop]
        self._gone += drop
        self._at -= drop
        self._lines_to -= drop
        record.move(drop)


class _Open:
    """The open record: where it begins in the stream, how deep it is, and what seems to begin in it."""

    __slots__ = ("begin", "depth", "inner", "kept", "line", "next_look", "quoted", "searched")

    def __init__(self, begin: int, line: int, searched: int) -> None:
        self.begin = begin
        self.line = line
        self.depth = 1 if searched else 0
        self.quoted = False
        self.kept = b""
        self.searched = searched
        self.next_look = 0
        self.inner = -1

    def move(self, by: int) -> None:
        """Follow the bytes that were dropped before it."""
        self.searched -= by
        self.next_look -= by
        self.inner -= by if self.inner >= 0 else 0


def goes_on_behind_a_line_end(text: bytes) -> bool:
    """Tell whether the value that a text begins with goes on behind its first line."""
    end = _end(_FIRST_LINE, text, 0)
    outside = _TEXTS.sub(b"", text[:end])
    opened = outside.count(b"{") + outside.count(b"[")
    return text[end : end + 1] in (b"\r", b"\n") and opened > outside.count(b"}") + outside.count(
        b"]"
    )


def _empty() -> tuple[Chunk, list[int]]:
    numbers: list[int] = []
    return Chunk([], numbers), numbers


def _end(pattern: re.Pattern[bytes], data: bytearray | bytes, at: int) -> int:
    """Return where a pattern that matches everywhere ends; no match is kept, it would pin the bytes."""
    match = pattern.match(data, at)
    return match.end() if match else at


def _is_json(piece: bytearray) -> bool:
    try:
        loads(piece.decode("utf-8"))
    except (UnicodeDecodeError, BadJson):
        return False
    return True
