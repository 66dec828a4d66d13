"""The page's work off the GUI thread: each a function from plain values to plain values."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.app.pages.train.composer import ExportChoice
from curator.app.pages.train.targets_pane import TargetRow
from curator.curate.cost import load_prices
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.tune.commands import damaged_jobs, target_of
from curator.tune.jobs.auto_settings import Autos, autos
from curator.tune.jobs.dry_run import DryRun, dry_run
from curator.tune.jobs.following import order
from curator.tune.jobs.lineage import Lineage, lineage_of
from curator.tune.jobs.recipe import Recipe
from curator.tune.jobs.recipes import (
    load_recipe,
    recipe_names,
    recipe_of_job,
    remove_recipe,
    save_recipe,
)
from curator.tune.jobs.remote_checks import with_answers
from curator.tune.jobs.results import delete_model, download_files
from curator.tune.jobs.starting import discard, recover, settle, start_job
from curator.tune.jobs.table import Job, JobTable
from curator.tune.jobs.training_files import open_export
from curator.tune.jobs.watching import Details, Seen, details_of, watch
from curator.tune.services.client import Connection, connect
from curator.tune.services.port import Order, State
from curator.tune.services.probing import Probe, probe
from curator.tune.targets.keys import Key, key_place, store_key
from curator.tune.targets.profiles import (
    Target,
    corrected_prices,
    is_own,
    load_targets,
    save_target,
)

if TYPE_CHECKING:
    from curator.project.store.project import Project


@dataclass(frozen=True, slots=True)
class JobsState:
    """All jobs as the table has them, and all that is known of the chosen one."""

    jobs: tuple[Job, ...]
    details: Details | None
    unreadable: tuple[str, ...] = ()
    """A sentence for each job whose entry is damaged; only the first look at the table has them."""

    @property
    def has_followed(self) -> bool:
        """Whether a job is still at work somewhere."""
        return any(job.is_followed for job in self.jobs)


def shipped_targets() -> dict[str, Target]:
    """Return the targets that come with the program, from which one's own are made."""
    return {name: target for name, target in load_targets().items() if not is_own(name)}


def read_targets(_progress: ProgressCall, _cancelled: CancelledCall) -> tuple[TargetRow, ...]:
    """Return every target with where its key comes from."""
    targets = sorted(load_targets().values(), key=_rank)
    return tuple(_row(target) for target in targets)


def set_up_trainer(progress: ProgressCall, cancelled: CancelledCall) -> tuple[TargetRow, ...]:
    """Set the trainer of this computer up and read all targets again."""
    from curator.tune.local.bases import environment

    progress(0, 0, "Looking for the right build of torch")
    environment.install(environment.plan(), progress, cancelled)
    return read_targets(progress, cancelled)


def fetch_practice(progress: ProgressCall, cancelled: CancelledCall) -> tuple[TargetRow, ...]:
    """Fetch the practice base and read all targets again."""
    from curator.tune.local.bases import practice

    practice.fetch(progress, cancelled)
    return read_targets(progress, cancelled)


def _rank(target: Target) -> tuple[bool, bool, bool, str]:
    """Put this computer first, then what takes plain examples, the blank form last."""
    is_other = target.protocol != "local"
    return is_other, target.id == "custom", "sft" not in target.methods, target.label


def _row(target: Target) -> TargetRow:
    own = is_own(target.id)
    if target.protocol != "local":
        return TargetRow(target, key_place(target), own)
    from curator.tune.local.bases.bases import PRACTICE, known_bases
    from curator.tune.local.bases.environment import trainer_python
    from curator.tune.offers import checkpoints_to_start_from

    bases = tuple(base.name for base in known_bases())
    has_trainer = trainer_python() is not None
    # The profile's own first, then what somebody added.
    mine = tuple(name for name in target.bases if name in bases)
    offered = (*mine, *(name for name in bases if name not in mine))
    target = target.model_copy(update={"bases": offered})
    has_practice = PRACTICE in bases
    return TargetRow(
        target, "not needed", own, has_trainer, has_practice, checkpoints_to_start_from()
    )


def keep_target(
    target: Target, key: Key | None, progress: ProgressCall, cancelled: CancelledCall
) -> tuple[TargetRow, ...]:
    """Keep a target, store its key and read all targets again."""
    save_target(target)
    if key is not None:
        store_key(target, key)
    return read_targets(progress, cancelled)


def ask_target(target: Target, _progress: ProgressCall, _cancelled: CancelledCall) -> Probe:
    """Ask a server three free questions."""
    with connect(target, read_s=20.0) as connection:
        return probe(connection)


def look_at_export(
    project: "Project | None",
    folder: Path | None,
    _progress: ProgressCall,
    _cancelled: CancelledCall,
) -> ExportChoice | None:
    """Read what an export folder offers now, the project's last one without a folder.

    None where there is no such folder (any more).
    """
    from curator.project.exports.exporting import is_trainable, last_export

    facts = None
    if project is not None:
        with project.reader() as reader:
            facts = last_export(reader)
    last = Path(str(facts["folder"])) if facts and is_trainable(facts) else None
    chosen = folder or last
    if chosen is None or (folder is None and not chosen.is_dir()):
        return None
    found = open_export(chosen)
    is_last = chosen == last
    is_old = facts is not None and is_last and bool(facts["is_old"])
    return ExportChoice(chosen, found.rows, found.validation_rows, found.snapshot, is_last, is_old)


