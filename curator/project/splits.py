"""Splits of a project: the plan as an edit, and what it looks like before and after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from curator.curate import splits
from curator.curate.duplicates.shingles import Ints
from curator.curate.splits import (
    Assignment,
    SplitColumns,
    SplitPlan,
    Together,
    drift,
    groups_of,
    leaks,
    plan_splits,
    straddling,
)
from curator.dataset import AnnotationPatch, Edit, SettingPatch, Split
from curator.dataset.codes import SPLITS
from curator.dataset.edit import Patch, one_for_all
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.dataset.label import spelling
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.project.duplicate_search import Search
from curator.project.duplicate_tables import kept
from curator.project.duplicates import find
from curator.project.queries.sameness import read_sameness
from curator.project.store.label_rows import answered_sets, labels_that_count
from curator.project.store.reader import Reader
from curator.project.store.tables import number_table

_FIRST: Final = 20

PLAN: Final = "split_plan"
"""The setting that holds the plan of the last split."""


@dataclass(frozen=True, slots=True)
class Share:
    """One split in numbers."""

    rows: int
    tokens: int
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SplitReport:
    """How the conversations lie in the splits; unassigned is what lies in none."""

    train: Share
    validation: Share
    test: Share
    unassigned: Share
    groups: int
    straddling_groups: int
    leaks: tuple[tuple[int, ...], ...]
    """The conversations that are the same, or one a beginning of another, in several splits."""

    def to_json(self) -> dict[str, Json]:
        """Return the keys a script reads."""
        return {
            "train": self.train.rows,
            "validation": self.validation.rows,
            "test": self.test.rows,
            "unassigned": self.unassigned.rows,
            "groups": self.groups,
            "straddling_groups": self.straddling_groups,
            "leaks": len(self.leaks),
        }

    def shares(self) -> dict[str, Share]:
        """Return the splits by name, the unassigned rest last under the empty name."""
        return {
            Split.TRAIN.value: self.train,
            Split.VALIDATION.value: self.validation,
            Split.TEST.value: self.test,
            "": self.unassigned,
        }


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the wished shares could not be met: the largest group, by id, and by what it hangs together."""

    wished: tuple[int, int, int]
    conversations: tuple[int, ...]
    of: int
    """How many conversations there are to split."""
    tied_by: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the keys a script reads; of the conversations the first."""
        train, validation, test = self.wished
        return {
            "wished": {"train": train, "validation": validation, "test": test},
            "largest_group": len(self.conversations),
            "tied_by": list(self.tied_by),
            "conversations": list(self.conversations[:_FIRST]),
        }


@dataclass(frozen=True, slots=True)
class SplitProposal:
    """A planned split: the edit that makes it (None where nothing would change) and what it changes."""

    edit: Edit | None
    before: SplitReport
    after: SplitReport
    moved: int
    """Conversations that had a split and get another one."""
    bridged: int
    """Groups that added conversations joined across splits."""
    obstacle: Obstacle | None = None
    """What stood in the way of the wished shares."""


def propose(
    reader: Reader,
    plan: SplitPlan,
    *,
    fresh: bool = False,
    author: str = "",
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> SplitProposal:
    """Plan the splits of all conversations that are not removed.

    Under the plan of the last split what is assigned stays; another plan, or fresh, assigns all anew.
    """
    rows = _Rows.read(reader, plan, progress, cancelled)
    stored = reader.setting(PLAN)
    keep = not fresh and stored in (None, plan.to_json())
    outcome = plan_splits(plan, rows.columns, keep=keep)
    before = rows.report(rows.columns.split, outcome.group)
    after = rows.report(outcome.split, outcome.group)
    patches: list[Patch] = []
    if stored != plan.to_json() and len(rows.ids):
        patches.append(SettingPatch(PLAN, stored, plan.to_json()))
    changed = np.flatnonzero(rows.columns.split != outcome.split)
    if len(changed):
        patches.append(
            _patch(rows.ids[changed], rows.columns.split[changed], outcome.split[changed])
        )
    edit = Edit("Split", author or str(getattr(reader, "author", "")), tuple(patches))
    return SplitProposal(
        edit if patches else None,
        before,
        after,
        outcome.moved,
        outcome.bridged,
        _obstacle(plan, rows, outcome),
    )


def _obstacle(plan: SplitPlan, rows: "_Rows", outcome: Assignment) -> Obstacle | None:
    found = splits.obstacle(plan, rows.columns, outcome)
    if found is None:
        return None
    ids = tuple(rows.ids[found.rows].tolist())
    return Obstacle(found.wished, ids, len(rows.ids), found.tied_by)


def present(reader: Reader, label_set: str = "") -> SplitReport:
    """Report the splits as they are, with what is the same or a beginning as the groups."""
    plan = plan_of(reader)
    rows = _Rows.read(
        reader,
        SplitPlan(
            stratify=label_set or (plan.stratify if plan else ""),
            together=("prompt",),
        ),
        no_progress,
        never_cancelled,
        strict=False,
    )
    return rows.report(rows.columns.split, groups_of(rows.columns))


def plan_of(reader: Reader) -> SplitPlan | None:
    """Return the plan of the last split, None before the first."""
    stored = reader.setting(PLAN)
    if stored is None:
        return None
    together: tuple[Together, ...] = tuple(stored["together"])
    return SplitPlan(
        train=stored["train"],
        validation=stored["validation"],
        test=stored["test"],
        seed=stored["seed"],
        stratify=stored["stratify"],
        together=together,
        by_count=stored["by_count"],
    )


@dataclass(frozen=True)
class _Rows:
    ids: Ints
    columns: SplitColumns
    tokens: Ints
    labels: tuple[str, ...]

    @classmethod
    def read(
        cls,
        reader: Reader,
        plan: SplitPlan,
        progress: ProgressCall,
        cancelled: CancelledCall,
        *,
        strict: bool = True,
    ) -> "_Rows":
        with reader.snapshot():
            columns_read = ("id", "ifnull(split, 0)", "ifnull(source, 0)", "tokens")
            table = number_table(reader, columns_read)
            ids = table[:, 0]
            same = read_sameness(reader, ids)
            names, label = _labels(reader, ids, plan.stratify, strict=strict)
        cluster = np.full(len(ids), -1, dtype=np.int64)
        if "duplicates" in plan.together:
            cluster = _clusters(reader, ids, progress, cancelled)
        columns = SplitColumns(
            same=same,
            split=table[:, 1],
            source=table[:, 2],
            label=label,
            cluster=cluster,
        )
        return cls(ids, columns, table[:, 3], names)

    def report(self, split: Ints, group: Ints) -> SplitReport:
        counts = drift(self.columns.label, split, len(self.labels))
        names = [Split.TRAIN, Split.VALIDATION, Split.TEST]
        train, validation, test = (
            self._share(split == code, counts[name]) for code, name in enumerate(names, 1)
        )
        inside = self.columns.label[(split == 0) & (self.columns.label >= 0)]
        rest = np.bincount(inside, minlength=len(self.labels)).tolist()
        return SplitReport(
            train,
            validation,
            test,
            unassigned=self._share(split == 0, tuple(rest)),
            groups=int(group.max()) + 1 if len(group) else 0,
            straddling_groups=straddling(group, split),
            leaks=tuple(tuple(self.ids[rows].tolist()) for rows in leaks(self.columns.same, split)),
        )

    def _share(
        self, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]", counts: tuple[int, ...]
    ) -> Share:
        labels = dict(zip(self.labels, counts, strict=False))
        return Share(int(mask.sum()), int(self.tokens[mask].sum()), labels)


def _labels(
    reader: Reader, ids: Ints, label_set: str, *, strict: bool
) -> tuple[tuple[str, ...], Ints]:
    """Return the answers in the order of their names and each row's, the one that counts."""
    codes = np.full(len(ids), -1, dtype=np.int64)
    if not label_set:
        return (), codes
    known = spelling(label_set, answered_sets(reader))
    rows = labels_that_count(reader, known or label_set)
    if not rows and strict:
        raise WrongUse(
            f'Nothing is labelled with "{label_set}" yet, so it cannot be stratified by. '
            "Label something first, or leave it out."
        )
    names = tuple(sorted({value for _, _, value in rows}))
    number = {name: code for code, name in enumerate(names)}
    labelled = np.array([id_ for id_, _, _ in rows], dtype=np.int64)
    values = np.array([number[value] for _, _, value in rows], dtype=np.int64)
    here = np.isin(labelled, ids)
    codes[np.searchsorted(ids, labelled[here])] = values[here]
    return names, codes


def _clusters(reader: Reader, ids: Ints, progress: ProgressCall, cancelled: CancelledCall) -> Ints:
    """Return each row's near-duplicate cluster, by the terms of the last near search."""
    last = kept(reader)
    search = last.search if last is not None and last.search.preset == "near" else Search()
    found = find(reader, search, progress=progress, cancelled=cancelled)
    cluster = np.full(len(ids), -1, dtype=np.int64)
    for number, each in enumerate(found.matches.clusters()):
        members = found.ids[list(each.rows)]
        cluster[np.searchsorted(ids, members[np.isin(members, ids)])] = number
    return cluster


def _patch(ids: Ints, before: Ints, after: Ints) -> AnnotationPatch:
    names = np.array(SPLITS, dtype=object)
    return AnnotationPatch(
        "split",
        tuple(ids.tolist()),
        one_for_all(names[before].tolist()),
        one_for_all(names[after].tolist()),
    )
