"""Counting and checking all conversations anew, after the base model, the rules or the kernel changed.

The file remembers what its numbers were made with, so nothing stale is shown and nothing is computed
twice.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final

import apsw

from curator.curate.analysis.columns import NUMBERS, Analysis, Row
from curator.curate.analysis.kernel import analyse
from curator.dataset import Conversation, Finding
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.project.imports.parts import pool
from curator.project.store import analysed_rows
from curator.project.store.connection import connect
from curator.project.store.derive import Terms, derive, terms_in, write_stamp
from curator.project.store.project import Project
from curator.project.store.stored_texts import contents_of
from curator.project.store.wal import LogWatch

_CHUNK: Final = 1_000
_FEW_ROWS: Final = 5_000
_AHEAD: Final = 4


def reanalyse(
    project: Project,
    progress: ProgressCall,
    cancelled: CancelledCall,
    executor: Executor | None = None,
) -> int:
    """Bring every row's numbers and findings up to the project's terms; returns how many rows.

    Rows edited meanwhile are right already and stay as they are. A cancelled run begins anew next
    time. Without an executor, much work goes to worker processes and little is done in line.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(closing(connect(project.path, write=True)))
        connection.pragma("synchronous", "normal")
        watch = LogWatch(connection)
        terms = terms_in(connection)
        done, total = 0, analysed_rows.how_many(connection)
        if executor is None and total > _FEW_ROWS:
            executor = pool(terms.encoding)
            stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        for batch, analysis in _analysed(connection, terms, executor):
            if cancelled():
                raise Cancelled("Counting and checking anew was stopped; the old numbers stand.")
            with project.writing(connection):
                _store(connection, batch, analysis, terms)
            if watch.is_due:
                watch.checkpoint()
            done += len(batch.ids)
            progress(done, max(total, done), "Counting and checking anew")
        connection.pragma("synchronous", "full")
        with project.writing(connection):
            write_stamp(connection, terms)
        return done


@dataclass(frozen=True, slots=True)
class _Batch:
    ids: list[int]
    updated: list[int]
    lines: list[str]


def _batches(connection: apsw.Connection) -> Iterator[_Batch]:
    after = 0
    while True:
        updated = analysed_rows.next_ids(connection, after, _CHUNK)
        if not updated:
            return
        after = max(updated)
        # What is known of a damaged text stays as it is.
        lines = contents_of(connection, list(updated), set())
        sound = [id_ for id_ in updated if id_ in lines]
        yield _Batch(sound, [updated[id_] for id_ in sound], [lines[id_] for id_ in sound])


def _analysed(
    connection: apsw.Connection, terms: Terms, executor: Executor | None
) -> Iterator[tuple[_Batch, Analysis]]:
    facts = {"encoding": terms.encoding, "rules_profile": terms.profile, "limit": terms.limit}
    waiting: deque[tuple[_Batch, Future[Analysis]]] = deque()
    for batch in _batches(connection):
        raw = [line.encode() for line in batch.lines]
        if executor is None:
            yield batch, analyse(raw, **facts)  # type: ignore[arg-type]
            continue
        waiting.append((batch, executor.submit(analyse, raw, **facts)))  # type: ignore[arg-type]
        if len(waiting) > _AHEAD:
            first, future = waiting.popleft()
            yield first, future.result()
    for batch, future in waiting:
        yield batch, future.result()


def _store(connection: apsw.Connection, batch: _Batch, analysis: Analysis, terms: Terms) -> None:
    rows = _rows(analysis)
    for at in set(range(len(batch.ids))) - rows.keys():
        # Somebody's edit left what no file would bring in, such as a conversation without turns.
        rows[at] = derive(Conversation.parse(batch.lines[at]), terms, batch.lines[at])
    now = analysed_rows.times_of(connection, batch.ids)
    # A row that somebody edited or took away since it was read is right already.
    unchanged = [
        (id_, rows[at])
        for at, (id_, updated) in enumerate(zip(batch.ids, batch.updated, strict=True))
        if now.get(id_) == updated
    ]
    analysed_rows.replace_analysis(connection, unchanged)


def _rows(analysis: Analysis) -> dict[int, Row]:
    """Return the analysed rows by the number of their line."""
    findings: dict[int, list[Finding]] = {}
    for row, finding in analysis.findings:
        findings.setdefault(row, []).append(finding)
    cells = zip(*(analysis.columns[name].tolist() for name in NUMBERS), strict=True)
    return {
        line: Row._make((*numbers, title, begun, tuple(findings.get(at, ()))))
        for at, (line, numbers, title, begun) in enumerate(
            zip(analysis.line.tolist(), cells, analysis.titles, analysis.beginnings, strict=True)
        )
    }
