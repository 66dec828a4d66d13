"""The parts of a file in order, each with its analysis, wherever that was made."""

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import numpy as np

from curator.curate.analysis.columns import Analysis, Column
from curator.dataset.errors import UnreadableInput
from curator.formats.json_records import Source
from curator.formats.records import Chunk
from curator.project.imports.parent_watch import end_with_parent
from curator.project.imports.worker import (
    PRELOAD,
    Part,
    Terms,
    analyse_records,
    analyse_slice,
    read_slice,
)

SLICE: Final = 512 << 10
"""Bytes of a part; a part becomes one segment of the project, which is read whole for one row."""

_MOST_WORKERS: Final = 8
_AHEAD: Final = 6
"""Parts under way for each worker: enough to be busy while the writer waits for the disk."""

_WORKER: Final = "curator.project.imports.worker"
_STARTING: Final = Lock()


@dataclass(frozen=True, slots=True)
class ReadPart:
    """One part of a file: its bytes, what the kernel found, and the number of each of its lines.

    chunk holds what the reader knows besides; its records are in data.
    """

    data: bytes
    part: Part
    numbers: Column
    consumed: int
    chunk: Chunk

    @property
    def analysis(self) -> Analysis:
        """The rows."""
        return self.part.analysis

    @property
    def kept(self) -> bytes:
        """What is stored: the bytes as they are, or what they were converted to."""
        return self.data if self.part.converted is None else self.part.converted


@dataclass(frozen=True, slots=True)
class _Task:
    """One part to analyse: by place in the file, or by its records."""

    function: Callable[..., Part]
    arguments: tuple[Any, ...]
    consumed: int
    chunk: Chunk | None = None


class Parts:
    """Walks a file part by part; `distrust` makes the parts still to come count with tiktoken."""

    def __init__(self, source: Source, terms: Terms, executor: Executor | None) -> None:
        self._source = source
        self._terms = terms._replace(format=source.format)
        self._executor = executor
        self._state = _state(source)
        self._line = 1

    def distrust(self) -> None:
        """Count with tiktoken from the next part on."""
        self._terms = self._terms._replace(trusted=False)

    def __iter__(self) -> Iterator[ReadPart]:
        ahead = 1 if self._executor is None else _AHEAD * workers()
        waiting: deque[tuple[_Task, Future[Part] | None]] = deque()
        for task in self._tasks():
            waiting.append((task, self._submit(task)))
            if len(waiting) >= ahead:
                yield self._finish(*waiting.popleft())
        while waiting:
            yield self._finish(*waiting.popleft())
        self._require_unchanged()

    def _tasks(self) -> Iterator[_Task]:
        source = self._source
        if source.is_sliceable:
            path = str(source.path)
            for begin, end in source.slices(SLICE):
                yield _Task(analyse_slice, (path, begin, end), end - begin)
            return
        for chunk in source.read():
            size = sum(map(len, chunk.records)) + len(chunk.records)
            yield _Task(analyse_records, (chunk.records,), size, chunk)

    def _submit(self, task: _Task) -> Future[Part] | None:
        if self._executor is None:
            return None
        try:
            return self._executor.submit(task.function, *task.arguments, self._terms)
        except BrokenExecutor:
            self._executor = None
            return None

    def _finish(self, task: _Task, future: Future[Part] | None) -> ReadPart:
        part = self._result(task, future)
        if task.chunk is not None:
            chunk = task.chunk
            data = b"\n".join(chunk.records)
            return ReadPart(data, part, np.array(chunk.numbers, np.int64), task.consumed, chunk)
        data = read_slice(*task.arguments)
        self._require_unchanged()
        chunk = Chunk([], range(self._line, self._line + part.lines))
        if len(data) < task.consumed:
            start = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
            chunk.long[part.lines - 1] = task.consumed - start
        self._line += part.lines
        return ReadPart(data, part, np.array(chunk.numbers, np.int64), task.consumed, chunk)

    def _require_unchanged(self) -> None:
        if _state(self._source) != self._state:
            path = self._source.path
            raise UnreadableInput(f"{path.name} changed while it was read; import it again.", path)

    def _result(self, task: _Task, future: Future[Part] | None) -> Part:
        if future is not None:
            try:
                return future.result()
            except BrokenExecutor:
                # A worker was killed, by the system for its memory or by hand: go on without.
                self._executor = None
        return task.function(*task.arguments, self._terms)


def workers() -> int:
    """Return how many processes an import uses."""
    return max(1, min(os.cpu_count() or 1, _MOST_WORKERS))


def pool(encoding: str) -> ProcessPoolExecutor:
    """Start worker processes that never inherit this process's threads or windows.

    Under Linux they are forked from a server process that has the vocabulary loaded already, so it
    is loaded once and its memory shared.
    """
    if sys.platform != "linux":
        return ProcessPoolExecutor(
            workers(), multiprocessing.get_context("spawn"), initializer=end_with_parent
        )
    warm_up(encoding)
    context = multiprocessing.get_context("forkserver")
    return ProcessPoolExecutor(workers(), context, initializer=end_with_parent)


def warm_up(encoding: str) -> None:
    """Start the process that workers are forked from, where there is one; it loads while others go on.

    May be called from any thread, as soon as an import is likely.
    """
    if sys.platform != "linux":
        return
    from multiprocessing import forkserver

    with _STARTING:
        multiprocessing.get_context("forkserver").set_forkserver_preload([_WORKER])
        # Only the server that starts now is to load the vocabulary, no other program started from here.
        os.environ[PRELOAD] = encoding
        try:
            forkserver.ensure_running()
        finally:
            del os.environ[PRELOAD]


def _state(source: Source) -> tuple[int, int]:
    found = source.path.stat()
    return found.st_size, found.st_mtime_ns
