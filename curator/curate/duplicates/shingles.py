"""From texts to sets of shingles, exactly: every shingle is a number, and equal numbers are equal shingles.

A shingle is a run of words (see `words`) or of characters in their normal form. A text with fewer
tokens than a shingle is wide has one shingle: all it has.
"""

from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from curator.curate.duplicates.compared_text import Compared
from curator.curate.duplicates.words import encoded_words, normal_form
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress

Ints = npt.NDArray[np.int64]

T = TypeVar("T")

_LARGEST_KEY: Final = 2**63 - 1
_NO_KEY: Final = np.iinfo(np.int64).max
_BATCH_SHINGLES: Final = 1_000_000
_BATCH_CHARACTERS: Final = 1_000_000
_BATCH_TEXTS: Final = 4_000
_AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """What two texts are compared by: the Jaccard similarity of their sets of shingles."""

    name: str
    unit: str
    width: int


WORDS_3: Final = Measure("w3", "word", 3)
CHARACTERS_5: Final = Measure("c5", "character", 5)
MEASURES: Final = (WORDS_3, CHARACTERS_5)


@dataclass(frozen=True, slots=True)
class Keys:
    """The sets of some rows one after the other: the keys of each ascend, and none stands twice in one."""

    rows: Ints
    sizes: Ints
    keys: Ints

    @property
    def starts(self) -> Ints:
        """Where the keys of each row begin."""
        starts: Ints = np.cumsum(self.sizes) - self.sizes
        return starts


class Tokens(NamedTuple):
    """A batch of texts read: its distinct tokens, its tokens as numbers into them, and how many each has."""

    distinct: Sequence[bytes]
    numbers: npt.NDArray[np.uint32]
    counts: Sequence[int]
    things: Sequence[int]


