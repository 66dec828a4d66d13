"""What the kernel gives back: one row for a conversation, columns for a batch of lines."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from curator.dataset import Finding

Column = npt.NDArray[np.int64]


class Row(NamedTuple):
    """The derived columns of one conversation, and what the checks found."""

    content_hash: int
    prompt_hash: int
    system_hash: int
    n_messages: int
    n_turns: int
    tokens: int
    trained_tokens: int
    tokens_exact: int
    errors: int
    warnings: int
    flags: int
    title: str
    findings: tuple[Finding, ...]


HAS_TOOLS: Final = 1
HAS_TOOL_CALLS: Final = 2
HAS_PARTS: Final = 4
HAS_SYSTEM: Final = 8
HAS_NAMES: Final = 16
HAS_WEIGHTS: Final = 32

NUMBERS: Final = Row._fields[:-2]
"""The columns of a row that are whole numbers."""


class Rejected(NamedTuple):
    """A line that cannot get in: its index among the lines, the rule it breaks and a sentence."""

    line: int
    rule: str
    reason: str


@dataclass(slots=True)
class Analysis:
    """The rows of a batch as columns, in the order of their lines, and what did not get in.

    line, left and length are the extents of the rows; blank counts the lines without anything.
    """

    line: Column
    left: Column
    length: Column
    columns: dict[str, Column]
    titles: list[str]
    findings: list[tuple[int, Finding]]
    rejected: list[Rejected]
    blank: int

    def __len__(self) -> int:
        return len(self.titles)


def columns_of(
    rows: Sequence[Row],
    extents: Sequence[tuple[int, int, int]],
    rejected: list[Rejected],
    blank: int,
) -> Analysis:
    """Turn rows into columns; an extent is a row's line, the bytes before its object, and its bytes."""
    cells: list[Any] = list(zip(*rows, strict=True)) or [()] * len(Row._fields)
    line, left, length = list(zip(*extents, strict=True)) or [()] * 3
    return Analysis(
        line=_column(line),
        left=_column(left),
        length=_column(length),
        columns={name: _column(cells[i]) for i, name in enumerate(NUMBERS)},
        titles=list(cells[-2]),
        findings=[(i, found) for i, every in enumerate(cells[-1]) if every for found in every],
        rejected=rejected,
        blank=blank,
    )


def _column(numbers: Iterable[int]) -> Column:
    # Three times as fast as numpy's own way through Python objects.
    return np.frombuffer(array("q", numbers), np.int64)
