"""The gate of a run: a figure that must not be lower, and nothing that got worse by more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from curator.dataset.errors import WrongUse
from curator.tune.evaluation.comparison import Comparison
from curator.tune.evaluation.scores import FIGURES
from curator.tune.evaluation.text_scores import CORPUS_SCORES, ITEM_SCORES

GATED: Final = (*FIGURES, *ITEM_SCORES, *CORPUS_SCORES, "json_valid", "tool_arguments")
"""The figures that can be asked for; which of them a run has depends on its scores."""

REGRESSION: Final = "regression"
_MOST: Final = 100.0


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold for every candidate but the first, which is what the others are compared with.

    With one candidate alone it must hold for that one.
    """

    least: Mapping[str, float]
    no_regression: bool = False

    @classmethod
    def parse(cls, texts: Sequence[str], *, no_regression: bool = False) -> "Gate":
        """Read METRIC=X, several times; raises WrongUse where X is no number."""
        least = {}
        for text in texts:
            name, _, value = text.partition("=")
            try:
                least[name.strip()] = float(value)
            except ValueError:
                raise WrongUse(
                    f'--fail-under wants METRIC=X, such as f1_macro=0.85, not "{text}".'
                ) from None
            if name.strip() not in GATED:
                raise WrongUse(
                    f'There is no figure "{name.strip()}"; choose of {", ".join(GATED)}.'
                )
            if not 0 <= least[name.strip()] <= _MOST:
                raise WrongUse(f"--fail-under {text}: a figure lies between 0 and {_MOST:.0f}.")
        return cls(least, no_regression)

    def check(
        self, figures: Mapping[str, Mapping[str, Any]], comparisons: Sequence[Comparison]
    ) -> dict[str, Any]:
        """Return the key gate: whether it is passed, and each failure with its sentence.

        figures holds the candidates in their order. Raises WrongUse for a metric that was not computed.
        """
        names = list(figures)
        failed: list[dict[str, Any]] = []
        for name in names[1:] or names:
            for metric, least in self.least.items():
                failed += self._below(name, metric, least, figures[name])
        if self.no_regression:
            failed += [_worse(each) for each in comparisons if each.is_regression]
        return {"passed": not failed, "failed": failed}

    @staticmethod
    def _below(
        name: str, metric: str, least: float, figures: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        value = figures.get(metric)
        if not isinstance(value, float):
            known = ", ".join(key for key, each in figures.items() if isinstance(each, float))
            raise WrongUse(f'This run has no figure "{metric}"; it has {known}.')
        if value >= least:
            return []
        sentence = f"{metric} of {name} is {value:.4g}, under {least:.4g}."
        return [
            {"candidate": name, "metric": metric, "value": value, "least": least,
             "sentence": sentence}
        ]  # fmt: skip


def _worse(comparison: Comparison) -> dict[str, Any]:
    return {
        "candidate": comparison.b,
        "metric": REGRESSION,
        "value": comparison.difference,
        "least": 0.0,
        "sentence": comparison.sentence(),
    }
