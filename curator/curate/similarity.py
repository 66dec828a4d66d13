"""The exact similarity join: every pair of sets whose Jaccard similarity reaches a threshold, and no other.

Equal sets collapse first. Then only the rarest shingles of a set are indexed (prefix filter: sets that
are similar enough must share one of them), sets of too different sizes are never met (length
filter), a parity bitmap gives a lower bound of how many shingles differ (bitmap filter), and what is
left is counted. Every filter only drops what cannot reach the threshold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from curator.curate.shingles import (
    Cancel,
    Corpus,
    Ints,
    Keys,
    Progress,
    never_cancelled,
    no_progress,
)
from curator.dataset.errors import Cancelled

Floats = npt.NDArray[np.float64]

_TINY: Final = 1e-9  # keeps rounding of threshold times size from dropping a pair at the threshold
_MIXER: Final = np.uint64(0x9E3779B97F4A7C15)
_MIXER_2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_LARGEST_SKETCH: Final = 26
_BITMAP_WORDS: Final = 8
_CHUNK: Final = 1_000_000
_ONES: Final = np.array([bin(n).count("1") for n in range(1 << 16)], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Join:
    """Pairs of sets that differ (first < second row), and for each row the first row with an equal set."""

    first: Ints
    second: Ints
    similarity: Floats
    same_as: Ints


@dataclass(frozen=True, slots=True)
class _Survey:
    """What one pass over all sets learnt: sizes, order-free hashes, and how often a shingle's slot was met."""

    sizes: Ints
    hashes: npt.NDArray[np.uint64]
    sketch: npt.NDArray[np.uint32]


def join(
    corpus: Corpus,
    threshold: float,
    *,
    progress: Progress = no_progress,
    cancelled: Cancel = never_cancelled,
) -> Join:
    """Find every pair of rows at or above the threshold (0 < threshold <= 1)."""
    survey = _survey(corpus, progress, cancelled)
    same_as = _equal_sets(corpus, survey)
    rows = np.flatnonzero(same_as == np.arange(len(corpus)))
    empty = np.zeros(0, dtype=np.int64)
    if threshold >= 1:
        return Join(empty, empty, empty.astype(np.float64), same_as)
    index = _index(corpus, survey, rows, threshold, progress, cancelled)
    pairs = _candidates(index, survey.sizes, threshold, progress, cancelled)
    first, second = pairs >> 32, pairs & 0xFFFFFFFF
    shared = _shared(corpus, survey, first, second, progress, cancelled)
    similarity = shared / np.maximum(survey.sizes[first] + survey.sizes[second] - shared, 1)
    near = similarity >= threshold
    return Join(first[near], second[near], similarity[near], same_as)


def _stop_if(cancelled: Cancel) -> None:
    if cancelled():
        raise Cancelled("The search for duplicates was stopped.")


def _slots(keys: Ints, sketch: npt.NDArray[np.uint32]) -> Ints:
    shift = np.uint64(64 - (len(sketch).bit_length() - 1))
    return ((keys.astype(np.uint64) * _MIXER) >> shift).astype(np.int64)


def _survey(corpus: Corpus, progress: Progress, cancelled: Cancel) -> _Survey:
    bits = min(_LARGEST_SKETCH, max(10, (2 * corpus.shingles).bit_length()))
    sketch = np.zeros(1 << bits, dtype=np.uint32)
    sizes = np.zeros(len(corpus), dtype=np.int64)
    hashes = np.zeros(len(corpus), dtype=np.uint64)
    for batch in corpus.batches():
        _stop_if(cancelled)
        starts = _row_starts(batch.rows)
        own = batch.rows[starts]
        sizes[own] = np.diff(np.append(starts, len(batch.rows)))
        mixed = batch.keys.astype(np.uint64) * _MIXER_2
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIXER
        hashes[own] = np.add.reduceat(mixed ^ (mixed >> np.uint64(32)), starts)
        np.add.at(sketch, _slots(batch.keys, sketch), np.uint32(1))
        progress(int(own[-1]) + 1, len(corpus), "Counting shingles")
    return _Survey(sizes, hashes, sketch)


