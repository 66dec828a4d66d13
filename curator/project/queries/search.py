"""Searching texts: a word index built in the background, and a scan for what it cannot answer.

The index only makes a search faster; curate.matching says what a search means. Rows whose words are
not indexed yet are scanned, so an answer is always complete.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curator.curate.search.matching import fold, is_plain, is_prefix, matcher, tokens
from curator.curate.search.query import Filter, Query, Term
from curator.dataset import Conversation
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled
from curator.project.store import full_text
from curator.project.store.connection import connect
from curator.project.store.project import Project
from curator.project.store.reader import Reader
from curator.project.store.tables import ids_after
from curator.project.store.wal import LogWatch

Ids = npt.NDArray[np.int64]
_INDEX_CHUNK: Final = 500
_PAUSE_SECONDS: Final = 0.003
_FIRST_PAGE: Final = 1_000
_SCAN_FIRST: Final = 500
_SCAN_PAGE: Final = 4_000


def index_texts(project: Project, progress: ProgressCall, cancelled: CancelledCall) -> int:
    """Bring the word index up to date in small steps; returns how many conversations were added.

    Each step is durable, so a later call goes on where a cancelled or killed one stopped.
    """
    done = 0
    connection = connect(project.path, write=True)
    try:
        connection.pragma("synchronous", "normal")
        watch = LogWatch(connection)
        full_text.merge_often(connection)
        total = full_text.waiting(connection)
        while True:
            if cancelled():
                raise Cancelled("Preparing the search was stopped; it goes on where it was.")
            with project.writing(connection):
                added = full_text.index_some(connection, _INDEX_CHUNK)
            if not added:
                return done
            done += added
            progress(done, max(total, done), "Preparing the search")
            if watch.is_due:
                watch.checkpoint()
            # An edit of the user that waits for the file gets its turn here.
            time.sleep(_PAUSE_SECONDS)
    finally:
        connection.close()


def find_texts(
    reader: Reader,
    query: Query,
    *,
    among: "Ids | None" = None,
    cancelled: CancelledCall = never_cancelled,
) -> Iterator[Ids]:
    """Yield the ids whose texts a query's terms fit, in order and in pages, the first one soon.

    among (sorted ids) limits where to look. Filters that need no text are left to Index.view.
    """
    plan = _Plan.of(query)
    with reader.reading() as connection:
        through = full_text.indexed_through(connection)
    for page in _candidates(reader, plan, through, among):
        yield from _scan(reader, plan.rest, page, cancelled)
    later = _ids_after(reader, through, among)
    yield from _scan(reader, _test_of(query), later, cancelled)


def _ids_after(reader: Reader, id_: int, among: "Ids | None") -> Ids:
    if among is not None:
        return among[np.searchsorted(among, id_, side="right") :]
    return ids_after(reader, id_)


def find_ids(
    reader: Reader,
    query: Query,
    *,
    among: "Ids | None" = None,
    cancelled: CancelledCall = never_cancelled,
) -> Ids:
    """Return all that find_texts yields at once."""
    pages = list(find_texts(reader, query, among=among, cancelled=cancelled))
    return np.concatenate(pages) if pages else np.empty(0, np.int64)


Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to answer a query: what the word index is asked, and what is left to look at."""

    match: str
    without: str
    rest: Test | None

    @classmethod
    def of(cls, query: Query) -> "_Plan":
        plain = [term for term in query.terms if is_plain(term)]
        wanted = [_expression(term) for term in plain if not term.negated]
        unwanted = [_expression(term) for term in plain if term.negated]
        others = tuple(term for term in query.terms if not is_plain(term))
        # The index narrows a term with signs in it (c++) to the rows that have its words.
        wanted += [_expression(term) for term in others if _has_words(term)]
        by_text = any(each.field in ("role", "tool") for each in query.filters)
        rest = _test_of(replace(query, terms=others)) if others or by_text else None
        return cls(" AND ".join(wanted), " OR ".join(unwanted), rest)


def _has_words(term: Term) -> bool:
    if term.negated or term.kind == "regex":
        return False
    words = tokens(fold(term.text))
    return bool(words) and is_plain(replace(term, text=" ".join(words)))


def _expression(term: Term) -> str:
    words = tokens(fold(term.text))
    return f'"{" ".join(words)}"' + ("*" if is_prefix(term) else "")


def _candidates(reader: Reader, plan: _Plan, through: int, among: "Ids | None") -> Iterator[Ids]:
    """Yield indexed ids that may fit; exact unless something is left to look at."""
    if not plan.match:
        ids = reader.ids() if among is None else among
        ids = ids[: np.searchsorted(ids, through, side="right")]
        if plan.without:
            ids = np.setdiff1d(
                ids, full_text.matching(reader, plan.without, 0, -1), assume_unique=True
            )
        if len(ids):
            yield ids
        return
    match = f"({plan.match}) NOT ({plan.without})" if plan.without else plan.match
    after, size = 0, _FIRST_PAGE
    while True:
        page = full_text.matching(reader, match, after, size)
        if len(page):
            here = page if among is None else page[_within(page, among)]
            if len(here):
                yield here
        if size < 0 or len(page) < size:
            return
        after, size = int(page[-1]), -1


def _within(ids: Ids, among: Ids) -> npt.NDArray[np.bool_]:
    places = np.minimum(np.searchsorted(among, ids), max(len(among) - 1, 0))
    return among[places] == ids if len(among) else np.zeros(len(ids), np.bool_)


def _scan(reader: Reader, test: Test | None, ids: Ids, cancelled: CancelledCall) -> Iterator[Ids]:
    """Yield those of ids whose line passes a test; all at once where there is none."""
    if test is None:
        if len(ids):
            yield ids
        return
    start, size = 0, _SCAN_FIRST
    while start < len(ids):
        if cancelled():
            raise Cancelled("The search was stopped.")
        part = ids[start : start + size]
        start, size = start + size, _SCAN_PAGE
        sound = dict(reader.iterate(part))
        lines = [sound.get(id_) for id_ in part.tolist()]
        found = part[np.fromiter(_tested(test, lines, cancelled), np.bool_, len(lines))]
        if len(found):
            yield found


def _tested(test: Test, lines: list[str | None], cancelled: CancelledCall) -> Iterator[bool]:
    for line in lines:
        yield line is not None and test(line)
        # A regular expression may take seconds for one text.
        if cancelled():
            raise Cancelled("The search was stopped.")


def _test_of(query: Query) -> Test:
    """Return the whole test of a query on a JSON line: its terms, and its filters on roles and tools."""
    filters = [each for each in query.filters if each.field in ("role", "tool")]
    fits = matcher(query)
    if not filters:
        return lambda line: fits(full_text.words_of_line(line))

    def test(line: str) -> bool:
        conversation = Conversation.parse(line)
        if any(_says(conversation, each) is each.negated for each in filters):
            return False
        return not query.terms or fits(full_text.words_of_line(line))

    return test


def _says(conversation: Conversation, each: Filter) -> bool:
    wanted = each.values[0].casefold()
    if each.field == "role":
        return any(message.role.casefold() == wanted for message in conversation.messages)
    names: list[Any] = [call.name for m in conversation.messages for call in m.tool_calls]
    for tool in conversation.tools:
        function = tool.get("function")
        names.append(function.get("name") if isinstance(function, dict) else tool.get("name"))
    return any(isinstance(name, str) and wanted in name.casefold() for name in names)
