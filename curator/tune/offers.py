"""What a target can start from or ask: base models and checkpoints, in the shape the command line promises."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

from curator.dataset.errors import BrokenFile
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.client import connect
from curator.tune.services.probing import list_bases
from curator.tune.targets.profiles import Target, find_target


def models_rows(target: str) -> dict[str, Any]:
    """Return the base models and checkpoints of a target: what ``models`` shows.

    This computer is read from its disk; any other target is asked, which costs nothing.
    """
    found = find_target(target)
    if found.protocol != "local":
        return {"models": list(_served(found)), "unreadable": []}
    return {"models": list(_here()), "unreadable": [str(fault) for fault in _broken_here()]}


def checkpoints_to_start_from() -> tuple[tuple[str, Job], ...]:
    """Return this computer's checkpoints from which another job can start, and their jobs, newest first.

    Of each job the last checkpoint; labels of a head and soft prompts are no base.
    """
    from curator.tune.local.bases.checkpoint_bases import StartRefused, find_start
    from curator.tune.local.job_folders import local_root
    from curator.tune.local.server.jobs_api import model_id
    from curator.tune.local.server.queue import Queue

    found = []
    with closing(JobTable()) as table:
        for folder in reversed(Queue().all()):
            name = model_id(folder)
            job = table.of_checkpoint(name) if folder.state.get("checkpoint") else None
            if job is not None:
                with suppress(StartRefused):
                    find_start(name, local_root())
                    found.append((name, job))
    return tuple(found)


def _row(identifier: str, kind: str, base: str | None, **more: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "kind": kind,
        "base": base,
        "size": None,
        "shutdown_date": None,
        **more,
    }


def _served(target: Target) -> Iterator[dict[str, Any]]:
    with closing(JobTable()) as table:
        bases = {job.checkpoint: job.base for job in table.all() if job.checkpoint}
    with connect(target) as connection:
        for each in list_bases(connection):
            is_tuned = each.name in bases or each.name.startswith("ft:")
            base = bases.get(each.name) or (each.name.split(":")[1] if is_tuned else None)
            kind = "checkpoint" if is_tuned else "base"
            dates = target.lifetime_of(each.name)
            kept = dates.model_dump(mode="json", exclude={"pattern"}) if dates else {}
            yield _row(each.name, kind, base, shutdown_date=each.shutdown or None, **kept)


def _broken_here() -> Iterator[BrokenFile]:
    """Yield what is wrong with the notes of bases and jobs that therefore are not listed."""
    from curator.tune.local.bases.bases import broken_bases
    from curator.tune.local.server.queue import Queue

    yield from broken_bases()
    yield from Queue().broken()


def _here() -> Iterator[dict[str, Any]]:
    from curator.tune.local.bases.base_folders import size_of
    from curator.tune.local.bases.bases import known_bases
    from curator.tune.local.server.jobs_api import model_id
    from curator.tune.local.server.queue import Queue

    for base in known_bases():
        size = size_of(base.folder) if base.folder.is_dir() else 0
        more = {"label": base.label, "source": base.source or None, "folder": str(base.folder)}
        yield _row(base.name, "base", None, size=size, revision=base.revision or None, **more)
    for job in Queue().all():
        last = job.state.get("checkpoint")
        for entry in job.checkpoints():
            folder = job.checkpoints_root / f"step-{entry['step_number']}"
            if folder.is_dir():
                step = None if folder.name == last else entry["step_number"]
                name, size = model_id(job, step), size_of(folder)
                yield _row(name, "checkpoint", job.spec["base"], size=size, folder=str(folder))
