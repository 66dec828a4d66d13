"""The order of the work: the ids to go through, where one stands, and what comes back at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

    from curator.project.index import Index

Scope = Literal["todo", "skipped", "flagged", "all"]
PENDING, SKIPPED = 0, 3
"""The codes of two statuses in the index's status column."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """How many conversations of a view have each decision."""

    accepted: int
    rejected: int
    skipped: int
    all: int

    @property
    def left(self) -> int:
        """How many have none."""
        return self.all - self.accepted - self.rejected - self.skipped


class LabelQueue:
    """A frozen list of ids with a place in it, so that nothing vanishes under the person's hands."""

    def __init__(self, ids: Sequence[int] = ()) -> None:
        self._ids = list(ids)
        self._place = 0

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def place(self) -> int:
        """The 0-based place of the current conversation."""
        return self._place

    @property
    def current(self) -> int | None:
        """The id at hand; None when the queue is empty or at its end."""
        return self._ids[self._place] if self._place < len(self._ids) else None

    def next(self) -> int | None:
        """Go on and return the id, None at the end."""
        self._place = min(self._place + 1, len(self._ids))
        return self.current

    def previous(self) -> int | None:
        """Go back and return the id; the first one stays."""
        self._place = max(self._place - 1, 0)
        return self.current

    def go_to(self, conversation: int) -> None:
        """Go to an id; one that is not in the queue is put in at this place."""
        try:
            self._place = self._ids.index(conversation)
        except ValueError:
            self._ids.insert(self._place, conversation)

    def start_at(self, conversation: int | None) -> None:
        """Go to an id where the queue holds it; otherwise stay at the beginning."""
        if conversation in self._ids:
            self._place = self._ids.index(conversation)

    def put_off(self, conversation: int) -> None:
        """Let a conversation come once more at the end."""
        if conversation not in self._ids[self._place + 1 :]:
            self._ids.append(conversation)


def ids_of(index: "Index", rows: "np.ndarray", scope: Scope) -> list[int]:
    """Return the ids of a view that belong to a scope; what was skipped comes last."""
    rows = rows[~index.removed[rows]]
    if scope == "flagged":
        rows = rows[index.flag[rows]]
    elif scope == "skipped":
        rows = rows[index.status[rows] == SKIPPED]
    elif scope == "todo":
        status = index.status[rows]
        pending = index.ids[rows[status == PENDING]]
        return [*pending.tolist(), *index.ids[rows[status == SKIPPED]].tolist()]
    ids: list[int] = index.ids[rows].tolist()
    return ids


def scope_counts(index: "Index", rows: "np.ndarray") -> dict[Scope, int]:
    """Return how many conversations of a view each scope has."""
    rows = rows[~index.removed[rows]]
    status = index.status[rows]
    skipped = int((status == SKIPPED).sum())
    return {
        "todo": int((status == PENDING).sum()) + skipped,
        "skipped": skipped,
        "flagged": int(index.flag[rows].sum()),
        "all": len(rows),
    }


def decisions(index: "Index", rows: "np.ndarray") -> Decisions:
    """Return how far the labelling of a view is."""
    rows = rows[~index.removed[rows]]
    accepted, rejected, skipped = (int((index.status[rows] == code).sum()) for code in (1, 2, 3))
    return Decisions(accepted, rejected, skipped, len(rows))
