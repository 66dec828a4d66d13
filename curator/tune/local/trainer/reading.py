"""Reads the files of a job: every line becomes examples, and every line that cannot is named."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from curator.tune.local.crash_reasons import JobRefused, Refused
from curator.tune.local.trainer.template_messages import TemplateRefused, read_line

_T = TypeVar("_T")
_IN_MESSAGE: Final = 20
BROKEN: Final = ("it cannot be read: ", "it has no ")
"""How the reasons begin for lines that are no conversation whatever the base is."""


def read_examples(path: Path, param: str, convert: Callable[[Any], _T]) -> list[_T]:
    """Convert every line of a file; raises JobRefused with all lines that are unreadable."""
    found: list[_T] = []
    refused: list[Refused] = []
    with path.open(encoding="utf-8", newline="\n", errors="surrogateescape") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            value, reason = convert_line(line, convert)
            if value is None:
                refused.append(Refused(number, reason))
            else:
                found.append(value)
    if refused:
        raise JobRefused(_summary(refused), "invalid_training_file", param, refused)
    if not found:
        raise JobRefused(f"The {param.replace('_', ' ')} is empty.", "invalid_n_examples", param)
    return found


def convert_line(line: str, convert: Callable[[Any], _T]) -> tuple[_T | None, str]:
    """Convert one line; where it cannot be trained on, return None and why."""
    try:
        return convert(read_line(line)), ""
    except TemplateRefused as error:
        return None, str(error)
    except KeyError as error:
        return None, f"{BROKEN[1]}{error}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return None, f"{BROKEN[0]}{error}"


def _summary(refused: Sequence[Refused]) -> str:
    first = [f"Example {entry.line}: {entry.reason}." for entry in refused[:_IN_MESSAGE]]
    more = len(refused) - len(first)
    if more:
        first.append(f"{more} more are listed in the job's events.")
    return "\n".join(first)
