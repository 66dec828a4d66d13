"""Which label counts, where several annotators answered for one conversation: asked here by everybody.

A split, a rule on the whole dataset, a label file and an evaluation all need one answer to a label set.
A search does not: it finds a conversation by any answer that was given.
"""

from collections.abc import Iterable, Mapping

from curator.dataset import Label


def label_that_counts(answers: Mapping[str, str], me: str = "") -> str:
    """Return the one of the annotators' answers that counts; answers are by annotator, at least one.

    It is my own where I answered. Else it is the first answer by name: neither who answered first nor
    what an annotator is called may move a conversation to another split.
    """
    return answers[me] if me in answers else min(answers.values())


def labels_that_count(labels: Iterable[Label], me: str = "") -> dict[str, str]:
    """Return for each label set the answer that counts, from all labels of one conversation."""
    answers: dict[str, dict[str, str]] = {}
    for label in labels:
        answers.setdefault(label.label_set, {})[label.annotator] = label.value
    return {name: label_that_counts(given, me) for name, given in answers.items()}


def labels_of(labels: Iterable[Label], annotator: str) -> dict[str, str]:
    """Return one annotator's own answers by label set, from all labels of one conversation."""
    return {label.label_set: label.value for label in labels if label.annotator == annotator}
