"""Strict checks of an export by other processes, while the rest of it is still being written."""

import multiprocessing
import os
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, never_cancelled
from curator.formats import openai_chat
from curator.project.exports.strict_check import FileCheck, LineProblem, check_file, check_range
from curator.project.imports.parent_watch import end_with_parent

WORTH_BYTES: Final = 400_000_000
"""A smaller export is checked by this process alone before another one has started and caught up."""

_RANGE: Final = 1 << 22
_READ: Final = 1 << 22
_MOST_WORKERS: Final = 4

_Found = tuple[int, tuple[LineProblem, ...]]


@dataclass(slots=True)
class _Range:
    begin: int
    size: int
    answer: "Future[_Found]"
    found: _Found | None = None


class CheckAhead:
    """Takes note of what is written, range by range, and answers for each whole file at the end."""

    def __init__(self, expected_bytes: int, form: str = openai_chat.NAME) -> None:
        self._form = form
        self._pool: ProcessPoolExecutor | None = None
        self._ranges: dict[Path, list[_Range]] = {}
        self._through: dict[Path, int] = {}
        others = min(_MOST_WORKERS, (os.cpu_count() or 1) - 1)
        if expected_bytes >= WORTH_BYTES and others:
            # Never forked: a copy of a process with threads and windows may hang.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(others, context, initializer=end_with_parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def written(self, path: Path, size: int, *, last: bool = False) -> None:
        """Take note that a file has whole lines up to size now."""
        begin = self._through.get(path, 0)
        if self._pool is None or size - begin < (1 if last else _RANGE):
            return
        try:
            answer = self._pool.submit(check_range, str(path), begin, size - begin, self._form)
        except BrokenExecutor:
            self._pool = None
            return
        self._ranges.setdefault(path, []).append(_Range(begin, size - begin, answer))
        self._through[path] = size

    def result(self, path: Path, cancelled: CancelledCall = never_cancelled) -> FileCheck:
        """Return what is really in a file that is written to its end."""
        self.written(path, path.stat().st_size, last=True)
        try:
            if self._pool is not None:
                return self._gathered(path, cancelled)
        except BrokenExecutor:
            # A process was killed, by the system for its memory or by hand: go on without.
            self._pool = None
        return check_file(path, cancelled, self._form)

    def _gathered(self, path: Path, cancelled: CancelledCall) -> FileCheck:
        digest = sha256()
        size = rows = 0
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_READ):
                _stop_if(cancelled)
                digest.update(piece)
                size += len(piece)
        ranges = self._ranges.get(path, [])
        for part in reversed(ranges):
            # The others work from the front, this process from the end, until they meet. A part in
            # work is done here too: its process may still be starting.
            _stop_if(cancelled)
            if part.answer.cancel() or not part.answer.done():
                part.found = check_range(str(path), part.begin, part.size, self._form)
        problems: list[LineProblem] = []
        for part in ranges:
            _stop_if(cancelled)
            number, found = part.found or part.answer.result()
            problems += [LineProblem(rows + each.line, each.rule, each.message) for each in found]
            rows += number
        return FileCheck(size, digest.hexdigest(), rows, tuple(problems))


def _stop_if(cancelled: CancelledCall) -> None:
    if cancelled():
        raise Cancelled("The check of the export was stopped.")
