"""The page's work off the GUI thread: each a function from plain values to plain values."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.app.pages.train.composer import ExportChoice
from curator.app.pages.train.targets_pane import TargetRow
from curator.app.session.background import Work
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
class Known:
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


def keep_target(target: Target, key: Key | None) -> Work[tuple[TargetRow, ...]]:
    """Return work that keeps a target, stores its key and reads all targets again."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> tuple[TargetRow, ...]:
        save_target(target)
        if key is not None:
            store_key(target, key)
        return read_targets(progress, cancelled)

    return work


def ask_target(target: Target) -> Work[Probe]:
    """Return work that asks a server three free questions."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Probe:
        with connect(target, read_s=20.0) as connection:
            return probe(connection)

    return work


def look_at_export(project: "Project | None", folder: Path | None) -> Work[ExportChoice | None]:
    """Return work that reads what an export folder offers now, the project's last one without a folder.

    None where there is no such folder (any more).
    """

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> ExportChoice | None:
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
        return ExportChoice(
            chosen, found.rows, found.validation_rows, found.snapshot, is_last, is_old
        )

    return work


def foretell(recipe: Recipe, rows: int) -> Work[tuple[Recipe, Autos]]:
    """Return work that finds what the settings left open will be."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> tuple[Recipe, Autos]:
        return recipe, autos(recipe, rows)

    return work


def plan(recipe: Recipe, folder: Path) -> Work[DryRun]:
    """Return work that makes the dry run."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> DryRun:
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

    return work


def start(recipe: Recipe, folder: Path, found: DryRun, project: str) -> Work[Job]:
    """Return work that uploads and creates the job exactly once."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> Job:
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

    return work


def read_jobs(chosen: str, project: str = "", *, begin: bool = False) -> Work[Known]:
    """Return work that reads the job table; begin also puts right what a dead program left.

    Where none is chosen, the newest job of the project at that path is.
    """

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Known:
        with closing(JobTable()) as table:
            if begin:
                recover(table)
            jobs = table.all()
            names = [job.token for job in jobs if job.is_of(project)]
            wanted = chosen if chosen in names else next(iter(names), "")
            unreadable = damaged_jobs(table) if begin else ()
            return Known(jobs, details_of(table, wanted) if wanted else None, unreadable)

    return work


def follow_all(told: Callable[[Known, Seen], None]) -> Work[None]:
    """Return work that watches every unfinished job until none is left."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> None:
        with closing(JobTable()) as table:

            def tell(seen: Seen) -> None:
                told(Known(table.all(), None), seen)

            watch(table, _connect_again, on_look=tell, progress=progress, cancelled=cancelled)

    return work


def give_order(token: str, what: Order) -> Work[Known]:
    """Return work that cancels, pauses or resumes a job at its server."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Known:
        with closing(JobTable()) as table:
            with _connect_again(table.get(token)) as connection:
                order(connection, table, token, what)
            return Known(table.all(), details_of(table, token))

    return work


def check_again(token: str) -> Work[Known]:
    """Return work that looks once more for a job nobody knows of whether it exists."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Known:
        with closing(JobTable()) as table:
            with _connect_again(table.get(token)) as connection:
                settle(connection, table, token)
            return Known(table.all(), details_of(table, token))

    return work


def set_aside(token: str) -> Work[Known]:
    """Return work that sets an unclear job aside."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Known:
        with closing(JobTable()) as table:
            if table.get(token).status is State.UNCLEAR:
                discard(table, token)
            return Known(table.all(), details_of(table, token))

    return work


def read_recipes(_progress: ProgressCall, _cancelled: CancelledCall) -> tuple[str, ...]:
    """Return the names of all kept recipes."""
    return recipe_names()


def read_recipe(name: str) -> Work[Recipe]:
    """Return work that reads a kept recipe, checked against today's target."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Recipe:
        return load_recipe(name)

    return work


def keep_recipe(name: str, recipe: Recipe) -> Work[tuple[str, ...]]:
    """Return work that keeps a recipe and gives the names there are then."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> tuple[str, ...]:
        save_recipe(name, recipe)
        return recipe_names()

    return work


def remove_recipe_named(name: str) -> Work[tuple[str, ...]]:
    """Return work that removes a recipe and gives the names there are then."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> tuple[str, ...]:
        remove_recipe(name)
        return recipe_names()

    return work


def recipe_again(token: str) -> Work[Recipe]:
    """Return work that gives the recipe a job was started with, checked against today's target."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Recipe:
        with closing(JobTable()) as table:
            return recipe_of_job(table.get(token))

    return work


def read_origin(token: str) -> Work[Lineage]:
    """Return work that reads where a job's checkpoint comes from."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Lineage:
        with closing(JobTable()) as table:
            return lineage_of(table, token)

    return work


def download(token: str, folder: Path) -> Work[tuple[Path, ...]]:
    """Return work that fetches the files a server offers of a job."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> tuple[Path, ...]:
        with closing(JobTable()) as table, _connect_again(table.get(token)) as connection:
            return download_files(
                connection, table, token, folder, progress=progress, cancelled=cancelled
            )

    return work


def delete(token: str) -> Work[Known]:
    """Return work that deletes a job's model at its server."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Known:
        with closing(JobTable()) as table:
            with _connect_again(table.get(token)) as connection:
                delete_model(connection, table, token)
            return Known(table.all(), details_of(table, token))

    return work


def add_base(source: str) -> Work[str]:
    """Return work that adds a base by a folder, a GGUF file or a hub id, and gives its name."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> str:
        from curator.tune.local.bases.adding import add

        return add(source, progress, cancelled).name

    return work


def _connect_again(job: Job) -> Connection:
    # Short, so that a closing window never waits long for an answer.
    return connect(target_of(job), read_s=20.0)
