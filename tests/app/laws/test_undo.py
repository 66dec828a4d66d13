"""Laws: undo says what it took back and shows the place; a decision on many says how many, and asks over 100."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from curator.app.annotate.annotating import AnnotationChange, annotate
from curator.app.dialogs.confirm import Question
from curator.app.main import PAGES
from curator.dataset import AnnotationPatch, ContentPatch, Edit
from tests.app.laws.conftest import plain, settle, visit

PAGE_IDS = [entry.page_id for entry in PAGES]


def notice(curator):
    return curator.window.toaster.notices()[-1]


def press(curator, words: str) -> None:
    found = [b for b in curator.window.findChildren(QPushButton) if b.text() == words]
    found[-1].click()


def change(curator, conversation: int, message: int) -> None:
    """Change one message of a conversation, as somebody else would."""
    project = curator.session.project
    before = project.content(conversation)
    fields = json.loads(before)
    fields["messages"][message]["content"] = "changed"
    patch = ContentPatch(conversation, before, json.dumps(fields))
    curator.session.push(Edit(f"Edit turn {message + 1}", "bea", (patch,)))


def presses_undo(curator) -> None:
    QTest.keyClick(
        QApplication.focusWidget() or curator.window, "z", Qt.KeyboardModifier.ControlModifier
    )


@pytest.mark.parametrize("page_id", ["write", "label"])
def test_undo_goes_to_the_conversation_it_changed(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    change(whole, 1, 4)
    change(whole, 7, 2)
    page.list.go_to(3) if page_id == "write" else page._reopen(3)
    presses_undo(whole)
    assert whole.session.current == 7
    assert notice(whole).text == "Taken back: Edit turn 3"
    assert notice(whole).detail == "In conversation 7"
    presses_undo(whole)
    assert whole.session.current == 1
    assert notice(whole).detail == "In conversation 1"
    assert len([n for n in whole.window.toaster.notices() if n.topic == "undo"]) == 1
    if page_id == "write":
        assert page.editor.cards.current == 4
        card = page.editor.cards.card(4)
        assert not card.visibleRegion().isEmpty()
    whole.menus.run("edit.redo")
    assert notice(whole).text == "Done again: Edit turn 5"


@pytest.mark.parametrize("page_id", [p for p in PAGE_IDS if p not in ("write", "label")])
def test_undo_and_redo_on_another_page_go_to_the_conversation(whole, qtbot, page_id):
    change(whole, 7, 2)
    for verb, said in (("edit.undo", "Taken back"), ("edit.redo", "Done again")):
        visit(whole, page_id, qtbot)
        whole.menus.run(verb)
        assert notice(whole).text == f"{said}: Edit turn 3"
        assert notice(whole).detail == "In conversation 7"
        settle(whole, qtbot)
        assert whole.front.page_id == "write"
        assert whole.session.current == 7
        assert whole.front.editor.cards.current == 2


@pytest.mark.parametrize("page_id", [p for p in PAGE_IDS if p not in ("write", "label")])
def test_undo_of_a_step_on_many_stays_at_the_work_and_leads_there(whole, qtbot, page_id):
    """Who takes back a split or a fix of many looks at that page's figures; the notice leads on."""
    patch = AnnotationPatch("status", (6, 7), ("pending", "pending"), ("accepted", "accepted"))
    whole.session.push(Edit("Accept", "bea", (patch,)))
    visit(whole, page_id, qtbot)
    whole.menus.run("edit.undo")
    assert notice(whole).detail == "In 2 conversations"
    assert whole.front.page_id == page_id
    press(whole, "Show it")
    settle(whole, qtbot)
    assert (whole.front.page_id, whole.session.current) == ("write", 6)


def test_undo_keeps_the_filter_where_the_conversation_fits_it(whole, qtbot):
    page = visit(whole, "write", qtbot)
    page.list.search.set_text("Question")
    settle(whole, qtbot)
    page.list.go_to(5)
    whole.menus.run("conversation.remove")
    settle(whole, qtbot)
    assert whole.session.current != 5
    whole.menus.run("edit.undo")
    settle(whole, qtbot)
    assert whole.session.current == 5
    assert page.list.search.text == "Question"


def test_undo_shows_a_conversation_that_the_filter_hides(whole, qtbot):
    page = visit(whole, "write", qtbot)
    change(whole, 1, 4)
    page.list.search.set_text("Question")
    settle(whole, qtbot)
    whole.menus.run("edit.undo")
    settle(whole, qtbot)
    assert whole.session.current == 1


