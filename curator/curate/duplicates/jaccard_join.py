"""The exact similarity join: every pair of sets whose Jaccard similarity reaches a threshold, and no other.

Equal sets collapse first. Then only the rarest shingles of a set are indexed (prefix filter: sets that
are similar enough must share one of them), sets of too different sizes are never met (length
filter), a parity bitmap gives a lower bound of how many shingles differ (bitmap filter), and what is
left is counted. Every filter only drops what cannot reach the threshold. Rows with other things
(images, calls) never meet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from curator.curate.duplicates.shingles import Corpus, Ints, Keys, padded
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]

_TINY: Final = 1e-9  # keeps rounding of threshold times size from dropping a pair at the threshold
_MIXER: Final = np.uint64(0x9E3779B97F4A7C15)
_MIXER_2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_LARGEST_SKETCH: Final = 26
_BITMAP_WORDS: Final = 8
_BITMAP_BITS: Final = 64 * _BITMAP_WORDS
_CHUNK: Final = 1_000_000
_LOW: Final = 0xFFFFFFFF
_NO_KEY: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Join:
    """Pairs of sets that differ (first < second row), and for each row the first row with an equal set."""

    first: Ints
    second: Ints
    similarity: Floats
    same_as: Ints


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over all sets learnt: sizes, order-free hashes, and how often a shingle's slot was met."""

    sizes: Ints
    hashes: Bits
    sketch: npt.NDArray[np.uint32]

    def counts(self, keys: Ints) -> npt.NDArray[np.uint32]:
        """Return at least how many rows have each shingle: more where two share a slot, never fewer."""
        counts: npt.NDArray[np.uint32] = self.sketch[_slots(keys, self.sketch)]
        return counts