def _row_starts(rows: Ints) -> Ints:
    return np.flatnonzero(np.diff(rows, prepend=-1))


def _equal_sets(corpus: Corpus, survey: _Survey) -> Ints:
    """Name for each row the first row with the very same set; equal hashes are compared in full."""
    same_as = np.arange(len(corpus), dtype=np.int64)
    order = np.lexsort((survey.hashes, survey.sizes))
    equal = (survey.hashes[order][1:] == survey.hashes[order][:-1]) & (
        survey.sizes[order][1:] == survey.sizes[order][:-1]
    )
    suspects = np.zeros(len(order), dtype=bool)
    suspects[1:] |= equal
    suspects[:-1] |= equal
    sets: dict[bytes, int] = {}
    for batch in corpus.batches(np.sort(order[suspects])):
        starts = _row_starts(batch.rows)
        ends = np.append(starts[1:], len(batch.rows))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            row = int(batch.rows[start])
            same_as[row] = sets.setdefault(batch.keys[start:end].tobytes(), row)
    return same_as


@dataclass(frozen=True, slots=True)
class _Index:
    """The rarest shingles of each row, and the row's parity bitmap."""

    keys: Ints
    rows: Ints
    bitmaps: npt.NDArray[np.uint64]


def _index(
    corpus: Corpus,
    survey: _Survey,
    rows: Ints,
    threshold: float,
    progress: Progress,
    cancelled: Cancel,
) -> _Index:
    bitmaps = np.zeros((len(corpus), _BITMAP_WORDS), dtype=np.uint64)
    keys: list[Ints] = [np.zeros(0, dtype=np.int64)]
    owners: list[Ints] = [np.zeros(0, dtype=np.int64)]
    for batch in corpus.batches(rows):
        _stop_if(cancelled)
        _set_bitmaps(batch, bitmaps)
        counts = survey.sketch[_slots(batch.keys, survey.sketch)].astype(np.int64)
        sizes = survey.sizes[batch.rows]
        prefix = sizes - np.ceil(threshold * sizes - _TINY).astype(np.int64) + 1
        # The batch is in order of keys within a row, so a stable sort leaves ties in that order.
        order = np.argsort((batch.rows << 32) | np.minimum(counts, 0xFFFFFFFF), kind="stable")
        starts = _row_starts(batch.rows)
        lengths = np.diff(np.append(starts, len(order)))
        place = np.arange(len(order)) - np.repeat(starts, lengths)
        chosen = order[(place < prefix[order]) & (counts[order] > 1)]
        keys.append(batch.keys[chosen])
        owners.append(batch.rows[chosen])
        progress(int(batch.rows[-1]) + 1, len(corpus), "Indexing rare shingles")
    return _Index(np.concatenate(keys), np.concatenate(owners), bitmaps)


def _set_bitmaps(batch: Keys, bitmaps: npt.NDArray[np.uint64]) -> None:
    """Flip one bit per shingle; two bitmaps then differ in no more bits than the sets in shingles."""
    mixed = (batch.keys.astype(np.uint64) * _MIXER_2) >> np.uint64(64 - 9)
    cells = batch.rows * _BITMAP_WORDS + (mixed >> np.uint64(6)).astype(np.int64)
    bits = np.uint64(1) << (mixed & np.uint64(63))
    order = np.argsort(cells, kind="stable")
    starts = _row_starts(cells[order])
    bitmaps.reshape(-1)[cells[order][starts]] = np.bitwise_xor.reduceat(bits[order], starts)


