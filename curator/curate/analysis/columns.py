"""What the kernel gives back: one row for a conversation, columns for a batch of lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from curator.dataset import Finding

Column = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.int64]
"""Rows by the columns of NUMBERS."""


KERNEL_VERSION: Final = 4
"""Changes when the kernel gives other columns for the same line."""


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
    kind: int
    """As codes in dataset.record.KINDS."""
    title: str
    beginnings: bytes
    """As identity.Read has them."""
    findings: tuple[Finding, ...]


NUMBERS: Final = Row._fields[:-3]
"""The columns of a row that are whole numbers."""


class Rows(NamedTuple):
    """Rows of a batch: their numbers, titles and beginnings, and what the checks found, by row."""

    numbers: Matrix
    titles: list[str]
    beginnings: list[bytes]
    findings: dict[int, tuple[Finding, ...]]

    def row(self, at: int) -> Row:
        """Return one row by itself."""
        return Row._make(
            (
                *self.numbers[at].tolist(),
                self.titles[at],
                self.beginnings[at],
                self.findings.get(at, ()),
            )
        )

    def with_others(self, others: Mapping[int, Row]) -> "Rows":
        """Return these rows with others between them; a key is the place of a row among all."""
        if not others:
            return self
        places = sorted(others)
        ours = np.ones(len(self.titles) + len(others), np.bool_)
        ours[places] = False
        numbers = np.empty((len(ours), len(NUMBERS)), np.int64)
        numbers[ours] = self.numbers
        numbers[places] = np.array([others[place][: len(NUMBERS)] for place in places], np.int64)
        titles, beginnings = list(self.titles), list(self.beginnings)
        for place in places:
            titles.insert(place, others[place].title)
            beginnings.insert(place, others[place].beginnings)
        at = np.flatnonzero(ours).tolist()
        findings = {at[row]: found for row, found in self.findings.items()}
        findings |= {place: row.findings for place, row in others.items()}
        return Rows(numbers, titles, beginnings, findings)


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
    beginnings: list[bytes]
    findings: list[tuple[int, Finding]]
    rejected: list[Rejected]
    blank: int

    def __len__(self) -> int:
        return len(self.titles)


class Extents(NamedTuple):
    """Where rows stand: the line of each, the bytes before its object, and its bytes."""

    line: Column
    left: Column
    length: Column


def columns_of(rows: Rows, extents: Extents, rejected: list[Rejected], blank: int) -> Analysis:
    """Turn rows into columns."""
    columns = np.ascontiguousarray(rows.numbers.T)
    return Analysis(
        *extents,
        columns=dict(zip(NUMBERS, columns, strict=True)),
        titles=rows.titles,
        beginnings=rows.beginnings,
        findings=[(row, found) for row in sorted(rows.findings) for found in rows.findings[row]],
        rejected=rejected,
        blank=blank,
    )


def joined(parts: Sequence[tuple[int, Analysis]]) -> Analysis:
    """Return the analyses of parts of a batch as one; each comes with the number of its first line."""
    if len(parts) == 1:
        return parts[0][1]
    rows = accumulate((len(part) for _, part in parts), initial=0)
    analyses = [part for _, part in parts]
    return Analysis(
        np.concatenate([part.line + first for first, part in parts]),
        np.concatenate([part.left for part in analyses]),
        np.concatenate([part.length for part in analyses]),
        {name: np.concatenate([part.columns[name] for part in analyses]) for name in NUMBERS},
        [title for part in analyses for title in part.titles],
        [begun for part in analyses for begun in part.beginnings],
        [
            (at + row, found)
            for at, part in zip(rows, analyses, strict=False)
            for row, found in part.findings
        ],
        [r._replace(line=first + r.line) for first, part in parts for r in part.rejected],
        sum(part.blank for part in analyses),
    )
