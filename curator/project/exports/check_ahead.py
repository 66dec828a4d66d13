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
"""A smaller export is checked by this process alone: starting others takes longer than the check."""

_RANGE_BYTES: Final = 1 << 22
"""So much must be written before another process gets it to check."""
_READ_BYTES: Final = 1 << 22
_MOST_WORKERS: Final = 4

_Found = tuple[int, tuple[LineProblem, ...]]


@dataclass(slots=True)
class _Range:
    begin: int
    size: int
    future: "Future[_Found]"
    found: _Found | None = None


class CheckAhead:
    """Lets other processes check each range of bytes as soon as it is written; result() gives the check of a file."""

    def __init__(self, expected_bytes: int, form: str = openai_chat.NAME) -> None:
        self._form = form
        self._pool: ProcessPoolExecutor | None = None
        self._ranges: dict[Path, list[_Range]] = {}
        self._handed_out: dict[Path, int] = {}
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

    def hand_out(self, path: Path, size: int, *, last: bool = False) -> None:
        """Let what was written be checked; up to size bytes the file holds complete lines."""
        begin = self._handed_out.get(path, 0)
        if self._pool is None or size - begin < (1 if last else _RANGE_BYTES):
            return
        try:
            future = self._pool.submit(check_range, str(path), begin, size - begin, self._form)
        except BrokenExecutor:
            self._pool = None
            return
        self._ranges.setdefault(path, []).append(_Range(begin, size - begin, future))
        self._handed_out[path] = size

    def result(self, path: Path, cancelled: CancelledCall = never_cancelled) -> FileCheck:
        """Return what is really in a file that is written to its end."""
        self.hand_out(path, path.stat().st_size, last=True)
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
            while chunk := file.read(_READ_BYTES):
                _stop_if(cancelled)
                digest.update(chunk)
                size += len(chunk)
        ranges = self._ranges.get(path, [])
        for each in reversed(ranges):
            # The others work from the front, this process from the end, until they meet. A range that
            # is being checked is checked here too: its process may still be starting, which takes longer.
            _stop_if(cancelled)
            if each.future.cancel() or not each.future.done():
                each.found = check_range(str(path), each.begin, each.size, self._form)
        problems: list[LineProblem] = []
        for each in ranges:
            _stop_if(cancelled)
            number, found = each.found or each.future.result()
            problems += [LineProblem(rows + one.line, one.rule, one.message) for one in found]
            rows += number
        return FileCheck(size, digest.hexdigest(), rows, tuple(problems))


def _stop_if(cancelled: CancelledCall) -> None:
    if cancelled():
        raise Cancelled("The check of the export was stopped.")
