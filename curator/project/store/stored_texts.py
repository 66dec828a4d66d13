"""The text of each conversation as it is stored, compared with the hash that was stored beside it.

A text whose bytes are not those that were written never leaves this module: it is named as damaged.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import apsw
import numpy as np

from curator.curate.analysis.identity import hash_bytes
from curator.dataset.counted import counted
from curator.dataset.errors import ProjectError
from curator.project.store.connection import scalar

_SEEK_UP_TO: Final = 8
"""Fewer rows than this of one segment are read by seeking, more by reading the segment whole."""

_NAMED: Final = 10

_Place = tuple[int, int, int, int]


class DamagedText(ProjectError):
    """Stored texts are no longer what was written; conversations says whose."""

    def __init__(self, conversations: Iterable[int]) -> None:
        self.conversations = tuple(sorted(conversations))
        super().__init__(damage_told(self.conversations))


def damage_told(conversations: Sequence[int]) -> str:
    """Return the sentence that names damaged texts and says the way out."""
    shown = ", ".join(map(str, conversations[:_NAMED]))
    shown += ", ..." if len(conversations) > _NAMED else ""
    if len(conversations) == 1:
        return (
            f"The text of conversation {shown} is damaged in the project file: it is not what was "
            "stored. Take it from a backup, or remove it and import it again."
        )
    return (
        f"The texts of {counted(len(conversations), 'conversation')} are damaged in the project file: they are "
        f"not what was stored (conversations {shown}). Take them from a backup, or remove them and "
        "import them again."
    )


def text_hash(raw: bytes | memoryview) -> int:
    """Return the hash that is stored beside a text: of its very bytes, whatever they mean."""
    return hash_bytes(raw)


def stored_content(connection: apsw.Connection, id_: int) -> str | None:
    """Return one conversation's JSON line, None where there is no such one; raises DamagedText."""
    damaged: set[int] = set()
    found = contents_of(connection, (id_,), damaged)
    if damaged:
        raise DamagedText(damaged)
    return found.get(id_)


def stored_hash(connection: apsw.Connection, id_: int) -> int | None:
    """Return the hash of a conversation's text as it was stored."""
    found = scalar(connection, "SELECT text_hash FROM conversation WHERE id = ?", (id_,))
    return None if found is None else int(found)


def contents_of(
    connection: apsw.Connection, ids: Sequence[int], damaged: set[int]
) -> dict[int, str]:
    """Return the JSON lines of those ids that are there and sound; the others join damaged."""
    if not len(ids):
        return {}
    # As bytes: of a damaged text SQLite cannot make a string.
    rows = connection.execute(
        "SELECT v.id, CAST(v.content AS BLOB), v.segment, v.start, v.length, v.text_hash "
        "FROM carray(?) c JOIN conversation v ON v.id = c.value",
        (apsw.carray(np.asarray(ids, np.int64)),),
    )
    found: dict[int, str] = {}
    places: dict[int, list[_Place]] = defaultdict(list)
    for id_, content, segment, start, length, stored in rows:
        if content is not None:
            _take(found, damaged, id_, content, stored)
        elif None in (segment, start, length):
            damaged.add(id_)
        else:
            places[segment].append((id_, start, length, stored))
    for segment, wanted in places.items():
        for id_, raw, stored in _from_segment(connection, segment, wanted):
            _take(found, damaged, id_, raw, stored)
    return found


def _take(found: dict[int, str], damaged: set[int], id_: int, raw: bytes, stored: int) -> None:
    if text_hash(raw) != stored:
        damaged.add(id_)
        return
    found[id_] = raw.decode("utf-8")


def _from_segment(
    connection: apsw.Connection, segment: int, wanted: list[_Place]
) -> Iterator[tuple[int, bytes, int]]:
    if len(wanted) > _SEEK_UP_TO:
        whole = scalar(connection, "SELECT bytes FROM segment WHERE id = ?", (segment,)) or b""
        for id_, start, length, stored in wanted:
            yield id_, whole[start : start + length] if start >= 0 else b"", stored
        return
    try:
        blob = connection.blob_open("main", "segment", "bytes", segment, writeable=False)
    except apsw.SQLError:  # no such segment: its number is what is damaged
        yield from ((id_, b"", stored) for id_, _, _, stored in wanted)
        return
    with blob:
        size = blob.length()
        for id_, start, length, stored in wanted:
            if not 0 <= start <= start + length <= size:
                yield id_, b"", stored
                continue
            blob.seek(start)
            yield id_, blob.read(length), stored
