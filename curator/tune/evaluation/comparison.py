"""Two candidates on the same questions: what got better, what got worse, and whether chance does as much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curator.dataset.counted import counted
from curator.tune.evaluation.intervals import Interval, interval_of, items_needed, mcnemar
from curator.tune.evaluation.scores import Floats

_ALPHA: Final = 0.05
_FEW: Final = 30
"""With fewer questions an interval from resampling is too narrow to be trusted alone."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Comparison:
    """What candidate b did better and worse than a, on the questions that both answered.

    difference is b's share of right answers less a's, from low to high with a certainty of 95 %; p is
    that of McNemar's exact test; needed is how many questions would show such a difference in four
    studies of five, None where there is none. differences has every figure.
    """

    a: str
    b: str
    wins: int
    losses: int
    ties: int
    difference: float
    low: float
    high: float
    p: float
    needed: int | None
    differences: Mapping[str, tuple[float, Interval]] = field(default_factory=dict)

    @property
    def items(self) -> int:
        """How many questions both answered."""
        return self.wins + self.losses + self.ties

    @property
    def is_more_than_chance(self) -> bool:
        """Whether chance would split wins and losses as unevenly less than once in twenty studies."""
        return self.p < _ALPHA

    @property
    def is_regression(self) -> bool:
        """Whether b is worse than a by more than chance."""
        return self.is_more_than_chance and self.losses > self.wins

    def sentence(self) -> str:
        """Return the comparison in plain words."""
        chance = "more than chance" if self.is_more_than_chance else "no more than chance can do"
        if not self.wins and not self.losses:
            chance = "no difference on these questions"
        return (
            f"{self.b} against {self.a}: better on {self.wins:,}, worse on {self.losses:,}, "
            f"same on {self.ties:,}: {chance}."
        )

    def advice(self) -> str:
        """Return what a person should know of how far this can be trusted; empty where all is said."""
        if not self.items:
            return "There is no question that both answered."
        asked = counted(self.items, "question")
        if not self.wins and not self.losses:
            unseen = min(1.0, 3 / self.items)
            return (
                f"On {asked} nothing differs; a difference of up to {unseen:.0%} of all answers "
                "could still be there unseen."
            )
        if self.is_more_than_chance:
            few = f"{asked} are few: ask more before you rely on how large the difference is."
            return few[:1].upper() + few[1:] if self.items < _FEW else ""
        if self.needed is None or self.needed <= self.items:
            return f"{asked} do not tell which one is better."
        return (
            f"{asked} do not tell; about {self.needed:,} would be needed to show a difference of "
            f"this size."
        )

    def figures_told(self) -> str:
        """Return difference, interval and p as a sentence."""
        return (
            f"Difference of right answers {self.difference:+.1%}, with a certainty of 95 % between "
            f"{self.low:+.1%} and {self.high:+.1%}; p = {self.p:.3g} (McNemar's exact test)."
        )

    def to_row(self) -> dict[str, Any]:
        """Return the keys that the command line promises, and more."""
        return {
            "a": self.a,
            "b": self.b,
            "items": self.items,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "more_than_chance": self.is_more_than_chance,
            "items_needed": self.needed,
            "sentence": self.sentence(),
            "advice": self.advice(),
            "differences": {
                name: {"difference": value, "low": within.low, "high": within.high}
                for name, (value, within) in self.differences.items()
            },
        }


def compare(
    names: tuple[str, str],
    right: tuple[Bools, Bools],
    figures: tuple[Mapping[str, float], Mapping[str, float]],
    resampled: tuple[Mapping[str, Floats], Mapping[str, Floats]],
) -> Comparison:
    """Compare two candidates by which items they had right, their figures, and these on equal resamples."""
    a, b = right
    wins, losses = int((b & ~a).sum()), int((a & ~b).sum())
    items = len(a)
    differences = {
        name: (
            figures[1][name] - figures[0][name],
            interval_of(resampled[1][name] - resampled[0][name]),
        )
        for name in resampled[0]
        if name in resampled[1]
    }
    value, within = differences.get("accuracy", (0.0, Interval(0.0, 0.0)))
    return Comparison(
        names[0],
        names[1],
        wins,
        losses,
        items - wins - losses,
        value,
        within.low,
        within.high,
        mcnemar(wins, losses),
        items_needed(wins, losses, items),
        differences,
    )
