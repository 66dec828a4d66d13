"""Dividing a dataset into train, validation and test so that nothing that belongs together is divided.

Rows that are the same, a row and its own beginning, and whatever else was asked for form a group, and
a group goes to one split whole. Which one is told by a hash of the seed and the group, never by the order of rows, and
what was assigned before stays where it is, so added rows move nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from curator.curate.analysis.identity import Sameness, equal_rows
from curator.dataset.codes import SPLITS
from curator.dataset.errors import WrongUse
from curator.dataset.split import Split

Ints = npt.NDArray[np.int64]

Together = Literal["prompt", "duplicates", "source"]

TOGETHER: Final[tuple[Together, ...]] = ("prompt", "duplicates", "source")
"""What can be kept in one split, besides what is the same or a beginning, which always is."""

_TRAIN, _VALIDATION, _TEST = (SPLITS.index(split) for split in Split)
_MEANT: Final = 0.01


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """How to divide: shares of the whole, or whole numbers of rows.

    With numbers, a train of 0 means all that validation and test leave, and another number leaves
    the rest unassigned.
    """

    train: float = 0.8
    validation: float = 0.1
    test: float = 0.1
    seed: int = 0
    stratify: str = ""
    together: tuple[Together, ...] = ("prompt",)
    by_count: bool = False

    def __post_init__(self) -> None:
        shares = self._shares()
        if not all(0 <= share < float("inf") for share in shares):
            raise WrongUse("A split's share or count cannot be below 0.")
        if self.by_count:
            if any(share != int(share) for share in shares):
                raise WrongUse("Counts of rows are whole numbers; give shares below 1 or counts.")
        elif abs(sum(shares) - 1) > 1e-6:
            raise WrongUse(
                f"The shares of train, validation and test add up to {sum(shares):g}, not to 1."
            )
        unknown = set(self.together) - set(TOGETHER)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise WrongUse(f'"{names}" cannot be kept together; choose from {", ".join(TOGETHER)}.')

    def to_json(self) -> dict[str, object]:
        """Return the plan as a JSON object."""
        return {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "seed": self.seed,
            "stratify": self.stratify,
            "together": sorted(self.together),
            "by_count": self.by_count,
        }

    def targets(self, rows: int) -> tuple[float, float, float]:
        """Return how many of so many rows each split should have."""
        if not self.by_count:
            return (self.train * rows, self.validation * rows, self.test * rows)
        if self.train + self.validation + self.test > rows:
            raise WrongUse(
                f"{self.train + self.validation + self.test:g} rows are asked for, "
                f"but only {rows} can be split."
            )
        rest = rows - self.validation - self.test
        return (self.train or rest, self.validation, self.test)

    @property
    def rest(self) -> int:
        """The split code of what the targets leave over, 0 where it stays unassigned."""
        if self.by_count:
            return 0 if self.train else _TRAIN
        return next(code for code, share in enumerate(self._shares(), 1) if share > 0)

    def _shares(self) -> tuple[float, float, float]:
        return (self.train, self.validation, self.test)


@dataclass(frozen=True, slots=True)
class SplitColumns:
    """The rows to divide, one value each; label -1 is no label, cluster -1 none, split 0 unassigned."""

    same: Sameness
    split: Ints
    label: Ints
    source: Ints
    cluster: Ints


@dataclass(frozen=True, slots=True)
class Assignment:
    """The outcome: a split code and a group number for each row, and what had to give."""

    split: Ints
    group: Ints
    moved: int
    """Rows that had a split and got another one."""
    bridged: int
    """Groups that new rows joined together across splits, and that were brought into one."""

    @property
    def groups(self) -> int:
        """The number of groups."""
        return int(self.group.max()) + 1 if len(self.group) else 0


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the shares could not be met: the largest group, and by what its rows hang together."""

    wished: tuple[int, int, int]
    rows: Ints
    tied_by: tuple[str, ...]
    """Of copies, prompt, beginning, duplicates and source those that tie, the most frequent first."""


