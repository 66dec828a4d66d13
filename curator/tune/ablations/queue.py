"""The queue of an ablation: what it will take, then one job after another, each of them once.

Nothing is kept about a study but its jobs and its run. A job is known by what it trains: the folder of
its rows, base, method, settings and seed. So whoever begins again, with the same plan or one more
variant in it, finds what is trained, follows what is under way and starts what is missing.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from curator.dataset.counted import counted
from curator.dataset.errors import Cancelled, CuratorError, WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.project.store.project import Project
from curator.tune import commands
from curator.tune.ablations.data import choose, read_data, write_folder
from curator.tune.ablations.plan import Budget, Plan, Variant, recipe_of
from curator.tune.jobs.dry_run import DryRun
from curator.tune.jobs.recipe import Recipe
from curator.tune.jobs.starting import UNCLEAR_ABSENT, discard, settle
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.client import connect
from curator.tune.services.port import State

_STARTING: Final = (State.PREPARING, State.UPLOADING)


@dataclass(frozen=True)
class Planned:
    """One job of a study: its variant, rows, choices and dry run.

    twin is the earlier variant that trains the same, whose job is this one's too; over tells that the
    budget ends before it.
    """

    variant: Variant
    seed: int
    folder: Path
    rows: int
    recipe: Recipe
    dry: DryRun
    twin: str = ""
    over: bool = False
    job: Job | None = None

    @property
    def cost(self) -> float | None:
        """What it costs, None where that is not known; nothing where nobody sends a bill."""
        if not self.dry.is_charged:
            return 0.0
        return None if self.dry.cost is None else float(self.dry.cost.amount)


@dataclass(frozen=True)
class Study:
    """All jobs of a plan in their order, and the conversations whose questions are asked.

    left_out and notes are what the export of the project left out, by reason and in sentences.
    """

    plan: Plan
    variants: tuple[Variant, ...]
    jobs: tuple[Planned, ...]
    asked: tuple[int, ...]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def missing(self) -> tuple[Planned, ...]:
        """The jobs that are still to be started."""
        return tuple(each for each in self.jobs if not (each.twin or each.over or each.job))

    @property
    def is_charged(self) -> bool:
        """Whether somebody will send a bill for what is missing."""
        return any(each.dry.is_charged for each in self.missing)

    def estimate(self) -> dict[str, Any]:
        """Return what starting now would take; null where it is not known."""
        todo = self.missing
        costs = [each.cost for each in todo]
        times = [each.dry.seconds for each in todo]
        currency = next((e.dry.cost.currency for e in todo if e.dry.cost is not None), None)
        return {
            "jobs": len(todo),
            "jobs_there": sum(each.job is not None and not each.twin for each in self.jobs),
            "rows": sum(each.dry.rows for each in todo),
            "tokens": sum(each.dry.billed_tokens for each in todo),
            "cost": None if None in costs else round(sum(c for c in costs if c is not None), 4),
            "currency": currency,
            "seconds": None if None in times else round(sum(t for t in times if t is not None), 1),
            "charged": self.is_charged,
            "over_budget": [_label(self.plan, each) for each in self.jobs if each.over],
        }


@dataclass(frozen=True)
class Trained:
    """How one job of a study ended; checkpoint is empty where it has none, and reason says why."""

    planned: Planned
    job: str
    checkpoint: str
    reason: str = ""


def prepare(
    project: Project,
    plan: Plan,
    variants: Sequence[Variant],
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> Study:
    """Choose the rows, write their folders and do every dry run; asks no server for a job.

    Raises GateFailed, WrongUse, UnreadableInput.
    """
    data = read_data(project, plan, progress, cancelled)
    rows = choose(project, data, variants, plan.seeds[0], cancelled)
    folders = {
        each.name: write_folder(data, rows[each.name], system_prompts=each.system_prompts)
        for each in variants
    }
    jobs: list[Planned] = []
    with closing(JobTable()) as table:
        past = table.all()
    dry: dict[tuple[Any, ...], DryRun] = {}
    for variant in variants:
        for seed in plan.seeds:
            recipe = recipe_of(plan, variant, seed)
            folder = folders[variant.name]
            key = (folder, recipe.method, repr(sorted(recipe.settings.items())))
            if key not in dry:
                dry[key] = commands.plan(folder, recipe, progress=progress, cancelled=cancelled)[0]
            one = Planned(
                variant, seed, folder, len(rows[variant.name].lines), recipe, dry[key],
                job=_known(past, folder, recipe),
            )  # fmt: skip
            jobs.append(replace(one, twin=_twin(jobs, one)))
    return Study(
        plan, tuple(variants), _within(plan.budget, jobs), data.asked, data.left_out, data.notes
    )


def _twin(earlier: Sequence[Planned], one: Planned) -> str:
    for other in earlier:
        if (other.folder, other.recipe) == (one.folder, one.recipe):
            return other.variant.name
    return ""


def _within(budget: Budget, jobs: Sequence[Planned]) -> tuple[Planned, ...]:
    """Mark every job from the first that the budget cannot pay; those that are there count too."""
    if budget.cost is not None and any(each.cost is None for each in jobs):
        raise WrongUse(
            "No price is known for this base at this target, so a budget of cost cannot be kept. "
            'Give a budget of tokens: "budget": {"tokens": 1000000}.'
        )
    found, tokens, money, over = [], 0, 0.0, False
    for each in jobs:
        if not each.twin:
            tokens += each.dry.billed_tokens
            money += each.cost or 0.0
            over = over or (budget.tokens is not None and tokens > budget.tokens)
            over = over or (budget.cost is not None and money > budget.cost)
        found.append(replace(each, over=over))
    return tuple(found)


def _is_of(job: Job, folder: Path, recipe: Recipe) -> bool:
    return (
        job.export == str(folder.resolve())
        and (job.target, job.base, job.method) == (recipe.target.id, recipe.base, recipe.method)
        and job.base_url == recipe.target.url
        and dict(job.settings) == dict(recipe.settings)
        and (job.seed, job.suffix) == (recipe.seed, recipe.suffix)
    )


def _known(jobs: Sequence[Job], folder: Path, recipe: Recipe) -> Job | None:
    """Return the job that trained this or is at it, None where it is to be started."""
    mine = [job for job in jobs if _is_of(job, folder, recipe)]
    done = (j for j in mine if j.status is State.SUCCEEDED and j.checkpoint and not j.deleted)
    return next(done, None) or next((job for job in mine if job.is_followed), None)


def train_all(
    study: Study, project: Project, progress: ProgressCall, cancelled: CancelledCall
) -> tuple[Trained, ...]:
    """Train what is missing, one after another, and follow what is under way.

    A job that fails is named in what is returned and the others go on. Raises Cancelled.
    """
    ended: list[Trained] = []
    for number, each in enumerate(study.jobs, 1):
        if each.over:
            ended.append(Trained(each, "", "", "The budget ends before it."))
            continue
        words = f"{number} of {len(study.jobs)}, {_label(study.plan, each)}"

        def telling(done: int, total: int, what: str = "", words: str = words) -> None:
            progress(done, total, f"{words}: {what}" if what else words)

        ended.append(_trained(each, ended, project, telling, cancelled))
    return tuple(ended)


def _trained(
    each: Planned,
    earlier: Sequence[Trained],
    project: Project,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> Trained:
    if each.twin:
        same = next(
            e for e in earlier if (e.planned.folder, e.planned.recipe) == (each.folder, each.recipe)
        )
        return replace(same, planned=each)
    try:
        row = _job_row(each, project, progress, cancelled)
    except Cancelled:
        raise
    except CuratorError as error:
        return Trained(each, _last_job(each), "", str(error))
    if row["status"] == State.SUCCEEDED and row["checkpoint"]:
        return Trained(each, row["job"], row["checkpoint"])
    why = (row["failure"] or {}).get("sentence") or row["error"] or f"The job is {row['status']}."
    return Trained(each, row["job"], "", str(why))


def _job_row(
    each: Planned, project: Project, progress: ProgressCall, cancelled: CancelledCall
) -> dict[str, Any]:
    _settle_starts(each)
    with closing(JobTable()) as table:
        known = _known(table.all(), each.folder, each.recipe)
        if known is not None and known.is_final:
            return commands.job_row(table, known)
    if cancelled():
        raise Cancelled("The ablation was stopped. What is trained is kept.")
    if known is not None:
        return commands.follow_job(known.token, progress=progress, cancelled=cancelled)
    return commands.start(
        each.folder,
        each.recipe,
        each.dry,
        progress=progress,
        cancelled=cancelled,
        project=str(project.path),
        to_the_end=True,
    )


def _settle_starts(each: Planned) -> None:
    """Clear up after a program that was killed while it started this very job.

    The project is open for writing here alone, so no other program is at it.
    """
    with closing(JobTable()) as table:
        for job in table.all():
            if not _is_of(job, each.folder, each.recipe):
                continue
            if job.status in _STARTING:
                discard(table, job.token)
            if job.status is State.CREATING:
                job = table.update(job.token, status=State.UNCLEAR)
            if job.status is State.UNCLEAR:
                with connect(each.recipe.target) as connection:
                    job = settle(connection, table, job.token)
                # The list of this computer's own server lags behind nothing.
                here = each.recipe.target.protocol == "local"
                if here and job.status is State.UNCLEAR and job.error == UNCLEAR_ABSENT:
                    discard(table, job.token)


def _last_job(each: Planned) -> str:
    with closing(JobTable()) as table:
        mine = (job for job in table.all() if _is_of(job, each.folder, each.recipe))
        return next((job.job or job.token for job in mine), "")


def _label(plan: Plan, each: Planned) -> str:
    return label_of(plan, each.variant.name, each.seed)


def label_of(plan: Plan, name: str, seed: int) -> str:
    """Return what a job is called: its variant, with the seed where there are several."""
    return name if len(plan.seeds) == 1 else f"{name}, seed {seed}"


def told(study: Study, questions: int) -> tuple[str, ...]:
    """Return in words what starting now would take; so many questions are asked of each variant."""
    found = study.estimate()
    lines = [
        f"{counted(len(study.variants), 'variant')}, {counted(len(study.jobs), 'job')}: "
        f"{found['jobs']:,} to train, {found['jobs_there']:,} there already; "
        f"{counted(questions, 'question')} to each",
        f"{counted(found['rows'], 'row')}, {counted(found['tokens'], 'token')} in all epochs",
    ]
    if not found["charged"]:
        lines.append("no charge")
    elif found["cost"] is None:
        lines.append("the cost is not known: no price is known for this base")
    else:
        lines.append(f"about {found['cost']:.2f} {found['currency']} for training")
    if found["seconds"]:
        lines.append(f"about {found['seconds']:,.0f} s for training")
    lines += [f"! The budget ends before {name}." for name in found["over_budget"]]
    for each in study.jobs:
        if each.twin and each.seed == study.plan.seeds[0]:
            lines.append(
                f"! {each.variant.name} trains the same as {each.twin}, so one job serves both."
            )
    faults = dict.fromkeys(fault for each in study.missing for fault in each.dry.errors)
    lines += [f"Left out: {count:,}: {why}" for why, count in study.left_out.items()]
    return (*lines, *study.notes, *(f"! {fault}" for fault in faults))
