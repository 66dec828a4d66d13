"""Tables, matrix and intervals of two candidates against scikit-learn's figures on the same resamples.

python -m tests.benchmarks.bench_evaluation [--items 10000] [--classes 150] [--resamples 1000]

The baseline computes precision, recall and F1 of one candidate on 20 resamples and is scaled to all.
"""

import argparse
import os
import time

import numpy as np

from curator.tune.evaluation.intervals import Measured, interval_of, resample
from curator.tune.evaluation.scores import confusions, encode, per_class, score_labels

_BASELINE_RESAMPLES = 20


def replies(chance, actual: list[str], labels: list[str], share: float) -> list[str]:
    """Return replies of which a share is right."""
    return [a if chance.random() < share else labels[chance.integers(len(labels))] for a in actual]


def ours(actual: list[str], said: list[list[str]], resamples: int) -> float:
    """Return the seconds for all that the page shows of two candidates."""
    began = time.perf_counter()
    coded = [encode(actual, each) for each in said]
    for each in coded:
        score_labels(each)
        per_class(each)
        confusions(each, range(len(actual)))
    one, other = resample([Measured(each, {}) for each in coded], len(actual), times=resamples)
    for name in one:
        interval_of(one[name])
        interval_of(other[name] - one[name])
    return time.perf_counter() - began


def baseline(actual: list[str], said: list[list[str]], resamples: int) -> float:
    """Return the seconds that scikit-learn would take for the same resamples."""
    from sklearn.metrics import precision_recall_fscore_support

    chance = np.random.default_rng(7)
    truth, replied = np.array(actual), [np.array(each) for each in said]
    began = time.perf_counter()
    for _ in range(_BASELINE_RESAMPLES):
        drawn = chance.integers(0, len(actual), len(actual))
        for each in replied:
            precision_recall_fscore_support(
                truth[drawn], each[drawn], average="macro", zero_division=0
            )
    return (time.perf_counter() - began) * resamples / _BASELINE_RESAMPLES


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=150)
    parser.add_argument("--resamples", type=int, default=1_000)
    options = parser.parse_args()
    chance = np.random.default_rng(1)
    labels = [f"label {n}" for n in range(options.classes)]
    actual = [labels[n] for n in chance.integers(0, options.classes, options.items)]
    said = [replies(chance, actual, labels, share) for share in (0.8, 0.85)]
    here, there = (f(actual, said, options.resamples) for f in (ours, baseline))
    print(f"load {os.getloadavg()[0]:.1f}")
    print(f"{options.items:,} items, {options.classes} classes, {options.resamples:,} resamples")
    print(
        f"ours {here:.2f} s, scikit-learn {there:.1f} s (macro figures only), {there / here:.0f} x"
    )


if __name__ == "__main__":
    main()
