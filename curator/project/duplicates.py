"""Duplicates in a project: find them, keep what was found, and make the edits that take them out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from curator.curate.duplicates.clusters import (
    Cluster,
    Decision,
    Matches,
    Pair,
    RowFacts,
    choose_kept,
    find_exact,
    ranks,
)
from curator.curate.duplicates.compared_text import answer_of
from curator.curate.duplicates.shingles import Ints
from curator.dataset import AnnotationPatch, Edit
from curator.dataset.counted import counted
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.dataset.small_files import written_whole
from curator.project.duplicate_search import Search, SharedText, find_near
from curator.project.not_duplicates import marked_places
from curator.project.queries.sameness import check_current
from curator.project.store.finding_rows import with_rule
from curator.project.store.label_rows import decided, labels_and_tags
from curator.project.store.patches import now_ms
from curator.project.store.reader import Reader, damaged_among
from curator.project.store.tables import living

_STATUS_RANK: Final = np.array([1, 0, 3, 2], dtype=np.int64)  # pending, accepted, rejected, skipped
_SORTED_PAIRS: Final = 2_000_000


@dataclass(frozen=True)
class Duplicates:
    """What a search found; rows of matches are places in ids."""

    search: Search
    ids: Ints
    matches: Matches
    shared: tuple[SharedText, ...] = ()
    """Text that more than half of the conversations share, the longest first."""
    read_at: int = 0
    """When the conversations were read, unix milliseconds."""

    def clusters(self) -> list[Cluster]:
        """Return the clusters with conversation ids for rows, the largest first."""
        ids = self.ids.tolist()
        return [
            Cluster(
                tuple(ids[row] for row in cluster.rows),
                Pair(ids[cluster.best.a], ids[cluster.best.b], cluster.best.similarity),
            )
            for cluster in self.matches.clusters()
        ]

    def among(self, present: Iterable[int]) -> "Duplicates":
        """Return what was found among some conversations only."""
        there = np.isin(self.ids, np.fromiter(present, np.int64))
        return replace(self, matches=self.matches.only(there))


def find(
    reader: Reader,
    search: Search,
    *,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> Duplicates:
    """Search all conversations that are not removed, less the pairs marked as no duplicates."""
    with reader.snapshot():
        read_at = now_ms()
        ids = comparable(reader)
        if search.preset == "exact" and search.compare == "answer":
            ids = _sound(reader, ids, progress, cancelled)
        shared: tuple[SharedText, ...] = ()
        if search.preset == "exact":
            matches = _find_exact(reader, ids, search.compare)
        else:
            matches, shared = find_near(reader, ids, search, progress=progress, cancelled=cancelled)
        apart = marked_places(reader, ids)
    found = Duplicates(search, ids, matches.without(apart), shared, read_at)
    if search.preset == "exact":
        # Only hashes were compared: what stays of a cluster must still be there.
        members = np.array([id_ for each in found.clusters() for id_ in each.rows], np.int64)
        sound = _sound(reader, members, progress, cancelled)
        if len(sound) < len(members):
            return found.among(np.setdiff1d(ids, np.setdiff1d(members, sound)).tolist())
    return found


def _sound(reader: Reader, ids: Ints, progress: ProgressCall, cancelled: CancelledCall) -> Ints:
    """Return the ids less those whose text is damaged: no copy is taken out in favour of such a one."""
    damaged = damaged_among(reader, ids.tolist(), progress, cancelled)
    return ids[~np.isin(ids, damaged)] if damaged else ids


def comparable(reader: Reader) -> Ints:
    """Return the living ids less those whose line says a key twice: a copy of it might say the other."""
    ids = living(reader)
    twice = np.array(with_rule(reader, "F08"), np.int64)
    return ids[~np.isin(ids, twice)]


def _find_exact(reader: Reader, ids: Ints, compare: str) -> Matches:
    check_current(reader)
    if compare == "answer":
        values = np.fromiter((answer_of(line) for _, line in reader.iterate(ids)), np.int64)
    else:
        column = "content_hash" if compare == "conversation" else "prompt_hash"
        values = reader.column(column)[np.searchsorted(reader.ids(), ids)]
    return find_exact(values).only(values != 0)


def decide(
    reader: Reader, found: Duplicates, rule: str, chosen: Sequence[Cluster] | None = None
) -> list[Decision]:
    """Say for every row of the chosen clusters (all by default) whether a rule keeps it; rows are ids."""
    ids = found.ids.tolist()
    places = {id_: row for row, id_ in enumerate(ids)}
    preference = ranks(rule, _facts(reader, found.ids))
    neighbours = found.matches.neighbours()
    clusters = found.matches.clusters()
    if chosen is not None:
        wanted = {places[cluster.rows[0]] for cluster in chosen}
        clusters = [cluster for cluster in clusters if cluster.rows[0] in wanted]
    return [
        Decision(ids[d.row], d.kept, ids[d.partner] if d.partner >= 0 else -1, d.similarity)
        for cluster in clusters
        for d in choose_kept(cluster, found.matches, neighbours, preference)
    ]


def removal(
    reader: Reader, search: Search, decisions: Iterable[Decision], title: str = ""
) -> Edit | None:
    """Return the edit that takes out what was decided against, each with its reason and partner."""
    gone = [decision for decision in decisions if not decision.kept]
    if not gone:
        return None
    after = tuple({"reason": _reason(search, d), "partner": d.partner} for d in gone)
    patch = AnnotationPatch("removed", tuple(d.row for d in gone), (None,), after)
    return Edit(title or f"Remove {counted(len(gone), 'duplicate')}", _author(reader), (patch,))


def write_pairs(reader: Reader, found: Duplicates, path: Path) -> int:
    """Write every pair as tab-separated a_line, b_line, similarity, a, b; returns their number."""
    places = np.searchsorted(reader.ids(), found.ids)
    lines = reader.column("source_line")[places].tolist()
    ids = found.ids.tolist()
    pairs: Iterable[Pair] = found.matches.pairs()
    if found.matches.count() <= _SORTED_PAIRS:
        pairs = sorted(pairs)
    number = 0
    with written_whole(path) as file:
        file.write("a_line\tb_line\tsimilarity\ta\tb\n")
        for a, b, similarity in pairs:
            shown = round(similarity, 4)
            file.write(f"{lines[a] or ''}\t{lines[b] or ''}\t{shown}\t{ids[a]}\t{ids[b]}\n")
            number += 1
    return number


def _reason(search: Search, decision: Decision) -> str:
    if search.preset == "exact":
        return f"exact duplicate of {decision.partner}"
    return f"near duplicate of {decision.partner} ({decision.similarity:.2f})"


def _author(reader: Reader) -> str:
    return str(getattr(reader, "author", ""))


def _facts(reader: Reader, ids: Ints) -> RowFacts:
    places = np.searchsorted(reader.ids(), ids)
    labels = np.zeros(len(ids), dtype=np.int64)
    status = np.zeros(len(ids), dtype=np.int64)
    for id_, number in labels_and_tags(reader):
        _put(labels, ids, id_, number)
    for id_, code in decided(reader):
        _put(status, ids, id_, code)
    return RowFacts(reader.column("tokens")[places], labels, _STATUS_RANK[status])


def _put(column: Ints, ids: Ints, id_: int, value: int) -> None:
    place = int(np.searchsorted(ids, id_))
    if place < len(ids) and ids[place] == id_:
        column[place] = value
