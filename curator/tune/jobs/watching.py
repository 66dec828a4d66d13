"""Watching every unfinished job of every target with one poller, and all that is known of one job."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from curator.dataset.errors import CuratorError
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.tune.jobs.following import INSIST, explain, next_wait, refresh
from curator.tune.jobs.loss_curve import Point, points_of_events, points_of_result
from curator.tune.jobs.table import Job, JobTable
from curator.tune.jobs.uploads import pause
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.failures import Explained
from curator.tune.services.port import Checkpoint, Event

_LOOK_S = 0.5
# Trouble that a person has to end (a missing key, a target that is gone): asking sooner is of no use.
_LASTING_TROUBLE_S = 300.0


@dataclass(frozen=True, slots=True)
class Details:
    """All that is known of one job, ready to be shown."""

    job: Job
    points: tuple[Point, ...]
    events: tuple[Event, ...]
    checkpoints: tuple[Checkpoint, ...]
    failure: Explained | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at a job brought: everything known of it now, or the trouble in the way."""

    details: Details
    trouble: str = ""


@dataclass(slots=True)
class _Turn:
    """When a job is looked at next, and how often in a row that failed."""

    due: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class _Watch:
    """The watch's memory: open connections by target, turns by job."""

    connect: Callable[[Job], Connection]
    connections: dict[str, Connection] = field(default_factory=dict)
    turns: dict[str, _Turn] = field(default_factory=dict)

    def connection(self, job: Job) -> Connection:
        if job.target not in self.connections:
            self.connections[job.target] = self.connect(job)
        return self.connections[job.target]

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()


def details_of(table: JobTable, token: str) -> Details:
    """Return all that is known of a job without asking its server."""
    job = table.get(token)
    events = table.events(token)
    points = points_of_events(events) or points_of_result(table.result(token))
    return Details(job, points, events, table.checkpoints(token), explain(table, job))


def watch(
    table: JobTable,
    connect: Callable[[Job], Connection],
    *,
    on_look: Callable[[Seen], None],
    progress: ProgressCall,
    cancelled: CancelledCall,
    wait: Callable[[Job, int], float] = next_wait,
) -> None:
    """Look at every followed job in its turn until none is left; jobs added meanwhile join in."""
    memory = _Watch(connect)
    try:
        while followed := [job for job in table.all() if job.is_followed]:
            progress(0, 0, ", ".join(sorted({job.target for job in followed})))
            for job in followed:
                turn = memory.turns.setdefault(job.token, _Turn())
                if time.monotonic() < turn.due or cancelled():
                    continue
                on_look(_look(table, memory, job, turn, wait))
            pause(_LOOK_S, cancelled)
    finally:
        memory.close()


def _look(
    table: JobTable,
    memory: _Watch,
    job: Job,
    turn: _Turn,
    wait: Callable[[Job, int], float],
) -> Seen:
    trouble = ""
    try:
        insisting = turn.failures < INSIST
        news = refresh(memory.connection(job), table, job.token, insisting=insisting)
        turn.failures = 0
        seconds = wait(news.job, 0)
    except CallFailed as error:
        trouble = str(error)
        turn.failures += 1
        seconds = max(wait(job, turn.failures), error.retry_after or 0.0)
        if not error.may_be_asked_again:
            seconds = _LASTING_TROUBLE_S
    except CuratorError as error:
        # A missing key or a target that is gone: a person has to fix it.
        trouble, seconds = str(error), _LASTING_TROUBLE_S
    turn.due = time.monotonic() + seconds
    return Seen(details_of(table, job.token), trouble)