def resolve_autos(
    recipe: Recipe, rows: int, _progress: ProgressCall, _cancelled: CancelledCall
) -> tuple[Recipe, Autos]:
    """Find what the settings left open will be."""
    return recipe, autos(recipe, rows)


def plan(recipe: Recipe, folder: Path, progress: ProgressCall, cancelled: CancelledCall) -> DryRun:
    """Make the dry run."""
    with closing(JobTable()) as table:
        past = table.all()
    prices = load_prices(corrected_prices())
    found = dry_run(
        open_export(folder),
        recipe,
        progress=progress,
        cancelled=cancelled,
        prices=prices,
        past=past,
    )
    return with_answers(found, recipe)


def start(
    recipe: Recipe,
    folder: Path,
    found: DryRun,
    project: str,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> Job:
    """Upload and create the job exactly once."""
    with closing(JobTable()) as table, connect(recipe.target) as connection:
        return start_job(
            connection,
            table,
            open_export(folder),
            recipe,
            found,
            progress=progress,
            cancelled=cancelled,
            project=project,
        )


def read_jobs(
    chosen: str,
    project: str,
    _progress: ProgressCall,
    _cancelled: CancelledCall,
    *,
    begin: bool = False,
) -> JobsState:
    """Read the job table; begin also puts right what a dead program left.

    Where none is chosen, the newest job of the project at that path is.
    """
    with closing(JobTable()) as table:
        if begin:
            recover(table)
        jobs = table.all()
        names = [job.token for job in jobs if job.is_of(project)]
        wanted = chosen if chosen in names else next(iter(names), "")
        unreadable = damaged_jobs(table) if begin else ()
        return JobsState(jobs, details_of(table, wanted) if wanted else None, unreadable)


def follow_all(
    told: Callable[[JobsState, Seen], None], progress: ProgressCall, cancelled: CancelledCall
) -> None:
    """Watch every unfinished job until none is left."""
    with closing(JobTable()) as table:

        def tell(seen: Seen) -> None:
            told(JobsState(table.all(), None), seen)

        watch(table, _connect_again, on_look=tell, progress=progress, cancelled=cancelled)


def give_order(
    token: str, what: Order, _progress: ProgressCall, _cancelled: CancelledCall
) -> JobsState:
    """Cancel, pause or resume a job at its server."""
    with closing(JobTable()) as table:
        with _connect_again(table.get(token)) as connection:
            order(connection, table, token, what)
        return JobsState(table.all(), details_of(table, token))


def check_again(token: str, _progress: ProgressCall, _cancelled: CancelledCall) -> JobsState:
    """Look once more for a job nobody knows of whether it exists."""
    with closing(JobTable()) as table:
        with _connect_again(table.get(token)) as connection:
            settle(connection, table, token)
        return JobsState(table.all(), details_of(table, token))


def set_aside(token: str, _progress: ProgressCall, _cancelled: CancelledCall) -> JobsState:
    """Set an unclear job aside."""
    with closing(JobTable()) as table:
        if table.get(token).status is State.UNCLEAR:
            discard(table, token)
        return JobsState(table.all(), details_of(table, token))


def read_recipes(_progress: ProgressCall, _cancelled: CancelledCall) -> tuple[str, ...]:
    """Return the names of all kept recipes."""
    return recipe_names()


def read_recipe(name: str, _progress: ProgressCall, _cancelled: CancelledCall) -> Recipe:
    """Read a kept recipe, checked against today's target."""
    return load_recipe(name)


def keep_recipe(
    name: str, recipe: Recipe, _progress: ProgressCall, _cancelled: CancelledCall
) -> tuple[str, ...]:
    """Keep a recipe and return the names there are then."""
    save_recipe(name, recipe)
    return recipe_names()


def remove_recipe_named(
    name: str, _progress: ProgressCall, _cancelled: CancelledCall
) -> tuple[str, ...]:
    """Remove a recipe and return the names there are then."""
    remove_recipe(name)
    return recipe_names()


def recipe_again(token: str, _progress: ProgressCall, _cancelled: CancelledCall) -> Recipe:
    """Return the recipe a job was started with, checked against today's target."""
    with closing(JobTable()) as table:
        return recipe_of_job(table.get(token))


def read_origin(token: str, _progress: ProgressCall, _cancelled: CancelledCall) -> Lineage:
    """Read where a job's checkpoint comes from."""
    with closing(JobTable()) as table:
        return lineage_of(table, token)


def download(
    token: str, folder: Path, progress: ProgressCall, cancelled: CancelledCall
) -> tuple[Path, ...]:
    """Fetch the files a server offers of a job."""
    with closing(JobTable()) as table, _connect_again(table.get(token)) as connection:
        return download_files(
            connection, table, token, folder, progress=progress, cancelled=cancelled
        )


def delete(token: str, _progress: ProgressCall, _cancelled: CancelledCall) -> JobsState:
    """Delete a job's model at its server."""
    with closing(JobTable()) as table:
        with _connect_again(table.get(token)) as connection:
            delete_model(connection, table, token)
        return JobsState(table.all(), details_of(table, token))


def add_base(source: str, progress: ProgressCall, cancelled: CancelledCall) -> str:
    """Add a base by a folder, a GGUF file or a hub id, and return its name."""
    from curator.tune.local.bases.adding import add

    return add(source, progress, cancelled).name


def _connect_again(job: Job) -> Connection:
    # Short, so that a closing window never waits long for an answer.
    return connect(target_of(job), read_s=20.0)
