"""What the page steps through: clusters with titles and the pairs to decide, made off the GUI thread."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from curator.dataset import Edit
    from curator.project.duplicates import Duplicates
    from curator.project.store.project import Project
    from curator.project.store.reader import Reader

MOST_PAIRS: Final = 500
"""A cluster shows this many pairs at most; deciding them brings the others up."""

Pair = tuple[int, int, float]


@dataclass
class ClusterItem:
    """One cluster as the page shows it; decided pairs leave the list."""

    rows: tuple[int, ...]
    title: str
    similarity: float
    pairs: list[Pair] = field(default_factory=list)

    def without_row(self, conversation: int) -> None:
        """Take away the pairs of a conversation that was removed."""
        self.pairs = [pair for pair in self.pairs if conversation not in pair[:2]]

    def without_pair(self, a: int, b: int) -> None:
        """Take away one pair that is no duplicate."""
        self.pairs = [pair for pair in self.pairs if {a, b} != {pair[0], pair[1]}]


@dataclass(frozen=True)
class Findings:
    """All that the page shows of a search, and of what was removed."""

    found: "Duplicates | None"
    items: list[ClusterItem]
    removed: list[tuple[int, str, int | None, str]]
    """Conversation, reason, partner and title of everything removed, the latest first."""
    would_remove: int = 0
    """How many conversations the chosen keep rule would remove."""


def read_findings(reader: "Reader", found: "Duplicates | None", rule: str) -> Findings:
    """Read titles and pairs of what a search found, and what a keep rule would do."""
    from curator.project import duplicates
    from curator.project.store import label_rows

    gone = label_rows.removed(reader)
    titles = reader.titles([row for row, _, _ in gone])
    removed = [(*entry, title) for entry, title in zip(gone, titles, strict=True)]
    if found is None:
        return Findings(None, [], removed)
    clusters = found.clusters()
    names = reader.titles([cluster.rows[0] for cluster in clusters])
    pairs = _pairs(found)
    items = [
        ClusterItem(cluster.rows, name, cluster.best.similarity, pairs[cluster.rows[0]])
        for cluster, name in zip(clusters, names, strict=True)
    ]
    decisions = duplicates.decide(reader, found, rule)
    return Findings(found, items, removed, sum(not each.kept for each in decisions))


def _pairs(found: "Duplicates") -> dict[int, list[Pair]]:
    """Return, by a cluster's first conversation, its most similar pairs; equal ones against the first."""
    ids = found.ids.tolist()
    leader: dict[int, int] = {}
    for cluster in found.matches.clusters():
        leader.update(dict.fromkeys(cluster.rows, cluster.rows[0]))
    by_cluster: dict[int, list[Pair]] = {ids[first]: [] for first in set(leader.values())}

    def add(a: int, b: int, similarity: float) -> None:
        pairs = by_cluster[ids[leader[a]]]
        if len(pairs) < MOST_PAIRS:
            pairs.append((ids[a], ids[b], similarity))

    for rows in found.matches.members.values():
        for row in rows[1 : MOST_PAIRS + 1]:
            add(rows[0], row, 1.0)
    links = found.matches.links
    order = (-links.similarity).argsort(kind="stable").tolist()
    first, second, similarity = (
        links.first.tolist(),
        links.second.tolist(),
        links.similarity.tolist(),
    )
    for at in order:
        add(first[at], second[at], similarity[at])
    return by_cluster


def removal_of_all(project: "Project", found: "Duplicates", rule: str) -> "Edit | None":
    """Return the edit that keeps one of every cluster by a rule."""
    from curator.project import duplicates

    with project.reader() as reader:
        decisions = duplicates.decide(reader, found, rule)
    return duplicates.removal(project, found.search, decisions)