class Corpus:
    """The tokens of many texts as numbers, four bytes each, from which their sets are read in batches.

    A row with a text is compared; one without is only where its things (images, calls) can be.
    """

    def __init__(
        self,
        tokens: npt.NDArray[np.uint32],
        lengths: Ints,
        things: Ints,
        vocabulary: int,
        measure: Measure,
    ) -> None:
        """Take a 0 and then the tokens of all texts in a row, numbered from 1 to vocabulary."""
        self.measure = measure
        self.things = things
        self.is_compared = (lengths > 0) | (things != 0)
        self.left_out: Ints = np.zeros(0, np.int64)
        """Keys that do not count, except where a text would be left with none."""
        self._tokens = tokens
        self._starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        self._base = vocabulary + 1
        self._tables = self._compression()

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def shingles(self) -> int:
        """The number of shingles, repeats within a text included."""
        return int(self._counts(np.arange(len(self), dtype=np.int64)).sum())

    def batches(self, rows: Ints | None = None) -> Iterator[Keys]:
        """Yield the sets of some rows (all by default), a bounded number of shingles at a time."""
        return self.worked(lambda keys: keys, rows)

    def worked(self, work: Callable[[Keys], T], rows: Ints | None = None) -> Iterator[T]:
        """Yield what work makes of each batch; threads do it, as numpy lets go of the interpreter."""
        chosen = np.arange(len(self), dtype=np.int64) if rows is None else rows
        parts = self._parts(chosen)

        def made(part: Ints) -> T:
            return work(self._keys(part))

        with ThreadPoolExecutor(_AHEAD) as threads:
            waiting = deque(threads.submit(made, part) for part in islice(parts, _AHEAD))
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(threads.submit(made, part) for part in islice(parts, 1))

    def _parts(self, rows: Ints) -> Iterator[Ints]:
        ends = np.cumsum(self._counts(rows))
        first = 0
        while first < len(rows):
            done = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + _BATCH_SHINGLES)))
            yield rows[first:last]
            first = last

    def in_order(self, row: int) -> Ints:
        """Return the shingles of one row as they follow each other, repeats included."""
        keys: Ints = self._packed(np.array([row], np.int64))
        return keys

    def _counts(self, rows: Ints) -> Ints:
        lengths = self._starts[rows + 1] - self._starts[rows]
        counts: Ints = np.maximum(lengths - self.measure.width + 1, 1)
        return counts

    def _keys(self, rows: Ints) -> Keys:
        """Read the sets of rows; rows of like length are sorted together as the lines of a matrix."""
        rows = rows[np.argsort(self._counts(rows), kind="stable")]
        counts = self._counts(rows)
        keys: list[Ints] = []
        sizes: list[Ints] = []
        for _, block in padded(counts, self._packed(rows), _NO_KEY):
            block.sort(axis=1)
            fresh = block != _NO_KEY
            fresh[:, 1:] &= block[:, 1:] != block[:, :-1]
            if len(self.left_out):
                counted = fresh & ~np.isin(block, self.left_out)
                fresh = np.where(counted.any(axis=1)[:, None], counted, fresh)
            keys.append(block[fresh])
            sizes.append(np.count_nonzero(fresh, axis=1))
        return Keys(rows, np.concatenate(sizes).astype(np.int64), np.concatenate(keys))

    def _packed(self, rows: Ints) -> Ints:
        """Return the shingles of rows in order, each as one number."""
        tokens, whole = self._joined(rows)
        keys = tokens[: len(tokens) - self.measure.width + 1].copy()
        for step in range(1, self.measure.width):
            if step in self._tables:
                keys = np.searchsorted(self._tables[step], keys).astype(np.int64)
            keys *= self._base
            keys += tokens[step : step + len(keys)]
        return keys[whole]

    def _joined(self, rows: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Return the tokens of rows one after the other, and at which of them a whole shingle begins.

        0 stands before the tokens of a row that has fewer than a shingle is wide.
        """
        width = self.measure.width
        lengths = self._starts[rows + 1] - self._starts[rows]
        filled = np.maximum(lengths, width)
        ends = np.cumsum(filled)
        at = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
        at += np.repeat(self._starts[rows + 1] - ends, filled)
        short = lengths < width
        if short.any():
            # The first token of all is the 0 that belongs to no row.
            at[at < np.repeat(self._starts[rows], filled)] = -1
        tokens = self._tokens.take(at + 1).astype(np.int64)
        whole = np.ones(max(len(tokens) - width + 1, 0), dtype=bool)
        for step in range(1, width):
            whole[ends[:-1] - step] = False
        return tokens, whole

    def _compression(self) -> dict[int, Ints]:
        """Number the beginnings of shingles wherever packing one more token would pass 63 bits."""
        tables: dict[int, Ints] = {}
        self._tables = tables
        largest = self._base - 1
        for step in range(1, self.measure.width):
            if largest >= _LARGEST_KEY // self._base:
                tables[step] = self._beginnings(step)
                largest = len(tables[step])
            largest = largest * self._base + self._base - 1
        return tables

    def _beginnings(self, step: int) -> Ints:
        """Return every distinct packed beginning of step tokens, sorted."""
        known: list[Ints] = []
        rows = np.arange(len(self), dtype=np.int64)
        for part in np.array_split(rows, max(1, self.shingles // _BATCH_SHINGLES)):
            tokens, whole = self._joined(part)
            keys = tokens[: len(whole)].copy()
            for place in range(1, step):
                if place in self._tables:
                    keys = np.searchsorted(self._tables[place], keys).astype(np.int64)
                keys = keys * self._base + tokens[place : place + len(keys)]
            known.append(np.unique(keys[whole]))
        return np.unique(np.concatenate(known))


def padded(sizes: Ints, values: Ints, fill: int) -> Iterator[tuple[slice, Ints]]:
    """Yield rows of values as matrices, filled up at their ends; rows of like size share one."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        # Rows come about in the order of their sizes, so little is filled up.
        longer = np.flatnonzero(sizes[first:] > sizes[first] + sizes[first] // 4 + 4)
        last = first + int(longer[0]) if len(longer) else len(sizes)
        some = sizes[first:last]
        block = np.full((last - first, int(some.max())), fill, dtype=values.dtype)
        begin = int(ends[first] - sizes[first])
        block[np.arange(block.shape[1]) < some[:, None]] = values[begin : int(ends[last - 1])]
        yield slice(first, last), block
        first = last


def read_tokens(items: Sequence[Compared], measure: Measure) -> Tokens:
    """Read a batch of texts."""
    things = [item.things for item in items]
    if measure.unit == "character":
        return _characters([normal_form("\n".join(item.texts)) for item in items], things)
    local: defaultdict[bytes, int] = defaultdict()
    local.default_factory = local.__len__
    found: list[bytes] = []
    counts: list[int] = []
    for item in items:
        before = len(found)
        for text in item.texts:
            found += encoded_words(text)
        counts.append(len(found) - before)
    numbers = np.fromiter(map(local.__getitem__, found), np.uint32, len(found))
    return Tokens(list(local), numbers, counts, things)


def _characters(forms: Sequence[str], things: Sequence[int]) -> Tokens:
    points = np.frombuffer("".join(forms).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    seen = np.zeros(0x110000, dtype=bool)
    seen[points] = True
    numbers = (np.cumsum(seen) - 1).astype(np.uint32)[points]
    distinct = [point.to_bytes(4, "big") for point in np.flatnonzero(seen).tolist()]
    return Tokens(distinct, numbers, list(map(len, forms)), things)


def build_corpus(
    batches: Iterable[Tokens],
    measure: Measure,
    *,
    total: int = 0,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> Corpus:
    """Gather batches of texts that were read, here or in other processes, into a corpus."""
    vocabulary: dict[bytes, int] = {}
    # An array grows in place; joining pieces at the end would hold them twice.
    tokens = array("I", [0])
    lengths, things = array("q"), array("q")
    for batch in batches:
        if cancelled():
            raise Cancelled("The search for duplicates was stopped.")
        known = np.fromiter(
            (vocabulary.setdefault(token, len(vocabulary) + 1) for token in batch.distinct),
            dtype=np.uint32,
            count=len(batch.distinct),
        )
        if len(batch.numbers):
            tokens.frombytes(known[batch.numbers].tobytes())
        lengths.extend(batch.counts)
        things.extend(batch.things)
        progress(len(lengths), total or len(lengths), "Reading words")
    return Corpus(
        np.frombuffer(tokens, np.uint32),
        np.array(lengths, dtype=np.int64),
        np.array(things, dtype=np.int64),
        len(vocabulary),
        measure,
    )


def read_all(items: Iterable[Compared], measure: Measure) -> Iterator[Tokens]:
    """Read texts here, batch by batch."""
    batch: list[Compared] = []
    size = 0
    for item in items:
        batch.append(item)
        size += sum(map(len, item.texts))
        if size >= _BATCH_CHARACTERS or len(batch) >= _BATCH_TEXTS:
            yield read_tokens(batch, measure)
            batch, size = [], 0
    if batch:
        yield read_tokens(batch, measure)
