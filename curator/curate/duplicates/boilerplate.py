"""Text that more than half of the conversations share word for word: it makes unlike ones look alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from curator.curate.analysis.identity import normalise
from curator.curate.duplicates.compared_text import Compared
from curator.curate.duplicates.jaccard_join import Survey, survey
from curator.curate.duplicates.shingles import Corpus, Ints, Measure
from curator.curate.duplicates.words import normal_form, spans
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, never_cancelled

LEAST_ROWS: Final = 5
"""Among fewer conversations nothing is called shared: of two copies everything is."""

_SAMPLE: Final = 200
_LEAST_SHINGLES: Final = {"word": 3, "character": 16}  # five words or twenty characters in a row
_MOST_SHOWN: Final = 400


@dataclass(frozen=True, slots=True)
class SharedRun:
    """Shingles that follow each other in one row, and that more than half of the rows have."""

    row: int
    first: int
    keys: Ints
    rows: int
    """How many rows have all of them, or more."""


def shared_runs(
    corpus: Corpus, seen: Survey | None = None, cancelled: CancelledCall = never_cancelled
) -> list[SharedRun]:
    """Return the runs that more than half of the compared rows share, the longest first."""
    rows = np.flatnonzero(corpus.is_compared)
    if len(rows) < LEAST_ROWS:
        return []
    seen = seen or survey(corpus, cancelled=cancelled)
    # A text of the half is missed by all of these rows once in 2 ** 200 times.
    sample = rows[np.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows))).astype(np.int64)]
    orders = {row: corpus.in_order(row) for row in np.unique(sample).tolist()}
    every = np.unique(np.concatenate(list(orders.values())))
    likely = every[seen.counts(every).astype(np.int64) * 2 > len(rows)]
    if not len(likely):
        return []
    counts = _rows_with(corpus, likely, cancelled)
    common = likely[counts * 2 > len(rows)]
    counts = counts[counts * 2 > len(rows)]
    found = [
        SharedRun(row, first, order[first:end], int(_of(order[first:end], common, counts).min()))
        for row, order in orders.items()
        for first, end in _runs(np.isin(order, common), _LEAST_SHINGLES[corpus.measure.unit])
    ]
    return _without_parts(found)


def shared_text(run: SharedRun, item: Compared, measure: Measure) -> str:
    """Return the words of a run as the row's text has them, cut where they are many."""
    last = run.first + len(run.keys) + measure.width - 1
    if measure.unit == "character":
        return normal_form("\n".join(item.texts))[run.first : last][:_MOST_SHOWN]
    pieces: list[str] = []
    at = 0
    for text in item.texts:
        form = normal_form(text)
        places = spans(form) or [(0, len(form))]
        begin, end = max(run.first - at, 0), min(last - at, len(places))
        if begin < end:
            shown = normalise(text)
            # Folding the case of a few letters makes a text longer; then its places are not those.
            shown = shown if len(shown) == len(form) else form
            pieces.append(shown[places[begin][0] : places[end - 1][1]])
        at += len(places)
    return " ".join(pieces)[:_MOST_SHOWN]


def _rows_with(corpus: Corpus, keys: Ints, cancelled: CancelledCall) -> Ints:
    counts = np.zeros(len(keys), np.int64)
    for batch in corpus.batches():
        if cancelled():
            raise Cancelled("The search for duplicates was stopped.")
        at = np.minimum(np.searchsorted(keys, batch.keys), len(keys) - 1)
        counts += np.bincount(at[keys[at] == batch.keys], minlength=len(keys))
    return counts


def _of(keys: Ints, known: Ints, values: Ints) -> Ints:
    found: Ints = values[np.searchsorted(known, keys)]
    return found


def _runs(
    common: "np.ndarray[tuple[int], np.dtype[np.bool_]]", least: int
) -> Iterator[tuple[int, int]]:
    """Yield begin and end of every run of shared shingles that is long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], common, [False])).astype(np.int8)))
    for first, end in edges.reshape(-1, 2).tolist():
        if end - first >= least:
            yield first, end


def _without_parts(found: list[SharedRun]) -> list[SharedRun]:
    """Leave out the runs that stand within a longer one."""
    kept: list[SharedRun] = []
    said: set[int] = set()
    for run in sorted(found, key=lambda each: (-len(each.keys), each.row)):
        keys = set(run.keys.tolist())
        if not keys <= said:
            said |= keys
            kept.append(run)
    return kept
