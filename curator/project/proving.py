"""The proof of an export while it is written: each range is read back, compared, hashed and checked.

It runs in threads of this process: hashing, comparing, reading and most of the search for secrets let
the others run, so that writing and proving share two processors without a second process.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore, Event
from typing import Any, Final, NamedTuple, Self

import numpy as np

from curator.curate.secret_signs import SignSearch
from curator.curate.shingles import Cancel, never_cancelled
from curator.dataset.errors import Cancelled
from curator.project.strictness import FileCheck, LineProblem, check_piece, pieces

Block = bytes | memoryview

_MOST_CHECKERS: Final = 3
_AHEAD: Final = 4
"""So many ranges may wait for their proof; the writer waits before there are more, so memory is bounded."""

_POLL_S: Final = 0.2


class _Found(NamedTuple):
    """What one range of a file holds; same tells whether it is what was written."""

    same: bool
    rows: int
    problems: tuple[LineProblem, ...]


class _File:
    def __init__(self) -> None:
        self.size = 0
        self.digest: Any = sha256()
        self.ranges: list[Future[_Found]] = []
        self.hashing: list[Future[None]] = []


class Unfaithful(Exception):
    """A file does not read back as it was written."""


class Proving:
    """Takes each range of a file when it is written, and answers for the whole file at the end."""

    def __init__(self) -> None:
        checkers = min(_MOST_CHECKERS, max(1, (os.cpu_count() or 1) - 1))
        # One thread hashes, so that the blocks of a file come in their order.
        self._hashers = ThreadPoolExecutor(1, thread_name_prefix="curator-hash")
        self._checkers = ThreadPoolExecutor(checkers, thread_name_prefix="curator-prove")
        self._room = BoundedSemaphore(_AHEAD)
        self._stopped = Event()
        self._files: dict[Path, _File] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for pool in (self._checkers, self._hashers):
            pool.shutdown(wait=True, cancel_futures=True)

    def written(self, path: Path, blocks: list[Block]) -> None:
        """Take note that these blocks, whole lines together, now stand at the end of a file."""
        file = self._files.setdefault(path, _File())
        size = sum(map(len, blocks))
        if not size:
            return
        self._room.acquire()
        file.hashing.append(self._hashers.submit(_hash, file.digest, blocks))
        proof = self._checkers.submit(_prove, path, file.size, size, blocks, self._stopped)
        proof.add_done_callback(lambda _: self._room.release())
        file.ranges.append(proof)
        file.size += size

    def result(self, path: Path, cancelled: Cancel = never_cancelled) -> FileCheck:
        """Return what is really in a file that is written to its end.

        Raises Unfaithful where that is not what was written, Cancelled, and OSError of the disk.
        """
        file = self._files.setdefault(path, _File())
        waiting: set[Future[Any]] = {*file.ranges, *file.hashing}
        while waiting:
            if cancelled():
                raise Cancelled("The check of the export was stopped.")
            waiting = wait(waiting, timeout=_POLL_S).not_done
        rows = 0
        problems: list[LineProblem] = []
        for found in (proof.result() for proof in file.ranges):
            if not found.same:
                raise Unfaithful(path)
            problems += [LineProblem(rows + p.line, p.rule, p.message) for p in found.problems]
            rows += found.rows
        for hashed in file.hashing:
            hashed.result()
        if path.stat().st_size != file.size:
            raise Unfaithful(path)
        return FileCheck(file.size, file.digest.hexdigest(), rows, tuple(problems))


def _hash(digest: Any, blocks: list[Block]) -> None:
    for block in blocks:
        digest.update(block)


def _prove(path: Path, begin: int, size: int, blocks: list[Block], stopped: Event) -> _Found:
    """Read a range back, compare it with what was written, and check its lines strictly."""
    rows = read = 0
    problems: list[LineProblem] = []
    search = SignSearch()
    meant = _Slices(blocks)
    with path.open("rb", buffering=0) as file:
        file.seek(begin)
        for piece in pieces(file, size):
            if stopped.is_set():
                break
            if not all(_same(piece[at : at + len(part)], part) for at, part in meant.next(piece)):
                return _Found(same=False, rows=rows, problems=())
            number, found = check_piece(piece, search)
            problems += [LineProblem(rows + p.line, p.rule, p.message) for p in found]
            rows += number
            read += len(piece)
    return _Found(same=read == size, rows=rows, problems=tuple(problems))


class _Slices:
    """Gives what blocks hold from place to place, as slices of them."""

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = [memoryview(block) for block in blocks if len(block)]
        self._block = self._at = 0

    def next(self, piece: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield the slices that stand where piece was read, each with its place in piece."""
        done = 0
        while done < len(piece):
            block = self._blocks[self._block]
            part = block[self._at : self._at + len(piece) - done]
            yield done, part
            done += len(part)
            self._at += len(part)
            if self._at == len(block):
                self._block, self._at = self._block + 1, 0


def _same(one: memoryview, other: memoryview) -> bool:
    return np.array_equal(np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8))
