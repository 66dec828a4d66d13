"""The three parts of a dataset."""

from enum import StrEnum


class Split(StrEnum):
    """Which part a conversation belongs to; an unassigned one has the empty string instead."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
