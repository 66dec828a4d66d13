"""What a checkpoint is called wherever a person reads of it; its id is for machines and for pasting."""

import time
from collections.abc import Iterable, Mapping

from curator.tune.jobs.table import Job


def checkpoint_name(job: Job, step: int | None = None) -> str:
    """Return the name of what a job makes, or of the checkpoint it kept at a step.

    It says what the person called it, else its base, and when it was started.
    """
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
    name = f"{job.suffix or family(job.base)} tuned {when}"
    return name if step is None else f"{name}, step {step:,}"


def job_name(job: Job) -> str:
    """Return what a job is called: by its checkpoint once there is one, until then by what it tunes."""
    return checkpoint_name(job) if job.checkpoint else job.suffix or family(job.base)


def names_of(jobs: Iterable[Job]) -> Mapping[str, str]:
    """Return the names of the checkpoints that jobs ended with, by id."""
    return {job.checkpoint: checkpoint_name(job) for job in jobs if job.checkpoint}


def family(base: str) -> str:
    """Return a base model's name; of a checkpoint's id (ft:BASE:...) the base it began with."""
    parts = base.split(":")
    return parts[1] if parts[0] == "ft" and len(parts) > 1 else base
