"""Duplicates: which rows repeat each other, how they hang together, and which of them to keep.

Rows with the same text (or the same set of shingles) are held as one class, so that 10,000 copies of
one line are 10,000 numbers and not 50 million pairs; pairs are spelled out only when asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from curator.curate.duplicates.compared_text import Compared
from curator.curate.duplicates.jaccard_join import Floats, Join, Survey, join
from curator.curate.duplicates.shingles import (
    WORDS_3,
    Corpus,
    Ints,
    Measure,
    build_corpus,
    read_all,
)
from curator.dataset.errors import WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress

KEEP_RULES: Final = ("accepted_first", "most_labelled", "longest", "oldest", "newest")
"""Who of a cluster stays; ties go to the oldest."""


class Pair(NamedTuple):
    """Two rows that repeat each other, the earlier first."""

    a: int
    b: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rows linked by pairs, in ascending order, and the most similar pair among them."""

    rows: tuple[int, ...]
    best: Pair


class Decision(NamedTuple):
    """What becomes of one row: a removed one names the kept row it is directly paired with."""

    row: int
    kept: bool
    partner: int
    similarity: float


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What the keep rules look at, one value for each row."""

    lengths: Ints
    labels: Ints
    status_ranks: Ints
    """0 accepted, 1 pending, 2 skipped, 3 rejected."""


@dataclass(frozen=True)
class Matches:
    """Every pair at or above a threshold, held as classes of equal rows and links between classes."""

    class_of: Ints
    """For each row the first row that equals it."""
    links: Join
    members: Mapping[int, list[int]] = field(init=False)
    """The rows of each class of several rows, by the first of them."""

    def __post_init__(self) -> None:
        several = np.flatnonzero(np.bincount(self.class_of, minlength=1) > 1)
        members: dict[int, list[int]] = {int(row): [] for row in several}
        chosen = np.flatnonzero(np.isin(self.class_of, several))
        for row, first in zip(chosen.tolist(), self.class_of[chosen].tolist(), strict=True):
            members[first].append(row)
        object.__setattr__(self, "members", members)

    def count(self) -> int:
        """Return the number of pairs of rows."""
        return self.count_at_least(0)

    def count_at_least(self, threshold: float) -> int:
        """Return how many pairs a higher threshold would leave; quick enough for a moving slider."""
        sizes = np.bincount(self.class_of, minlength=len(self.class_of)).astype(np.int64)
        use = self.links.similarity >= threshold
        between = sizes[self.links.first[use]] * sizes[self.links.second[use]]
        return int((sizes * (sizes - 1) // 2).sum()) + int(between.sum())

    def pairs(self) -> Iterator[Pair]:
        """Yield every pair of rows once, grouped by class."""
        for rows in self.members.values():
            for place, a in enumerate(rows):
                yield from (Pair(a, b, 1.0) for b in rows[place + 1 :])
        for first, second, similarity in self._links():
            for a in self.members.get(first, (first,)):
                for b in self.members.get(second, (second,)):
                    yield Pair(min(a, b), max(a, b), similarity)

    def clusters(self) -> list[Cluster]:
        """Return the connected groups of rows, the largest first."""
        leader = _union(len(self.class_of), self.class_of, self.links)
        rows: defaultdict[int, list[int]] = defaultdict(list)
        counts = np.bincount(leader, minlength=1)
        chosen = np.flatnonzero(counts[leader] > 1)
        for row, first in zip(chosen.tolist(), leader[chosen].tolist(), strict=True):
            rows[first].append(row)
        best: dict[int, Pair] = {}
        for first, members in self.members.items():
            _better(best, int(leader[first]), Pair(members[0], members[1], 1.0))
        for a, b, similarity in self._links():
            _better(best, int(leader[a]), Pair(min(a, b), max(a, b), similarity))
        found = [Cluster(tuple(members), best[first]) for first, members in rows.items()]
        return sorted(found, key=lambda c: (-len(c.rows), -c.best.similarity, c.rows))

    def neighbours(self) -> dict[int, list[tuple[int, float]]]:
        """Return, by class, the linked classes and how similar they are."""
        linked: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
        for a, b, similarity in self._links():
            linked[a].append((b, similarity))
            linked[b].append((a, similarity))
        return dict(linked)

    def without(self, marks: Iterable[tuple[int, int]]) -> "Matches":
        """Return the matches less the pairs somebody marked as no duplicates."""
        apart = {(min(a, b), max(a, b)) for a, b in marks}
        if not apart:
            return self
        return _separated(self, apart)

    def only(self, present: npt.NDArray[np.bool_]) -> "Matches":
        """Return the matches among some rows; what hung together only through others comes apart."""
        rows = np.arange(len(self.class_of), dtype=np.int64)
        head = np.full(len(rows), -1, dtype=np.int64)
        living = np.flatnonzero(present)[::-1]
        head[self.class_of[living]] = living
        first, second = head[self.links.first], head[self.links.second]
        use = (first >= 0) & (second >= 0)
        low, high = np.minimum(first, second)[use], np.maximum(first, second)[use]
        class_of = np.where(present, head[self.class_of], rows)
        return Matches(class_of, Join(low, high, self.links.similarity[use], class_of))

    def _links(self) -> Iterator[tuple[int, int, float]]:
        links = self.links
        return zip(
            links.first.tolist(), links.second.tolist(), links.similarity.tolist(), strict=True
        )


def find_exact(hashes: Sequence[int] | Ints) -> Matches:
    """Find rows with equal hashes."""
    values = np.asarray(hashes, dtype=np.int64)
    if not len(values):
        return Matches(np.zeros(0, dtype=np.int64), _no_links())
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return Matches(first[inverse].astype(np.int64), _no_links())


def find_near(
    items: Iterable[Compared],
    threshold: float,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
    *,
    measure: Measure = WORDS_3,
) -> Matches:
    """Find every pair whose sets of shingles have at least this Jaccard similarity; none is missed."""
    check_threshold(threshold)
    corpus = build_corpus(read_all(items, measure), measure, progress=progress, cancelled=cancelled)
    return find_in(corpus, threshold, progress=progress, cancelled=cancelled)


def find_in(
    corpus: Corpus,
    threshold: float,
    *,
    known: Survey | None = None,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> Matches:
    """Find the pairs of a corpus; known is a survey of it that was made before."""
    found = join(corpus, threshold, known=known, progress=progress, cancelled=cancelled)
    return Matches(found.same_as, found)


def check_threshold(threshold: float) -> None:
    """Raise WrongUse for a threshold that is none."""
    if not 0 < threshold <= 1:
        raise WrongUse(
            f"The threshold is {threshold:g}; choose one above 0 and not above 1, for example 0.8."
        )


def ranks(rule: str, facts: RowFacts) -> Ints:
    """Return each row's place in the order of preference of a keep rule, 0 for the one to keep first."""
    age = np.arange(len(facts.lengths), dtype=np.int64)
    keys = {
        "oldest": (age,),
        "newest": (-age,),
        "longest": (age, -facts.lengths),
        "most_labelled": (age, -facts.labels),
        "accepted_first": (age, -facts.labels, facts.status_ranks),
    }.get(rule.replace("-", "_"))
    if keys is None:
        raise WrongUse(f'There is no keep rule "{rule}"; choose one of {", ".join(KEEP_RULES)}.')
    places = np.empty(len(age), dtype=np.int64)
    places[np.lexsort(keys)] = age
    return places


