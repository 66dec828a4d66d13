"""The strict re-reading of exported files: every line as a service would read it, errors only."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from io import BufferedReader, FileIO
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from curator.curate.analysis.plain_lines import NOT_PLAIN, decode_plain_lines
from curator.curate.checks import (
    check_conversation,
    explain_rejected,
    plain_findings,
)
from curator.curate.checks.finder import finder_of_errors
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.conversation import Conversation
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, never_cancelled
from curator.dataset.regular_files import open_regular
from curator.formats import openai_chat
from curator.formats.conversion import BadRecord
from curator.formats.registry import Format, format_named

PROFILE: Final = DEFAULT_RULES_PROFILE
_READ: Final = 1 << 19
_MOST_PROBLEMS: Final = 1_000
_LINE_END: Final = ord("\n")
_QUOTE: Final = ord('"')
_OPENING: Final = ord("{")
_CLOSING: Final = ord("}")


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


_messages: Final = attrgetter("messages")
_content: Final = attrgetter("content")
_role: Final = attrgetter("role")


def check_file(
    path: Path, cancelled: CancelledCall = never_cancelled, form: str = openai_chat.NAME
) -> FileCheck:
    """Read a file of a format whole, in pieces, and check every line; raises UnreadableInput."""
    digest = sha256()
    size = rows = 0
    problems: list[LineProblem] = []
    check = _checking(form)
    with open_regular(path) as file:
        for piece in _pieces(file):
            if cancelled():
                raise Cancelled("The check of the export was stopped.")
            digest.update(piece)
            size += len(piece)
            number, found = check(piece)
            room = _MOST_PROBLEMS - len(problems)
            problems += [LineProblem(rows + p.line, p.rule, p.message) for p in found[:room]]
            rows += number
    return FileCheck(size, digest.hexdigest(), rows, tuple(problems))


def check_range(
    path: str, begin: int, size: int, form: str = openai_chat.NAME
) -> tuple[int, tuple[LineProblem, ...]]:
    """Check the whole lines of a part of a file; line numbers count from its beginning."""
    rows = 0
    problems: list[LineProblem] = []
    check = _checking(form)
    with Path(path).open("rb", buffering=0) as file:
        file.seek(begin)
        for piece in _pieces(file, size):
            number, found = check(piece)
            problems += [LineProblem(rows + p.line, p.rule, p.message) for p in found]
            rows += number
    return rows, tuple(problems)


def _checking(form: str) -> Callable[[memoryview], tuple[int, tuple[LineProblem, ...]]]:
    """Return what checks some lines of a format."""
    known = format_named(form)
    if known.is_stored:
        return check_piece
    return partial(_check_converted, known)


def _check_converted(known: Format, piece: memoryview) -> tuple[int, tuple[LineProblem, ...]]:
    """Return how many lines there are, and the errors of what an import would make of them."""
    lines = bytes(piece).split(b"\n")
    refused: dict[int, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            lines[number - 1] = known.read_line(line)
        except BadRecord as error:
            refused[number] = str(error)
    rows, problems = check_piece(b"\n".join(lines))
    found = [problem for problem in problems if problem.line not in refused]
    found += [LineProblem(number, "S01", reason) for number, reason in refused.items()]
    return rows, tuple(sorted(found, key=attrgetter("line")))


def check_piece(piece: bytes | memoryview) -> tuple[int, tuple[LineProblem, ...]]:
    """Return how many lines some bytes have, and their errors."""
    if not piece:
        return 0, ()
    text = np.frombuffer(piece, dtype=np.uint8)
    starts = np.concatenate([[0], np.flatnonzero(text == _LINE_END) + 1])
    problems: list[LineProblem] = []
    if starts[-1] != len(piece):
        starts = np.append(starts, len(piece) + 1)
        problems.append(LineProblem(len(starts) - 1, "F06", "The last line does not end."))
    # Only a line that is in braces, with no sign of a secret, may be proved plain together with
    # others: a line end between two braces stands between two objects, and never inside of one.
    close = (text[starts[:-1]] != _OPENING) | (text[starts[1:] - 2] != _CLOSING)
    signs = np.array(finder_of_errors(PROFILE).places(piece), np.intp)
    close[np.searchsorted(starts, signs - 1, side="right") - 1] = True
    found: dict[int, list[tuple[str, str]]] = {}
    lines = _Lines(memoryview(piece), starts.tolist())
    begin = 0
    for at in [*np.flatnonzero(close).tolist(), len(close)]:
        _find_plain(lines, begin, at, found)
        if at < len(close):
            found[at] = _thorough(lines.line(at))
        begin = at + 1
    for at in sorted(found):
        problems.extend(LineProblem(at + 1, *each) for each in found[at])
    return len(close), tuple(problems)


class _Lines(NamedTuple):
    """Some bytes, and where each of their lines starts; the last start is where the next would be."""

    raw: memoryview
    starts: list[int]

    def line(self, at: int) -> bytes:
        return bytes(self.raw[self.starts[at] : self.starts[at + 1] - 1])


def _find_plain(
    lines: _Lines, begin: int, end: int, found: dict[int, list[tuple[str, str]]]
) -> None:
    """Decode lines all at once, or each half of them where one is not plain."""
    if begin == end:
        return
    errors = _plain_errors(lines.raw[lines.starts[begin] : lines.starts[end]], end - begin)
    if errors is not None:
        found.update((begin + at, each) for at, each in errors.items())
        return
    if end - begin == 1:
        found[begin] = _thorough(lines.line(begin))
        return
    half = (begin + end) // 2
    _find_plain(lines, begin, half, found)
    _find_plain(lines, half, end, found)


def _plain_errors(raw: memoryview, number: int) -> dict[int, list[tuple[str, str]]] | None:
    """Return the errors of the lines that have any where all are plain; None where one is not."""
    try:
        conversations = decode_plain_lines(raw)
    except NOT_PLAIN:
        return None
    if len(conversations) != number:
        return None
    talks = list(map(_messages, conversations))
    texts = list(map(_content, chain.from_iterable(talks)))
    if not all(texts) or any(map(str.isspace, texts)):
        return None
    # A key that stands twice brings quotes of its own, whatever its values.
    quotes = 2 * number + 8 * len(texts) + sum(text.count('"') for text in texts)
    if np.count_nonzero(np.frombuffer(raw, dtype=np.uint8) == _QUOTE) != quotes:
        return None
    roles = [tuple(map(_role, talk)) for talk in talks]
    faulty = {each for each in set(roles) if _errors_of_roles(each)}
    if not faulty:
        return {}
    return {at: _errors_of_roles(each) for at, each in enumerate(roles) if each in faulty}


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


def _pieces(file: FileIO | BufferedReader, size: int = sys.maxsize) -> Iterator[memoryview]:
    """Yield the next bytes of a file in pieces that end where a line ends; each is gone with the next."""
    room = bytearray(_READ)
    held = 0
    while got := file.readinto(memoryview(room)[held : held + size]):
        size -= got
        end = room.rfind(b"\n", held, held + got) + 1
        held += got
        if end:
            yield memoryview(room)[:end]
            room[: held - end] = room[end:held]
            held -= end
        if held == len(room):
            room = room + bytes(len(room))
    if held:
        yield memoryview(room)[:held]
