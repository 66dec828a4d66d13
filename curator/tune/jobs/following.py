"""Following jobs: polite, free of side effects (only GET), and able to begin again at any time."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from curator.dataset.errors import WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.tune.jobs.lineage import lines_of
from curator.tune.jobs.loss_curve import decode_result, points_of_events
from curator.tune.jobs.table import Job, JobTable
from curator.tune.jobs.uploads import pause
from curator.tune.services.adapters import service_of
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.failures import Explained, explain_failure
from curator.tune.services.port import Checkpoint, Event, Order, State
from curator.tune.targets.addresses import is_loopback

INSIST: Final = 5
"""So many looks in a row may fail before a job's state is shown without its events."""

_MOST_BACKOFF_S: Final = 300.0
# Several windows that follow the same jobs must not ask at the same moment.
_JITTER: Final = 0.2
# In bytes: the table is read into memory and kept in one row of the job table.
_RESULT_MOST: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class News:
    """What one look at a job brought."""

    job: Job
    events: tuple[Event, ...]
    failure: Explained | None = None


def refresh(connection: Connection, table: JobTable, token: str, *, insisting: bool = True) -> News:
    """Look at a job once, with GET alone, and keep what is new; raises CallFailed.

    Without insisting, events, checkpoints and results that cannot be read are left out: the job's own
    state is still kept, and its end is not put off for ever.
    """
    before = table.get(token)
    if not before.job:
        raise WrongUse("The server has not named this job yet, so it cannot be followed.")
    changes = service_of(connection).job(before.job).changes()
    changes.pop("job", None)
    ended = changes["status"] in (State.SUCCEEDED, State.FAILED, State.CANCELLED)
    if ended and not changes.get("finished"):
        changes["finished"] = before.finished or time.time()
    events: tuple[Event, ...] = ()
    try:
        events = table.add_events(token, _new_events(connection, table, before))
        if ended or any(event.kind == "metrics" for event in events):
            _refresh_checkpoints(connection, table, before)
        if ended and changes["status"] is State.SUCCEEDED and not table.result(token):
            _fetch_result(connection, table, token, changes.get("result_files", ()))
    except CallFailed:
        if insisting:
            raise
    # The end is written last: a look that broke off before it is simply taken again.
    job = table.update(token, **changes)
    return News(job, events, explain(table, job))


def follow(
    connection: Connection,
    table: JobTable,
    token: str,
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
    on_news: Callable[[News], None] = lambda _: None,
    wait: Callable[[Job, int], float] | None = None,
) -> Job:
    """Follow a job to its end: too many calls, a server in trouble and other people's pages are waited out.

    Anything else (a key that is refused, a job that is not known) raises CallFailed.
    """
    failures = 0
    choose = wait or next_wait
    while True:
        job = table.get(token)
        try:
            news = refresh(connection, table, token, insisting=failures < INSIST)
            job, failures = news.job, 0
            on_news(news)
            _report(table, job, progress)
            if job.is_final:
                return job
            seconds = choose(job, failures)
        except CallFailed as error:
            if not error.may_be_asked_again:
                raise
            failures += 1
            progress(0, 0, f"{error} Asking again.")
            seconds = max(choose(job, failures), error.retry_after or 0.0)
        pause(seconds, cancelled)


def next_wait(job: Job, failures: int, now: float | None = None) -> float:
    """Return how long to wait before the next look: longer for older jobs and after trouble."""
    age = (now or time.time()) - job.created
    if is_loopback(job.base_url):
        wait = 1.0
    elif age < 120:
        wait = 10.0
    elif job.status is State.RUNNING and age > 600:
        wait = 60.0
    else:
        wait = 30.0
    if failures:
        wait = min(_MOST_BACKOFF_S, wait * 2**failures)
    return wait * random.uniform(1 - _JITTER, 1 + _JITTER)


def order(connection: Connection, table: JobTable, token: str, what: Order) -> Job:
    """Cancel, pause or resume a job at its server and return how it stands then."""
    job = table.get(token)
    if not job.job:
        raise WrongUse("The server has not named this job yet, so it takes no orders for it.")

    changes = service_of(connection).order(job.job, what).changes()
    changes.pop("job", None)
    if changes["status"] is State.CANCELLED and not changes.get("finished"):
        changes["finished"] = time.time()
    return table.update(token, **changes)


def explain(table: JobTable, job: Job) -> Explained | None:
    """Return a failed job's reason in our terms, with the conversations it names."""
    if job.status is not State.FAILED or not job.error:
        return None
    return explain_failure(job.error, lines_of(table, job))


def served_checkpoints(connection: Connection, job: Job) -> tuple[Checkpoint, ...]:
    """Return the checkpoints a server names of a job; many compatible servers have none."""
    try:
        return service_of(connection).checkpoints(job.job)
    except CallFailed as error:
        if error.status in (404, 405, 501) and not error.is_page:
            return ()
        raise


def _new_events(connection: Connection, table: JobTable, job: Job) -> tuple[Event, ...]:
    return service_of(connection).events(job.job, partial(table.has_event, job.token))


def _refresh_checkpoints(connection: Connection, table: JobTable, job: Job) -> None:
    table.set_checkpoints(job.token, served_checkpoints(connection, job))


def _fetch_result(
    connection: Connection, table: JobTable, token: str, files: tuple[str, ...]
) -> None:
    for file_id in files[:1]:
        try:
            content = service_of(connection).content(file_id)
        except CallFailed as error:
            if error.may_be_asked_again:
                raise
            return
        if len(content) >= _RESULT_MOST:
            return
        if content.lstrip()[:1] in (b"", b"<"):
            raise connection.not_compatible("fetching the result table", "<html>")
        table.keep_result(token, decode_result(content.decode("utf-8", "replace")))


def _report(table: JobTable, job: Job, progress: ProgressCall) -> None:
    points = points_of_events(table.events(job.token))
    words = job.raw_status or str(job.status)
    if not points:
        progress(0, 0, words)
        return
    last = points[-1]
    loss = last.values.get("train_loss")
    text = words if loss is None else f"{words}, loss {loss:.4g}"
    progress(last.step, last.total_steps or 0, text)
