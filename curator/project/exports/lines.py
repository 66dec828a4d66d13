"""The lines of an export in order: neighbours in a segment are taken together, in one slice.

Every line is compared with its stored hash on the way; a damaged one joins the reader's damaged.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from curator.dataset import Conversation
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall
from curator.project.exports.selection import Selection
from curator.project.store.reader import Reader
from curator.project.store.stored_texts import text_hash
from curator.project.store.tables import TextPlace, segment_bytes, text_places

_BATCH: Final = 4_000
_LINE_END: Final = ord("\n")

Place = tuple[str, int | None]


class Part(NamedTuple):
    """Some neighbouring lines of one file, without the last line end."""

    code: int
    raw: bytes | memoryview
    ids: list[int]
    places: list[Place]


def parts(reader: Reader, selection: Selection, cancelled: CancelledCall) -> Iterator[list[Part]]:
    """Yield the lines of every split's file in order, those of some thousand conversations at a time."""
    names = {source.id: json.dumps(source.name) for source in reader.sources()}
    segments = _Segments(reader)
    damaged = reader.damaged
    for start in range(0, len(selection.ids), _BATCH):
        if cancelled():
            raise Cancelled("The export was stopped; nothing was written.")
        codes = selection.split[start : start + _BATCH].tolist()
        rows = text_places(reader, selection.ids[start : start + _BATCH])
        yield list(_joined(rows, codes, names, segments, damaged))


class _Run:
    """Lines that stand side by side in a segment, a line end between them, and go into one file."""

    __slots__ = ("begin", "code", "end", "ids", "places", "raw", "segment", "starts")

    def __init__(self, code: int, segment: int, raw: bytes, begin: int) -> None:
        self.code = code
        self.segment = segment
        self.raw = raw
        self.begin = begin
        self.end = begin - 1
        self.ids: list[int] = []
        self.places: list[Place] = []
        self.starts: list[int] = []


class _Segments:
    """Gives the bytes of a segment, and keeps those of the last one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._id = -1
        self._raw = b""

    def raw(self, segment: int) -> bytes:
        if segment != self._id:
            self._id, self._raw = segment, segment_bytes(self._reader, segment)
        return self._raw


def _joined(
    rows: list[TextPlace],
    codes: list[int],
    names: Mapping[int, str],
    segments: _Segments,
    damaged: set[int],
) -> Iterator[Part]:
    run = _Run(-1, -1, b"", 0)
    for (id_, segment, start, length, content, source, number, stored), code in zip(
        rows, codes, strict=True
    ):
        start = start or 0
        if not _is_sound(segments, segment, start, length, content, stored):
            damaged.add(id_)
            continue
        place = (names.get(source or 0, ""), number)
        if content is not None:
            yield from _taken(run)
            run = _Run(-1, -1, b"", 0)
            yield Part(code, _one_line(content), [id_], [place])
            continue
        if (
            start != run.end + 1
            or segment != run.segment
            or code != run.code
            or run.raw[run.end] != _LINE_END
        ):
            yield from _taken(run)
            run = _Run(code, segment or 0, segments.raw(segment or 0), start)
        run.end = start + (length or 0)
        run.ids.append(id_)
        run.places.append(place)
        run.starts.append(start)
    yield from _taken(run)


def _is_sound(
    segments: _Segments,
    segment: int | None,
    start: int,
    length: int | None,
    content: bytes | None,
    stored: int,
) -> bool:
    """Whether a row's bytes are those that were stored."""
    if content is not None:
        return text_hash(content) == stored
    raw = memoryview(segments.raw(segment or 0))
    return start >= 0 and text_hash(raw[start : start + (length or 0)]) == stored


def _taken(run: _Run) -> Iterator[Part]:
    """Yield a run whole, or line by line where an object in it is spread over several lines."""
    if not run.ids:
        return
    # Looked for in the bytes themselves: many times faster than in a view or an array of them.
    ends = run.raw.count(b"\n", run.begin, run.end)
    if ends == len(run.ids) - 1 and run.raw.find(b"\r", run.begin, run.end) < 0:
        yield Part(run.code, memoryview(run.raw)[run.begin : run.end], run.ids, run.places)
        return
    stops = [*(start - 1 for start in run.starts[1:]), run.end]
    for start, stop, id_, place in zip(run.starts, stops, run.ids, run.places, strict=True):
        yield Part(run.code, _one_line(run.raw[start:stop]), [id_], [place])


def _one_line(line: bytes) -> bytes:
    """Write an object that was spread over several lines on one."""
    if b"\n" not in line and b"\r" not in line:
        return line
    return Conversation.parse(line.decode("utf-8")).to_json().encode("utf-8")
