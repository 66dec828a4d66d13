"""The verb that starts a job, or says what it would do: train."""

from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.answer import FOUND, Answer, notice, pasteable
from curator.cli.arguments import (
    LARGEST_SEED,
    Options,
    Verbs,
    is_project,
    open_current,
    pairs,
    whole,
)
from curator.cli.job_page import outcome
from curator.cli.progress import Progress
from curator.dataset.counted import counted
from curator.dataset.errors import GateFailed, UnreadableInput, WrongUse
from curator.dataset.invocation import command, quoted
from curator.dataset.json_values import Json

if TYPE_CHECKING:
    from curator.tune.jobs.recipe import Recipe


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "train",
        _train,
        "Start a fine-tuning job from a project or an export, or only say what it would do.",
        "curator train out --target openai --base gpt-4.1-mini-2025-04-14 --dry-run",
        "curator train x.curator --target openai --base gpt-4.1-2025-04-14 --set n_epochs=2 --follow",
        "curator train out --recipe 'support desk' --dry-run",
        "curator train out --target this-computer --base practice --bundle job",
    )
    parser.add_argument("input", metavar="P|DIR", help="a project, or the folder of an export")
    parser.add_argument("--target", default="", metavar="NAME", help="see: curator targets list")
    parser.add_argument("--base", default="", metavar="NAME", help="the base model")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--recipe", default="", metavar="NAME", help="the choices kept under a name")
    again.add_argument("--again", default="", metavar="JOB", help="the choices of a past job")
    parser.add_argument(
        "--save-recipe", default="", metavar="NAME", help="keep these choices under a name"
    )
    parser.add_argument("--method", default="", metavar="M", help="sft, dpo or rft (sft)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="a setting"
    )
    parser.add_argument("--suffix", default="", help="a word in the checkpoint's name")
    parser.add_argument(
        "--seed", type=whole(0, LARGEST_SEED), default=None, help="fixes every random choice"
    )
    parser.add_argument(
        "--grader", default="", metavar="FILE", help="what scores replies (rft), JSON"
    )
    parser.add_argument(
        "--wandb", default="", metavar="PROJECT", help="show the run at Weights & Biases"
    )
    parser.add_argument("--dry-run", action="store_true", help="start nothing")
    parser.add_argument(
        "--bundle",
        default="",
        metavar="FOLDER",
        help="start nothing: write the job as a folder for torchrun, Slurm or SkyPilot",
    )
    parser.add_argument(
        "--follow", action="store_true", help="wait for the end and show the events"
    )


def _train(options: Options, progress: Progress) -> Answer:
    from curator.tune import commands

    recipe = _recipe(options)
    if options.save_recipe:
        from curator.tune.jobs.recipes import save_recipe

        save_recipe(options.save_recipe, recipe)
    folder = _folder(options.input, progress)
    cancelled = progress.cancelled
    found, row = commands.plan(folder, recipe, progress=progress, cancelled=cancelled)
    if options.bundle:
        if found.errors:
            raise GateFailed(" ".join(found.errors))
        return _bundle(Path(options.bundle), folder, recipe)
    if options.dry_run:
        return Answer(row, _lines(row), FOUND if found.errors else 0)
    for warning in found.warnings:
        notice(pasteable(f"! {warning}"))
    keys = commands.start(
        folder,
        recipe,
        found,
        progress=progress,
        cancelled=cancelled,
        project=options.input if is_project(options.input) else "",
        to_the_end=options.follow,
    )
    return outcome(keys)


def _recipe(options: Options) -> "Recipe":
    """Return the recipe a command line describes: whole, or as changes to an earlier one."""
    from curator.tune import commands
    from curator.tune.jobs.graders import read_grader

    chosen: dict[str, Json] = {
        "target": options.target,
        "base": options.base,
        "method": options.method,
        "settings": pairs(options.settings, "--set"),
        "suffix": options.suffix,
        "seed": options.seed,
        "grader": read_grader(Path(options.grader)) if options.grader else None,
        "wandb": {"project": options.wandb} if options.wandb else None,
    }
    if options.recipe or options.again:
        return commands.recipe_again(name=options.recipe, job=options.again, changes=chosen)
    if not options.target or not options.base:
        raise WrongUse("Name a --target and a --base, or a --recipe, or a job with --again.")
    return commands.recipe_of(chosen.pop("target"), chosen.pop("base"), **chosen)


def _bundle(place: Path, export: Path, recipe: "Recipe") -> Answer:
    """Write the job as a folder of its own; only what this computer trains can travel so."""
    from curator.tune.jobs.training_files import open_export
    from curator.tune.local.bundle import export_request

    if recipe.target.protocol != "local":
        raise WrongUse("A bundle holds this computer's own trainer: take --target this-computer.")
    given = open_export(export)
    body = recipe.arguments("train", "validation", "")
    export_request(place, body, given.train, given.validation)
    enter = f"cd {quoted(place)}"
    starts = {
        "torchrun": f"{enter} && PROCESSES=2 sh run.sh",
        "slurm": f"{enter} && sbatch slurm.sbatch",
        "skypilot": f"{enter} && sky jobs launch task.yaml",
    }
    files = sorted(path.name for path in place.iterdir())
    lines = [f"{place}: {', '.join(files)}", *(f"{how}: {line}" for how, line in starts.items())]
    return Answer({"bundle": str(place), "files": files, "starts": starts}, tuple(lines))


def _folder(given: str, progress: Progress) -> Path:
    """Return the export to train on; a project is exported beside itself first."""
    path = Path(given)
    if path.is_dir():
        return path
    if not path.exists():
        raise UnreadableInput(f"There is no project or export {given}.", given)
    from curator.project.exports.exporting import export

    folder = path.with_name(f"{path.stem}.export")
    with open_current(given, progress, read_only=True) as project:
        try:
            report = export(project, folder, progress=progress, cancelled=progress.cancelled)
        except GateFailed as error:
            if "--skip-errors" not in str(error):
                raise
            first = command("export", given, folder, "--skip-errors")
            raise GateFailed(f"{error} To leave them out: {first}, then train {folder}.") from error
    for note in report.notes:
        notice(note)
    return folder


def _lines(row: dict[str, Json]) -> tuple[str, ...]:
    left = f", {row['dropped']:,} left out" if row["dropped"] else ""
    cut = f", {row['cut']:,} cut at the limit" if row["cut"] else ""
    refused = f", {row['refused']:,} refused" if row["refused"] else ""
    lines = [
        f"{counted(row['rows'], 'row')}{left}{cut}{refused}",
        f"{counted(row['tokens'], 'token')} x {counted(row['epochs'], 'epoch')} = {row['billed_tokens']:,}",
    ]
    if not row["charged"]:
        lines.append(f"no charge: it runs on {row['host'][:1].lower()}{row['host'][1:]}")
    elif row["cost"] is not None:
        lines.append(f"about {row['cost']:.2f} {row['currency']} (prices of {row['prices_of']})")
    if row["seconds"] is not None:
        basis = "as earlier jobs there took" if row["seconds_from"] == "jobs" else "an estimate"
        lines.append(f"about {row['seconds']:,.0f} s, {basis}")
    return (*lines, *(pasteable(f"! {warning}") for warning in row["warnings"]))
