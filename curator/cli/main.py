"""The terminal: finds the verb, runs it, prints its answer and turns failures into exit codes."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

import curator
from curator.cli import (
    ablating,
    asking,
    checks,
    demo,
    duplicates,
    evaluating,
    exports,
    history,
    jobs,
    labels,
    local,
    offers,
    projects,
    prompting,
    splits,
    suspects,
    targets,
    training,
)
from curator.cli.answer import FOUND, STOPPED, Answer, failure, notice, refused_by_system
from curator.cli.arguments import Parser, Verbs
from curator.cli.progress import Progress
from curator.dataset.errors import Cancelled, CuratorError, WrongUse
from curator.dataset.invocation import command

GROUPS: Final = (
    projects,
    checks,
    duplicates,
    labels,
    suspects,
    splits,
    exports,
    history,
    targets,
    training,
    jobs,
    asking,
    prompting,
    evaluating,
    ablating,
    offers,
    local,
    demo,
)
"""The modules of verbs, in the order that help shows them."""


def build_parser() -> Parser:
    """Return the parser of all verbs."""
    parser = Parser(
        prog=command(),
        description=(
            "Write, label, deduplicate, check, split and export the conversations chat models "
            "learn from. Without a verb the window opens."
        ),
        epilog="Every verb takes --json (one object on stdout) and -h (with examples).",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"curator {curator.__version__}")
    verbs = Verbs(parser.add_subparsers(dest="verb", metavar="VERB", title="verbs"))
    for group in GROUPS:
        group.add_verbs(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        answer = _run(given)
        answer.show(as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the answer has heard enough; Python must not complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STOPPED
    except OSError as error:
        # A full disk behind stdout; what the verb did is done, so its own code would say too much.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        notice(f"curator: The answer cannot be written: {error.strerror}.")
        return FOUND
    return answer.code


def _run(given: list[str]) -> Answer:
    progress = Progress()
    try:
        if any("\0" in word for word in given):
            raise WrongUse("An argument holds a NUL character, which no name or value can have.")
        options = build_parser().parse_args(given)
        if options.verb is None:
            raise WrongUse(f"Name a verb; {command('-h')} lists them.")
        with progress.listening():
            answer: Answer = options.run(options, progress)
        return answer
    except KeyboardInterrupt:
        return failure(Cancelled("Stopped. What was done so far is kept."))
    except CuratorError as error:
        return failure(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        return failure(refused_by_system(error))
    finally:
        progress.close()