def obstacle(plan: SplitPlan, columns: SplitColumns, outcome: Assignment) -> Obstacle | None:
    """Return what stood in the way of the wished shares; None where they are met within 1 % of the rows."""
    total = len(columns.split)
    if not total:
        return None
    wished = plan.targets(total)
    found = np.bincount(outcome.split, minlength=len(SPLITS))[1:].tolist()
    off = max(abs(has - want) for has, want in zip(found, wished, strict=True))
    sizes = np.bincount(outcome.group)
    largest = int(sizes.argmax())
    # Rows that stay where an earlier split put them are no groups' doing.
    if off <= max(1.0, total * _MEANT) or sizes[largest] < max(2.0, off):
        return None
    inside = outcome.group == largest
    ties_of = {
        kind: int((inside[left] & (left != right)).sum())
        for kind, left, right in ties(columns, plan.together)
    }
    kinds = tuple(sorted((k for k in ties_of if ties_of[k]), key=lambda k: -ties_of[k]))
    # Rounded at their borders, so that they make up all rows.
    train, validation, test = np.diff(np.rint(np.cumsum((0.0, *wished)))).astype(int).tolist()
    return Obstacle((train, validation, test), np.flatnonzero(inside), kinds)


def plan_splits(plan: SplitPlan, columns: SplitColumns, *, keep: bool = True) -> Assignment:
    """Assign every row; keep leaves rows that have a split where they are."""
    group = groups_of(columns, plan.together)
    number = int(group.max()) + 1 if len(group) else 0
    sizes = np.bincount(group, minlength=number).astype(np.int64)
    before = columns.split if keep else np.zeros(len(group), dtype=np.int64)
    fixed, bridged = _settled(group, before, number)
    order = np.lexsort((np.arange(number), _draw(plan.seed, _group_keys(group, columns, number))))
    strata = _strata(group, columns.label if plan.stratify else None, number)
    chosen = _fill(fixed, sizes, strata, order, plan.targets(len(group)), plan.rest)
    split = chosen[group] if number else np.zeros(0, dtype=np.int64)
    moved = int(((columns.split > 0) & (columns.split != split)).sum())
    return Assignment(split, group, moved, bridged)


def groups_of(columns: SplitColumns, together: Sequence[Together] = ("prompt",)) -> Ints:
    """Number the groups: rows that are the same or a beginning of each other, and what was asked for."""
    return _connected(len(columns.split), [link[1:] for link in ties(columns, together)])


def ties(
    columns: SplitColumns, together: Sequence[Together] = ("prompt",)
) -> list[tuple[str, Ints, Ints]]:
    """Return by kind which rows hang together."""
    found = columns.same.links(np.ones(len(columns.split), dtype=bool))
    if "duplicates" in together:
        found.append(("duplicates", *equal_rows(columns.cluster, columns.cluster >= 0)))
    if "source" in together:
        found.append(("source", *equal_rows(columns.source, columns.source > 0)))
    return found


