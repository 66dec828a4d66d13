"""Columns of all conversations at once, as arrays."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.project.store.reader import Reader

Ints = npt.NDArray[np.int64]


def number_table(reader: Reader, columns: Sequence[str], *, removed_too: bool = False) -> Ints:
    """Return whole-number columns of conversations and their annotations, a row each, in the order of ids.

    A column is an SQL expression: one of an annotation is null where nobody annotated anything, so it
    needs an ifnull.
    """
    living = "" if removed_too else "WHERE removed IS NULL "
    with reader.reading() as connection:
        rows = connection.execute(
            f"SELECT {', '.join(columns)} FROM conversation "
            f"LEFT JOIN annotation ON conversation = id {living}ORDER BY id"
        )
        cells: Any = chain.from_iterable(rows)
        return np.fromiter(cells, np.int64).reshape(-1, len(columns))


def living(reader: Reader) -> Ints:
    """Return the ids of all conversations that are not removed, in order."""
    return number_table(reader, ("id",))[:, 0]
