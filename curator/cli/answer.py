"""What a verb answers: one JSON object for scripts, a few lines for people, and an exit code."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from curator.dataset.errors import CuratorError, ProjectError, UnreadableInput
from curator.dataset.invocation import command
from curator.dataset.json_values import Json

DONE: Final = 0
FOUND: Final = 1
"""Done, but with findings, or a gate failed."""
WRONG: Final = 2
"""Wrong use or unreadable input."""
STOPPED: Final = 130
"""Interrupted from the keyboard, as shells count it."""

_MENTIONED: Final = re.compile(r"(?<![\w/\\.-])curator (?=[a-z]+\b)")
"""The program's name before a verb, as sentences of all rooms write it."""

_CODES: Final = {"gate_failed": FOUND, "target": FOUND, "cancelled": STOPPED}


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a verb: keys never change their names, lines are for the eye only.

    failure is the sentence of a verb that failed; it goes to stderr where no JSON is asked for.
    """

    keys: Mapping[str, Json]
    lines: tuple[str, ...] = ()
    code: int = DONE
    failure: str = ""

    def show(self, *, as_json: bool) -> None:
        """Print the JSON object alone, or the lines."""
        if as_json:
            write(to_json(self.keys))
            return
        for line in self.lines:
            write(line)
        if self.failure:
            sys.stdout.flush()
            notice(f"curator: {self.failure}")


def failure(error: CuratorError) -> Answer:
    """Return what a failed verb answers."""
    path = getattr(error, "path", None)
    line = error.line if isinstance(error, UnreadableInput) else None
    said = pasteable(str(error))
    told = {"kind": error.kind, "message": said, "path": path, "line": line}
    return Answer({"error": told}, (), _CODES.get(error.kind, WRONG), said)


def refused_by_system(error: OSError) -> ProjectError:
    """Return what a full disk or a missing right means, where nobody nearer has said so."""
    reason = error.strerror or str(error)
    place = error.filename or "The disk"
    return ProjectError(
        f"{place}: {reason}. What was stored before is as it was. Free some space or choose a place "
        "you may write to, then try again.",
        str(error.filename) if error.filename else None,
    )


def pasteable(sentence: str) -> str:
    """Return a sentence of ours with the commands in it as they are called on this machine."""
    return _MENTIONED.sub(lambda _: f"{command()} ", sentence)


def to_json(value: Json) -> str:
    """Write an answer in pure ASCII where a terminal could not take more; always one object."""
    return json.dumps(value, ensure_ascii=True, default=str, indent=2, allow_nan=False)


def write(text: str) -> None:
    """Print a line on stdout, with escapes for what its encoding cannot hold."""
    _write(text, sys.stdout)


def notice(text: str) -> None:
    """Print a line on stderr, where notices go."""
    _write(text, sys.stderr)


def table(rows: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Lay rows out in columns, numbers to the right."""
    if not rows:
        return ()
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return tuple(
        "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _padded(cell: str, width: int) -> str:
    number = cell.replace(",", "").replace(".", "").replace("%", "").isdigit()
    return cell.rjust(width) if number else cell.ljust(width)


def _write(text: str, stream: "Json") -> None:
    encoding = stream.encoding or "utf-8"
    # Flushed: whoever reads through a pipe follows the work too.
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