def _candidates(
    index: _Index, sizes: Ints, threshold: float, progress: Progress, cancelled: Cancel
) -> Ints:
    """Return the pairs that no filter could drop, each once, as first row << 32 | second row."""
    order = np.lexsort((sizes[index.rows], index.keys))
    rows = index.rows[order]
    groups = np.cumsum(np.diff(index.keys[order], prepend=-1) != 0)
    # Sizes below 2**31 and groups below 2**32 fit one number, so one search finds each window's end.
    places = groups << 31 | sizes[rows]
    limit = np.floor(sizes[rows] / threshold + _TINY).astype(np.int64)
    ends = np.searchsorted(places, groups << 31 | np.minimum(limit, (1 << 31) - 1), side="right")
    counts = ends - np.arange(len(rows)) - 1
    found = np.zeros(0, dtype=np.int64)
    waiting: list[Ints] = []
    for left, right in _windows(counts, cancelled):
        a, b = rows[left], rows[right]
        fits = _bitmaps_fit(index.bitmaps, sizes, a, b, threshold)
        a, b = a[fits], b[fits]
        waiting.append(np.unique(np.minimum(a, b) << 32 | np.maximum(a, b)))
        if sum(map(len, waiting)) > _CHUNK:
            found = np.unique(np.concatenate([found, *waiting]))
            waiting.clear()
        progress(int(left[-1]) + 1, len(rows), "Meeting candidates")
    return np.unique(np.concatenate([found, *waiting]))


def _windows(counts: Ints, cancelled: Cancel) -> Iterator[tuple[Ints, Ints]]:
    """Yield each place with each of the next counts[place] places, a bounded number of pairs at a time."""
    places = np.flatnonzero(counts)
    ends = np.cumsum(counts[places])
    first = 0
    while first < len(places):
        _stop_if(cancelled)
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _CHUNK)))
        some = places[first:last]
        number = counts[some]
        left = np.repeat(some, number)
        within = np.arange(len(left)) - np.repeat(np.cumsum(number) - number, number)
        yield left, left + within + 1
        first = last


def _bitmaps_fit(
    bitmaps: npt.NDArray[np.uint64], sizes: Ints, a: Ints, b: Ints, threshold: float
) -> npt.NDArray[np.bool_]:
    differ = (bitmaps[a] ^ bitmaps[b]).view(np.uint16)
    bits = _ONES[differ].sum(axis=1, dtype=np.int64)
    allowed = (1 - threshold) / (1 + threshold) * (sizes[a] + sizes[b]) + _TINY
    fits: npt.NDArray[np.bool_] = bits <= allowed
    return fits


def _shared(
    corpus: Corpus,
    survey: _Survey,
    first: Ints,
    second: Ints,
    progress: Progress,
    cancelled: Cancel,
) -> Ints:
    """Count the shingles each pair of rows has in common."""
    rows = np.unique(np.concatenate([first, second]))
    places, starts = _shared_places(corpus, survey, rows, cancelled)
    a, b = np.searchsorted(rows, first), np.searchsorted(rows, second)
    lengths = np.diff(starts)
    swap = lengths[a] > lengths[b]
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    shared = np.zeros(len(first), dtype=np.int64)
    ends = np.cumsum(lengths[a])
    begin = 0
    while begin < len(a):
        _stop_if(cancelled)
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _CHUNK)))
        number = lengths[a[begin:end]]
        owner = np.repeat(np.arange(end - begin), number)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
        wanted = places[np.repeat(starts[a[begin:end]], number) + within] & 0xFFFFFFFF
        wanted |= b[begin:end][owner] << 32
        at = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
        hits = owner[places[at] == wanted] if len(places) else owner[:0]
        shared[begin:end] = np.bincount(hits, minlength=end - begin)
        progress(end, len(a), "Comparing candidates")
        begin = end
    return shared


def _shared_places(
    corpus: Corpus, survey: _Survey, rows: Ints, cancelled: Cancel
) -> tuple[Ints, Ints]:
    """Return place << 32 | shingle for every shingle of rows that may be shared, and where each row's begin."""
    keys: list[Ints] = [np.zeros(0, dtype=np.int64)]
    owners: list[Ints] = [np.zeros(0, dtype=np.int64)]
    for batch in corpus.batches(rows):
        _stop_if(cancelled)
        common = survey.sketch[_slots(batch.keys, survey.sketch)] > 1
        keys.append(batch.keys[common])
        owners.append(np.searchsorted(rows, batch.rows[common]))
    place = np.concatenate(owners)
    _, numbers = np.unique(np.concatenate(keys), return_inverse=True)
    starts = np.concatenate(([0], np.cumsum(np.bincount(place, minlength=len(rows)))))
    return place << 32 | numbers, starts.astype(np.int64)