def choose_kept(
    cluster: Cluster,
    matches: Matches,
    neighbours: Mapping[int, Sequence[tuple[int, float]]],
    preference: Ints,
) -> list[Decision]:
    """Decide who of a cluster stays: a row goes only in favour of a kept row it is itself paired with."""
    kept: dict[int, int] = {}
    decisions: list[Decision] = []
    for row in sorted(cluster.rows, key=lambda row: int(preference[row])):
        own = int(matches.class_of[row])
        if own in kept:
            decisions.append(Decision(row, kept=False, partner=kept[own], similarity=1.0))
            continue
        near = [(s, -kept[other]) for other, s in neighbours.get(own, ()) if other in kept]
        if near:
            similarity, partner = max(near)
            decisions.append(Decision(row, kept=False, partner=-partner, similarity=similarity))
        else:
            kept[own] = row
            decisions.append(Decision(row, kept=True, partner=-1, similarity=0.0))
    return sorted(decisions)


def _no_links() -> Join:
    none = np.zeros(0, dtype=np.int64)
    return Join(none, none, none.astype(np.float64), none)


def _better(best: dict[int, Pair], leader: int, pair: Pair) -> None:
    known = best.get(leader)
    if known is None or (-pair.similarity, pair) < (-known.similarity, known):
        best[leader] = pair


def _union(size: int, class_of: Ints, links: Join) -> Ints:
    """Return for each row the smallest row it hangs together with."""
    parent = list(range(size))

    def find(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for a, b in zip(links.first.tolist(), links.second.tolist(), strict=True):
        low, high = sorted((find(a), find(b)))
        parent[high] = low
    leaders = np.arange(size, dtype=np.int64)
    for row in {*links.first.tolist(), *links.second.tolist()}:
        leaders[row] = find(row)
    return leaders[class_of] if size else leaders


def _separated(matches: Matches, apart: set[tuple[int, int]]) -> Matches:
    """Give every marked row a class of its own, so that its pairs can be dropped one by one."""
    marked = {row for pair in apart for row in pair}
    linked = matches.neighbours()
    class_of = matches.class_of.copy()
    heads: dict[int, list[int]] = {}
    for first in {int(matches.class_of[row]) for row in marked}:
        rows = matches.members.get(first, [first])
        rest = [row for row in rows if row not in marked]
        class_of[rest] = rest[0] if rest else -1
        class_of[[row for row in rows if row in marked]] = [row for row in rows if row in marked]
        heads[first] = [row for row in rows if row in marked] + rest[:1]
    edges: dict[tuple[int, int], float] = {}
    for first, own in heads.items():
        edges.update({(min(a, b), max(a, b)): 1.0 for a in own for b in own if a != b})
        for other, similarity in linked.get(first, ()):
            others = heads.get(other, [other])
            edges.update({(min(a, b), max(a, b)): similarity for a in own for b in others})
    for a, b, similarity in zip(*_columns(matches.links), strict=True):
        if a not in heads and b not in heads:
            edges[a, b] = similarity
    left = sorted((a, b, s) for (a, b), s in edges.items() if (a, b) not in apart)
    first_rows = np.array([a for a, _, _ in left], dtype=np.int64)
    second_rows = np.array([b for _, b, _ in left], dtype=np.int64)
    similarities: Floats = np.array([s for _, _, s in left], dtype=np.float64)
    return Matches(class_of, Join(first_rows, second_rows, similarities, class_of))


def _columns(links: Join) -> tuple[list[int], list[int], list[float]]:
    return links.first.tolist(), links.second.tolist(), links.similarity.tolist()
