"""Law: while a page reads it claims nothing, and where its work fails it says so and stays usable."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import NamedTuple

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from curator.app import excepthook
from curator.app.page import Page
from curator.app.session.background import Jobs
from curator.app.widgets.empty_state import EmptyState
from curator.dataset.errors import ProjectError
from tests.app.pages.conftest import PAGE_IDS, Desk
from tests.app.pages.test_states_pages import EXPECTED, Seen, empty_title, name_of

WHY = "The disk is full: nothing was written."
FINISHED = {
    "Nothing found", "Nothing to check yet", "No duplicates left", "Not searched yet", "Nothing to export yet",
    "Nothing to compare yet",
    "No model available yet", "All done", "Nothing to label yet", "No conversations yet",
}  # fmt: skip
"""What only a page may say that has read its project."""
NEEDS_READING = {
    "check.fix_safe",
    "duplicates.remove_all",
    "split.assign",
    "export.run",
    "try.ask",
}


class HeldPool:
    """Takes work and does none of it until it is let go."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self.begin = begin
        self.works: list[tuple[Future[None], Callable[[], None]]] = []

    def submit(self, work: Callable[[], None]) -> "Future[None]":
        self.works.append((Future(), work))
        return self.works[-1][0]

    def let_go(self) -> None:
        """Do what was held, and what comes of it."""
        while self.works:
            future, work = self.works.pop(0)
            work()
            future.set_result(None)
            QApplication.processEvents()


@pytest.fixture
def held(module_desk, monkeypatch) -> Iterator[HeldPool]:
    """Once begun, no background work comes to an end until it is let go."""
    jobs = module_desk.curator.jobs
    pool = HeldPool(lambda: monkeypatch.setattr(jobs, "_executor", lambda: pool))
    yield pool
    pool.let_go()


@pytest.fixture
def failing(module_desk, monkeypatch) -> Iterator[dict[str, Exception]]:
    """Let every work raise what stands here under "error"; titles counts the works by their titles."""
    what: dict[str, Exception] = {}
    start = Jobs.start

    def begin(self, title, work, *more):
        def fails(_progress, _cancelled):
            raise what["error"]

        return start(self, title, fails if what else work, *more)

    monkeypatch.setattr(Jobs, "start", begin)
    jobs = module_desk.curator.jobs
    jobs.bug_found.disconnect(excepthook.report_bug)
    yield what
    what.clear()
    jobs.bug_found.connect(excepthook.report_bug)


def reread(desk: Desk, page_id: str) -> Page:
    """Let a page in front read all it shows, as when the project was just opened."""
    page = desk.curator.show_page(page_id)
    desk.curator.session.project_changed.emit()
    page.activated()
    return page


def words(desk: Desk) -> str:
    """Return all that can be read on the window, notices included."""
    shown = [label.text() for label in desk.window.findChildren(QLabel) if label.isVisible()]
    told = [f"{n.text} {n.detail}" for n in desk.window.toaster.notices()]
    return "\n".join([*shown, *told])


class Arrival(NamedTuple):
    """A page, and whether it reads anything in the background when it comes to the front."""

    page_id: str
    reads: bool


ARRIVALS = [Arrival(page_id, page_id not in ("write", "label")) for page_id in PAGE_IDS]


@pytest.mark.parametrize(("page_id", "reads"), ARRIVALS)
def test_a_page_that_reads_claims_nothing_and_then_shows_all(desk, qtbot, held, page_id, reads):
    desk.enter("many", qtbot)
    held.begin()
    page = reread(desk, page_id)
    assert held.works or not reads
    assert not {empty_title(page)} & FINISHED
    offered = page.slots().keys() & NEEDS_READING
    assert not offered
    held.let_go()
    desk.settle(qtbot)
    assert empty_title(page) == EXPECTED["many"][page_id].empty
    assert page.subtitle.text() == EXPECTED["many"][page_id].subtitle


@pytest.mark.parametrize("error", [ProjectError(WHY), ValueError("a bug")], ids=["told", "bug"])
@pytest.mark.parametrize(("page_id", "reads"), ARRIVALS)
def test_a_page_whose_reading_fails_says_so_and_can_be_left(
    desk, qtbot, failing, page_id, reads, error
):
    desk.enter("many", qtbot)
    failing["error"] = error
    page = reread(desk, page_id)
    desk.settle(qtbot)
    seen = words(desk)
    assert WHY in seen or not reads or not isinstance(error, ProjectError)

    def waits():
        shown = [e for e in page.findChildren(EmptyState) if e.isVisible()]
        titles = {e._title.text() for e in shown if not e.button.isVisible()}
        return titles - {"No conversation chosen"}

    # The failure is told in a turn of its own.
    qtbot.waitUntil(lambda: not waits())
    assert "…" not in "".join(
        label.text()[-1:] for label in page.findChildren(QLabel) if label.isVisible()
    )
    failing.clear()
    reread(desk, page_id)
    desk.settle(qtbot)
    assert empty_title(page) == EXPECTED["many"][page_id].empty


