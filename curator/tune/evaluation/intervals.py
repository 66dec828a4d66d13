"""How sure a figure is: paired bootstrap intervals, McNemar's exact test, and how many items are needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from curator.tune.evaluation.scores import Coded, Floats, figures_of

RESAMPLES: Final = 1_000
LEVEL: Final = 0.95
POWER: Final = 0.8
_CHUNK_CELLS: Final = 2_000_000
_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies with a certainty of 95 %."""

    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """What one candidate scored on each item: its labels where there are any, and scores by name."""

    coded: Coded | None
    values: Mapping[str, Floats]


def resample(
    candidates: Sequence[Measured], items: int, *, times: int = RESAMPLES, seed: int = _SEED
) -> list[dict[str, Floats]]:
    """Return every figure of every candidate under random weights of the items, the same for all of them.

    That they are the same makes differences between candidates paired. Weights instead of drawing items
    with replacement (the Bayesian bootstrap, Rubin 1981): a class with one item never vanishes, which
    would push every average over classes to one side.
    """
    found: list[dict[str, list[Floats]]] = [{} for _ in candidates]
    if not items:
        return [{} for _ in candidates]
    chance = np.random.default_rng(seed)
    ordered = [None if each.coded is None else _Cells.of(each.coded) for each in candidates]
    chunk = max(1, min(times, _CHUNK_CELLS // items))
    for start in range(0, times, chunk):
        weights = chance.standard_exponential((min(chunk, times - start), items))
        for candidate, cells, kept in zip(candidates, ordered, found, strict=True):
            for name, values in _under(candidate, cells, weights).items():
                kept.setdefault(name, []).append(values)
    return [{name: np.concatenate(each) for name, each in kept.items()} for kept in found]


@dataclass(frozen=True)
class _Cells:
    """The filled cells of a confusion matrix, and the items in the order of their cells."""

    coded: Coded
    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    actual: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]

    @classmethod
    def of(cls, coded: Coded) -> "_Cells":
        # By the right label, then by what was said.
        cell_of = coded.actual * (len(coded.classes) + 1) + coded.predicted
        order = np.argsort(cell_of, kind="stable")
        cells, starts = np.unique(cell_of[order], return_index=True)
        actual, predicted = np.divmod(cells, len(coded.classes) + 1)
        return cls(coded, order, starts, actual, predicted)

    def figures(self, weights: Floats) -> dict[str, Floats]:
        """Return the figures of labels, an item counting as much as its weight."""
        counts = np.add.reduceat(weights[:, self.order], self.starts, axis=1)
        is_right = self.actual == self.predicted
        hits = np.zeros((len(weights), self.coded.n_real))
        hits[:, self.actual[is_right]] = counts[:, is_right]
        by_said = np.argsort(self.predicted, kind="stable")
        real = _summed(counts, self.actual, self.coded.n_real)
        said = _summed(counts[:, by_said], self.predicted[by_said], len(self.coded.classes) + 1)
        return figures_of(hits, real, said, weights.sum(axis=1))


def _under(candidate: Measured, cells: _Cells | None, weights: Floats) -> dict[str, Floats]:
    total = weights.sum(axis=1)
    found = {name: weights @ values / total for name, values in candidate.values.items()}
    return found if cells is None else found | cells.figures(weights)


def _summed(counts: Floats, codes: npt.NDArray[np.int64], width: int) -> Floats:
    """Return the sums of columns that have the same code, codes being in order."""
    there, starts = np.unique(codes, return_index=True)
    found = np.zeros((len(counts), width))
    found[:, there] = np.add.reduceat(counts, starts, axis=1)
    return found


def interval_of(resampled: Floats, level: float = LEVEL) -> Interval:
    """Return the percentile interval of a resampled figure."""
    tail = (1 - level) / 2 * 100
    low, high = np.percentile(resampled, (tail, 100 - tail))
    return Interval(float(low), float(high))


def wilson(right: int, items: int, level: float = LEVEL) -> Interval:
    """Return Wilson's interval of a share; from 0 to 1 where there are no items."""
    if not items:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, spread = right / items, z * z / items
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / items + spread / (4 * items))
    low = 0.0 if right == 0 else max(0.0, middle - half)
    return Interval(low, 1.0 if right == items else min(1.0, middle + half))


def mcnemar(wins: int, losses: int) -> float:
    """Return the p of McNemar's exact test: how often chance alone splits wins and losses as unevenly."""
    n = wins + losses
    if wins == losses:
        return 1.0
    ways = tail = 1
    for k in range(min(wins, losses)):
        ways = ways * (n - k) // (k + 1)
        tail += ways
    return float(min(1.0, 2 * tail / 2**n))


def items_needed(wins: int, losses: int, items: int) -> int | None:
    """Return how many items would show a difference like this with 80 % power at 5 % (Connor 1987).

    None where there is no difference to show.
    """
    if wins == losses or not items:
        return None
    z_alpha, z_power = (NormalDist().inv_cdf(p) for p in (0.5 + LEVEL / 2, POWER))
    differing, difference = (wins + losses) / items, abs(wins - losses) / items
    root = z_alpha * sqrt(differing) + z_power * sqrt(max(0.0, differing - difference**2))
    return ceil((root / difference) ** 2)
