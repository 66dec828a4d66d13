"""The strict re-reading of exported files: every line as a service would read it, errors only."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from curator.curate.checks import (
    check_conversation,
    explain_rejected,
    keys_stand_once,
    needs_reading,
    plain_findings,
)
from curator.curate.shingles import Cancel, never_cancelled
from curator.dataset.conversation import Conversation
from curator.dataset.errors import Cancelled

PROFILE: Final = "openai_sft"
_READ: Final = 1 << 22
_MOST_PROBLEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class LineProblem:
    """An error on one line (1-based) of an exported file."""

    line: int
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What is really in a file: its size, hash and lines, and the first thousand errors."""

    bytes: int
    sha256: str
    rows: int
    problems: tuple[LineProblem, ...]


class _Turn(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    content: str


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    messages: list[_Turn]


_decode: Final = msgspec.json.Decoder(_Line).decode


def check_file(path: Path, cancelled: Cancel = never_cancelled) -> FileCheck:
    """Read a file whole, in pieces, and check every line of it."""
    digest = sha256()
    size = rows = 0
    problems: list[LineProblem] = []
    for piece in _pieces(path):
        if cancelled():
            raise Cancelled("The check of the export was stopped.")
        digest.update(piece)
        size += len(piece)
        lines = piece.split(b"\n")
        if not lines[-1]:
            lines.pop()
        else:
            problems.append(LineProblem(rows + len(lines), "F06", "The last line does not end."))
        for line in lines:
            rows += 1
            if len(problems) < _MOST_PROBLEMS:
                problems.extend(LineProblem(rows, *each) for each in line_errors(line))
    return FileCheck(size, digest.hexdigest(), rows, tuple(problems))


def line_errors(line: bytes) -> list[tuple[str, str]]:
    """Return rule and sentence of every error of one exported line."""
    try:
        text = line.decode("utf-8")
        turns = _decode(line).messages
    except (UnicodeDecodeError, msgspec.DecodeError):
        return _thorough(line)
    if (
        not turns
        or not all(turn.content and not turn.content.isspace() for turn in turns)
        or not keys_stand_once(text, len(turns))
        or needs_reading("\n".join([turn.content for turn in turns]))
    ):
        return _thorough(line)
    found = plain_findings(tuple([turn.role for turn in turns]), PROFILE)
    return [(each.rule, each.message) for each in found if each.severity == "error"]


def _thorough(line: bytes) -> list[tuple[str, str]]:
    rule, reason = explain_rejected(line)
    if rule:
        return [(rule, reason)]
    text = line.decode("utf-8")
    findings = check_conversation(Conversation.parse(text), profile=PROFILE, raw=text)
    return [(each.rule, each.message) for each in findings if each.severity == "error"]


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces that end where a line ends."""
    rest = b""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_READ):
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece
    if rest:
        yield rest
