"""OpenAI chat JSON Lines: one object with "messages" on each line, and its near relatives.

Also read are one JSON array of such objects, pretty-printed objects one after another, any Unicode
encoding, every kind of line end, and gzip, whatever the file is called.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from curator.dataset.errors import UnreadableInput
from curator.dataset.json_values import BadJson, loads
from curator.formats import records
from curator.formats.opening import Opening, blocks, look
from curator.formats.records import Chunk

NAME: Final = "openai_chat"
TITLE: Final = "OpenAI chat (JSON Lines)"
EXTENSIONS: Final = (".jsonl", ".ndjson", ".json", ".jsonl.gz")

Shape = Literal["lines", "array", "objects"]

_BLANK: Final = b" \t\r\n\x0b\x0c"
_LOOKED_AT: Final = 200
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
    (b"PAR1", "is a Parquet file; save it as JSON Lines and import that"),
    (b"%PDF", "is a PDF document; it holds no conversations that can be read"),
    (b"{\\rtf", "is a rich-text document; save it as plain text"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was looked at: how to open it, how its records are cut, and how sure that is."""

    opening: Opening
    shape: Shape
    confidence: float

    @property
    def path(self) -> Path:
        """The file."""
        return self.opening.path

    @property
    def size(self) -> int:
        """The bytes on disk."""
        return self.path.stat().st_size

    @property
    def is_sliceable(self) -> bool:
        """Whether any part of the file between two line ends can be read on its own."""
        return self.opening.is_plain and self.shape == "lines" and b"\n" in self.opening.head

    def read(self) -> Iterator[Chunk]:
        """Read all records in order, in bounded memory."""
        if self.shape == "lines":
            return records.lines(blocks(self.opening))
        return records.scanned(blocks(self.opening), in_array=self.shape == "array")

    def slices(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield (begin, end) of parts of about that many bytes, each ending behind an LF."""
        begin = self.opening.mark
        with self.path.open("rb") as file:
            total = file.seek(0, 2)
            while begin < total:
                file.seek(min(begin + size, total))
                while file.tell() < total and not file.readline(1 << 20).endswith(b"\n"):
                    pass
                end = file.tell()
                yield begin, end
                begin = end


def sniff(path: Path) -> Source:
    """Look at a file; raises UnreadableInput with one sentence where it holds no such records."""
    opening = look(path)
    head = opening.head
    text = head.lstrip(_BLANK)
    whole_lines = _complete_lines(opening)
    objects = [line for line in whole_lines if line.startswith(b"{") and _has_messages(line)]
    full = [line for line in whole_lines if line]
    confidence = len(objects) / len(full) if full else 0.0
    if not text:
        return Source(opening, "lines", 0.0)
    if text.startswith(b"["):
        shape: Shape = "lines" if _is_list_of_lines(full) else "array"
        return Source(opening, shape, confidence if shape == "lines" else _array_confidence(text))
    if objects or (text.startswith(b"{") and not _spans_lines(text)):
        return Source(opening, "lines", confidence)
    if text.startswith(b"{"):
        return Source(opening, "objects", 0.9 if b'"messages"' in text else 0.1)
    if any(line.startswith(b"{") for line in full):
        return Source(opening, "lines", confidence)
    raise UnreadableInput(f"{path.name} {_what_it_is(head)}.", path)


def write(file: BinaryIO, contents: Iterable[str]) -> int:
    """Write each conversation on a line of its own; returns the bytes written."""
    written = 0
    for content in contents:
        written += file.write(content.encode("utf-8") + b"\n")
    return written


def _complete_lines(opening: Opening) -> list[bytes]:
    found, _ = records.split_lines(opening.head)
    if not opening.whole:
        found = found[:-1]
    return [line.strip(_BLANK) for line in found[:_LOOKED_AT]]


def _value(line: bytes) -> object:
    try:
        return loads(line.decode("utf-8"))
    except (UnicodeDecodeError, BadJson):
        return None


def _has_messages(line: bytes) -> bool:
    value = _value(line)
    return isinstance(value, dict) and "messages" in value


def _is_list_of_lines(full: list[bytes]) -> bool:
    """Return whether the first line is a whole value and more lines with values follow."""
    return len(full) > 1 and _value(full[0]) is not None and full[1][:1] in (b"{", b"[")


def _array_confidence(text: bytes) -> float:
    inside = text[1:].lstrip(_BLANK)
    return 0.9 if inside.startswith(b"{") and b'"messages"' in text else 0.1


def _spans_lines(text: bytes) -> bool:
    """Return whether the first object goes on behind a line end that stands outside its texts."""
    first = next(
        (record for chunk in records.scanned([text], in_array=False) for record in chunk.records),
        b"",
    )
    head, *more = text.split(b"\n", 1)
    return bool(more) and _value(head.strip(_BLANK)) is None and _value(first) is not None


def _what_it_is(head: bytes) -> str:
    for start, sentence in _KNOWN_STARTS:
        if head.startswith(start):
            return sentence
    if b"\x00" in head:
        return "is not a text file"
    rows = [row for row in head.split(b"\n", 20) if row.strip(_BLANK)][:2]
    if any(rows and all(sign in row for row in rows) for sign in (b",", b";", b"\t")):
        return (
            "looks like a table (CSV); save it as JSON Lines with a messages list and import that"
        )
    return "holds no JSON objects; each line must be an object with a messages list"
