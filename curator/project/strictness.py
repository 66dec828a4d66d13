"""The strict re-reading of exported files: every line as a service would read it, errors only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from curator.curate.checks import (
    check_conversation,
    explain_rejected,
    plain_findings,
)
from curator.curate.shingles import Cancel, never_cancelled
from curator.dataset.conversation import Conversation
from curator.dataset.errors import Cancelled

PROFILE: Final = "openai_sft"
_PROSE: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ-_@="))
# Wider than the rule's own: an escape in the raw line takes up to three characters for one.
_ADDRESS: Final = re.compile(rb"://[^\s:/@]{1,400}:[^\s:/@]{3,400}@")
_WITH_LINE: Final = (
    *(b"k_live_", b"k_test_", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"hf_"),
)
_TOGETHER: Final = 64
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
        lines = piece.split(b"\n")
        if not lines[-1]:
            lines.pop()
        else:
            problems.append(LineProblem(rows + len(lines), "F06", "The last line does not end."))
        for at, errors in _errors(lines):
            if len(problems) < _MOST_PROBLEMS:
                problems.extend(LineProblem(rows + at + 1, *each) for each in errors)
        rows += len(lines)
    return FileCheck(size, digest.hexdigest(), rows, tuple(problems))


def line_errors(line: bytes) -> list[tuple[str, str]]:
    """Return rule and sentence of every error of one exported line."""
    return _errors_of([line]).get(0, [])


def _errors(lines: list[bytes]) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Yield place and errors of the lines that have any; plain lines are proved clean many at a time."""
    for start in range(0, len(lines), _TOGETHER):
        for at, errors in _errors_of(lines[start : start + _TOGETHER]).items():
            yield start + at, errors


def _errors_of(lines: list[bytes]) -> dict[int, list[tuple[str, str]]]:
    """Check some lines at once, or, where one of them wants a closer look, each half of them."""
    found = _plain_errors(lines)
    if found is not None:
        return found
    if len(lines) == 1:
        errors = _thorough(lines[0])
        return {0: errors} if errors else {}
    half = len(lines) // 2
    later = _errors_of(lines[half:])
    return _errors_of(lines[:half]) | {half + at: errors for at, errors in later.items()}


def _plain_errors(lines: list[bytes]) -> dict[int, list[tuple[str, str]]] | None:
    """Return the errors of lines that are all plain and without signs of a secret; None where one is not."""
    raw = b"\n".join(lines)
    if _may_hold_secret(raw):
        return None
    try:
        conversations = _decode_lines(raw)
    except (UnicodeDecodeError, msgspec.DecodeError):
        return None
    if len(conversations) != len(lines):
        return None
    found: dict[int, list[tuple[str, str]]] = {}
    for at, conversation in enumerate(conversations):
        turns = conversation.messages
        for turn in turns:
            if not turn.content or turn.content.isspace():
                return None
        if not turns:
            return None
        errors = _errors_of_roles(tuple([turn.role for turn in turns]))
        if errors:
            found[at] = errors
    return found


@lru_cache(maxsize=4096)
def _errors_of_roles(roles: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f.rule, f.message) for f in plain_findings(roles, PROFILE) if f.severity == "error"]


def _may_hold_secret(raw: bytes) -> bool:
    """Say whether rule P01, the one on words that is an error, must look; false proves it need not.

    Without the letters and signs of prose little is left, and that little is searched. An escaped
    letter or slash could hide a sign. Broken characters (F10) the decoder refuses itself.
    """
    if b"\\u00" in raw or b"\\/" in raw:
        return True
    left = raw.translate(None, _PROSE)
    return (
        any(sign in left for sign in (b"-----BEGIN", b"AKIA", b"ASIA", b"AK="))
        or (b"@" in left and b"://" in raw and _ADDRESS.search(raw) is not None)
        or (b"AI" in left and b"AIza" in raw)
        or (b"J" in left and b"eyJ" in raw)
        or (b"-" in left and any(sign in raw for sign in (b"sk-", b"glpat-", b"xox")))
        or (b"_" in left and any(sign in raw for sign in _WITH_LINE))
    )


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
