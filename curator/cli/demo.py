"""The verb that shows everything on the sample: demo."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from curator.cli import (
    checks,
    demo_training,
    duplicates,
    evaluating,
    exports,
    labels,
    projects,
    splits,
    training,
)
from curator.cli.answer import WRONG, Answer, notice, write
from curator.cli.arguments import Options, Parser, Verbs
from curator.cli.progress import Progress
from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.dataset.invocation import command
from curator.dataset.json_values import Json
from curator.dataset.resources import resource
from curator.dataset.small_files import make_folder

_GROUPS: Final = (projects, checks, labels, duplicates, splits, exports, training, evaluating)
_TARGET: Final = ("--target", "openai", "--base", "gpt-4.1-mini-2025-04-14")
_PICTURES_S: Final = 180


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "demo",
        _demo,
        "Run every step on the sample: import, check, fix, dedupe, split, export, train.",
        "curator demo",
        "curator demo /tmp/tour --no-screenshots --json",
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", help="where to put everything")
    parser.add_argument("--no-training", action="store_true", help="end with the dry run")
    parser.add_argument("--no-screenshots", action="store_true", help="take no pictures")


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    why: str
    arguments: tuple[str, ...]


def _story(project: str, export: str) -> tuple[_Step, ...]:
    sample = str(resource("samples", "support_desk.jsonl"))
    said = str(resource("samples", "support_desk.labels.jsonl"))
    rejected = ("status", "rejected", "--where", "errors:>0")
    accepted = ("status", "accepted", "--where", "status:pending warnings:0")
    near = ("--preset", "near", "--threshold", "0.8")
    split = ("--stratify", "intent", "--together", "prompt,duplicates")
    return (
        _Step("new", "an empty project", ("new", project)),
        _Step(
            "import", "a bank's and a clinic's chats, faults and all", ("import", project, sample)
        ),
        _Step("labels", "what annotators said of them", ("label", project, "import", said)),
        _Step("check", "what is wrong with them", ("check", project)),
        _Step("fix", "what is safe to fix", ("fix", project, "--safe")),
        _Step("dedupe exact", "copies", ("dedupe", project, "--preset", "exact")),
        _Step("dedupe near", "almost copies", ("dedupe", project, *near)),
        _Step("reject", "what a person would have to rewrite", ("label", project, *rejected)),
        _Step("accept", "all without a warning; a few wait for you", ("label", project, *accepted)),
        _Step("split", "train, validation and test", ("split", project, *split)),
        _Step("export", "training files with a manifest", ("export", project, export)),
        _Step("verify", "are they what they say", ("verify", export)),
        _Step("dry run", "what a job would cost", ("train", export, *_TARGET, "--dry-run")),
    )


def _demo(options: Options, progress: Progress) -> Answer:
    folder = _new_folder(options.folder)
    project, export = folder / "support-desk.curator", folder / "export"
    steps: list[dict[str, Json]] = []
    quiet = options.json
    for step in _story(str(project), str(export)):
        begun = time.monotonic()
        answer = _verb(step.arguments, progress)
        seconds = round(time.monotonic() - begun, 2)
        steps.append({"name": step.name, "result": _numbers(answer), "seconds": seconds})
        if not quiet:
            _tell(step.name, step.why, step.arguments, answer, seconds)
        if answer.code >= WRONG:
            raise WrongUse(f"The step {step.name} failed: {answer.failure}")
    trained = _train(options, project, export, progress)
    steps += trained.pop("steps")
    pictures: list[str] = []
    if not options.no_screenshots:
        begun = time.monotonic()
        pictures = _take_pictures(project, folder / "screenshots", trained.get("job"))
        seconds = round(time.monotonic() - begun, 2)
        steps.append(
            {"name": "screenshots", "result": {"files": len(pictures)}, "seconds": seconds}
        )
    keys: dict[str, Json] = {
        "steps": steps,
        "project": str(project),
        "export": str(export),
        **trained,
        "screenshots": pictures,
    }
    return Answer(keys, _closing(project, export, pictures))


def _verb(arguments: tuple[str, ...], progress: Progress) -> Answer:
    parser = Parser(prog="curator")
    verbs = Verbs(parser.add_subparsers(dest="verb", required=True))
    for group in _GROUPS:
        group.add_verbs(verbs)
    options = parser.parse_args(arguments)
    answer: Answer = options.run(options, progress)
    progress.close()
    return answer


def _new_folder(given: str | None) -> Path:
    folder = Path(given or "curator-demo")
    number = 1
    while folder.exists() and any(folder.iterdir()):
        if given:
            raise WrongUse(f"{given} is not empty. Choose a new folder for the demonstration.")
        number += 1
        folder = Path(f"curator-demo-{number}")
    make_folder(folder)
    return folder


def _numbers(answer: Answer) -> dict[str, Json]:
    """Return what fits into one line of a summary: plain values and counts, no lists of rows."""
    return {
        key: len(value) if isinstance(value, list) else value
        for key, value in answer.keys.items()
        if not (isinstance(value, dict) and len(str(value)) > 400)
    }


def _train(options: Options, project: Path, export: Path, progress: Progress) -> dict[str, Json]:
    """Go on to a trained checkpoint where the trainer is set up, and say so where it is not."""
    if not options.no_training and demo_training.can_train():
        tell = _silent if options.json else _tell
        return demo_training.train_and_compare(project, export, _verb, tell, progress)
    if not options.no_training:
        notice(
            f"Training on this computer is left out: {command('trainer', '--install')} sets it up."
        )
    return {"steps": [], "job": None, "checkpoint": None, "comparison": None}


def _silent(*_: object) -> None:
    """Say nothing: the JSON object comes at the end."""


def _tell(name: str, why: str, arguments: tuple[str, ...], answer: Answer, seconds: float) -> None:
    write(f"\n{name}: {why}  ({seconds:.1f} s)")
    if arguments:
        write(f"  $ {command(*arguments)}")
    for line in answer.lines[:12]:
        write(f"  {line}")
    if len(answer.lines) > 12:
        write(f"  ... and {counted(len(answer.lines) - 12, 'more line')}")


def _take_pictures(project: Path, folder: Path, job: Json) -> list[str]:
    """Take pictures of the pages in a process of its own, since only the window knows Qt."""
    # In a bundle the executable is the program itself.
    program = (
        [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "curator"]
    )
    shown = [str(job)] if job else []
    command = [*program, "--screenshots", str(folder), str(project), *shown]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PICTURES_S,
            env={**os.environ, "PYTHONUTF8": "1"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        notice(f"No pictures of the pages: {error}")
        return []
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        notice(f"No pictures of all pages: {last}")
    return [line for line in done.stdout.splitlines() if line.endswith(".png")]


def _closing(project: Path, export: Path, pictures: list[str]) -> tuple[str, ...]:
    lines = ["", f"The project:  {project}", f"The export:   {export}"]
    if pictures:
        lines.append(f"The pictures: {Path(pictures[0]).parent} ({len(pictures)})")
    lines.append(f"With a screen, look at it: {command(project)}")
    return tuple(lines)
