"""Figures of labels: accuracy, precision, recall, F1, balanced accuracy and Matthews' correlation.

They are worked out from counts, so that one function serves the table and a thousand resamples. What is
averaged are the classes that have items: what is only ever said, an unreadable reply, or a choice
nobody has in the split lowers recall and precision of the others and has no average of its own. Where
scikit-learn would divide by zero, the figure is 0, as with its zero_division=0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

UNREADABLE: Final = "(unreadable)"
"""What stands for a reply without a label in a confusion matrix."""

FIGURES: Final = (
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_micro",
    "recall_micro",
    "f1_micro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "mcc",
)


@dataclass(frozen=True)
class Coded:
    """Labels as numbers: classes has those with items first (n_real of them), then all others.

    predicted is the number of a class, or len(classes) for an unreadable reply.
    """

    classes: tuple[str, ...]
    n_real: int
    actual: Ints
    predicted: Ints

    @property
    def matrix(self) -> Ints:
        """The confusion matrix: a row for each class with items, a column for each class, unreadable last."""
        width = len(self.classes) + 1
        flat = np.bincount(self.actual * width + self.predicted, minlength=self.n_real * width)
        return flat.reshape(self.n_real, width)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which items were answered with their own label."""
        return np.asarray(self.actual == self.predicted)


def encode(
    actual: Sequence[str], predicted: Sequence[str | None], choices: Sequence[str] = ()
) -> Coded:
    """Number the labels: real classes by name, then other choices and labels that only replies have."""
    real = sorted(set(actual))
    known = set(real)
    others = sorted({*choices, *filter(None, predicted)} - known)
    classes = (*real, *others)
    code = {label: at for at, label in enumerate(classes)}
    said = (len(classes) if label is None else code[label] for label in predicted)
    return Coded(
        classes,
        len(real),
        np.fromiter((code[label] for label in actual), np.int64, len(actual)),
        np.fromiter(said, np.int64, len(predicted)),
    )


def figures_of(hits: Floats, real: Floats, said: Floats, total: Floats) -> dict[str, Floats]:
    """Return every figure of FIGURES, one for each row of the counts.

    hits and real count right answers and items of each class with items; said counts how often every
    class was said, unreadable replies as the last one; total is the number of items.
    """
    own = said[:, : real.shape[1]]
    precision, recall = _ratio(hits, own), _ratio(hits, real)
    f1 = _ratio(2 * hits, own + real)
    present = real > 0
    right = hits.sum(axis=1)
    found = {"accuracy": _ratio(right, total)}
    found["balanced_accuracy"] = _mean(recall, present)
    for name, each in (("precision", precision), ("recall", recall), ("f1", f1)):
        found[f"{name}_macro"] = _mean(each, present)
        found[f"{name}_weighted"] = _ratio((each * real).sum(axis=1), total)
    spoken = (own * present).sum(axis=1)
    found["precision_micro"] = _ratio(right, spoken)
    found["recall_micro"] = _ratio(right, total)
    found["f1_micro"] = _ratio(2 * right, spoken + total)
    found["mcc"] = _matthews(right, real, said, total)
    return {name: found[name] for name in FIGURES}


def score_labels(coded: Coded) -> dict[str, float]:
    """Return every figure of FIGURES for one candidate; 0 where there are no items."""
    if not len(coded.actual):
        return dict.fromkeys(FIGURES, 0.0)
    hits, real, said = counts_of(coded)
    found = figures_of(hits[None], real[None], said[None], np.array([float(len(coded.actual))]))
    return {name: float(value[0]) for name, value in found.items()}


def counts_of(coded: Coded) -> tuple[Floats, Floats, Floats]:
    """Return right answers and items of each real class, and how often every class was said."""
    matrix = coded.matrix.astype(np.float64)
    return np.diagonal(matrix).copy(), matrix.sum(axis=1), matrix.sum(axis=0)


def per_class(coded: Coded) -> list[dict[str, Any]]:
    """Return items, precision, recall and F1 of every class; those without items have no recall."""
    hits, real, said = counts_of(coded)
    rows: list[dict[str, Any]] = []
    for at, label in enumerate(coded.classes):
        has = at < coded.n_real
        right, items = (float(hits[at]), float(real[at])) if has else (0.0, 0.0)
        rows.append(
            {
                "label": label,
                "items": int(items),
                "said": int(said[at]),
                "right": int(right),
                "precision": right / said[at] if said[at] else 0.0,
                "recall": right / items if has else None,
                "f1": 2 * right / (items + said[at]) if has else None,
            }
        )
    return rows


def confusions(coded: Coded, conversations: Sequence[int]) -> Mapping[tuple[int, int], list[int]]:
    """Return the conversations behind every cell of the confusion matrix that has any."""
    cells: dict[tuple[int, int], list[int]] = {}
    places = zip(coded.actual.tolist(), coded.predicted.tolist(), conversations, strict=True)
    for actual, predicted, conversation in places:
        cells.setdefault((actual, predicted), []).append(conversation)
    return cells


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)


def _mean(values: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    return _ratio((values * present).sum(axis=1), present.sum(axis=1).astype(np.float64))


def _matthews(right: Floats, real: Floats, said: Floats, total: Floats) -> Floats:
    together = (real * said[:, : real.shape[1]]).sum(axis=1)
    spread = (total**2 - (said**2).sum(axis=1)) * (total**2 - (real**2).sum(axis=1))
    return _ratio(right * total - together, np.sqrt(np.maximum(spread, 0.0)))
