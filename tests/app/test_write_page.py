"""An annotator's work on the Write page: search, choose, write, change many, go on."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from curator.app.annotate import annotating
from curator.app.annotate.annotating import AnnotationChange, annotate
from curator.app.page import OpenRequest
from curator.app.pages.write import WritePage
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.dataset import ContentPatch, Edit
from curator.project import Project
from curator.project.queries.index import Index

WORDS = ("refund please", "hello there", "refund twice", "what is up")


def line(text):
    return (
        f'{{"messages":[{{"role":"user","content":"{text}"}},'
        '{"role":"assistant","content":"Sure."}]}'
    )


@pytest.fixture
def session(tmp_path, qapp):
    session = Session(Jobs(), "anna")
    project = Project.create(tmp_path / "p.curator", "anna")
    session.ids = project.new_conversation_ids(len(WORDS))
    patches = (ContentPatch(i, None, line(t)) for i, t in zip(session.ids, WORDS, strict=True))
    project.apply(Edit("x", "anna", tuple(patches)))
    session.project, session.index = project, Index(project.path)
    yield session
    assert session.jobs.shutdown(20)
    session.close_project()


@pytest.fixture
def page(session, qtbot):
    page = WritePage(session, session.jobs)
    qtbot.addWidget(page)
    qtbot.addWidget(page.inspector())
    page.resize(900, 800)
    page.show()
    page.is_front = True
    page.activated()
    qtbot.waitUntil(lambda: page.editor.measure is not None, timeout=20_000)
    return page


def shown(page):
    return [
        page.list.table.data(page.list.table.index(row, 1))
        for row in range(page.list.table.rowCount())
    ]


def test_the_first_conversation_is_open_and_everything_is_shown(page, session):
    assert shown(page) == list(WORDS)
    assert session.current == session.ids[0]
    assert page.editor.drafts.id == session.ids[0]
    assert page.rail_count() == 4


def test_a_search_in_texts_runs_in_the_background_and_sets_the_view(page, session, qtbot):
    page.list.search.set_text("refund")
    qtbot.waitUntil(lambda: page.list.table.rowCount() == 2, timeout=30_000)
    assert shown(page) == ["refund please", "refund twice"]
    assert session.view.query == "refund"
    page.list.search.set_text("/t.*e/ -please")
    qtbot.waitUntil(lambda: shown(page) == ["hello there", "refund twice"], timeout=30_000)


def test_nothing_found_says_so_and_offers_all(page, qtbot):
    page.list.search.set_text("tokens:>100000")
    assert page.list.table.rowCount() == 0
    assert page.list._stack.currentIndex() == 1
    page.list._empty.pressed.emit()
    assert page.list.table.rowCount() == 4


def test_rows_that_come_take_the_cursor_from_the_empty_page(page, qtbot):
    page.list.search.set_text("tokens:>100000")
    page.list._empty.button.setFocus()
    assert page.list._empty.isAncestorOf(QApplication.focusWidget())
    page.list._empty.pressed.emit()
    assert QApplication.focusWidget() is page.list.grid


def test_chips_filter_and_are_counted(page, session):
    annotate(session, session.ids[:2], AnnotationChange("status", "accepted"), page)
    chip = page.list.search._chips["is:accepted"]
    assert chip.isVisibleTo(page)
    assert chip.text().endswith("2")
    chip.click()
    assert shown(page) == ["refund please", "hello there"]
    chip.click()
    assert len(shown(page)) == 4


def test_a_sort_by_title_and_back(page, qtbot):
    page.list.table.sort(1, Qt.SortOrder.AscendingOrder)
    qtbot.waitUntil(lambda: shown(page) == sorted(WORDS), timeout=30_000)
    page.list.table.sort(4, Qt.SortOrder.DescendingOrder)
    assert len(shown(page)) == 4


def test_one_step_changes_all_that_match(page, session):
    page.slots()["edit.select_all"]()
    page.slots()["label.accept"]()
    assert session.index.counts()["accepted"] == 4
    page.list.change(AnnotationChange("+tag", "later"))
    assert session.project.annotation(session.ids[2]).tags == ("later",)
    page.list.change(AnnotationChange("-tag", "later"))
    assert session.project.annotation(session.ids[2]).tags == ()
    session.undo()
    session.undo()
    session.undo()
    assert session.index.counts()["accepted"] == 0


def test_many_are_changed_in_the_background_as_one_step(page, session, qtbot, monkeypatch):
    monkeypatch.setattr(annotating, "AT_ONCE", 1)
    page.slots()["edit.select_all"]()
    with qtbot.waitSignal(session.edited, timeout=30_000):
        page.slots()["label.reject"]()
    assert session.index.counts()["rejected"] == 4
    session.undo()
    assert session.index.counts()["rejected"] == 0


def test_a_new_conversation_is_open_and_ready_to_write(page, session, qtbot):
    page.slots()["conversation.new"]()
    assert page.list.table.rowCount() == 5
    assert page.editor.drafts.id == session.current
    qtbot.keyClicks(page.editor.cards.card(0).content.field, "My question")
    page.deactivated()
    assert session.project.conversation(session.current).messages[0].text == "My question"
    assert "My question" in shown(page)


def test_a_filter_that_hides_the_new_conversation_is_taken_away(page, session):
    page.list.search.set_text("is:accepted")
    page.slots()["conversation.new"]()
    assert page.list.search.text == ""
    assert page.editor.drafts.id == session.current


def test_duplicate_remove_and_restore(page, session):
    page.slots()["conversation.duplicate"]()
    assert shown(page).count("refund please") == 2
    page.slots()["conversation.remove"]()
    assert shown(page).count("refund please") == 1
    page.list.search.set_text("is:removed")
    assert shown(page) == ["refund please"]
    page.slots()["conversation.restore"]()
    assert page.rail_count() == 5


def test_going_on_with_ctrl_held_leaves_nothing_chosen_behind(page, session, qtbot):
    """Qt reads the held key from the keyboard: the selection grew, and a rejection hit it all."""
    qtbot.keyPress(page, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)
    try:
        page.slots()["conversation.next"]()
        page.slots()["conversation.next"]()
        assert page.list.chosen_ids() == [session.ids[2]]
        page.slots()["label.reject"]()
    finally:
        qtbot.keyRelease(page, Qt.Key.Key_Control)
    assert session.index.counts()["rejected"] == 1
    assert session.project.annotation(session.ids[2]).status == "rejected"


def test_keep_and_go_on_writes_and_moves(page, session, qtbot):
    field = page.editor.cards.card(0).content.field
    qtbot.keyClicks(field, "x ")
    page.slots()["conversation.save_next"]()
    assert session.project.conversation(session.ids[0]).messages[0].text == "x refund please"
    assert session.current == session.ids[1]
    page.slots()["conversation.previous"]()
    assert session.current == session.ids[0]


def test_undo_brings_back_what_was_typed_a_moment_ago(page, session, qtbot):
    qtbot.keyClicks(page.editor.cards.card(0).content.field, "x")
    page.slots()["edit.undo"]()
    assert page.editor.cards.card(0).content.field.text() == "refund please"
    page.slots()["edit.redo"]()
    assert page.editor.cards.card(0).content.field.text() == "xrefund please"


def test_another_page_can_ask_for_a_conversation_or_a_search(page, session):
    page.open(OpenRequest("write", session.ids[2]))
    assert page.editor.drafts.id == session.ids[2]
    page.open(OpenRequest("write", detail="id:2"))
    assert shown(page) == ["hello there"]


def test_a_closed_project_leaves_nothing_behind(page, session):
    session.close_project()
    assert page.slots() == {}
    assert page.editor.drafts.id is None
    assert page.list.table.rowCount() == 0


def test_edits_made_on_another_page_leave_view_and_conversation_alone(page, session):
    page.list.search.set_text("is:pending")
    view, current = session.view, session.current
    page.is_front = False
    annotate(session, [current], AnnotationChange("status", "accepted"), page)
    assert session.view is view
    assert session.current == current
    page.is_front = True
    page.activated()
    assert len(shown(page)) == 3


def test_what_leaves_the_filter_gives_its_place_to_the_next(page, session):
    page.list.search.set_text("is:pending")
    page.list.step(1)
    page.slots()["label.accept"]()
    assert shown(page) == ["refund please", "refund twice", "what is up"]
    assert session.current == session.ids[2]
    assert page.editor.drafts.id == session.ids[2]


def test_the_search_field_completes_fields_and_values(page, qtbot):
    field = page.list.search.field
    field.setFocus()
    qtbot.keyClicks(field, "hello sta")
    completer = field.completer()
    completer.complete()
    assert completer.currentCompletion() == "hello status:"
    field.clear()
    qtbot.keyClicks(field, "-is:fl")
    assert completer.splitPath(field.text()) == ["is:fl"]
    index = completer.model().index(completer.model().stringList().index("is:flagged"), 0)
    assert completer.pathFromIndex(index) == "-is:flagged"
    completer.popup().hide()


def test_a_mistake_in_the_query_is_told(page):
    page.list.search.set_text("status:nonsense")
    assert "unknown" in page.list.search._note.text()
    assert len(shown(page)) == 4


def test_where_nothing_is_left_an_import_is_offered(page, session, qtbot):
    page.slots()["edit.select_all"]()
    page.slots()["conversation.remove"]()
    assert shown(page) == []
    with qtbot.waitSignal(page.action_requested) as asked:
        page.list._empty.pressed.emit()
    assert asked.args == ["file.import"]
    session.undo()
    assert len(shown(page)) == 4


def test_a_note_being_typed_stays_with_its_conversation_when_another_is_chosen(page, session):
    first, second = session.ids[0], session.ids[1]
    page._inspector.note.insertPlainText("of the first")
    page.list.step(1)
    assert session.current == second
    assert session.project.annotation(first).note == "of the first"
    assert session.project.annotation(second).note == ""
    assert page._inspector.note.text() == ""


def test_a_note_being_typed_when_another_project_opens_is_written_to_its_own(
    page, session, tmp_path, qtbot
):
    mine = session.project.path
    page._inspector.note.insertPlainText("mine")
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        session.new_project(tmp_path / "other.curator")
    with Project.open(mine, read_only=True) as project:
        assert project.annotation(session.ids[0]).note == "mine"


def test_where_no_conversation_is_open_nothing_can_be_said_of_one(page, session, tmp_path, qtbot):
    """Words typed for nobody would be lost in silence."""
    inspector = page._inspector
    assert inspector._flag.isEnabled()
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        session.new_project(tmp_path / "other.curator")
    assert session.current is None
    assert not inspector._flag.isEnabled()
    assert not any(chip.isEnabled() or chip.isChecked() for chip in inspector._status.values())
    assert inspector.note.isReadOnly()
    page.slots()["conversation.new"]()
    qtbot.waitUntil(lambda: session.current is not None)
    assert inspector._flag.isEnabled()
    assert not inspector.note.isReadOnly()


def test_a_page_made_for_an_empty_project_says_nothing_of_nobody(session, tmp_path, qtbot):
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        session.new_project(tmp_path / "other.curator")
    made = WritePage(session, session.jobs)
    qtbot.addWidget(made)
    made.activated()
    assert not made._inspector._flag.isEnabled()
    made.close()
