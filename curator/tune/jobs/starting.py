"""Starting a job exactly once, whatever the network does in between.

A fine-tuning job costs money and creating one is not idempotent. So our own token goes into the job's
metadata and, before the call, into the job table on disk; the call is never repeated by the SDK; and
after any answer that leaves it open whether the job exists (a time-out, a broken line, every 5xx) the
server's list is searched for the token. A job that is found there is ours. One that is not may still
come, because lists lag behind: the start is shown as unclear, and only a person starts again.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import Cancelled, CuratorError, GateFailed, TargetError
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.tune.jobs import lineage
from curator.tune.jobs.dry_run import DryRun
from curator.tune.jobs.grading import ask_about_grader
from curator.tune.jobs.lineage import lines_of
from curator.tune.jobs.recipe import TOKEN_KEY, Recipe
from curator.tune.jobs.remote_checks import refuse_unlike
from curator.tune.jobs.table import Job, JobTable
from curator.tune.jobs.training_files import Exported
from curator.tune.jobs.uploads import (
    PART_BYTES,
    USUAL_PACE,
    Pace,
    ensure_uploaded,
    pause,
    wait_processed,
)
from curator.tune.services.adapters import service_of
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.failures import explain_failure
from curator.tune.services.port import ServiceJob, State

_CREATE_TRIES: Final = 6
"""Only plain refusals are tried again: too many calls, or a file that is still being processed."""

# A start refreshes its row this often, so a row that is older by far belongs to a program that ended.
_REFRESH_S: Final = 10.0
_STALE_S: Final = 300.0

_CLOCK_SLACK_S: Final = 600.0
"""By so much a server's clock may be behind ours and a job of its list still be newer than the call."""

_PLACE: Final = ("base_url", "base", "export")
_RECIPE: Final = ("method", "settings", "suffix", "seed", "grader", "wandb", "snapshot")
_ON_ITS_WAY: Final = (State.PREPARING, State.UPLOADING)

_CHANGED: Final = (
    "The export was made again since the dry run, so the job would train on other rows. No job was "
    "created. Make the dry run again, then start."
)


@dataclass(frozen=True, slots=True)
class _Start:
    """A start under way: the server, the row that tells of it, and how to report, stop and wait."""

    connection: Connection
    table: JobTable
    token: str
    progress: ProgressCall
    cancelled: CancelledCall
    pace: Pace

    def note(self, **changes: Any) -> Job:
        """Write into the job's row."""
        return self.table.update(self.token, **changes)


@dataclass(frozen=True, slots=True)
class _Search:
    """What looking for a job brought: the job, or whether its absence is certain."""

    found: ServiceJob | None
    certain: bool


def start_job(
    connection: Connection,
    table: JobTable,
    exported: Exported,
    recipe: Recipe,
    plan: DryRun,
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
    project: str = "",
    part_bytes: int = PART_BYTES,
    pace: Pace = USUAL_PACE,
) -> Job:
    """Upload, create exactly once and return the job; raises GateFailed where the dry run found errors."""
    if plan.errors:
        raise GateFailed(" ".join(plan.errors))
    if plan.snapshot != exported.snapshot and plan.snapshot:
        raise GateFailed(_CHANGED)
    before = _state_of(exported)
    token = str(uuid.uuid4())
    job = _new_job(token, exported, recipe, plan, project)
    job = table.add(replace(job, base_url=connection.target.url))
    try:
        # Looked for after ours stands there: of two windows that start at once none overlooks the other.
        _refuse_duplicate_start(table, job)
    except TargetError:
        table.forget(token)
        raise
    reporting = _refreshing_table(table, token, progress)
    start = _Start(connection, table, token, reporting, cancelled, pace)
    try:
        table.keep_lineage(token, lineage.pack(exported))
        refuse_unlike(connection)
        ask_about_grader(connection, recipe.grader)
        start.note(status=State.UPLOADING)
        training, validation = [
            _upload(start, path, part_bytes) for path in (exported.train, exported.validation)
        ]
        start.note(training_file=training, validation_file=validation)
        if _state_of(exported) != before:
            raise GateFailed(_CHANGED)
        if cancelled():
            raise Cancelled("The start was cancelled; no job was created.")
    except Cancelled:
        start.note(status=State.CANCELLED, finished=time.time())
        raise
    except CuratorError as error:
        _fail(start, error)
        raise
    return _create_once(start, recipe.arguments(training, validation, token))


