"""The session: opening, changing, undoing, and telling what went wrong."""

import os
import sqlite3
import threading
import time

import pytest

from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, Message
from curator.dataset.errors import ProjectError
from curator.project.queries.index import Index
from curator.project.store.project import Project


@pytest.fixture
def session(qapp):
    jobs = Jobs()
    made = Session(jobs, "anna")
    yield made
    made.close_project()
    assert jobs.shutdown(5)
    made.deleteLater()
    jobs.deleteLater()


@pytest.fixture
def opened(session, project_path, qtbot):
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        session.open_project(project_path)
    return session


def accept(conversation: int) -> Edit:
    patch = AnnotationPatch("status", (conversation,), ("pending",), ("accepted",))
    return Edit("Accept", "anna", (patch,))


def test_an_open_project_has_its_index(opened):
    assert len(opened.index) == 12
    assert not opened.is_read_only


def test_a_push_changes_the_project_the_index_and_tells(opened, qtbot):
    with qtbot.waitSignal(opened.edited) as caught:
        changes = opened.push(accept(3))
    assert caught.args[0] == changes
    assert changes.fields == {"status"}
    assert opened.index.counts()["accepted"] == 1
    assert opened.project.annotation(3).status == "accepted"


def test_undo_and_redo(opened):
    opened.push(accept(3))
    assert opened.undo().conversations == (3,)
    assert opened.index.counts()["accepted"] == 0
    assert opened.redo().conversations == (3,)
    assert opened.index.counts()["accepted"] == 1


def test_a_stale_edit_is_told_and_changes_nothing(opened, qtbot):
    opened.push(accept(3))
    with qtbot.waitSignal(opened.notice) as caught:
        assert opened.push(accept(3)) is None
    assert caught.args[0].level == "error"
    assert opened.index.counts()["accepted"] == 1


def test_without_a_project_nothing_is_pushed(session, qtbot):
    with qtbot.waitSignal(session.notice):
        assert session.push(accept(1)) is None
    assert session.is_read_only


def test_a_file_that_is_no_project_is_told(session, tmp_path, qtbot):
    wrong = tmp_path / "no.curator"
    wrong.write_text("this is no project")
    with qtbot.waitSignal(session.notice, timeout=30_000) as caught:
        session.open_project(wrong)
    assert "no.curator" in caught.args[0].text
    assert session.project is None


def test_a_failed_open_keeps_what_was_open(opened, tmp_path, qtbot):
    with qtbot.waitSignal(opened.notice, timeout=30_000):
        opened.open_project(tmp_path / "absent.curator")
    assert len(opened.index) == 12


def test_a_new_project_is_empty(session, tmp_path, qtbot):
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        session.new_project(tmp_path / "new.curator")
    assert len(session.index) == 0


def test_a_project_open_elsewhere_can_only_be_looked_at(session, project_path, qtbot):
    with Project.open(project_path):
        with qtbot.waitSignal(session.project_changed, timeout=30_000):
            session.open_project(project_path)
        assert session.is_read_only
        with qtbot.waitSignal(session.notice):
            assert session.push(accept(1)) is None


def test_reload_sees_what_came_past_push(opened, qtbot):
    opened.project.apply(accept(5))
    assert opened.index.counts()["accepted"] == 0
    with qtbot.waitSignal(opened.project_changed, timeout=30_000):
        opened.reload()
    assert opened.index.counts()["accepted"] == 1


def test_closing_tells_once(opened, qtbot):
    with qtbot.waitSignal(opened.project_changed):
        opened.close_project()
    opened.close_project()
    assert opened.project is None


def test_an_open_project_is_prepared_for_search_and_stays_so(opened, qtbot):
    from tests.project.building import unindexed

    qtbot.waitUntil(lambda: not opened.jobs.running(), timeout=20_000)
    assert unindexed(opened.project) == 0
    opened._maintenance._later.setInterval(0)
    new = opened.project.new_conversation_ids(1)[0]
    line = Conversation.of((Message.of("user", "a fresh word"),)).to_json()
    opened.push(Edit("Write", "anna", (ContentPatch(new, None, line),)))
    qtbot.waitUntil(lambda: unindexed(opened.project) == 0, timeout=20_000)


