"""The filters of a query as masks over the index."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curator.curate.search.query import BY_TEXT, Filter, Query
from curator.dataset.codes import EDITED, FLAG_BITS, SPLITS, STATUSES
from curator.dataset.json_values import loads
from curator.dataset.label import plain_name
from curator.dataset.record import KINDS, Kind
from curator.project.queries.index import Index
from curator.project.queries.lazy_columns import SEPARATOR

Mask = npt.NDArray[np.bool_]

_NUMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "ids",
        "tokens": "tokens",
        "trained": "trained_tokens",
        "messages": "n_messages",
        "turns": "n_turns",
        "errors": "errors",
        "warnings": "warnings",
    }
)


def view(
    index: Index,
    query: Query | None = None,
    sort: str = "id",
    descending: bool = False,  # noqa: FBT001, FBT002 - called by its name
    hits: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int32]:
    """Return the row numbers that a query lets through, sorted; equal ones stay in id order.

    Words and regular expressions of the query count only through hits, the ids that a text search
    found (project.search). Removed rows are left out unless the query asks for them.
    """
    mask = mask_of(index, query or Query())
    if hits is not None:
        found = np.zeros(len(index), np.bool_)
        found[index.rows_of(hits)] = True
        mask &= found
    if sort == "id":
        rows = np.flatnonzero(mask).astype(np.int32)
        return rows[::-1] if descending else rows
    order = index.order(sort, descending=descending)
    return order[mask[order]]


def mask_of(index: Index, query: Query) -> Mask:
    """Return which rows the filters of a query let through; removed ones only where it asks for them."""
    mask = np.ones(len(index), np.bool_)
    wants_removed = False
    for each in query.filters:
        if each.field in BY_TEXT:
            continue
        wants_removed |= each.field == "is" and "removed" in each.values
        found = _mask(index, each)
        mask &= ~found if each.negated else found
    return mask if wants_removed else mask & ~index.removed


def _mask(index: Index, each: Filter) -> Mask:
    if each.field in _NUMBERS:
        return _between(getattr(index, _NUMBERS[each.field]), each)
    if each.field == "line":
        return _between(index.lazy.numbers("source_line"), each)
    mask = np.zeros(len(index), np.bool_)
    for value in each.values:
        mask |= _ANSWERS[each.field](index, value)
    return mask


def _between(column: npt.NDArray[Any], each: Filter) -> Mask:
    mask = np.ones(len(column), np.bool_)
    if each.low is not None:
        mask &= column >= each.low
    if each.high is not None:
        mask &= column <= each.high
    return mask


def _status(index: Index, value: str) -> Mask:
    return np.asarray(index.status == [str(s) for s in STATUSES].index(value))


def _split(index: Index, value: str) -> Mask:
    return np.asarray(index.split == SPLITS.index("" if value == "none" else value))


def _is(index: Index, value: str) -> Mask:
    if value in STATUSES:
        return _status(index, value)
    if value == "duplicate":
        return repeated(index.lazy.numbers("content_hash"), ~index.removed)
    if value == "labelled":
        return _any_label(index)
    masks: dict[str, Callable[[], Any]] = {
        "flagged": lambda: index.flag,
        "removed": lambda: index.removed,
        "edited": lambda: (index.flags & EDITED) != 0,
        "handwritten": lambda: index.source == 0,
        Kind.REINFORCEMENT: lambda: index.lazy.numbers("kind") == KINDS.index(Kind.REINFORCEMENT),
    }
    return np.asarray(masks[value]())


def _has(index: Index, value: str) -> Mask:
    if value in FLAG_BITS:
        return np.asarray((index.flags & FLAG_BITS[value]) != 0)
    if value == "labels":
        return _any_label(index)
    masks: dict[str, Callable[[], Any]] = {
        "note": lambda: index.noted,
        "tags": lambda: index.tagged,
        "metadata": lambda: index.described,
        "errors": lambda: index.errors > 0,
        "warnings": lambda: index.warnings > 0,
        "findings": lambda: (index.errors > 0) | (index.warnings > 0),
        "split": lambda: index.split > 0,
    }
    return np.asarray(masks[value]())


def _tag(index: Index, value: str) -> Mask:
    column = index.lazy.tags()
    wanted = _folded(value)
    fits = [
        bool(text) and any(_folded(tag) == wanted for tag in loads(text))
        for text in column.categories
    ]
    return np.asarray(np.array([*fits, False])[column.codes])


def _label(index: Index, value: str) -> Mask:
    label_set, _, answer = value.partition("=")
    mask = np.zeros(len(index), np.bool_)
    for name in index.lazy.label_sets():
        if _folded(name) != _folded(label_set):
            continue
        column = index.lazy.labels(name)
        fits = [
            bool(text) and (not answer or _folded(answer) in map(_folded, text.split(SEPARATOR)))
            for text in column.categories
        ]
        mask |= np.array([*fits, False])[column.codes]
    return mask


def _folded(name: str) -> str:
    """Return a name as queries compare it: plain, case aside."""
    return plain_name(name).casefold()


def _any_label(index: Index) -> Mask:
    mask = np.zeros(len(index), np.bool_)
    for name in index.lazy.label_sets():
        mask |= np.asarray(index.lazy.labels(name) != "")
    return mask


def _rule(index: Index, value: str) -> Mask:
    return index.lazy.with_rule(value.upper())


def _source(index: Index, value: str) -> Mask:
    return np.isin(index.source, index.lazy.sources_named(value))


def _by(index: Index, value: str) -> Mask:
    return index.lazy.labelled_by(value)


_ANSWERS: Final[Mapping[str, Callable[[Index, str], Mask]]] = MappingProxyType(
    {
        "status": _status,
        "split": _split,
        "is": _is,
        "has": _has,
        "tag": _tag,
        "label": _label,
        "rule": _rule,
        "source": _source,
        "by": _by,
    }
)


def repeated(values: npt.NDArray[Any], among: Mask) -> Mask:
    """Return which rows of a mask share their value with another one of them."""
    rows = np.flatnonzero(among)
    here = values[rows]
    in_order = np.sort(here)
    shared = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
    mask = np.zeros(len(values), np.bool_)
    if len(shared):
        places = np.minimum(np.searchsorted(shared, here), len(shared) - 1)
        mask[rows] = shared[places] == here
    return mask