@pytest.mark.parametrize("error", [ProjectError(WHY), ValueError("a bug")], ids=["told", "bug"])
def test_who_can_be_asked_is_looked_for_no_longer_where_that_failed(desk, qtbot, failing, error):
    """On a page that never showed any candidate."""
    desk.enter("many", qtbot)
    page = desk.curator.show_page("try")
    desk.settle(qtbot)
    page.empty.set_message("Looking for candidates", "A moment.", "")
    page._stack.setCurrentWidget(page.empty)
    failing["error"] = error
    page.activated()
    desk.settle(qtbot)
    qtbot.waitUntil(lambda: page.empty.button.isVisible())
    assert page.empty._title.text() == "Candidates could not be read"
    failing.clear()
    page.empty.button.click()
    desk.settle(qtbot)
    assert empty_title(page) == EXPECTED["many"]["try"].empty


def split_anew(page: Page) -> None:
    page._assign_anew()


def remove_copies(page: Page) -> None:
    page._remove_all()


def replace(page: Page) -> None:
    page._find_and_replace()
    page._replace.find_field.setText("Question")
    page._replace.search_now()


def prompts(page: Page) -> None:
    page._open_prompts()


def try_all_targets(page: Page) -> None:
    page._count()


VERBS: dict[str, tuple[str, Callable[[Page], object]]] = {
    "split anew": ("export", split_anew),
    "look ahead": ("export", lambda page: page._read()),
    "count for every target": ("check", lambda page: page._count()),
    "check again": ("check", lambda page: page.run()),
    "work out fixes": ("check", lambda page: page.fixer.prepare(())),
    "insert a prompt": ("check", lambda page: page.fixer.insert_prompt((1,), "Be kind.")),
    "search duplicates": ("duplicates", lambda page: page.search()),
    "remove copies": ("duplicates", remove_copies),
    "compare a pair": ("duplicates", lambda page: page.decision.show_pair((1, 11, 1.0), 1, 1)),
    "find": ("write", replace),
    "read prompts": ("write", prompts),
    "search": ("write", lambda page: page.list.search.set_text("Question")),
    "read targets": ("train", lambda page: page.activated()),
    "look for candidates": ("try", lambda page: page.activated()),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_whose_work_fails_says_why(desk, qtbot, failing, verb):
    page_id, do = VERBS[verb]
    desk.enter("many", qtbot)
    page = desk.page(page_id, qtbot)
    if verb == "remove copies":
        page.search()
        desk.settle(qtbot)
    step = desk.curator.session.project.last_step()
    failing["error"] = ProjectError(WHY)
    do(page)
    desk.settle(qtbot)
    qtbot.waitUntil(lambda: WHY in words(desk), timeout=5_000)
    assert desk.curator.session.project.last_step() == step
    failing.clear()
    desk.close_boxes()
    desk.leave()


def test_a_failed_page_can_be_read_again(desk, qtbot, failing):
    """The way out of a failure does the same work again."""
    desk.enter("many", qtbot)
    for page_id, again in (
        ("check", "Try again"),
        ("duplicates", "Try again"),
        ("try", "Look again"),
    ):
        failing["error"] = ProjectError(WHY)
        page = reread(desk, page_id)
        desk.settle(qtbot)
        (way,) = [
            b for b in page.findChildren(QPushButton) if b.isVisible() and name_of(b) == again
        ]
        failing.clear()
        way.click()
        desk.settle(qtbot)
        assert WHY not in [label.text() for label in page.findChildren(QLabel) if label.isVisible()]
    desk.leave()


def test_what_was_searched_is_named_in_its_own_numbers(desk, qtbot):
    """The duplicates of this project, counted: ten questions, eight of them four times and two three times."""
    desk.enter("many", qtbot)
    page = desk.page("duplicates", qtbot)
    page.search()
    desk.settle(qtbot)
    seen = Seen(
        page.rail_count(),
        page.subtitle.text(),
        empty_title(page),
        name_of(QApplication.focusWidget()),
    )
    assert seen == Seen(10, "54 pairs among 40 conversations", "", "Clusters of duplicates")
    assert page._clusters_chip.text() == "Clusters 10"
    assert page.controls.preview.text() == "Removing all copies would take out 28."
    desk.leave()
