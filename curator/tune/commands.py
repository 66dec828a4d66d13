"""What the terminal, scripts and the window ask of this room, in the shapes the command line promises."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from curator.curate.cost import load_prices
from curator.dataset.errors import TargetError, WrongUse
from curator.dataset.invocation import command
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.tune.jobs.dry_run import DryRun, dry_run
from curator.tune.jobs.following import explain, follow, order, refresh
from curator.tune.jobs.lineage import lineage_of
from curator.tune.jobs.loss_curve import best_checkpoint, measured, points_of_events, verdict
from curator.tune.jobs.recipe import Recipe, make_recipe
from curator.tune.jobs.recipes import load_recipe, recipe_of_job
from curator.tune.jobs.remote_checks import with_answers
from curator.tune.jobs.results import delete_model, download_files
from curator.tune.jobs.starting import discard, recover, settle, start_job
from curator.tune.jobs.table import Job, JobTable
from curator.tune.jobs.training_files import open_export
from curator.tune.jobs.watching import Details, details_of
from curator.tune.services.client import connect
from curator.tune.services.port import Order, State
from curator.tune.targets.addresses import host_of
from curator.tune.targets.profiles import Target, corrected_prices, find_target


def plan(
    folder: Path, recipe: Recipe, *, progress: ProgressCall, cancelled: CancelledCall
) -> tuple[DryRun, dict[str, Any]]:
    """Do the dry run of an export folder: what ``train --dry-run`` shows."""
    with closing(JobTable()) as table:
        past = table.all()
    found = dry_run(
        open_export(folder),
        recipe,
        progress=progress,
        cancelled=cancelled,
        prices=load_prices(corrected_prices()),
        past=past,
    )
    found = with_answers(found, recipe)
    return found, found.to_row()


def recipe_of(
    target: str, base: str, *, method: str = "", settings: Mapping[str, Any], **more: Any
) -> Recipe:
    """Return the checked recipe of the words on a command line."""
    return make_recipe(find_target(target), base, method=method, settings=settings, **more)


def recipe_again(*, name: str = "", job: str = "", changes: Mapping[str, Any]) -> Recipe:
    """Return a kept recipe, or that of a past job, with what a command line changes in it."""
    if name:
        return load_recipe(name, changes)
    with closing(JobTable()) as table:
        return recipe_of_job(table.get(job), changes)


def start(
    folder: Path,
    recipe: Recipe,
    found: DryRun,
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
    project: str = "",
    to_the_end: bool = False,
) -> dict[str, Any]:
    """Start a job, and follow it where asked: what ``train`` shows."""
    with closing(JobTable()) as table, connect(recipe.target) as connection:
        recover(table)
        try:
            job = start_job(
                connection,
                table,
                open_export(folder),
                recipe,
                found,
                progress=progress,
                cancelled=cancelled,
                project=project,
            )
        except TargetError as error:
            error.args = (f"{error}{_ways_on(table, folder, recipe)}",)
            raise
        if to_the_end:
            job = follow(connection, table, job.token, progress=progress, cancelled=cancelled)
        return job_row(table, job)


def _ways_on(table: JobTable, folder: Path, recipe: Recipe) -> str:
    """Say how a start that is not clear is looked at again and set aside; empty where none is."""
    place = str(folder.resolve()), recipe.target.url
    for job in table.all():
        if job.status in (State.UNCLEAR, State.CREATING) and (job.export, job.base_url) == place:
            again = command("jobs", "show", job.token)
            aside = command("jobs", "discard", job.token)
            return f" To look again: {again}. To set it aside by your own word: {aside}."
    return ""


def jobs_rows() -> dict[str, Any]:
    """Return what ``jobs list`` shows, without asking any server."""
    with closing(JobTable()) as table:
        recover(table)
        return {
            "jobs": [job.to_row() for job in table.all()],
            "unreadable": list(damaged_jobs(table)),
        }


def damaged_jobs(table: JobTable) -> tuple[str, ...]:
    """Return a sentence for each job whose entry on this computer is damaged."""
    return tuple(
        f"What is kept of the job {token} in {table.path} is damaged, so it cannot be shown. Where "
        "it runs at a service, it goes on there."
        for token in table.damaged()
    )


def show_job(name: str, *, ask: bool = True) -> dict[str, Any]:
    """Return all that is known of a job, after one look at its server: what ``jobs show`` shows."""
    with closing(JobTable()) as table:
        recover(table)
        job = table.get(name)
        if ask and (job.is_followed or job.status is State.UNCLEAR):
            with connect(target_of(job)) as connection:
                if job.is_followed:
                    job = refresh(connection, table, job.token).job
                else:
                    job = settle(connection, table, job.token)
        return {**job_row(table, job), "jobs": [job.to_row()]}


def follow_job(name: str, *, progress: ProgressCall, cancelled: CancelledCall) -> dict[str, Any]:
    """Follow a job to its end: what ``jobs follow`` does."""
    with closing(JobTable()) as table:
        job = table.get(name)
        if job.is_followed or job.status is State.UNCLEAR:
            with connect(target_of(job)) as connection:
                job = settle(connection, table, job.token)
                if not job.is_followed:
                    return {**job_row(table, job), "jobs": [job.to_row()]}
                job = follow(connection, table, job.token, progress=progress, cancelled=cancelled)
        return {**job_row(table, job), "jobs": [job.to_row()]}


def order_job(name: str, what: Order) -> dict[str, Any]:
    """Cancel, pause or resume a job: what ``jobs cancel|pause|resume`` does."""
    with closing(JobTable()) as table:
        job = table.get(name)
        with connect(target_of(job)) as connection:
            job = order(connection, table, job.token, what)
        return {"jobs": [job.to_row()]}


def discard_job(name: str) -> dict[str, Any]:
    """Set a job that never came to be aside, by a person's own word: what ``jobs discard`` does.

    Raises WrongUse for a job that its server has, or that has ended.
    """
    with closing(JobTable()) as table:
        recover(table)
        job = table.get(name)
        if job.status is not State.UNCLEAR:
            raise WrongUse(
                f"This job is {job.status}; only one of which nobody knows whether its service made "
                "it is set aside."
            )
        return {"jobs": [discard(table, job.token).to_row()]}


def delete_model_of(name: str) -> dict[str, Any]:
    """Delete the fine-tuned model of a job at its server: what ``jobs delete-model`` does."""
    with closing(JobTable()) as table:
        job = table.get(name)
        with connect(target_of(job)) as connection:
            job = delete_model(connection, table, job.token)
        return {"deleted": job.checkpoint, "jobs": [job.to_row()]}


def download_of(
    name: str, folder: Path, *, progress: ProgressCall, cancelled: CancelledCall
) -> dict[str, Any]:
    """Download the files a server offers of a job: what ``jobs download`` does."""
    with closing(JobTable()) as table:
        job = table.get(name)
        with connect(target_of(job)) as connection:
            paths = download_files(
                connection, table, job.token, folder, progress=progress, cancelled=cancelled
            )
    return {
        "job": job.job,
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in paths],
    }


def lineage_row(checkpoint: str) -> dict[str, Any]:
    """Return where a checkpoint comes from: what ``jobs lineage`` shows."""
    with closing(JobTable()) as table:
        return lineage_of(table, checkpoint).to_row()


def target_of(job: Job) -> Target:
    """Return a job's target; raises WrongUse where that name now means another server.

    A key is meant for one server, so it never follows an old job to another address.
    """
    target = find_target(job.target)
    if target.protocol != "local" and host_of(target.url) != host_of(job.base_url):
        raise WrongUse(
            f'This job runs at {host_of(job.base_url)}, but the target "{target.id}" now points to '
            f"{host_of(target.url)}. Add a target for the old address to follow it."
        )
    return target


def job_row(table: JobTable, job: Job) -> dict[str, Any]:
    """Return the keys the command line promises for a start."""
    events = table.events(job.token)
    return {
        "job": job.job or job.token,
        "target": job.target,
        "base": job.base,
        "method": job.method,
        "settings": dict(job.settings),
        "created": job.created,
        "finished": job.finished,
        "status": str(job.status),
        "checkpoint": job.checkpoint or None,
        "checkpoints": [
            {"name": one.name, "step": one.step} for one in table.checkpoints(job.token)
        ],
        "measured": measured(points_of_events(events)),
        "events": [
            {
                "id": event.id,
                "created": event.created,
                "level": event.level,
                "message": event.message,
                "kind": event.kind,
                "data": dict(event.data),
            }
            for event in events
        ],
        "verdict": _verdict_row(details_of(table, job.token)),
        "trained_tokens": job.trained_tokens,
        "error": job.error or None,
        "failure": _failure_row(table, job),
    }


def _verdict_row(details: Details) -> dict[str, Any] | None:
    """Return what the validation loss says: where it was lowest, whether it rose, the best checkpoint."""
    found = verdict(details.points)
    best = best_checkpoint(details.checkpoints, details.points)
    if found is None:
        return None
    return {
        **asdict(found),
        "rose": found.rose,
        "best_checkpoint": {"name": best.name, "step": best.step} if best else None,
    }


def _failure_row(table: JobTable, job: Job) -> dict[str, Any] | None:
    """Return a failed job's reason in our terms: the rule it means, and the conversations it names."""
    found = explain(table, job)
    if found is None:
        return None
    return {
        "sentence": found.sentence(),
        "rule": found.rule or None,
        "lines": [asdict(one) for one in found.lines],
    }