def test_an_edit_made_while_the_project_is_read_again_is_not_forgotten(opened, qtbot, monkeypatch):
    read, go_on = threading.Event(), threading.Event()
    load = Index.__init__

    def slow(index, path):
        load(index, path)
        read.set()
        assert go_on.wait(10)

    monkeypatch.setattr(Index, "__init__", slow)
    job = opened.reload()
    assert read.wait(10)
    opened.push(accept(3))
    new = opened.project.new_conversation_ids(1)[0]
    line = Conversation.of((Message.of("user", "new"),)).to_json()
    opened.push(Edit("Write", "anna", (ContentPatch(new, None, line),)))
    with qtbot.waitSignals([opened.project_changed, job.ended], timeout=30_000):
        go_on.set()
    assert opened.index.counts() | {"errors": 0} == opened.counts() | {"errors": 0}
    assert opened.counts()["accepted"] == 1
    assert opened.index.row_of(new) == 12
    assert opened._missed == []


def test_an_index_of_a_project_that_was_closed_is_not_taken(opened, tmp_path, qtbot, monkeypatch):
    go_on = threading.Event()
    load = Index.__init__

    def slow(index, path):
        load(index, path)
        if len(index):
            assert go_on.wait(10)

    monkeypatch.setattr(Index, "__init__", slow)
    job = opened.reload()
    with qtbot.waitSignal(opened.project_changed, timeout=30_000):
        opened.new_project(tmp_path / "other.curator")
    with qtbot.waitSignal(job.ended, timeout=30_000):
        go_on.set()
    assert len(opened.index) == 0


def test_closing_is_told_while_the_project_is_still_open(opened, qtbot):
    seen = []
    opened.closing.connect(lambda: seen.append(opened.push(accept(4))))
    opened.close_project()
    opened.close_project()
    assert [changes.conversations for changes in seen] == [(4,)]


