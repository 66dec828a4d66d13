"""The search for near-duplicates in a project: texts read in processes, compared here."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw
import numpy as np

from curator.curate.duplicates.boilerplate import shared_runs, shared_text
from curator.curate.duplicates.clusters import Matches, check_threshold, find_in
from curator.curate.duplicates.compared_text import COMPARISONS, Compared, Scope, compared
from curator.curate.duplicates.jaccard_join import survey
from curator.curate.duplicates.shingles import (
    MEASURES,
    Ints,
    Measure,
    Tokens,
    build_corpus,
    read_tokens,
)
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.project.imports.parts import pool, workers
from curator.project.store.derive import terms_in
from curator.project.store.reader import Reader
from curator.project.store.stored_texts import contents_of

PRESETS: Final = ("exact", "near")
"""The ways to search that there are."""

DEFAULT_THRESHOLD: Final = 0.8

COUNTED: Final = ("system", "tools")
"""What is compared only if asked for: system prompts and tool definitions."""

_LATER: Final = ("paraphrase", "semantic")
_FEW_ROWS: Final = 20_000
_PART: Final = 2_000
_AHEAD: Final = 3
_MOST_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for; with_shared says whether text that most conversations share counts."""

    preset: str = "near"
    threshold: float = DEFAULT_THRESHOLD
    compare: str = "conversation"
    measure: str = "w3"
    counted: tuple[str, ...] = ()
    with_shared: bool = True

    def __post_init__(self) -> None:
        if self.preset in _LATER:
            raise WrongUse(
                f'The preset "{self.preset}" is not in this version yet; '
                f"choose {' or '.join(PRESETS)}."
            )
        _check(self.preset, "preset", PRESETS)
        _check(self.compare, "thing to compare", COMPARISONS)
        _check(self.measure, "measure", tuple(m.name for m in MEASURES))
        for name in self.counted:
            _check(name, "thing to count", COUNTED)
        check_threshold(self.threshold)

    @property
    def shown_measure(self) -> str:
        """The name of the measure for an answer: exact, w3 or c5."""
        return "exact" if self.preset == "exact" else self.measure

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the comparison leaves out: system, tools, shared."""
        if self.preset == "exact":
            return ()
        shared = () if self.with_shared else ("shared",)
        return (*(name for name in COUNTED if name not in self.counted), *shared)

    def to_json(self) -> dict[str, Json]:
        """Return the search as the project keeps it."""
        return {
            "preset": self.preset,
            "threshold": self.threshold,
            "compare": self.compare,
            "measure": self.measure,
            "counted": list(self.counted),
            "with_shared": self.with_shared,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Json]) -> "Search":
        """Read what to_json() wrote."""
        return cls(
            facts["preset"],
            facts["threshold"],
            facts["compare"],
            facts["measure"],
            tuple(facts["counted"]),
            facts["with_shared"],
        )

    def scope(self) -> Scope:
        """Return what is compared of a conversation."""
        return Scope(self.compare, "system" in self.counted, "tools" in self.counted)


Part = tuple[Tokens, set[int]]
"""What was read of some conversations, and which of them are damaged."""


@dataclass(frozen=True, slots=True)
class SharedText:
    """A text that more than half of the compared conversations have, and how many that are."""

    text: str
    conversations: int

    def beginning(self, most: int) -> str:
        """Return the first characters of the text, with an ellipsis where there are more."""
        return self.text if len(self.text) <= most else f"{self.text[:most]}…"


def find_near(
    reader: Reader, ids: Ints, search: Search, *, progress: ProgressCall, cancelled: CancelledCall
) -> tuple[Matches, tuple[SharedText, ...]]:
    """Find the near-duplicates among some conversations, and name the text that most of them share."""
    measure = next(m for m in MEASURES if m.name == search.measure)
    with ExitStack() as stack:
        batches = _read_here(reader, ids, search.scope(), measure)
        if len(ids) > _FEW_ROWS:
            batches = _read_beside(reader, ids, search.scope(), measure, stack)
        corpus = build_corpus(
            batches, measure, total=len(ids), progress=progress, cancelled=cancelled
        )
    seen = survey(corpus, progress, cancelled)
    runs = shared_runs(corpus, seen, cancelled)
    if runs and not search.with_shared:
        corpus.left_out = np.unique(np.concatenate([run.keys for run in runs]))
        seen = survey(corpus, progress, cancelled)
    matches = find_in(corpus, search.threshold, known=seen, progress=progress, cancelled=cancelled)
    shown = []
    for run in runs[:_MOST_SHOWN]:
        item = compared(reader.content(int(ids[run.row])), search.scope())
        shown.append(SharedText(shared_text(run, item, measure), run.rows))
    return matches, tuple(shown)


def _read_here(reader: Reader, ids: Ints, scope: Scope, measure: Measure) -> Iterator[Tokens]:
    for first in range(0, len(ids), _PART):
        part = ids[first : first + _PART].tolist()
        with reader.reading() as connection:
            tokens, damaged = _read(connection, part, scope, measure)
        reader.damaged |= damaged
        yield tokens


def _read_beside(
    reader: Reader, ids: Ints, scope: Scope, measure: Measure, stack: ExitStack
) -> Iterator[Tokens]:
    """Read in worker processes, of which each opens the project itself; few parts travel at once."""
    with reader.reading() as connection:
        executor: ProcessPoolExecutor = pool(terms_in(connection).encoding)
    stack.callback(executor.shutdown, wait=False, cancel_futures=True)
    waiting: deque[Future[Part]] = deque()
    parts = (ids[first : first + _PART].tolist() for first in range(0, len(ids), _PART))
    done = 0
    try:
        for part in parts:
            waiting.append(executor.submit(read_part, str(reader.path), part, scope, measure))
            if len(waiting) < _AHEAD * workers():
                continue
            tokens, damaged = waiting.popleft().result()
            reader.damaged |= damaged
            yield tokens
            done += len(tokens.counts)
        for future in waiting:
            tokens, damaged = future.result()
            reader.damaged |= damaged
            yield tokens
            done += len(tokens.counts)
    except BrokenExecutor:
        # A worker was killed, by the system for its memory or by hand: go on without.
        yield from _read_here(reader, ids[done:], scope, measure)


def read_part(path: str, ids: list[int], scope: Scope, measure: Measure) -> Part:
    """Read some conversations of a project."""
    reader = Reader(Path(path))
    try:
        with reader.reading() as connection:
            return _read(connection, ids, scope, measure)
    finally:
        reader.close()


def _read(connection: apsw.Connection, ids: list[int], scope: Scope, measure: Measure) -> Part:
    """Read some conversations; one that is damaged, or was taken away meanwhile, has no text."""
    damaged: set[int] = set()
    lines = contents_of(connection, ids, damaged)
    items = [compared(lines[id_], scope) if id_ in lines else Compared(()) for id_ in ids]
    return read_tokens(items, measure), damaged


def _check(value: str, what: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise WrongUse(f'There is no {what} "{value}"; choose one of {", ".join(known)}.')
