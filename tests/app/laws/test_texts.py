"""Law: a text under the cursor is never loaded anew by the program, whatever it comes to know meanwhile."""

import json

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QPlainTextEdit, QTextEdit

from curator.app.main import PAGES
from curator.app.shortcuts import takes_text
from curator.dataset import AnnotationPatch, ContentPatch, Edit
from tests.app.laws.conftest import bring, name_of, settle, texts, visit, words_of

# Every place of every page: minutes of a core.
pytestmark = pytest.mark.slow

TYPED = ("a", ",", " ", "{", "b")
"""Commas, blanks and brackets are where a text in the making differs from what it will mean."""

PAUSE_MS = 330
"""Longer than any field waits before it gives out what was typed."""


def news(curator, page, number: int) -> None:
    """Let everything happen that can happen while somebody types: edits of others, results, a re-reading."""
    session = curator.session
    project = session.project
    flag = project.annotation(1).flag
    other = AnnotationPatch("flag", (1,), (flag,), (not flag,))
    session.push(Edit("Flag", "bea", (other,)))
    now = project.content(1)
    fields = json.loads(now)
    fields["metadata"] = {"seen": str(number)}
    session.push(Edit("Note down", "bea", (ContentPatch(1, now, json.dumps(fields)),)))
    session.reload()
    page.slots_changed.emit()
    if page.page_id == "write":
        page.editor.draft_counter.counted.emit()
        page.editor.draft_counter.ready.emit()
        page.editor.check()
    if page.page_id == "train":
        page.test_target()
        page.targets.choose("mine")
    if page.page_id == "try":
        page.activated()


def type_with_pauses(curator, page, field, qtbot) -> None:
    """Type at the end of a field, with news between the keys, and compare."""
    bring(field)
    field.setFocus()
    assert QApplication.focusWidget() in (field, field.parentWidget()), name_of(field)
    is_line = isinstance(field, QLineEdit)
    held = Qt.KeyboardModifier.NoModifier if is_line else Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(field, Qt.Key.Key_End, held)
    before = words_of(field)
    for number, letter in enumerate(TYPED):
        QTest.keyClick(field, letter)
        news(curator, page, number)
        QTest.qWait(PAUSE_MS)
        settle(curator, qtbot)
        assert words_of(field) == before + "".join(TYPED[: number + 1]), name_of(field)


@pytest.mark.parametrize("page_id", [entry.page_id for entry in PAGES])
def test_what_is_typed_with_pauses_stands_there(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    fields = texts(whole)
    assert fields or page_id in ("check", "duplicates")
    typed = 0
    for field in fields:
        # A definition's form is made anew when its JSON was typed into: that is no text under a cursor.
        if shiboken6.isValid(field):
            type_with_pauses(whole, page, field, qtbot)
            typed += 1
    assert typed > len(fields) / 2 or not fields


@pytest.mark.parametrize(
    ("page_id", "action_id"),
    [("label", "label.sets"), ("write", "edit.replace"), ("write", "view.palette")],
)
def test_what_is_typed_into_a_box_stands_there(whole, qtbot, page_id, action_id):
    page = visit(whole, page_id, qtbot)
    before = set(texts(whole))
    whole.menus.run(action_id)
    settle(whole, qtbot)
    for field in [f for f in texts(whole) if f not in before]:
        field.window().activateWindow()
        type_with_pauses(whole, page, field, qtbot)
    for box in whole.window.findChildren(QDialog):
        box.close()
    whole.dialogs._palette and whole.dialogs._palette.leave()


def test_a_prompt_in_the_making_outlives_the_list_of_prompts(whole, qtbot):
    page = visit(whole, "write", qtbot)
    page._open_prompts()
    (box,) = [d for d in page.findChildren(QDialog) if d.isVisible()]
    box.activateWindow()
    box.text.setFocus()
    QTest.keyClicks(box.text, "Be kind.")
    settle(whole, qtbot)
    assert box.list.count() > 0
    assert box.text.text() == "Be kind."
    box.close()


def test_a_caret_in_the_middle_stays_there(whole, qtbot):
    page = visit(whole, "label", qtbot)
    note = page._inspector.note
    note.setFocus()
    QTest.keyClick(note, Qt.Key.Key_Right)
    for number, letter in enumerate("xyz"):
        QTest.keyClick(note, letter)
        news(whole, page, number)
        QTest.qWait(PAUSE_MS)
        settle(whole, qtbot)
    assert note.text() == "fxyzirst note"
    assert note.textCursor().position() == 4


def test_another_conversation_brings_its_own_texts(whole, qtbot):
    """The law is about the text one works at; the next conversation shows its own."""
    page = visit(whole, "label", qtbot)
    note, tags = page._inspector.note, page._inspector._tags
    tags.setFocus()
    QTest.keyClicks(tags, ", new")
    whole.menus.run("conversation.next")
    assert (note.text(), tags.text()) == ("", "")
    assert list(whole.session.project.annotation(1).tags) == ["gold", "new"]
    assert list(whole.session.project.annotation(2).tags) == []


def test_undo_reaches_the_text_under_the_cursor(whole, qtbot):
    """What a person takes back is shown, also where the cursor stands."""
    page = visit(whole, "write", qtbot)
    tags = page.inspector()._tags
    tags.setFocus()
    QTest.keyClicks(tags, ", new")
    page.inspector().commit()
    whole.session.undo()
    assert tags.text() == "gold"


def test_every_kind_of_text_is_among_those_walked(whole, qtbot):
    found = set()
    for entry in PAGES:
        visit(whole, entry.page_id, qtbot)
        found |= {field.accessibleName() for field in texts(whole)}
    wanted = {"Text", "Tags", "Note", "Search conversations", "Question", "Function name"}
    assert wanted <= found
    kinds = (QLineEdit, QTextEdit, QPlainTextEdit)
    assert all(isinstance(f, kinds) and takes_text(f) for f in texts(whole))
