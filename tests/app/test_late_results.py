"""What arrives late must not hit what nobody meant: results of another project, an old Undo button."""

from concurrent.futures import wait

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QPushButton
from shiboken6 import isValid

from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, Message
from curator.dataset.errors import ProjectError
from curator.project.queries.index import Index
from curator.project.store.project import Project


def line(number: int) -> str:
    """Three kinds of questions, so that there are copies."""
    turns = (Message.of("user", f"Where is my card {number % 3}"), Message.of("assistant", "Soon."))
    return Conversation.of(turns).to_json()


def make(path) -> None:
    with Project.create(path, "anna") as project:
        ids = project.new_conversation_ids(9)
        patches = tuple(ContentPatch(i, None, line(i)) for i in ids)
        project.apply(Edit("Write", "anna", patches))


@pytest.fixture
def paths(tmp_path):
    made = [tmp_path / "first.curator", tmp_path / "second.curator"]
    for path in made:
        make(path)
    return made


@pytest.fixture
def first(curator, paths, qtbot):
    """The window with the first of two projects whose ids and texts are the same."""
    with qtbot.waitSignal(curator.session.project_changed, timeout=30_000):
        curator.session.open_project(paths[0])
    settle(curator, qtbot)
    return curator


def settle(curator, qtbot) -> None:
    qtbot.waitUntil(lambda: len(curator.pages) > 7 and not curator.jobs.running(), timeout=20_000)


def switch(curator, path) -> None:
    """Open another project at the worst moment: the work is done, its news is still under way."""
    wait(list(curator.jobs._futures.values()), timeout=30)
    project = Project.open(path, author="anna")
    curator.session._adopt((project, Index(project.path)))


def splits(curator) -> set[str]:
    project = curator.session.project
    return {project.annotation(id_).split for id_ in project.ids().tolist()}


def removed(curator) -> list[int]:
    project = curator.session.project
    return [id_ for id_ in project.ids().tolist() if project.annotation(id_).removed]


def press(curator, words: str) -> None:
    notices = [n for n in curator.window.findChildren(QPushButton) if n.text() == words]
    notices[-1].click()


def test_splits_of_another_project_are_not_assigned(first, paths, qtbot):
    page = first.show_page("export")
    settle(first, qtbot)
    page._assign_anew()
    switch(first, paths[1])
    settle(first, qtbot)
    assert splits(first) == {""}


def test_a_look_ahead_of_another_project_is_not_kept(first, paths, qtbot):
    page = first.show_page("export")
    settle(first, qtbot)
    page._read()
    switch(first, paths[1])
    assert first.show_page("export")._proposal is None
    first.menus.run("split.assign")
    assert splits(first) == {""}


def test_duplicates_of_another_project_are_not_removed(first, paths, qtbot):
    page = first.show_page("duplicates")
    page.search()
    settle(first, qtbot)
    assert page.rail_count() == 3
    page._remove_all()
    switch(first, paths[1])
    settle(first, qtbot)
    assert removed(first) == []


def test_a_search_for_duplicates_in_another_project_is_not_shown(first, paths, qtbot):
    page = first.show_page("duplicates")
    page.search()
    switch(first, paths[1])
    settle(first, qtbot)
    page = first.show_page("duplicates")
    settle(first, qtbot)
    assert page.rail_count() is None
    assert page.decision.pair is None


def test_findings_of_another_project_are_not_shown(first, paths, qtbot, tmp_path):
    page = first.show_page("check")
    settle(first, qtbot)
    page._read()
    empty = tmp_path / "empty.curator"
    Project.create(empty, "anna").close()
    switch(first, empty)
    settle(first, qtbot)
    page = first.show_page("check")
    settle(first, qtbot)
    assert page._findings is None or page._findings.report.conversations == 0
    # What is said of the empty project itself concerns no conversation.
    assert page.list.row().conversation is None


def test_find_and_replace_does_not_go_on_in_another_project(first, paths, qtbot):
    page = first.show_page("write")
    first.menus.run("edit.replace")
    dialog = page._replace
    dialog.find_field.setText("card")
    dialog.replace_field.setText("token")
    dialog.search_now()
    settle(first, qtbot)
    assert dialog.table.rowCount() == 9
    switch(first, paths[1])
    settle(first, qtbot)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isValid(dialog)
    assert first.session.project.content(1) == line(1)
    assert first.session.project.undo_title() == "Write"


def test_the_undo_of_a_notice_takes_back_its_own_step_only(first, qtbot):
    page = first.show_page("duplicates")
    page.search()
    settle(first, qtbot)
    page._remove_all()
    settle(first, qtbot)
    assert len(removed(first)) == 6
    patch = AnnotationPatch("note", (1,), ("",), ("mine",))
    first.session.push(Edit("Note", "anna", (patch,)))
    press(first, "Undo")
    assert first.session.project.annotation(1).note == "mine"
    assert len(removed(first)) == 6
    first.session.undo()
    page._ask_removal(None)
    assert len(removed(first)) == 6


def test_the_undo_of_a_notice_works_while_nothing_came_after(first, qtbot):
    page = first.show_page("duplicates")
    page.search()
    settle(first, qtbot)
    page._remove_all()
    settle(first, qtbot)
    press(first, "Undo")
    assert removed(first) == []


def test_the_undo_of_a_notice_of_another_project_does_nothing(first, paths, qtbot):
    page = first.show_page("duplicates")
    page.search()
    settle(first, qtbot)
    page._remove_all()
    settle(first, qtbot)
    take_back = first.window.toaster.notices()[-1].action
    switch(first, paths[1])
    assert not first.window.toaster.notices()
    take_back()
    assert first.session.project.undo_title() == "Write"


def test_work_on_a_project_that_was_closed_says_so(paths):
    project = Project.open(paths[0], author="anna")
    project.close()
    patch = AnnotationPatch("note", (1,), ("",), ("mine",))
    with pytest.raises(ProjectError, match="was closed meanwhile"):
        project.apply(Edit("Note", "anna", (patch,)))
