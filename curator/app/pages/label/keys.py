"""Which digit gives which value: one pool over all label sets, the short ones first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from curator.dataset import LabelSet

DIGITS: Final = "1234567890"
LONG: Final = 16
"""A set of more answers than this is answered through the picker, and takes only digits left over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One value of one label set."""

    label_set: str
    value: str


def is_long(label_set: LabelSet) -> bool:
    """Whether a set has more answers than buttons for them could be overlooked."""
    return len(label_set.values) > LONG


def assign_keys(sets: Sequence[LabelSet]) -> dict[str, Answer]:
    """Return digit to answer, in the order of the sets but long sets last; others have no key."""
    answers = [Answer(s.name, value) for s in sorted(sets, key=is_long) for value in s.values]
    return dict(zip(DIGITS, answers, strict=False))
