"""What the verbs share: a parser that raises instead of exiting, and the common arguments."""

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from curator.cli.answer import Answer
from curator.cli.progress import Progress
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.invocation import command
from curator.dataset.regular_files import open_regular, require_regular
from curator.project.store.derive import is_stale
from curator.project.store.migrations import is_older
from curator.project.store.project import Project

Options = argparse.Namespace
Run = Callable[[Options, Progress], Answer]


_SHOWN: Final = 40

LARGEST_SEED: Final = 2**31 - 1
"""Services take no larger one."""


_PLACES: Final = ("P", "P|FILE", "P|DIR", "FILE", "DIR", "FOLDER", "OUT.tsv", "SOURCE")
"""The arguments that name files, whose names may be any bytes."""


def is_text(text: str) -> bool:
    """Tell whether a word of the command line is UTF-8; bytes that are none come as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from _texts(value)


class _Given(argparse.Action):
    """Keeps the value of an argument: one that was given is never blank, as from an unset variable."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - as argparse calls it
        namespace: Options,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        """Keep the value or values; raises ArgumentError where one is blank."""
        each = values if isinstance(values, list) else [values]
        if any(one == () or (isinstance(one, str) and not one.strip()) for one in each):
            raise argparse.ArgumentError(self, "it is empty; give it a value or leave it out")
        if self.metavar not in _PLACES and not all(map(is_text, _texts(each))):
            raise argparse.ArgumentError(self, "it holds bytes that are no UTF-8 text")
        self.keep(namespace, values)

    def keep(self, namespace: Options, values: Any) -> None:
        """Take the value as that of the argument."""
        setattr(namespace, self.dest, values)


class _GivenAgain(_Given):
    """Adds the value to those of the same argument that were given before."""

    def keep(self, namespace: Options, values: Any) -> None:
        """Add the value; the default, which all calls share, is left as it is."""
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or ()), values])


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are WrongUse, so that --json answers them too."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for action in (None, "store"):
            self.register("action", action, _Given)
        self.register("action", "append", _GivenAgain)

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
    from curator.project.imports.reanalysis import reanalyse

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


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number within bounds, both included, for an argument's type."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(_outside(text, "whole number", least, most)) from None
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(_outside(text, "whole number", least, most))
        return value

    return read


def number(least: float, most: float) -> Callable[[str], float]:
    """Return what reads a number within bounds, both included, for an argument's type."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(_outside(text, "number", least, most))
        return value

    return read


def _outside(text: str, what: str, least: float, most: float | None) -> str:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    bounds = f"of {least:,} or more" if most is None else f"from {least:,} to {most:,}"
    return f"{shown!r} is no {what} {bounds}"


def names(text: str) -> tuple[str, ...]:
    """Read a list written with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Read what was given as NAME=VALUE, several times."""
    for text in texts:
        if not text.partition("=")[0].strip() or "=" not in text:
            raise WrongUse(f"{option} wants NAME=VALUE, not {text!r}.")
        if not is_text(text):
            raise WrongUse(f"{option} holds bytes that are no UTF-8 text.")
    return dict(text.split("=", 1) for text in texts)