def broken_version(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = -1")
    connection.close()


@pytest.mark.parametrize(
    "breaking",
    [
        broken_version,
        lambda path: path.write_bytes(path.read_bytes()[:20_000]),
        lambda path: path.write_bytes(path.read_bytes()[:100] + os.urandom(30_000)),
        lambda path: path.write_bytes(b"just words"),
    ],
    ids=["version", "cut", "random", "words"],
)
def test_a_project_file_that_is_none_is_told_in_a_sentence(session, project_path, qtbot, breaking):
    breaking(project_path)
    with qtbot.waitSignal(session.notice, timeout=30_000) as caught:
        session.open_project(project_path)
    notice = caught.args[0]
    assert notice.level == "error"
    assert project_path.name in notice.text
    assert "\n" not in notice.text
    assert session.project is None
    # Whoever opens it next is not told that it is open here.
    assert not list(project_path.parent.glob("*.lock"))


def test_a_damaged_text_is_told_and_the_others_open(opened, qtbot):
    with opened.project.writing() as connection:
        connection.execute("UPDATE conversation SET content = 'x' || content WHERE id = 3")
    with pytest.raises(ProjectError, match="conversation 3 is damaged"):
        opened.project.content(3)
    assert opened.project.content(4)


def slow_to_open(monkeypatch, name):
    """Make opening the project of a name wait until the returned event is set."""
    go_on = threading.Event()
    plain = Project.open.__func__

    def wait(cls, path, *arguments, **more):
        made = plain(cls, path, *arguments, **more)
        if path.name == name:
            assert go_on.wait(10)
        return made

    monkeypatch.setattr(Project, "open", classmethod(wait))
    return go_on


@pytest.fixture
def another(tmp_path):
    path = tmp_path / "another.curator"
    Project.create(path, "anna").close()
    return path


def test_the_project_asked_for_last_is_shown(session, project_path, another, monkeypatch, qtbot):
    go_on = slow_to_open(monkeypatch, project_path.name)
    first = session.open_project(project_path)
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        session.open_project(another)
    with qtbot.waitSignal(first.ended, timeout=30_000):
        go_on.set()
    assert session.project.path == another
    # What came too late was let go of: it can be opened for writing.
    monkeypatch.undo()
    with Project.open(project_path, author="anna") as free:
        assert not free.read_only


def test_a_project_that_comes_after_all_was_closed_stays_closed(
    session, project_path, monkeypatch, qtbot
):
    go_on = slow_to_open(monkeypatch, project_path.name)
    first = session.open_project(project_path)
    session.close_project()
    with qtbot.waitSignal(first.ended, timeout=30_000):
        go_on.set()
    assert session.project is None


def test_two_clicks_open_a_project_once(session, project_path, qtbot):
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        assert session.open_project(project_path) is session.open_project(project_path)
    assert not session.is_read_only


def ended(job, qtbot):
    """Wait until a job is over; returns what came of it."""
    results = []
    job.succeeded.connect(results.append)
    qtbot.waitUntil(lambda: job.is_over, timeout=30_000)
    return results


def test_an_edit_worked_out_in_the_background_is_spread_once(opened, qtbot):
    spread = []
    opened.edited.connect(spread.append)
    job = opened.push_later("Accept", lambda _reader, _progress, _cancelled: accept(3))
    (applied,) = ended(job, qtbot)
    assert [changes.conversations for changes in applied] == [(3,)]
    assert spread == list(applied)
    assert opened.index.counts()["accepted"] == 1


def test_background_work_that_finds_nothing_to_do_changes_nothing(opened, qtbot):
    before = opened.project.undo_title()
    job = opened.push_later("Accept", lambda _reader, _progress, _cancelled: None)
    assert ended(job, qtbot) == [()]
    assert opened.project.undo_title() == before


@pytest.mark.parametrize("fails_in_work", [True, False])
def test_every_failure_of_background_work_is_told_the_same_way(opened, qtbot, fails_in_work):
    notices = []
    opened.notice.connect(notices.append)
    opened.push(accept(3))

    def work(_reader, _progress, _cancelled):
        if fails_in_work:
            raise ProjectError("it cannot be worked out", opened.project.path)
        return accept(3)  # stale: it is accepted already

    job = opened.push_later("Accept", work)
    assert ended(job, qtbot) == []
    assert job.state == "failed"
    assert [notice.level for notice in notices] == ["error"]


def test_what_was_applied_before_a_failure_is_shown(opened, qtbot):
    job = opened.push_later("Accept", lambda *_calls: [accept(3), accept(3)])
    assert ended(job, qtbot) == []
    qtbot.waitUntil(lambda: opened.index.counts()["accepted"] == 1, timeout=30_000)


def test_a_cancel_takes_effect_between_two_edits(opened, qtbot):
    began = threading.Event()

    def work(_reader, _progress, cancelled):
        began.set()
        deadline = time.monotonic() + 30
        while not cancelled() and time.monotonic() < deadline:
            time.sleep(0.01)
        return [accept(3), accept(4)]

    job = opened.push_later("Accept", work)
    assert began.wait(30)
    job.cancel()
    assert ended(job, qtbot) == []
    assert job.state == "cancelled"
    assert opened.project.annotation(3).status == "pending"


def test_background_work_belongs_to_its_project(opened, tmp_path, qtbot):
    go_on = threading.Event()

    def work(_reader, _progress, _cancelled):
        go_on.wait(30)
        return accept(3)

    spread = []
    opened.edited.connect(spread.append)
    job = opened.push_later("Accept", work)
    results = []
    job.succeeded.connect(results.append)
    other = tmp_path / "other.curator"
    with qtbot.waitSignal(opened.project_changed, timeout=30_000):
        opened.new_project(other)
    go_on.set()
    qtbot.waitUntil(lambda: not opened.jobs.running(), timeout=30_000)
    assert not results
    assert not spread


def test_without_a_project_no_background_work_begins(session, qtbot):
    with qtbot.waitSignal(session.notice):
        assert session.push_later("Accept", lambda *_calls: accept(1)) is None
