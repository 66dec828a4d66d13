"""The index: one row per conversation and only small columns, so filters and sorts take milliseconds.

A view is a permutation of row numbers; texts stay on disk and come by id.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import numpy as np
import numpy.typing as npt

from curator.dataset import AnnotationPatch
from curator.dataset.codes import STATUSES
from curator.project.queries.lazy_columns import LazyColumns
from curator.project.store import index_rows
from curator.project.store.changes import Changes
from curator.project.store.reader import Reader
from curator.project.store.values import FIELDS, LABEL_PREFIX

SORTS: Final = (
    *("id", "title", "tokens", "trained_tokens", "n_messages", "n_turns", "errors", "warnings"),
    *("status", "split", "flag", "source", "updated"),
)
"""What a view can be sorted by, besides "tags" and "label:NAME"."""

_BY_FIELD: Final = {
    "status": ("status", FIELDS["status"].stored),
    "split": ("split", FIELDS["split"].stored),
    "flag": ("flag", bool),
    "removed": ("removed", lambda value: value is not None),
    "note": ("noted", bool),
    "tags": ("tagged", bool),
    "metadata": ("described", bool),
}
"""Which column an annotation field of a patch is for, and what stands there for its value."""

_MANY: Final = 20_000
"""Where more rows than this come or go, reading everything anew is faster."""

_STORED: Final = tuple(name for name, _, _ in index_rows.CONVERSATION)
_ANNOTATED: Final = tuple(name for name, _, _ in index_rows.ANNOTATION)


class Index:
    """The columns of all conversations in the order of their ids; status and split are codes.

    Use it in one thread at a time, or for reading in many.
    """

    ids: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int32]
    trained_tokens: npt.NDArray[np.int32]
    n_messages: npt.NDArray[np.int32]
    n_turns: npt.NDArray[np.int32]
    errors: npt.NDArray[np.int32]
    warnings: npt.NDArray[np.int32]
    flags: npt.NDArray[np.int64]
    tokens_exact: npt.NDArray[np.bool_]
    source: npt.NDArray[np.int32]
    updated: npt.NDArray[np.int64]
    status: npt.NDArray[np.int8]
    split: npt.NDArray[np.int8]
    flag: npt.NDArray[np.bool_]
    removed: npt.NDArray[np.bool_]
    noted: npt.NDArray[np.bool_]
    tagged: npt.NDArray[np.bool_]
    described: npt.NDArray[np.bool_]
    annotated: npt.NDArray[np.int64]

    def __init__(self, path: Path | str) -> None:
        self._reader = Reader(path)
        self._buffers: dict[str, npt.NDArray[Any]] = {}
        self._orders: dict[str, npt.NDArray[np.int32]] = {}
        self.lazy = LazyColumns(self._reader, self)
        self.reload(self._reader)

    def __len__(self) -> int:
        return len(self.ids)

    def close(self) -> None:
        """Let go of the file; the columns stay."""
        self._reader.close()

    def reload(self, reader: Reader) -> None:
        """Read all columns anew."""
        with reader.snapshot(), reader.reading() as connection:
            size = reader.count()
            self._grow(size)
            self._expose(size)
            start = 0
            for block in index_rows.all_rows(connection, size):
                for at, (name, _, _) in enumerate(index_rows.CONVERSATION):
                    self._buffers[name][start : start + len(block)] = block[:, at]
                start += len(block)
            for name in _ANNOTATED:
                getattr(self, name)[:] = 0
            self._take(index_rows.annotation_rows(connection), _ANNOTATED)
        self._orders.clear()
        self.lazy.clear()

    def refresh(self, reader: Reader, changes: Changes) -> None:
        """Take over what an edit changed; row numbers shift only where rows_changed."""
        ids = np.unique(np.asarray(changes.conversations, np.int64))
        if not len(ids):
            return
        with reader.reading() as connection:
            fits = len(self.rows_of(ids)) == len(ids)
            if changes.rows_changed:
                fits = len(ids) <= _MANY and self._fit_rows(connection, ids)
            if not fits:
                # Very many rows came, or some between others, or news of an earlier change never arrived.
                self.reload(reader)
                return
            if "content" in changes.fields:
                self._take(index_rows.rows_of(connection, ids), _STORED[1:])
        for patch in changes.edit.patches:
            if isinstance(patch, AnnotationPatch):
                self._annotate(patch, changes.at)
        self._forget_orders(changes)
        self.lazy.refresh(ids, changes.fields)

    def _annotate(self, patch: AnnotationPatch, at: int) -> None:
        """Take values over from a patch itself, so that a bulk edit needs no reading."""
        rows = self.rows_of(patch.conversations)
        if patch.field in _BY_FIELD and len(rows):
            name, codec = _BY_FIELD[patch.field]
            values = [codec(value) for value in patch.after]
            if len(rows) < len(values) > 1:
                # Undo took some of the conversations away in the same step.
                there = np.isin(patch.conversations, self.ids).tolist()
                values = [value for value, here in zip(values, there, strict=True) if here]
            getattr(self, name)[rows] = values[0] if len(values) == 1 else values
        if not patch.field.startswith(LABEL_PREFIX):
            self.annotated[rows] = at

    def _forget_orders(self, changes: Changes) -> None:
        if changes.rows_changed or "content" in changes.fields:
            self._orders.clear()
        for field in (*changes.fields, "updated"):
            self._orders.pop(field, None)
            self._orders.pop(f"-{field}", None)

    def rows_of(self, ids: "Sequence[int] | npt.NDArray[np.int64]") -> npt.NDArray[np.int32]:
        """Return the row numbers of ids that are here, in the order given."""
        wanted = np.asarray(ids, np.int64)
        places = np.searchsorted(self.ids, wanted)
        there = places < len(self.ids)
        there[there] = self.ids[places[there]] == wanted[there]
        return places[there].astype(np.int32)

    def row_of(self, id: int) -> int | None:  # noqa: A002 - a conversation's id
        """Return the row number of one id, None where it is not here."""
        rows = self.rows_of([id])
        return int(rows[0]) if len(rows) else None

    def counts(self) -> dict[str, int]:
        """Return what the rail shows: how many of each status and kind, removed ones apart."""
        here = ~self.removed
        by_status = np.bincount(self.status[here], minlength=len(STATUSES))
        return {
            "all": int(here.sum()),
            **{str(status): int(n) for status, n in zip(STATUSES, by_status, strict=True)},
            "flagged": int((self.flag & here).sum()),
            "errors": int(((self.errors > 0) & here).sum()),
            "warnings": int(((self.warnings > 0) & here).sum()),
            "removed": len(self) - int(here.sum()),
        }

    def ensure_title_rank(self, reader: Reader) -> None:
        """Work out the order of titles where that is not done yet; takes seconds at a million rows."""
        self.lazy.title_rank(reader)

    def order(self, sort: str, *, descending: bool) -> npt.NDArray[np.int32]:
        """Return all row numbers in the order of a column; equal ones stay in id order."""
        key = f"-{sort}" if descending else sort
        if key not in self._orders:
            self._orders[key] = _argsort(self.sort_key(sort), descending=descending)
        return self._orders[key]

    def sort_key(self, sort: str) -> npt.NDArray[Any]:
        """Return the numbers whose order is the order of a column."""
        if sort == "id":
            return np.arange(len(self), dtype=np.int32)
        if sort == "updated":
            return np.maximum(self.updated, self.annotated)
        if sort in SORTS and sort != "title":
            return np.asarray(getattr(self, sort))
        return self.lazy.sort_key(sort)

    def _fit_rows(self, connection: apsw.Connection, ids: npt.NDArray[np.int64]) -> bool:
        """Make room for new rows and drop those that are gone; False where a reload is due."""
        there = index_rows.ids_there(connection, ids)
        gone = self.rows_of(np.setdiff1d(ids, there, assume_unique=True))
        if len(gone):
            keep = np.ones(len(self), np.bool_)
            keep[gone] = False
            for name, buffer in self._buffers.items():
                self._buffers[name] = buffer[: len(keep)][keep]
            self._expose(int(keep.sum()))
        new = np.setdiff1d(there, self.ids, assume_unique=True)
        if len(new) and len(self) and new[0] < self.ids[-1]:
            return False
        size = len(self) + len(new)
        self._grow(size)
        for buffer in self._buffers.values():
            buffer[len(self) : size] = 0
        self._buffers["ids"][len(self) : size] = new
        self._expose(size)
        self.lazy.clear()
        return True

    def _grow(self, size: int) -> None:
        for name, _, kind in (*index_rows.CONVERSATION, *index_rows.ANNOTATION):
            old = self._buffers.get(name)
            if old is None or len(old) < size:
                buffer = np.zeros(size + size // 8, kind)
                if old is not None:
                    buffer[: len(old)] = old
                self._buffers[name] = buffer

    def _expose(self, size: int) -> None:
        for name, buffer in self._buffers.items():
            setattr(self, name, buffer[:size])

    def _take(self, blocks: Iterator[index_rows.Ints], names: Sequence[str]) -> None:
        """Put blocks, whose first column is the id, into the columns of these names."""
        for block in blocks:
            places = self.rows_of(block[:, 0])
            for at, name in enumerate(names, start=1):
                getattr(self, name)[places] = block[:, at]


def _argsort(key: npt.NDArray[Any], *, descending: bool) -> npt.NDArray[np.int32]:
    """Sort stably; narrow keys carry their row number in the low bits, which sorts much faster."""
    if key.dtype.itemsize <= 4:
        wide = key.astype(np.int64)
        packed = ((-wide if descending else wide) << 32) | np.arange(len(key), dtype=np.int64)
        packed.sort()
        return (packed & 0xFFFFFFFF).astype(np.int32)
    # The unstable sort of wide numbers is several times faster, and the ranks it gives are narrow.
    turned = ~key if descending else key
    order = np.argsort(turned)
    steps = np.diff(turned[order]) != 0
    rank = np.zeros(len(key), np.int64)
    rank[1:] = np.cumsum(steps)
    packed = (rank << 32) | order
    packed.sort()
    return (packed & 0xFFFFFFFF).astype(np.int32)
