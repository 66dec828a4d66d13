"""From texts to sets of shingles, exactly: every shingle is a number, and equal numbers are equal shingles.

A shingle is a run of words (see `words`) or of characters in their normal form. A text with fewer
tokens than a shingle is wide has one shingle: all it has.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from curator.curate.comparison import Compared
from curator.curate.words import normal_form, words
from curator.dataset.errors import Cancelled

Progress = Callable[[int, int, str], None]
"""Takes what is done, what there is in all, and what is being done."""

Cancel = Callable[[], bool]
"""Says whether the user stopped the work."""

Ints = npt.NDArray[np.int64]

_LARGEST_KEY: Final = 2**63 - 1
_NO_KEY: Final = np.iinfo(np.int64).max
_BATCH_SHINGLES: Final = 1_000_000
_BATCH_CHARACTERS: Final = 1_000_000
_BATCH_TEXTS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Measure:
    """What two texts are compared by: the Jaccard similarity of their sets of shingles."""

    name: str
    unit: str
    width: int


WORDS_3: Final = Measure("w3", "word", 3)
CHARACTERS_5: Final = Measure("c5", "character", 5)
MEASURES: Final = (WORDS_3, CHARACTERS_5)


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Take the news of work nobody watches."""


def never_cancelled() -> bool:
    """Say that nobody stopped the work."""
    return False


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

    distinct: Sequence[str]
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
        """Take the tokens of all texts in a row, numbered from 1 to vocabulary."""
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
        chosen = np.arange(len(self), dtype=np.int64) if rows is None else rows
        ends = np.cumsum(self._counts(chosen))
        first = 0
        while first < len(chosen):
            done = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + _BATCH_SHINGLES)))
            yield self._keys(chosen[first:last])
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
        tokens = self._windows(rows)
        keys = next(tokens)
        for step, token in enumerate(tokens, 1):
            if step in self._tables:
                keys = np.searchsorted(self._tables[step], keys).astype(np.int64)
            keys *= self._base
            keys += token
        return keys

    def _windows(self, rows: Ints) -> Iterator[Ints]:
        """Yield the first tokens of all shingles, then the second; 0 stands before those of a short text."""
        width = self.measure.width
        counts = self._counts(rows)
        starts = self._starts[rows]
        missing = np.maximum(width - (self._starts[rows + 1] - starts), 0)
        ends = np.cumsum(counts)
        first = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
        first -= np.repeat(ends - counts - starts + missing, counts)
        is_short = missing.any()
        short = np.repeat(missing, counts) if is_short else missing
        for place in range(width):
            if not len(self._tokens):
                yield np.zeros(len(first), np.int64)
                continue
            token = self._tokens.take(first + place, mode="clip").astype(np.int64)
            yield np.where(place < short, 0, token) if is_short else token

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
            tokens = self._windows(part)
            keys = next(tokens)
            for place, token in zip(range(1, step), tokens, strict=False):
                if place in self._tables:
                    keys = np.searchsorted(self._tables[place], keys).astype(np.int64)
                keys = keys * self._base + token
            known.append(np.unique(keys))
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
    local: defaultdict[str, int] = defaultdict()
    local.default_factory = local.__len__
    numbers: list[int] = []
    counts: list[int] = []
    for item in items:
        before = len(numbers)
        for text in item.texts:
            numbers.extend(map(local.__getitem__, words(text)))
        counts.append(len(numbers) - before)
    return Tokens(list(local), np.array(numbers, dtype=np.uint32), counts, things)


def _characters(forms: Sequence[str], things: Sequence[int]) -> Tokens:
    points = np.frombuffer("".join(forms).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    seen = np.zeros(0x110000, dtype=bool)
    seen[points] = True
    numbers = (np.cumsum(seen) - 1).astype(np.uint32)[points]
    distinct = [chr(point) for point in np.flatnonzero(seen).tolist()]
    return Tokens(distinct, numbers, list(map(len, forms)), things)


def build_corpus(
    batches: Iterable[Tokens],
    measure: Measure,
    *,
    total: int = 0,
    progress: Progress = no_progress,
    cancelled: Cancel = never_cancelled,
) -> Corpus:
    """Gather batches of texts that were read, here or in other processes, into a corpus."""
    vocabulary: dict[str, int] = {}
    # An array grows in place; joining pieces at the end would hold them twice.
    tokens = array("I")
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
        np.frombuffer(tokens, np.uint32) if tokens else np.zeros(0, np.uint32),
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
