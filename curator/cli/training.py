"""The verb that starts a job, or says what it would do: train."""

from pathlib import Path

from curator.cli.answer import FOUND, Answer
from curator.cli.arguments import Options, Verbs, is_project, open_project, pairs
from curator.cli.progress import Progress
from curator.dataset.errors import UnreadableInput
from curator.dataset.json_values import Json


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "train",
        _train,
        "Start a fine-tuning job from a project or an export, or only say what it would do.",
        "curator train out --target openai --base gpt-4.1-mini-2025-04-14 --dry-run",
        "curator train x.curator --target openai --base gpt-4.1-2025-04-14 --set n_epochs=2 --follow",
    )
    parser.add_argument("input", metavar="P|DIR", help="a project, or the folder of an export")
    parser.add_argument("--target", required=True, metavar="NAME", help="see: curator targets list")
    parser.add_argument("--base", required=True, metavar="NAME", help="the base model")
    parser.add_argument("--method", default="", metavar="M", help="sft, dpo or rft (sft)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="a setting"
    )
    parser.add_argument("--suffix", default="", help="a word in the checkpoint's name")
    parser.add_argument("--dry-run", action="store_true", help="start nothing")
    parser.add_argument(
        "--follow", action="store_true", help="wait for the end and show the events"
    )


def _train(options: Options, progress: Progress) -> Answer:
    from curator.tune import commands

    more = {"suffix": options.suffix} if options.suffix else {}
    recipe = commands.recipe_of(
        options.target,
        options.base,
        method=options.method,
        settings=pairs(options.settings, "--set"),
        **more,
    )
    folder = _folder(options.input, progress)
    cancelled = progress.cancelled
    found, row = commands.plan(folder, recipe, progress=progress, cancelled=cancelled)
    if options.dry_run:
        return Answer(row, _said(row), FOUND if found.errors else 0)
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


def outcome(keys: dict[str, Json]) -> Answer:
    """Return the answer for a job as it stands: lines for the eye, and 1 where it failed."""
    lines = [f"{keys['job']} at {keys['target']}: {keys['status']}"]
    lines += [f"  {event['level']}: {event['message']}" for event in keys["events"]]
    if keys["checkpoint"]:
        lines.append(f"The checkpoint: {keys['checkpoint']}")
    if keys.get("error"):
        lines.append(str(keys["error"]))
    return Answer(keys, tuple(lines), FOUND if keys["status"] in ("failed", "cancelled") else 0)


def _folder(given: str, progress: Progress) -> Path:
    """Return the export to train on; a project is exported beside itself first."""
    path = Path(given)
    if path.is_dir():
        return path
    if not path.exists():
        raise UnreadableInput(f"There is no project or export {given}.", given)
    from curator.project.exports import export

    folder = path.with_name(f"{path.stem}.export")
    with open_project(given, read_only=True) as project:
        export(project, folder, progress=progress, cancelled=progress.cancelled)
    return folder


def _said(row: dict[str, Json]) -> tuple[str, ...]:
    left = f", {row['dropped']:,} left out" if row["dropped"] else ""
    cut = f", {row['cut']:,} cut at the limit" if row["cut"] else ""
    lines = [
        f"{row['rows']:,} rows{left}{cut}",
        f"{row['tokens']:,} tokens x {row['epochs']} epochs = {row['billed_tokens']:,}",
    ]
    if row["cost"] is not None:
        lines.append(f"about {row['cost']:.2f} {row['currency']} (prices of {row['prices_of']})")
    if row["seconds"] is not None:
        lines.append(f"about {row['seconds']:,.0f} s, as earlier jobs there took")
    return (*lines, *(f"! {warning}" for warning in row["warnings"]))
