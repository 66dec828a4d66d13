"""What an import runs in other processes: the kernel over one part of a file.

A process that finds CURATOR_WORKER_ENCODING in its environment loads that encoding when it imports
this module, so that workers forked from it later share one loaded vocabulary.
"""

import ctypes
import gc
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Final, NamedTuple

import numpy as np

from curator.curate.analysis.columns import Analysis, Column, Rejected
from curator.curate.analysis.kernel import kernel
from curator.curate.analysis.tokens import ENCODINGS, Counter
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.formats import openai_chat
from curator.formats.conversion import BadRecord
from curator.formats.opening import BLOCK
from curator.formats.records import LONGEST, split_lines
from curator.formats.registry import Format, format_named
from curator.project.imports.token_audit import count_wrong

PRELOAD: Final = "CURATOR_WORKER_ENCODING"
_COLLECT_AFTER: Final = 200_000
_SAMPLE: Final = (
    b'{"messages":[{"role":"user","content":"Hi, I am ann@example.com."}]}\n'
    b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"}]}\n'
    b'{"messages":[{"role":"user"}],"tools":[]}\n{'
)


class Terms(NamedTuple):
    """What the columns depend on besides the lines; fast allows the faster token engine at once.

    format names what the lines are, until they are converted.
    """

    encoding: str
    profile: str
    limit: int | None
    fast: bool = True
    trusted: bool = True
    format: str = openai_chat.NAME


@dataclass(frozen=True, slots=True)
class Part:
    """The analysis of one part: rows and refused lines with their places in the part's bytes.

    converted holds the lines as they were converted, and the rows' places are in them; it is None where
    the lines are kept as they are. miscounted says of how many sampled rows tiktoken gave another
    count; the rows hold tiktoken's.
    """

    analysis: Analysis
    start: Column
    rejected: tuple[tuple[int, int], ...]
    lines: int
    miscounted: int
    converted: bytes | None = None


def analyse_slice(path: str, begin: int, end: int, terms: Terms) -> Part:
    """Analyse the lines of a plain UTF-8 file between two places."""
    return analyse_bytes(read_slice(path, begin, end), terms)


def read_slice(path: str, begin: int, end: int) -> bytes:
    """Read a part of a file; of a line longer than any record may be, only the beginning.

    A part ends with the first line that goes beyond its size, so only its last line is ever cut.
    """
    with Path(path).open("rb") as file:
        file.seek(begin)
        return file.read(min(end - begin, LONGEST + BLOCK))


def analyse_bytes(data: bytes, terms: Terms) -> Part:
    """Analyse all lines of some bytes."""
    lines, starts = split_lines(data)
    if lines and not lines[-1]:
        lines.pop()
    at = _starts(lines) if starts is None else np.array(starts[: len(lines)], np.int64)
    return _analyse(lines, at, terms)


def analyse_records(records: list[bytes], terms: Terms) -> Part:
    """Analyse records that may hold line ends; places count as if an LF stood between them."""
    return _analyse(records, _starts(records), terms)


def _starts(lines: list[bytes]) -> Column:
    lengths = np.fromiter(map(len, lines), np.int64, len(lines)) + 1
    return np.cumsum(lengths) - lengths


def _analyse(lines: list[bytes], at: Column, terms: Terms) -> Part:
    known = format_named(terms.format)
    if known.is_stored:
        return _analysed(lines, at, terms)
    as_chat, refused = _converted(lines, known)
    part = _analysed(as_chat, _starts(as_chat), terms)
    analysis = part.analysis
    # A line that could not be converted was left out as a blank one.
    analysis.blank -= len(refused)
    analysis.rejected = sorted([*analysis.rejected, *refused])
    places = tuple((int(at[r.line]), len(lines[r.line])) for r in analysis.rejected)
    return replace(part, rejected=places, converted=b"\n".join(as_chat))


def _converted(lines: list[bytes], known: Format) -> tuple[list[bytes], list[Rejected]]:
    as_chat: list[bytes] = []
    refused: list[Rejected] = []
    for number, line in enumerate(lines):
        try:
            as_chat.append(known.read_line(line))
        except BadRecord as error:
            refused.append(Rejected(number, "S01", str(error)))
            as_chat.append(b"")
    return as_chat, refused


def _analysed(lines: list[bytes], at: Column, terms: Terms) -> Part:
    worker = kernel(terms.encoding, terms.profile, terms.limit)
    if not terms.trusted:
        worker.distrust()
    elif terms.fast:
        worker.counter.accelerate()
    analysis = worker.analyse(lines)
    miscounted = 0
    if worker.counter.engine != "tiktoken":
        miscounted = count_wrong(lines, analysis, _reference(terms.encoding))
        if miscounted:
            worker.distrust()
            analysis = worker.analyse(lines)
    refused = tuple((int(at[r.line]), len(lines[r.line])) for r in analysis.rejected)
    return Part(analysis, at[analysis.line] + analysis.left, refused, len(lines), miscounted)


@cache
def _reference(encoding: str) -> Counter:
    return Counter(encoding)


def _preload() -> None:
    encoding = os.environ.get(PRELOAD)
    if encoding not in ENCODINGS:
        return
    # The reference loads while the fast engine does; nothing may run when workers are forked.
    beside = Thread(target=lambda: _reference(encoding).count(""))
    beside.start()
    # The rules, the patterns and the caches come into being here once, too.
    analyse_bytes(_SAMPLE, Terms(encoding, DEFAULT_RULES_PROFILE, None))
    beside.join()
    gc.collect()
    # Rows make no cycles, but many objects: at the usual pace the collector takes a thirtieth of the time.
    gc.set_threshold(_COLLECT_AFTER)
    # What is here now stays; the collector need not touch, and so copy, it in every worker.
    gc.freeze()
    # Loading left 20 MB free that every worker would carry along; only the GNU library can tell.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


_preload()
