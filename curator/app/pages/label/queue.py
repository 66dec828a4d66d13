"""The order of the work: the ids to go through, where one stands, and what comes back at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from curator.dataset import Status
from curator.dataset.codes import STATUSES

if TYPE_CHECKING:
    import numpy.typing as npt

    from curator.project.queries.index import Index

    Rows = npt.NDArray[Any]

Scope = Literal["todo", "skipped", "flagged", "all"]
PENDING, SKIPPED = STATUSES.index(Status.PENDING), STATUSES.index(Status.SKIPPED)
"""The codes of two statuses in the index's status column."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many conversations of a view have each decision, and how many carry a flag."""

    pending: int
    accepted: int
    rejected: int
    skipped: int
    flagged: int

    @property
    def all(self) -> int:
        """How many there are."""
        return self.pending + self.accepted + self.rejected + self.skipped

    def of(self, scope: Scope) -> int:
        """Return how many belong to a scope."""
        numbers = {
            "todo": self.pending + self.skipped,
            "skipped": self.skipped,
            "flagged": self.flagged,
            "all": self.all,
        }
        return numbers[scope]


class LabelQueue:
    """A frozen list of ids with a place in it, so that nothing vanishes under the person's hands."""

    def __init__(self, ids: "Sequence[int] | npt.NDArray[np.int64]" = ()) -> None:
        self._ids = np.asarray(ids, np.int64)
        self._again: list[int] = []
        self._place = 0

    def __len__(self) -> int:
        return len(self._ids) + len(self._again)

    @property
    def place(self) -> int:
        """The 0-based place of the current conversation."""
        return self._place

    @property
    def conversations(self) -> int:
        """How many conversations there are; one that was put off is still one."""
        return len(self._ids)

    @property
    def times_again(self) -> tuple[int, int]:
        """The 1-based place among those that come once more and how many these are; 0 before them."""
        return max(0, self._place + 1 - len(self._ids)), len(self._again)

    @property
    def current(self) -> int | None:
        """The current id; None when the queue is empty or at its end."""
        if self._place < len(self._ids):
            return int(self._ids[self._place])
        return self._again[self._place - len(self._ids)] if self._place < len(self) else None

    def ids(self) -> list[int]:
        """Return every id in its order; one that was put off stands there twice."""
        return [*self._ids.tolist(), *self._again]

    def next(self) -> int | None:
        """Go on and return the id, None at the end."""
        self._place = min(self._place + 1, len(self))
        return self.current

    def previous(self) -> int | None:
        """Go back and return the id; the first one stays."""
        self._place = max(self._place - 1, 0)
        return self.current

    def go_to(self, conversation: int) -> None:
        """Go to an id; one that is not in the queue is put in at this place."""
        if not self.start_at(conversation):
            place = min(self._place, len(self._ids))
            self._ids = np.insert(self._ids, place, conversation)
            self._place = place

    def start_at(self, conversation: int | None) -> bool:
        """Go to an id where the queue holds it; otherwise stay. Returns whether it does."""
        found = [] if conversation is None else np.flatnonzero(self._ids == conversation).tolist()
        if found:
            self._place = found[0]
        return bool(found)

    def put_off(self, conversation: int) -> None:
        """Let a conversation come once more at the end."""
        passed = max(0, self._place + 1 - len(self._ids))
        if conversation not in self._again[passed:]:
            self._again.append(conversation)


def ids_of(index: "Index", rows: "Rows | None", scope: Scope) -> "npt.NDArray[np.int64]":
    """Return the ids of a view that belong to a scope; what was skipped comes last."""
    status, flag, here = _columns(index, rows)
    ids: npt.NDArray[np.int64] = index.ids if rows is None else index.ids[rows]
    parts = {
        "todo": (status == PENDING, status == SKIPPED),
        "skipped": (status == SKIPPED,),
        "flagged": (flag,),
        "all": (here,),
    }[scope]
    return np.concatenate([ids[part & here] for part in parts])


def tally(index: "Index", rows: "Rows | None") -> Tally:
    """Count the decisions of a view; rows None means all conversations."""
    status, flag, here = _columns(index, rows)
    # One table of (status, gone) pairs is several times quicker than a mask for each.
    counts = np.bincount(status.view(np.uint8) * np.uint8(2) + here, minlength=8)
    pending, accepted, rejected, skipped = (int(counts[2 * code + 1]) for code in range(4))
    flagged = int(np.count_nonzero(flag & here))
    return Tally(pending, accepted, rejected, skipped, flagged)


def _columns(index: "Index", rows: "Rows | None") -> "tuple[Rows, Rows, Rows]":
    here = ~index.removed
    if rows is None:
        return index.status, index.flag, here
    return index.status[rows], index.flag[rows], here[rows]
