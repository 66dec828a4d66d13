"""A paragraph that is shown as several stays one, whatever somebody types, deletes, copies and undoes."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication

from curator.app.widgets import folds
from curator.app.widgets.folds import BREAK, Folds, has_long_line
from curator.app.widgets.message_text import MessageText

PARAGRAPH = "Some words, and more\u00a0of them 😀 \x00 and so on. " * 4_000
"""180 kB without a line end."""


@pytest.fixture
def short_folds(monkeypatch):
    monkeypatch.setattr(folds, "LONGEST", 6)


@pytest.fixture(scope="module")
def field(qapp):
    made = MessageText()
    made.resize(600, 200)
    yield made
    made.deleteLater()


def press(field, key, modifiers=Qt.KeyboardModifier.NoModifier, text=""):
    QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, key, modifiers, text))


def choose(field, start, end):
    """Select a stretch of the real text, or put the caret there."""
    cursor = field.textCursor()
    cursor.setPosition(field.position(start))
    cursor.setPosition(field.position(end), QTextCursor.MoveMode.KeepAnchor)
    field.setTextCursor(cursor)


def paste(field, text):
    mime = QMimeData()
    mime.setText(text)
    field.insertFromMimeData(mime)


def act(field, text, verb, start, end, words):
    """Do something in the field and return what the text has to be then."""
    start, end = min(start, len(text)), min(end, len(text))
    start, end = min(start, end), max(start, end)
    if verb in ("back", "delete", "type", "enter"):
        end = start
    choose(field, start, end)
    if verb in ("type", "over"):
        letter = words.strip()[:1] or "z"
        press(field, 0, text=letter)
        return text[:start] + letter + text[end:]
    if verb == "enter":
        press(field, Qt.Key.Key_Return, text="\r")
        return text[:start] + "\n" + text[start:]
    if verb == "enter over":
        press(field, Qt.Key.Key_Return, text="\r")
        return text[:start] + "\n" + text[end:]
    if verb == "back":
        press(field, Qt.Key.Key_Backspace)
        return text[: max(0, start - 1)] + text[start:]
    if verb == "delete":
        press(field, Qt.Key.Key_Delete)
        return text[:start] + text[start + 1 :]
    if verb == "cut":
        press(field, Qt.Key.Key_Delete) if start != end else None
        return text[:start] + text[end:]
    paste(field, words)
    return text[:start] + words + text[end:]


VERBS = ("type", "over", "enter", "enter over", "back", "delete", "cut", "paste")
TEXTS = st.text("ab é\n", max_size=50)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VERBS), st.integers(0, 50), st.integers(0, 50), st.text("xy \n", max_size=9)
    ),
    max_size=6,
)


@pytest.mark.usefixtures("short_folds")
@settings(max_examples=400, deadline=None)
@given(TEXTS, STEPS)
@example("a\naaaaaa ", [("paste", 0, 9, "\n ")])
@example("aaaaaaa b", [("enter over", 0, 6, "")])
def test_every_step_does_to_the_text_what_it_says(field, text, steps):
    field.load(text)
    now = text
    for verb, start, end, words in steps:
        now = act(field, now, verb, start, end, words)
        assert field.text() == now, verb
    while field.document().isUndoAvailable():
        field.undo()
    assert field.text() == text
    while field.document().isRedoAvailable():
        field.redo()
    assert field.text() == now


@pytest.mark.usefixtures("short_folds")
@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_anything_done_at_any_place_of_the_document_keeps_the_rest(field, text, start, end):
    # Real places never lie between a mark and its break; the caret may.
    field.load(text)
    last = field.document().characterCount() - 1
    for words in ("x", "x\ny", ""):
        field.load(text)
        cursor = field.textCursor()
        cursor.setPosition(min(start, last))
        cursor.setPosition(min(end, last), QTextCursor.MoveMode.KeepAnchor)
        field.setTextCursor(cursor)
        chosen = field.createMimeDataFromSelection().text()
        cursor.insertText(words)
        head = text.startswith(field.text().split("x")[0]) if words else True
        assert head
        assert len(field.text()) == len(text) - len(chosen) + len(words)
        assert field.text().count("\n") == text.count("\n") - chosen.count("\n") + words.count("\n")


@pytest.mark.usefixtures("short_folds")
@given(TEXTS)
def test_nothing_of_a_fold_is_copied(field, text):
    field.load(text)
    field.selectAll()
    assert field.createMimeDataFromSelection().text() == text
    assert field.text() is text


@pytest.mark.usefixtures("short_folds")
def test_a_change_from_elsewhere_is_put_where_it_belongs(field):
    text = "one two three four five six seven\neight"
    field.load(text)
    assert field.document().blockCount() > 4
    for other in (text.replace("four", "4"), text + " nine", "zero " + text, "\n" + text, ""):
        field.load(text)
        field.merge(other)
        assert field.text() == other


@pytest.mark.usefixtures("short_folds")
def test_places_are_those_of_the_real_text(field):
    text = "😀 one two three four five six seven"
    field.load(text)
    for word in ("one", "three", "seven"):
        field.select(text.index(word), text.index(word) + len(word))
        assert field._folds.unfold(field.textCursor().selectedText()) == word


def test_a_mark_that_the_text_holds_or_that_is_typed_is_no_fold(field):
    text = "\u2063 " * 3_000
    field.load(text)
    assert field.text() is text
    press(field, 0, text="\u2063")
    press(field, 0, text="\u2064")
    assert field.text() == "\u2063\u2064" + text
    field.load("word " * 3_000)
    mark = field._folds.mark
    press(field, 0, text=mark)
    assert field.text() == mark + "word " * 3_000


def test_a_huge_paragraph_is_blocks_that_qt_lays_out_one_by_one(field, qtbot):
    field.load(PARAGRAPH)
    assert field.text() is PARAGRAPH
    field.finish()
    block, longest = field.document().begin(), 0
    while block.isValid():
        longest, block = max(longest, block.length()), block.next()
    assert longest < 3_000
    assert field.text() is PARAGRAPH
    assert not field.document().isUndoAvailable()
    choose(field, 100_000, 100_000)
    press(field, 0, text="x")
    assert field.text() == PARAGRAPH[:100_000] + "x" + PARAGRAPH[100_000:]


def test_a_short_text_is_not_folded(field):
    field.load("short\nlines " * 100)
    assert not field._folds.mark
    assert not has_long_line("a\n" * 5_000)


def test_what_was_folded_is_unfolded():
    for text in (PARAGRAPH, "a" * 10_000 + "\n" + "b" * 10_000):
        shown = Folds("\u2063").fold(text)
        assert Folds("\u2063").unfold(shown.replace("\n", BREAK)) == text.replace("\n", BREAK)
