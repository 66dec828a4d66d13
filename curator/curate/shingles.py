"""From texts to sets of shingles, exactly: every shingle is a number, and equal numbers are equal shingles.

Normal form: NFKC, casefold, one space for each run of white space, stripped. Words are runs of ``\\w``,
but a character of a script written without spaces is a word of its own. A text with fewer tokens
than a shingle is wide has one shingle: all it has.
"""

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from curator.dataset.errors import Cancelled

Progress = Callable[[int, int, str], None]
"""Takes what is done, what there is in all, and what is being done."""

Cancel = Callable[[], bool]
"""Says whether the user stopped the work."""

Ints = npt.NDArray[np.int64]

_UNSPACED: Final = "\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_ASCII_WORDS: Final = re.compile("[a-z0-9_]+").findall
_WORDS: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+").findall
_SPACES: Final = re.compile(r"\s+")
_LARGEST_KEY: Final = 2**63 - 1
_BATCH_CHARACTERS: Final = 1_000_000
_BATCH_TEXTS: Final = 4_000
_MOST_KEPT: Final = 12_000_000  # shingles kept from one pass to the next, 16 bytes each


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


def normal_form(text: str) -> str:
    """Return the form in which texts are compared."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def words(text: str) -> list[str]:
    """Return the words of a text in its normal form, in order."""
    if text.isascii():
        return _ASCII_WORDS(text.lower())
    return _WORDS(unicodedata.normalize("NFKC", text).casefold())


@dataclass(frozen=True, slots=True)
class Keys:
    """The shingles of some rows: keys ascend within a row, rows ascend, no key stands twice in a row."""

    rows: Ints
    keys: Ints


class Corpus:
    """The tokens of many texts as numbers, four bytes each, from which their shingles are read in batches."""

    def __init__(
        self, tokens: npt.NDArray[np.uint32], lengths: Ints, vocabulary: int, measure: Measure
    ) -> None:
        """Take the tokens of all texts in a row, numbered from 1 to vocabulary."""
        self.measure = measure
        self._tokens = tokens
        self._starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        self._base = vocabulary + 1
        self._tables = self._compression()
        self._kept: list[Keys] | None = None

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def shingles(self) -> int:
        """The number of shingles, repeats within a text included."""
        return int(self._counts(np.arange(len(self), dtype=np.int64)).sum())

    def batches(self, rows: Ints | None = None) -> Iterator[Keys]:
        """Yield the shingles of some rows (ascending; all by default), a bounded number of rows at a time."""
        if self._kept is not None:
            yield from self._again(self._kept, rows)
            return
        chosen = np.arange(len(self), dtype=np.int64) if rows is None else rows
        kept: list[Keys] | None = [] if rows is None and self.shingles <= _MOST_KEPT else None
        ends = np.cumsum(self._counts(chosen))
        first = 0
        while first < len(chosen):
            done = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + _BATCH_CHARACTERS)))
            batch = self._keys(chosen[first:last])
            if kept is not None:
                kept.append(batch)
            yield batch
            first = last
        self._kept = kept

    def _again(self, kept: Iterable[Keys], rows: Ints | None) -> Iterator[Keys]:
        wanted = np.zeros(len(self), dtype=bool)
        wanted[slice(None) if rows is None else rows] = True
        for batch in kept:
            use = wanted[batch.rows]
            if use.all():
                yield batch
            elif use.any():
                yield Keys(batch.rows[use], batch.keys[use])

    def _counts(self, rows: Ints) -> Ints:
        lengths = self._starts[rows + 1] - self._starts[rows]
        counts: Ints = np.maximum(lengths - self.measure.width + 1, 1)
        return counts

    def _keys(self, rows: Ints) -> Keys:
        """Read the shingles of rows; ranks within the batch make one sort do for rows and keys."""
        keys, owners = self._packed(rows)
        unique, ranks = np.unique(keys, return_inverse=True)
        pairs = np.sort(owners << 32 | ranks)
        fresh = np.ones(len(pairs), dtype=bool)
        np.not_equal(pairs[1:], pairs[:-1], out=fresh[1:])
        pairs = pairs[fresh]
        return Keys(rows[pairs >> 32], unique[pairs & 0xFFFFFFFF])

    def _packed(self, rows: Ints) -> tuple[Ints, Ints]:
        tokens, owners = self._windows(rows)
        keys = tokens[0]
        for step, token in enumerate(tokens[1:], 1):
            if step in self._tables:
                keys = np.searchsorted(self._tables[step], keys).astype(np.int64)
            keys = keys * self._base + token
        return keys, owners

    def _windows(self, rows: Ints) -> tuple[list[Ints], Ints]:
        """Return, for each shingle, its tokens (0 stands before the tokens of a short text) and its row's place."""
        width = self.measure.width
        counts = self._counts(rows)
        owners = np.repeat(np.arange(len(rows), dtype=np.int64), counts)
        ends = np.cumsum(counts)
        starts = self._starts[rows]
        first = np.arange(len(owners), dtype=np.int64) - np.repeat(ends - counts - starts, counts)
        missing = np.repeat(np.maximum(width - (self._starts[rows + 1] - starts), 0), counts)
        tokens: list[Ints] = []
        for place in range(width):
            at = first + place - missing
            token = self._tokens.take(at, mode="clip").astype(np.int64) if len(self._tokens) else at
            tokens.append(np.where(place < missing, 0, token))
        return tokens, owners

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
        for part in np.array_split(rows, max(1, self.shingles // _BATCH_CHARACTERS)):
            tokens, _ = self._windows(part)
            keys = tokens[0]
            for place, token in enumerate(tokens[1:step], 1):
                if place in self._tables:
                    keys = np.searchsorted(self._tables[place], keys).astype(np.int64)
                keys = keys * self._base + token
            known.append(np.unique(keys))
        return np.unique(np.concatenate(known))


def build_corpus(
    texts: Iterable[str],
    measure: Measure,
    *,
    total: int = 0,
    progress: Progress = no_progress,
    cancelled: Cancel = never_cancelled,
    executor: Executor | None = None,
) -> Corpus:
    """Read texts into a corpus; with an executor the reading of words runs there, batch by batch."""
    if measure.unit == "character":
        return _characters(texts, measure, total, progress, cancelled)
    vocabulary: dict[str, int] = {}
    tokens: list[npt.NDArray[np.uint32]] = [np.zeros(0, np.uint32)]
    lengths = array("q")
    for distinct, numbers, counts in _read_batches(texts, executor, cancelled):
        known = np.fromiter(
            (vocabulary.setdefault(word, len(vocabulary) + 1) for word in distinct),
            dtype=np.uint32,
            count=len(distinct),
        )
        tokens.append(known[numbers] if len(numbers) else np.zeros(0, np.uint32))
        lengths.extend(counts)
        progress(len(lengths), total or len(lengths), "Reading words")
    flat = np.concatenate(tokens)
    return Corpus(flat, np.array(lengths, dtype=np.int64), len(vocabulary), measure)


def read_words(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.uint32], list[int]]:
    """Return the distinct words of a batch, its words as numbers into them, and the words each text has."""
    local: defaultdict[str, int] = defaultdict()
    local.default_factory = local.__len__
    numbers: list[int] = []
    counts: list[int] = []
    for text in texts:
        before = len(numbers)
        numbers.extend(map(local.__getitem__, words(text)))
        counts.append(len(numbers) - before)
    return list(local), np.array(numbers, dtype=np.uint32), counts


def _read_batches(
    texts: Iterable[str], executor: Executor | None, cancelled: Cancel
) -> Iterator[tuple[list[str], npt.NDArray[np.uint32], list[int]]]:
    batches = _batched(texts, cancelled)
    if executor is None:
        yield from map(read_words, batches)
        return
    # Only a few batches travel at once, so memory stays bounded.
    waiting = [executor.submit(read_words, batch) for batch in islice(batches, 6)]
    while waiting:
        yield waiting.pop(0).result()
        waiting.extend(executor.submit(read_words, batch) for batch in islice(batches, 1))


def _batched(texts: Iterable[str], cancelled: Cancel) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _BATCH_CHARACTERS or len(batch) >= _BATCH_TEXTS:
            yield batch
            batch, size = [], 0
            if cancelled():
                raise Cancelled("The search for duplicates was stopped.")
    if batch:
        yield batch


def _characters(
    texts: Iterable[str], measure: Measure, total: int, progress: Progress, cancelled: Cancel
) -> Corpus:
    """Number the characters of all texts densely, by code point."""
    points: list[npt.NDArray[np.uint32]] = [np.zeros(0, np.uint32)]
    lengths = array("q")
    for batch in _batched(texts, cancelled):
        forms = [normal_form(text) for text in batch]
        lengths.extend(map(len, forms))
        encoded = "".join(forms).encode("utf-32-le", "surrogatepass")
        points.append(np.frombuffer(encoded, dtype=np.uint32))
        progress(len(lengths), total or len(lengths), "Reading characters")
    flat = np.concatenate(points)
    seen = np.zeros(0x110000, dtype=bool)
    seen[flat] = True
    numbers = np.cumsum(seen).astype(np.uint32)
    return Corpus(numbers[flat], np.array(lengths, dtype=np.int64), int(numbers[-1]), measure)