def test_undo_of_a_new_conversation_says_so(whole, qtbot):
    page = visit(whole, "write", qtbot)
    whole.menus.run("conversation.new")
    settle(whole, qtbot)
    page.list.grid.setFocus()
    whole.menus.run("edit.undo")
    assert notice(whole).text == "Taken back: New conversation"


def test_two_additions_are_two_steps(whole, qtbot):
    """Leaving a text ends the step, however quickly somebody comes back to it."""
    page = visit(whole, "write", qtbot)
    field = page.editor.cards.card(1).content.field
    before = whole.session.project.content(1)
    for addition in ("one", "two"):
        page.editor.cards.go_to(1, enter=True)
        QTest.keyClicks(field, addition)
        QTest.keyClick(field, Qt.Key.Key_Escape)
    field.load(field.text())
    whole.menus.run("edit.undo")
    assert "one" in field.text()
    assert "two" not in field.text()
    whole.menus.run("edit.undo")
    assert whole.session.project.content(1) == before


@pytest.mark.parametrize("page_id", ["write", "label"])
def test_two_additions_to_a_note_are_two_steps(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    note = page.inspector().note
    for addition in ("1", "2"):
        note.setFocus()
        QTest.keyClick(note, Qt.Key.Key_End)
        for letter in f"x{addition}":
            QTest.keyClick(note, letter)
            page.inspector().commit()
        QTest.keyClick(note, Qt.Key.Key_Escape)
    project = whole.session.project
    assert project.annotation(1).note == "first notex1x2"
    whole.session.undo()
    assert project.annotation(1).note == "first notex1"
    whole.session.undo()
    assert project.annotation(1).note == "first note"


def test_a_decision_on_several_says_how_many_and_offers_its_undo(whole, qtbot):
    page = visit(whole, "write", qtbot)
    annotate(page.session, [2, 3, 4], AnnotationChange("status", "accepted"), page)
    assert "3 conversations" in notice(whole).text
    press(whole, "Undo")
    project = whole.session.project
    assert {str(project.annotation(n).status) for n in (2, 3, 4)} == {"pending"}


def test_a_decision_on_one_says_nothing(whole, qtbot):
    page = visit(whole, "write", qtbot)
    annotate(page.session, [2], AnnotationChange("status", "accepted"), page)
    assert not whole.window.toaster.notices()


@pytest.fixture
def many(whole, qtbot):
    """The window with 130 conversations."""
    project = whole.session.project
    ids = project.new_conversation_ids(121)
    patches = tuple(ContentPatch(id_, None, plain(id_)) for id_ in ids)
    whole.session.push(Edit("Write", "anna", patches))
    settle(whole, qtbot)
    return whole


def statuses(curator) -> set[str]:
    project = curator.session.project
    return {str(project.annotation(id_).status) for id_ in project.ids().tolist()}


def test_over_a_hundred_are_asked_about_first(many, qtbot):
    page = visit(many, "write", qtbot)
    page.list.choose_all()
    many.menus.run("label.accept")
    (box,) = many.window.findChildren(Question)
    assert "130 conversations" in " ".join(w.text() for w in box.findChildren(QLabel))
    box.reject()
    settle(many, qtbot)
    assert statuses(many) == {"pending"}
    many.menus.run("label.accept")
    (box,) = [b for b in many.window.findChildren(Question) if b.isVisible()]
    box._confirm()
    settle(many, qtbot)
    assert statuses(many) == {"accepted"}
    assert "130 conversations" in notice(many).text
    press(many, "Undo")
    assert statuses(many) == {"pending"}


def test_removing_all_copies_of_many_asks_first(many, qtbot):
    page = visit(many, "duplicates", qtbot)
    page.search()
    settle(many, qtbot)
    page._remove_all()
    settle(many, qtbot)
    (box,) = many.window.findChildren(Question)
    box._confirm()
    settle(many, qtbot)
    project = many.session.project
    gone = [id_ for id_ in project.ids().tolist() if project.annotation(id_).removed]
    assert len(gone) > 100
    press(many, "Undo")
    assert not [id_ for id_ in project.ids().tolist() if project.annotation(id_).removed]


def test_steps_that_were_made_together_are_taken_back_together(whole, qtbot):
    """A fix of several rules is several steps; its one Undo takes back all of them."""
    visit(whole, "check", qtbot)
    for value in ("accepted", "rejected"):
        before = str(whole.session.project.annotation(2).status)
        patch = AnnotationPatch("status", (2,), (before,), (value,))
        whole.session.push(Edit("Mark", "anna", (patch,)))
    whole.session.notify_step("2 done", steps=2)
    press(whole, "Undo")
    assert str(whole.session.project.annotation(2).status) == "pending"