def straddling(group: Ints, split: Ints) -> int:
    """Count the groups whose rows lie in several splits; unassigned rows lie in none."""
    assigned = split > 0
    places = np.unique(group[assigned] * 4 + split[assigned])
    return int((np.bincount(places // 4, minlength=1) > 1).sum())


def leaks(same: Sameness, split: Ints) -> list[Ints]:
    """Return the rows that are the same, or a beginning of each other, and stand in several splits."""
    links = [link[1:] for link in same.links(split > 0)]
    group = _connected(len(split), links)
    places = np.unique(group[split > 0] * 4 + split[split > 0]) // 4
    across = np.flatnonzero(np.isin(group, places[1:][places[1:] == places[:-1]]) & (split > 0))
    order = across[np.argsort(group[across], kind="stable")]
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.split(order, starts[1:]) if len(order) else []


def drift(label: Ints, split: Ints, number: int) -> Mapping[Split, tuple[int, ...]]:
    """Count each label in each split."""
    return {
        name: tuple(
            np.bincount(label[(split == code) & (label >= 0)], minlength=number)[:number].tolist()
        )
        for code, name in enumerate(Split, 1)
    }


def _connected(rows: int, links: list[tuple[Ints, Ints]]) -> Ints:
    """Number the connected components by letting the smallest row number spread along the links."""
    leader = np.arange(rows, dtype=np.int64)
    while True:
        before = leader.copy()
        for left, right in links:
            low = np.minimum(leader[left], leader[right])
            np.minimum.at(leader, right, low)
            np.minimum.at(leader, left, low)
        leader = leader[leader]
        if np.array_equal(leader, before):
            return np.unique(leader, return_inverse=True)[1].astype(np.int64)


def _group_keys(group: Ints, columns: SplitColumns, number: int) -> Ints:
    keys = np.full(number, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(keys, group, columns.same.content_hash)
    return keys


def _draw(seed: int, keys: Ints) -> npt.NDArray[np.uint64]:
    """Return one well-mixed number for each key (the finaliser of SplitMix64), the same on every machine."""
    start = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:8], "big")
    value = keys.astype(np.uint64) ^ np.uint64(start)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    mixed: npt.NDArray[np.uint64] = value ^ (value >> np.uint64(31))
    return mixed


def _settled(group: Ints, before: Ints, number: int) -> tuple[Ints, int]:
    """Return the split each group has already (0 for none), and how many had several.

    Of several the most trained-on wins: rows then leave the test split, and none that a checkpoint
    may have learnt by heart gets in.
    """
    fixed = np.zeros(number, dtype=np.int64)
    for code in (_TEST, _VALIDATION, _TRAIN):
        fixed[group[before == code]] = code
    return fixed, straddling(group, before)


def _strata(group: Ints, label: Ints | None, number: int) -> Ints:
    """Return for each group its most frequent label, the smallest of equals; -1 where nothing is labelled."""
    strata = np.full(number, -1, dtype=np.int64)
    if label is None or not (label >= 0).any():
        return strata
    width = int(label.max()) + 1
    use = label >= 0
    cells, counts = np.unique(group[use] * width + label[use], return_counts=True)
    order = np.lexsort((-cells, counts))  # the last write of a group is its winner
    strata[cells[order] // width] = cells[order] % width
    return strata


def _fill(
    fixed: Ints,
    sizes: Ints,
    strata: Ints,
    order: Ints,
    targets: tuple[float, float, float],
    rest: int,
) -> Ints:
    """Give each free group a split, stratum by stratum; what one stratum lacks the next makes up for."""
    chosen = fixed.copy()
    total = int(sizes.sum())
    for code in (_TEST, _VALIDATION, _TRAIN):
        if code == rest or not total:
            continue
        carried = 0.0
        lacking = targets[code - 1] - int(sizes[chosen == code].sum())
        for stratum in np.unique(strata).tolist():
            inside = strata == stratum
            wanted = targets[code - 1] * int(sizes[inside].sum()) / total + carried
            wanted -= int(sizes[inside & (chosen == code)].sum())
            most = min(round(wanted), round(lacking))
            taken = _take(chosen, order[inside[order]], sizes, most, code)
            carried, lacking = wanted - taken, lacking - taken
        _take(chosen, order, sizes, round(lacking), code)
    chosen[chosen == 0] = rest
    return chosen


def _take(chosen: Ints, candidates: Ints, sizes: Ints, most: int, code: int) -> int:
    """Assign free groups in order, as long as they fit, and return how many rows that took."""
    left = most
    for group in candidates[chosen[candidates] == 0].tolist():
        if left <= 0:
            break
        if sizes[group] <= left:
            chosen[group] = code
            left -= int(sizes[group])
    return max(most, 0) - max(left, 0)