def join(
    corpus: Corpus,
    threshold: float,
    *,
    known: Survey | None = None,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> Join:
    """Find every pair of rows at or above the threshold (0 < threshold <= 1); known is a survey made before."""
    seen = known or survey(corpus, progress, cancelled)
    same_as = _equal_sets(corpus, seen)
    rows = np.flatnonzero((same_as == np.arange(len(corpus))) & corpus.is_compared)
    empty = np.zeros(0, dtype=np.int64)
    if threshold >= 1 or len(rows) < 2:
        return Join(empty, empty, empty.astype(np.float64), same_as)
    index = _index(corpus, seen, rows, threshold, progress, cancelled)
    pairs = _candidates(index, threshold, progress, cancelled)
    first, second = pairs >> 32, pairs & _LOW
    shared = _shared(corpus, first, second, progress, cancelled)
    similarity = shared / np.maximum(seen.sizes[first] + seen.sizes[second] - shared, 1)
    near = (similarity >= threshold) & (corpus.things[first] == corpus.things[second])
    return Join(first[near], second[near], similarity[near], same_as)


def survey(
    corpus: Corpus, progress: ProgressCall = no_progress, cancelled: CancelledCall = never_cancelled
) -> Survey:
    """Look at all sets once."""
    bits = min(_LARGEST_SKETCH, max(10, (2 * corpus.shingles).bit_length()))
    sketch = np.zeros(1 << bits, dtype=np.uint32)
    sizes = np.zeros(len(corpus), dtype=np.int64)
    hashes = np.zeros(len(corpus), dtype=np.uint64)
    done = 0

    def work(batch: Keys) -> tuple[Keys, Bits, Ints]:
        return batch, np.add.reduceat(_mixed(batch.keys), batch.starts), _slots(batch.keys, sketch)

    for batch, sums, slots in corpus.worked(work):
        _stop_if(cancelled)
        sizes[batch.rows] = batch.sizes
        hashes[batch.rows] = sums
        # With an array of ones numpy takes a path many times as fast as with the number 1.
        np.add.at(sketch, slots, np.ones(len(slots), np.uint32))
        done += len(batch.rows)
        progress(done, len(corpus), "Counting shingles")
    return Survey(sizes, hashes + _mixed(corpus.things), sketch)


def _stop_if(cancelled: CancelledCall) -> None:
    if cancelled():
        raise Cancelled("The search for duplicates was stopped.")


def _slots(keys: Ints, sketch: npt.NDArray[np.uint32]) -> Ints:
    shift = np.uint64(64 - (len(sketch).bit_length() - 1))
    return ((keys.view(np.uint64) * _MIXER) >> shift).view(np.int64)


def _mixed(keys: Ints) -> Bits:
    """Return well-mixed numbers, another for every key."""
    mixed: Bits = keys.view(np.uint64) * _MIXER_2
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIXER
    mixed ^= mixed >> np.uint64(32)
    return mixed


def _equal_sets(corpus: Corpus, seen: Survey) -> Ints:
    """Name for each row the first row with the very same set; equal hashes are compared in full."""
    same_as = np.arange(len(corpus), dtype=np.int64)
    order = np.lexsort((seen.hashes, seen.sizes))
    equal = (seen.hashes[order][1:] == seen.hashes[order][:-1]) & (
        seen.sizes[order][1:] == seen.sizes[order][:-1]
    )
    suspects = np.zeros(len(order), dtype=bool)
    suspects[1:] |= equal
    suspects[:-1] |= equal
    sets: dict[tuple[int, bytes], list[int]] = {}
    rows = np.sort(order[suspects])
    for batch in corpus.batches(rows[corpus.is_compared[rows]]):
        things = corpus.things[batch.rows].tolist()
        starts = batch.starts.tolist()
        for row, thing, start, size in zip(
            batch.rows.tolist(), things, starts, batch.sizes.tolist(), strict=True
        ):
            whole = batch.keys[start : start + size].tobytes()
            sets.setdefault((thing, whole), []).append(row)
    for members in sets.values():
        same_as[members] = min(members)
    return same_as


@dataclass(frozen=True, slots=True)
class _Index:
    """The rarest shingles of each row that stand in another row too."""

    entries: Bits
    """A shingle's hash << 32 | the row's place in the order of sizes, ascending."""
    rows: Ints
    """The rows in the order of their sizes."""
    sizes: Ints
    bitmaps: Bits


def _index(
    corpus: Corpus,
    seen: Survey,
    rows: Ints,
    threshold: float,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> _Index:
    by_size = rows[np.argsort(seen.sizes[rows], kind="stable")]
    place = np.zeros(len(corpus), dtype=np.int64)
    place[by_size] = np.arange(len(by_size))
    bitmaps = np.zeros((len(by_size), _BITMAP_WORDS), dtype=np.uint64)
    things = _mixed(corpus.things)
    # One array for the most there can be: joining pieces at the end would hold them twice, and what is
    # never written to takes no memory.
    most = int(_prefix_lengths(seen.sizes[rows], threshold).sum())
    entries = np.empty(most, dtype=np.uint64)
    filled = done = 0

    def work(batch: Keys) -> tuple[Ints, Bits, list[Bits]]:
        places = place[batch.rows]
        rarest = _rarest(batch, seen, places.view(np.uint64), things[batch.rows], threshold)
        return places, _bitmaps(batch), list(rarest)

    for places, some, rarest in corpus.worked(work, by_size):
        _stop_if(cancelled)
        bitmaps[places] = some
        for each in rarest:
            entries[filled : filled + len(each)] = each
            filled += len(each)
        done += len(places)
        progress(done, len(rows), "Indexing rare shingles")
    entries = entries[:filled]
    entries.sort()
    shared = np.zeros(filled, dtype=bool)
    shared[1:] = (entries[1:] ^ entries[:-1]) <= np.uint64(_LOW)
    shared[:-1] |= shared[1:]
    return _Index(entries[shared], by_size, seen.sizes[by_size], bitmaps)


def _prefix_lengths(sizes: Ints, threshold: float) -> Ints:
    """Return how many of a row's rarest shingles are indexed: two sets at the threshold share one of them."""
    lengths: Ints = sizes - np.ceil(threshold * sizes - _TINY).astype(np.int64) + 1
    return lengths


def _rarest(
    batch: Keys, seen: Survey, places: Bits, things: Bits, threshold: float
) -> Iterator[Bits]:
    """Yield the entries of the rarest shingles of each row, those that stand in one row only left out.

    How rare a shingle is and its hash make one order for all rows, which the prefix filter wants; hashes
    that are equal by chance only bring in pairs that are counted and dropped later.
    """
    order = np.minimum(seen.counts(batch.keys), 0x7FFE).astype(np.int64) << 48
    order |= (_mixed(batch.keys) >> np.uint64(16)).view(np.int64)
    wanted = _prefix_lengths(batch.sizes, threshold)
    for some, block in padded(batch.sizes, order, _NO_KEY):
        block.sort(axis=1)
        width = int(wanted[some].max())
        prefix = block[:, :width]
        chosen = (np.arange(width) < wanted[some][:, None]) & (prefix >> 48 > 1)
        hashes = prefix.view(np.uint64) * _MIXER + things[some][:, None]
        hashes ^= hashes >> np.uint64(32)
        yield ((hashes << np.uint64(32)) | places[some][:, None])[chosen]


def _bitmaps(batch: Keys) -> Bits:
    """Flip one bit per shingle; two bitmaps then differ in no more bits than the sets in shingles."""
    bits = ((batch.keys.view(np.uint64) * _MIXER_2) >> np.uint64(64 - 9)).view(np.int64)
    bits += np.repeat(np.arange(len(batch.rows)) * _BITMAP_BITS, batch.sizes)
    flips = np.bincount(bits, minlength=len(batch.rows) * _BITMAP_BITS).astype(np.uint8) & 1
    bitmaps: Bits = np.packbits(flips).view(np.uint64).reshape(len(batch.rows), _BITMAP_WORDS)
    return bitmaps


def _candidates(
    index: _Index, threshold: float, progress: ProgressCall, cancelled: CancelledCall
) -> Ints:
    """Return the pairs that no filter could drop, each once, as first row << 32 | second row."""
    entries = index.entries
    places = (entries & np.uint64(_LOW)).view(np.int64)
    # The last place whose size still fits, so that one search finds where each window ends.
    limits = np.floor(index.sizes / threshold + _TINY).astype(np.int64)
    furthest = np.searchsorted(index.sizes, limits, side="right") - 1
    last = (entries & ~np.uint64(_LOW)) | furthest[places].view(np.uint64)
    counts = np.searchsorted(entries, last, side="right") - np.arange(len(entries)) - 1
    found = np.zeros(0, dtype=np.int64)
    waiting: list[Ints] = []
    for left, right in _windows(counts, cancelled):
        pairs = np.unique(places[left] << 32 | places[right])
        waiting.append(pairs[_bitmaps_fit(index, pairs >> 32, pairs & _LOW, threshold)])
        if sum(map(len, waiting)) > _CHUNK:
            found = np.unique(np.concatenate([found, *waiting]))
            waiting.clear()
        progress(int(left[-1]) + 1, len(entries), "Meeting candidates")
    found = np.unique(np.concatenate([found, *waiting]))
    a, b = index.rows[found >> 32], index.rows[found & _LOW]
    return np.sort(np.minimum(a, b) << 32 | np.maximum(a, b))


def _windows(counts: Ints, cancelled: CancelledCall) -> Iterator[tuple[Ints, Ints]]:
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


def _bitmaps_fit(index: _Index, a: Ints, b: Ints, threshold: float) -> npt.NDArray[np.bool_]:
    bits = np.bitwise_count(index.bitmaps[a] ^ index.bitmaps[b]).sum(axis=1, dtype=np.int64)
    allowed = (1 - threshold) / (1 + threshold) * (index.sizes[a] + index.sizes[b]) + _TINY
    fits: npt.NDArray[np.bool_] = (bits <= allowed) & (a != b)
    return fits


def _shared(
    corpus: Corpus, first: Ints, second: Ints, progress: ProgressCall, cancelled: CancelledCall
) -> Ints:
    """Count the shingles each pair of rows has in common."""
    shared = np.zeros(len(first), dtype=np.int64)
    step = max(1, _CHUNK // max(1, corpus.shingles // max(1, len(corpus))))
    for begin in range(0, len(first), step):
        _stop_if(cancelled)
        some = slice(begin, begin + step)
        shared[some] = _common(corpus, first[some], second[some])
        progress(min(begin + step, len(first)), len(first), "Comparing candidates")
    return shared


def _common(corpus: Corpus, first: Ints, second: Ints) -> Ints:
    """Return how many shingles the rows of each pair share: those that stand twice in both together."""
    rows, at = np.unique(np.concatenate([first, second]), return_inverse=True)
    sets = list(corpus.batches(rows))
    keys = np.concatenate([each.keys for each in sets])
    there = np.concatenate([each.rows for each in sets])
    sizes = np.concatenate([each.sizes for each in sets])
    starts = np.cumsum(sizes) - sizes
    place = np.argsort(there)[at]
    a, b = place[: len(first)], place[len(first) :]
    order = np.argsort(sizes[a] + sizes[b], kind="stable")
    both = np.stack([a[order], b[order]], axis=1).ravel()
    number = sizes[both]
    ends = np.cumsum(number)
    wanted = np.arange(int(ends[-1])) - np.repeat(ends - number - starts[both], number)
    shared = np.zeros(len(first), dtype=np.int64)
    for some, block in padded(number[::2] + number[1::2], keys[wanted], _NO_KEY):
        block.sort(axis=1)
        twice = (block[:, 1:] == block[:, :-1]) & (block[:, 1:] != _NO_KEY)
        shared[order[some]] = np.count_nonzero(twice, axis=1)
    return shared