def settle(connection: Connection, table: JobTable, token: str, *, pace: Pace = USUAL_PACE) -> Job:
    """Look once more for a job whose creation was left unclear; nothing is ever created here."""
    job = table.get(token)
    if job.status is not State.UNCLEAR:
        return job
    once = Pace(lookups=pace.lookups[:1])
    search = _search(_Start(connection, table, token, no_progress, never_cancelled, once))
    if search.found is not None:
        return _keep_answer(table, token, search.found)
    if search.certain:
        return table.update(token, error=UNCLEAR_ABSENT)
    return job


def discard(table: JobTable, token: str) -> Job:
    """Set a job that never came to be aside, by a person's own word."""
    return table.update(token, status=State.DISCARDED, finished=time.time())


def recover(table: JobTable) -> tuple[Job, ...]:
    """Correct the state of jobs whose program ended in the middle of a start; call it when a program starts."""
    changed = []
    for job in table.all():
        if job.is_final or time.time() - job.updated < _STALE_S:
            continue
        if job.status in (State.PREPARING, State.UPLOADING):
            words = "The program ended before the job was asked for. Nothing was created."
            changed.append(
                table.update(job.token, status=State.DISCARDED, error=words, finished=time.time())
            )
        elif job.status is State.CREATING:
            changed.append(table.update(job.token, status=State.UNCLEAR, error=_UNCLEAR))
    return tuple(changed)


_UNCLEAR: Final = (
    "It is not clear whether the server created this job. Nothing was created a second time. Check "
    "again in a few minutes, or look at the service's own page."
)
UNCLEAR_ABSENT: Final = (
    "The server's list does not show this job. If it is still missing in a few minutes, set it aside "
    "and start again."
)


def _new_job(token: str, exported: Exported, recipe: Recipe, plan: DryRun, project: str) -> Job:
    return Job(
        token=token,
        target=recipe.target.id,
        base_url=recipe.target.url,
        base=recipe.base,
        method=recipe.method,
        settings=dict(recipe.settings),
        suffix=recipe.suffix,
        seed=recipe.seed,
        grader=recipe.grader,
        wandb=recipe.wandb,
        export=str(exported.folder.resolve()),
        project=project or exported.project,
        snapshot=exported.snapshot,
        rows=plan.rows,
        tokens=plan.tokens,
        epochs=plan.epochs,
    )


def _refuse_duplicate_start(table: JobTable, job: Job) -> None:
    """Refuse a start while an equal one is unclear or on its way: that is how a paid job starts twice."""
    for other in table.all():
        if other.token == job.token or not _is_same(other, job, _PLACE):
            continue
        if other.status in (State.UNCLEAR, State.CREATING):
            raise TargetError(
                "An earlier start of this very export is still unclear: the job may exist already. "
                "Check it again or set it aside on the jobs list first.",
                code="unclear_twin",
            )
        is_alive = time.time() - other.updated < _STALE_S
        if other.status in _ON_ITS_WAY and is_alive and _is_same(other, job, _RECIPE):
            raise TargetError(
                "The very same start is under way already. Wait for it, or cancel it first.",
                code="twin_under_way",
            )


def _is_same(one: Job, other: Job, fields: tuple[str, ...]) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _state_of(exported: Exported) -> list[tuple[int, int]]:
    files = [path for path in (exported.train, exported.validation) if path is not None]
    found = [path.stat() if path.exists() else None for path in files]
    return [(each.st_size, each.st_mtime_ns) if each else (-1, 0) for each in found]


