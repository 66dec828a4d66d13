"""Which digit gives which value: one pool over all label sets, in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from curator.dataset import LabelSet

DIGITS: Final = "1234567890"


@dataclass(frozen=True, slots=True)
class Answer:
    """One value of one label set."""

    label_set: str
    value: str


def assign_keys(sets: Sequence[LabelSet]) -> dict[str, Answer]:
    """Return digit to answer; values beyond the tenth have no key."""
    answers = [Answer(each.name, value) for each in sets for value in each.values]
    return dict(zip(DIGITS, answers, strict=False))
