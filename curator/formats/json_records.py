"""Files of JSON objects, however they stand there: how a file is cut into records, whatever each one means.

One object on each line, one JSON array, or pretty-printed objects one after another; in any Unicode
encoding, with every kind of line end, and gzip, whatever the file is called.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from curator.dataset.errors import UnreadableInput
from curator.dataset.json_values import BadJson, Json, loads
from curator.dataset.regular_files import open_regular
from curator.formats import records, scanner
from curator.formats.opening import Opening, blocks, look
from curator.formats.records import Chunk

Shape = Literal["lines", "array", "objects"]

_BLANK: Final = b" \t\r\n\x0b\x0c"
_LOOKED_AT: Final = 200
_STEP: Final = 64 << 10
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_ARRAY: Final = re.compile(rb"\[[ \t\r\n]*(?:[{\[\],]|$)")
# The conversations stand in a list under a key, behind other keys with plain values.
_WRAPPED: Final = re.compile(
    rb'\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[-+.\w]+)\s*,\s*)*("[^"\\]*")\s*:\s*\[\s*'
    rb'(?=\{\s*"messages"\s*:)'
)
_KNOWN_STARTS: Final = (
    (
        b"version https://git-lfs",
        "is a Git LFS pointer, not the data itself; run git lfs pull and import the file again",
    ),
    (
        b"SQLite format 3\x00",
        "is a database; if it is a project, open it instead of importing it",
    ),
    (b"PK\x03\x04", "is a ZIP archive or an Office file; unpack it, or save it as JSON Lines"),
    (b"\x28\xb5\x2f\xfd", "is packed with Zstandard; unpack it and name the unpacked file"),
    (b"BZh", "is packed with bzip2; unpack it and name the unpacked file"),
    (b"\xfd7zXZ\x00", "is packed with xz; unpack it and name the unpacked file"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive; unpack it and name the unpacked file"),
    (b"Rar!\x1a\x07", "is a RAR archive; unpack it and name the unpacked file"),
    (b"PAR1", "is a Parquet file; save it as JSON Lines and import that"),
    (b"%PDF", "is a PDF document; it holds no conversations that can be read"),
    (b"{\\rtf", "is a rich-text document; save it as plain text"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was looked at: how to open it, how its records are cut, and how sure that is.

    wrapped counts the bytes before the elements where the array stands under a key of one object.
    format names what the records are; confidence is for that format.
    """

    opening: Opening
    shape: Shape
    confidence: float
    wrapped: int = 0
    format: str = ""

    @property
    def path(self) -> Path:
        """The file."""
        return self.opening.path

    @property
    def size(self) -> int:
        """The bytes on disk."""
        return self.path.stat().st_size

    @property
    def unit(self) -> str:
        """What the number of a record counts: "line" or "element"."""
        return "element" if self.shape == "array" else "line"

    @property
    def is_sliceable(self) -> bool:
        """Whether any part of the file between two line ends can be read on its own."""
        return self.opening.is_plain and self.shape == "lines"

    def read(self) -> Iterator[Chunk]:
        """Read all records in order, in bounded memory."""
        if self.shape == "lines":
            return records.lines(blocks(self.opening))
        return scanner.scanned(
            blocks(self.opening), in_array=self.shape == "array", wrapped=self.wrapped
        )

    def sample(self) -> list[Mapping[str, Json]]:
        """Return the objects that stand whole at the beginning, at most two hundred."""
        if self.shape == "lines":
            found = _complete_lines(self.opening)
        else:
            head = (self.opening.head,)
            is_array = self.shape == "array"
            chunks = scanner.scanned(head, in_array=is_array, wrapped=self.wrapped)
            found = [record for chunk in chunks for record in chunk.records][:_LOOKED_AT]
        return [value for value in map(_value, found) if isinstance(value, dict)]

    def slices(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield (begin, end) of parts of about that many bytes, each ending behind a line end."""
        begin = self.opening.mark
        with open_regular(self.path) as file:
            total = file.seek(0, 2)
            while begin < total:
                end = _behind_line_end(file, min(begin + size, total), total)
                yield begin, end
                begin = end

    def other_kind(self) -> str:
        """Say in one sentence what a file is that holds no conversations at all."""
        return f"{self.path.name} {_what_it_is(self.opening.head)}."


def _behind_line_end(file: BinaryIO, at: int, total: int) -> int:
    """Return the first place from at on that is behind a line end, or total."""
    at -= 1
    file.seek(at)
    while at < total:
        block = file.read(_STEP)
        if not block:
            break
        match = _LINE_END.search(block)
        # A CR at the end of the block may belong to an LF: look again from there.
        # A file may shrink while it is read: then its last byte stands alone in a block.
        if match and (
            match.end() < len(block)
            or match[0] != b"\r"
            or at + match.end() >= total
            or len(block) == 1
        ):
            return at + match.end()
        at += match.start() if match else len(block)
        file.seek(at)
    return total


def sniff(path: Path) -> Source:
    """Look at a file; raises UnreadableInput with one sentence where it holds no such records."""
    opening = look(path)
    if b"\x00" in opening.head and opening.head.startswith(tuple(s for s, _ in _KNOWN_STARTS)):
        # Such a file may hold whole lines, as the database of a project does.
        raise UnreadableInput(f"{path.name} {_what_it_is(opening.head)}.", path)
    text = opening.head.lstrip(_BLANK)
    full = _complete_lines(opening)
    whole, with_comma = _conversations(full)
    confidence = whole / len(full) if full else 0.0
    objects = any(line.startswith(b"{") for line in full)
    if full and not objects and _holds_objects(_value(full[0])):
        raise UnreadableInput(f"{path.name} {_what_it_is(opening.head)}.", path)
    lines = Source(opening, "lines", confidence)
    spans = _spans_lines(text, full)
    if not text or (whole > with_comma and not spans):
        return lines
    if text.startswith(b"["):
        is_array = _opens_array(text, full)
        return Source(opening, "array" if is_array else "objects", _array_confidence(text))
    wrapped = _WRAPPED.match(text)
    if wrapped and wrapped[1] != b'"messages"':
        return Source(opening, "array", 0.9, len(opening.head) - len(text) + wrapped.end())
    if text.startswith(b"{"):
        if not (with_comma or spans) and not scanner.goes_on_behind_a_line_end(text):
            return lines
        return Source(opening, "objects", 0.9 if b'"messages"' in text else 0.1)
    if scanner.BEGINNING.search(text):
        return Source(opening, "objects", 0.5)
    if objects:
        return lines
    raise UnreadableInput(f"{path.name} {_what_it_is(opening.head)}.", path)


def _complete_lines(opening: Opening) -> list[bytes]:
    """Return the lines with something in them that stand whole in the head."""
    found, _ = records.split_lines(opening.head)
    if not opening.whole:
        found = found[:-1]
    return [line for line in (each.strip(_BLANK) for each in found[:_LOOKED_AT]) if line]


def _value(line: bytes) -> object:
    try:
        return loads(line.decode("utf-8"))
    except (UnicodeDecodeError, BadJson):
        return None


def _conversations(full: list[bytes]) -> tuple[int, int]:
    """Count the lines that are a conversation, and those that are one beside a comma of an array."""
    whole = with_comma = 0
    for line in full:
        value = _value(line.strip(b", \t"))
        is_bare = not (line.startswith(b",") or line.endswith(b","))
        if isinstance(value, dict) and "messages" in value:
            whole += is_bare
            with_comma += not is_bare
        with_comma += line == b","
    return whole, with_comma


def _opens_array(text: bytes, full: list[bytes]) -> bool:
    """Return whether the first bracket begins an array of records, not a line of its own."""
    if not _ARRAY.match(text):
        return False
    value = _value(full[0]) if full else None
    if not isinstance(value, list) or len(full) == 1:
        return True
    # A list of messages on a line of its own is a line that somebody forgot to wrap.
    return any(isinstance(each, dict) and "messages" in each for each in value) or not any(
        line.startswith(b"{") for line in full[1:]
    )


def _spans_lines(text: bytes, full: list[bytes]) -> bool:
    """Return whether records go on behind line ends, although some stand on a line of their own."""
    if _opens_array(text, full) or any(line in (b"{", b"[") for line in full[1:]):
        return True
    if not scanner.goes_on_behind_a_line_end(text):
        return False
    chunks = scanner.scanned([text], in_array=False)
    first = next((record for chunk in chunks for record in chunk.records), b"")
    return _value(first) is not None


def _array_confidence(text: bytes) -> float:
    inside = text[1:].lstrip(_BLANK)
    return 0.9 if inside.startswith(b"{") and b'"messages"' in text else 0.1


def _holds_objects(value: object) -> bool:
    """Tell whether a value is a text, or a list of texts, in which an object is written as JSON."""
    text = value[0] if isinstance(value, list) and value else value
    return isinstance(text, str) and any(
        isinstance(_value(each.encode("utf-8", "surrogatepass")), dict)
        for each in (text, text.lstrip().partition("\n")[0])
    )


def _what_it_is(head: bytes) -> str:
    for start, sentence in _KNOWN_STARTS:
        if head.startswith(start):
            return sentence
    if b"\x00" in head:
        return "is not a text file; save its conversations as JSON Lines and import that"
    rows = [row for row in head.split(b"\n", 20) if row.strip(_BLANK)][:2]
    if rows and _holds_objects(_value(rows[0])):
        return (
            "holds JSON written as text, quotes around each object (it was encoded twice); decode "
            "each line once more, write the objects themselves, and import that"
        )
    if any(rows and all(sign in row for row in rows) for sign in (b",", b";", b"\t")):
        return (
            "looks like a table (CSV); save it as JSON Lines with a messages list and import that"
        )
    return "holds no JSON objects; each line must be an object with a messages list"