def _upload(start: _Start, path: Path | None, part_bytes: int) -> str:
    """Return the server's id of a file once it was read there; empty where there is no file."""
    if path is None:
        return ""
    progress, cancelled, pace = start.progress, start.cancelled, start.pace
    file_id = ensure_uploaded(
        start.connection,
        start.table,
        path,
        progress=progress,
        cancelled=cancelled,
        part_bytes=part_bytes,
        pace=pace,
    )
    wait_processed(start.connection, file_id, progress=progress, cancelled=cancelled, pace=pace)
    return file_id


def _create_once(start: _Start, arguments: Mapping[str, Any]) -> Job:
    start.note(status=State.CREATING)
    for attempt in range(_CREATE_TRIES):
        start.progress(0, 0, "Creating the job")
        try:
            made = service_of(start.connection).create_job(arguments)
            return _keep_answer(start.table, start.token, made)
        except CallFailed as error:
            failure = error
        if failure.outcome == "unclear":
            try:
                found = _search(start).found
            except Cancelled:
                start.note(status=State.UNCLEAR, error=_UNCLEAR)
                raise
            if found is not None:
                return _keep_answer(start.table, start.token, found)
            start.note(status=State.UNCLEAR, error=f"{failure} {_UNCLEAR}")
            raise TargetError(f"{failure} {_UNCLEAR}", status=failure.status, code="unclear")
        if not _is_worth_waiting(failure) or attempt == _CREATE_TRIES - 1:
            _fail(start, failure)
            raise failure
        wait = start.pace.retry * 2**attempt if failure.retry_after is None else failure.retry_after
        try:
            pause(min(start.pace.retry_most, wait), start.cancelled)
        except Cancelled:
            start.note(status=State.CANCELLED, finished=time.time())
            raise
    raise AssertionError("the last attempt returns or raises")


def _search(start: _Start) -> _Search:
    """Look for our token in the server's list, several times: some lists lag behind."""

    def is_ours(one: ServiceJob) -> bool:
        return one.metadata.get(TOKEN_KEY) == start.token

    certain = False
    for wait in start.pace.lookups:
        pause(wait, start.cancelled)
        try:
            listing = service_of(start.connection).jobs(stop=is_ours)
        except CallFailed:
            certain = False
            continue
        ours = [one for one in listing.items if is_ours(one)]
        if ours:
            return _Search(ours[0], certain=True)
        unnamed = _jobs_without_metadata(start, listing.items)
        if len(unnamed) == 1:
            return _Search(unnamed[0], certain=True)
        certain = listing.complete and not unnamed
    return _Search(None, certain)


def _jobs_without_metadata(start: _Start, items: Sequence[ServiceJob]) -> list[ServiceJob]:
    """Return jobs that may be ours at a server that drops metadata: same file, created after the call."""
    job = start.table.get(start.token)
    known = {other.job for other in start.table.all()}
    return [
        one
        for one in items
        if not one.metadata
        and one.training_file == job.training_file
        and one.id not in known
        and (one.created or time.time()) > job.created - _CLOCK_SLACK_S
    ]


def _keep_answer(table: JobTable, token: str, made: ServiceJob) -> Job:
    return table.update(token, **made.changes())


def _is_worth_waiting(error: CallFailed) -> bool:
    """Say whether a plain refusal may turn into a yes: too many calls, or the file is not read yet."""
    if error.status == 429:
        return error.code != "insufficient_quota"
    return "still being processed" in str(error)


def _fail(start: _Start, error: CuratorError) -> None:
    """Keep why a start failed, and name in the error the conversations of the lines it names."""
    failed = start.note(
        status=State.FAILED,
        error=str(error),
        error_code=getattr(error, "code", None) or "",
        error_param=getattr(error, "param", None) or "",
        finished=time.time(),
    )
    found = explain_failure(str(error), lines_of(start.table, failed))
    if found.conversation is not None:
        error.args = (found.sentence(),)


def _refreshing_table(table: JobTable, token: str, progress: ProgressCall) -> ProgressCall:
    """Return a progress that also shows other windows that this start is alive."""
    last = time.monotonic()

    def reporting(done: int, total: int, what: str) -> None:
        nonlocal last
        if time.monotonic() - last > _REFRESH_S:
            last = time.monotonic()
            table.update(token)
        progress(done, total, what)

    return reporting
