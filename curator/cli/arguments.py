"""What the verbs share: a parser that raises instead of exiting, and the common arguments."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from curator.cli.answer import Answer
from curator.cli.progress import Progress
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.invocation import command
from curator.dataset.regular_files import open_regular, require_regular
from curator.project.derive import is_stale
from curator.project.migrations import is_older
from curator.project.store import Project

Options = argparse.Namespace
Run = Callable[[Options, Progress], Answer]


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are WrongUse, so that --json answers them too."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise WrongUse(f"{message[:1].upper()}{message[1:]}. See {self.prog} -h.")


class Verbs:
    """Where a group of verbs adds its own."""

    def __init__(self, action: Any) -> None:
        self._action = action

    def add(self, name: str, run: Run, about: str, *examples: str) -> Parser:
        """Add a verb with its help; returns its parser for the arguments."""
        parser: Parser = self._action.add_parser(
            name,
            help=about[:1].lower() + about[1:].rstrip("."),
            description=about,
            epilog="examples:\n" + "\n".join(f"  {_example(line)}" for line in examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.set_defaults(run=run)
        return parser

    def group(self, name: str, about: str) -> "Verbs":
        """Add a verb that has verbs of its own, such as label or jobs."""
        parser: Parser = self._action.add_parser(
            name, help=about[:1].lower() + about[1:].rstrip("."), description=about
        )
        return Verbs(parser.add_subparsers(dest="part", metavar="PART", required=True))


def _example(line: str) -> str:
    """Return an example as it can be typed here."""
    return f"{command()} {line.removeprefix('curator ')}"


def add_project(parser: Parser, *, or_file: bool = False) -> None:
    """Add the argument that names a project, or a project or a file."""
    if or_file:
        parser.add_argument("input", metavar="P|FILE", help="a project (x.curator) or any file")
    else:
        parser.add_argument("project", metavar="P", help="a project file (x.curator)")


def open_project(path: str, *, read_only: bool = False, or_read: bool = False) -> Project:
    """Open a project; or_read takes one that somebody else writes to.

    Raises UnreadableInput where there is no such file.
    """
    if not Path(path).exists():
        made = command("new", path)
        raise UnreadableInput(f"There is no {path}. Make a project with: {made}", path)
    require_regular(path)
    if read_only and is_older(Path(path)):
        # A verb that only reads needs the tables of this version too.
        Project.open(path).close()
    project = Project.open(path, read_only=read_only)
    if project.read_only and not (read_only or or_read):
        # A verb that changes things says so now rather than after minutes of work.
        holder = project.holder or "another window"
        project.close()
        raise WrongUse(f"{path} is open elsewhere ({holder}). Close it there and try again.")
    return project


def open_current(
    path: str, progress: Progress, *, read_only: bool = False, or_read: bool = False
) -> Project:
    """Open a project for a verb that compares conversations, all columns brought up to date first."""
    project = open_project(path, read_only=read_only, or_read=or_read)
    if read_only and is_stale(project):
        project.close()
        with open_project(path, or_read=True) as writable:
            renew(writable, progress)
        return open_project(path, read_only=True)
    renew(project, progress)
    return project


def renew(project: Project, progress: Progress) -> None:
    """Count and check anew where the stored results were made under other terms."""
    from curator.project.reanalysis import reanalyse

    if not project.read_only and is_stale(project):
        reanalyse(project, progress, progress.cancelled)


def is_project(path: str) -> bool:
    """Tell whether a path is meant as a project: by its name, or by how the file begins."""
    file = Path(path)
    if file.suffix.lower() == ".curator":
        return True
    if not file.is_file():
        return False
    with open_regular(file) as stream:
        return stream.read(16).startswith(b"SQLite format 3\0")


def names(text: str) -> tuple[str, ...]:
    """Read a list written with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Read what was given as NAME=VALUE, several times."""
    for text in texts:
        if "=" not in text:
            raise WrongUse(f"{option} wants NAME=VALUE, not {text!r}.")
    return dict(text.split("=", 1) for text in texts)
