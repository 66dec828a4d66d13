"""The strict re-reading of exported files: every line as a service would read it, errors only."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from curator.curate.checks import (
    check_conversation,
    explain_rejected,
    plain_findings,
)
from curator.curate.secret_signs import signs_of_secrets
from curator.curate.shingles import Cancel, never_cancelled
from curator.dataset.conversation import Conversation
from curator.dataset.errors import Cancelled

PROFILE: Final = "openai_sft"
_TOGETHER: Final = 128
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


_decode_lines: Final = msgspec.json.Decoder(_Line).decode_lines


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
        number, found = check_piece(piece)
        room = _MOST_PROBLEMS - len(problems)
        problems += [LineProblem(rows + p.line, p.rule, p.message) for p in found[:room]]
        rows += number
    return FileCheck(size, digest.hexdigest(), rows, tuple(problems))


def check_range(path: str, begin: int, size: int) -> tuple[int, tuple[LineProblem, ...]]:
    """Check the whole lines of a part of a file; line numbers count from its beginning."""
    with Path(path).open("rb", buffering=0) as file:
        file.seek(begin)
        return check_piece(file.read(size))


def check_piece(piece: bytes) -> tuple[int, tuple[LineProblem, ...]]:
    """Return how many lines some bytes have, and their errors."""
    lines = piece.split(b"\n")
    problems: list[LineProblem] = []
    if not lines[-1]:
        lines.pop()
    else:
        problems.append(LineProblem(len(lines), "F06", "The last line does not end."))
    for at, errors in _errors(lines):
        problems.extend(LineProblem(at + 1, *each) for each in errors)
    return len(lines), tuple(problems)


def line_errors(line: bytes) -> list[tuple[str, str]]:
    """Return rule and sentence of every error of one exported line."""
    return _errors_of([line]).get(0, [])


def _errors(lines: list[bytes]) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Yield place and errors of the lines that have any; plain lines are proved clean many at a time."""
    for start in range(0, len(lines), _TOGETHER):
        found = _errors_of(lines[start : start + _TOGETHER])
        yield from ((start + at, found[at]) for at in sorted(found) if found[at])


def _errors_of(lines: list[bytes]) -> dict[int, list[tuple[str, str]]]:
    """Return the errors of some lines, by their place; a line with a sign of a secret is read closely."""
    found: dict[int, list[tuple[str, str]]] = {}
    starts = np.cumsum([0, *(len(line) + 1 for line in lines)])
    signs = signs_of_secrets(b"\n".join(lines))
    suspects = set((np.searchsorted(starts, signs, side="right") - 1).tolist())
    for at in sorted(suspects):
        if errors := _thorough(lines[at]):
            found[at] = errors
    _find_plain(lines, [at for at in range(len(lines)) if at not in suspects], found)
    return found


def _find_plain(
    lines: list[bytes], places: list[int], found: dict[int, list[tuple[str, str]]]
) -> None:
    """Decode lines all at once, or each half of them where one is not plain."""
    if not places:
        return
    errors = _plain_errors([lines[at] for at in places])
    if errors is not None:
        found.update(zip(places, errors, strict=True) if any(errors) else ())
        return
    if len(places) == 1:
        found[places[0]] = _thorough(lines[places[0]])
        return
    half = len(places) // 2
    _find_plain(lines, places[:half], found)
    _find_plain(lines, places[half:], found)


def _plain_errors(lines: list[bytes]) -> list[list[tuple[str, str]]] | None:
    """Return the errors of each line where all are plain; None where one is not."""
    try:
        conversations = _decode_lines(b"\n".join(lines))
    except (UnicodeDecodeError, msgspec.DecodeError):
        return None
    if len(conversations) != len(lines):
        return None
    for conversation in conversations:
        if not conversation.messages:
            return None
        for turn in conversation.messages:
            if not turn.content or turn.content.isspace():
                return None
    return [
        _errors_of_roles(tuple([turn.role for turn in conversation.messages]))
        for conversation in conversations
    ]


@lru_cache(maxsize=4096)
def _errors_of_roles(roles: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f.rule, f.message) for f in plain_findings(roles, PROFILE) if f.severity == "error"]


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
