"""Every character survives being shown, typed beside, copied and pasted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QEvent, QMimeData, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication

from curator.app.widgets.clipboard_text import PRIVATE_TEXT
from curator.app.widgets.lossless import StandIns, newline_style
from curator.app.widgets.message_text import MessageText
from curator.dataset.json_values import dumps, loads

HARD_TEXTS = {
    "non-breaking space": "10\u00a0000\u202f€",
    "line and paragraph separators": "a\u2028b\u2029c\u0085d",
    "CR LF": "one\r\ntwo\r\n",
    "CR": "one\rtwo\r",
    "mixed line endings": "one\r\ntwo\nthree\rfour\n\r",
    "NUL and controls": "a\x00b\x01\x0b\x0c\x1b\x7f\tc",
    "lone surrogates": "\ud800 high, low \udc00, \udfff\ud83d",
    "byte-order marks": "\ufeffstart\ufeffmiddle\ufffe",
    "swapped mark first": "\ufffe\u6100",
    "noncharacters": "\ufdd0\ufdd1\ufdef\uffff\ufffc\U0010ffff",
    "stand-ins that are meant": "\ud800\ufffd⍰␀\x00\ue000\uf8ff␍\r\n",
    "right to left": "שלום \u202eabc\u202c \u200fمرحبا\u200e",
    "emoji sequences": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪 e\u0301 é",
    "control tokens": "<|im_start|>system<|im_sep|><|endoftext|>",
    "private use": "\ue000\uf8ff\U000f0000\U0010fffd",
    "tabs and edges": "\t  \n\n  leading and trailing  \n",
    "empty": "",
    "long": "The quick brown fox. \u00a0\r\n" * 8000,
}


@pytest.fixture
def field(qtbot):
    text = MessageText()
    text.resize(600, 200)
    qtbot.addWidget(text)
    text.show()
    return text


@pytest.mark.parametrize("name", HARD_TEXTS)
def test_a_text_nobody_touched_comes_back_as_the_very_string(field, name):
    field.load(HARD_TEXTS[name])
    assert field.text() is HARD_TEXTS[name]


@pytest.mark.parametrize("name", HARD_TEXTS)
def test_one_letter_typed_changes_only_that_letter(field, qtbot, name):
    text = HARD_TEXTS[name]
    for before in (True, False):
        field.load(text)
        move = QTextCursor.MoveOperation.Start if before else QTextCursor.MoveOperation.End
        field.moveCursor(move)
        qtbot.keyClicks(field, "x")
        assert field.text() == ("x" + text if before else text + "x")
        qtbot.keyClick(field, Qt.Key.Key_Backspace)
        assert field.text() == text


@pytest.mark.parametrize("name", [n for n in HARD_TEXTS if n != "long"])
def test_a_letter_typed_at_every_place_leaves_the_rest(field, name):
    text = HARD_TEXTS[name]
    for position in range(len(text) + 1):
        if text[position - 1 : position + 1] == "\r\n" and newline_style(text) == "\r\n":
            continue
        field.load(text)
        cursor = field.textCursor()
        cursor.setPosition(field.stand_ins.offset(text, position))
        cursor.insertText("x")
        assert field.text() == text[:position] + "x" + text[position:]


@pytest.mark.parametrize("name", HARD_TEXTS)
def test_copy_and_paste_keep_every_character(field, name):
    text = HARD_TEXTS[name]
    field.load(text)
    field.selectAll()
    mime = field.createMimeDataFromSelection()
    field.load("\r\n" if newline_style(text) == "\r\n" else "")
    field.selectAll()
    field.insertFromMimeData(mime)
    if newline_style(text) == "\n" and "\r" not in text:
        assert field.text() == text
    else:
        assert field.text().replace("\r\n", "\n") == text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_pasted_character_that_equals_a_stand_in_is_not_confused(field):
    field.load("a\x00b")
    field.moveCursor(QTextCursor.MoveOperation.End)
    mime = QMimeData()
    mime.setText("␀")
    field.insertFromMimeData(mime)
    assert field.text() == "a\x00b␀"


def type_character(field, character):
    """Press a key that QTest cannot press: it aborts on anything outside Latin-1."""
    press = QEvent.Type.KeyPress
    QApplication.sendEvent(field, QKeyEvent(press, 0, Qt.KeyboardModifier.NoModifier, character))


def test_a_typed_character_that_equals_a_later_stand_in_is_not_confused(field):
    field.load("a")
    field.moveCursor(QTextCursor.MoveOperation.End)
    type_character(field, "␀")
    mime = QMimeData()
    mime.setText("\x00")
    field.insertFromMimeData(mime)
    type_character(field, "␀")
    assert field.text() == "a␀\x00␀"


def test_shift_enter_writes_a_newline_not_a_line_separator(field, qtbot):
    field.load("ab")
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert field.text() == "\nab"


def test_every_enter_is_a_newline_on_an_empty_line_too(field, qtbot):
    field.load("")
    for count in (1, 2, 3):
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert field.text() == "\n" * count
    qtbot.keyClicks(field, "x")
    assert field.text() == "\n\n\nx"


def test_what_may_only_be_read_takes_no_key(field, qtbot):
    field.load("a\x00b")
    field.setReadOnly(True)
    shift = Qt.KeyboardModifier.ShiftModifier
    for modifiers in (Qt.KeyboardModifier.NoModifier, shift):
        qtbot.keyClick(field, Qt.Key.Key_Return, modifiers)
    qtbot.keyClicks(field, "x")
    type_character(field, "␀")
    assert field.text() == "a\x00b"


def test_undo_to_the_start_gives_the_very_string_again(field, qtbot):
    text = HARD_TEXTS["mixed line endings"]
    field.load(text)
    qtbot.keyClicks(field, "abc")
    while field.document().isUndoAvailable():
        field.undo()
    assert field.text() is text


def test_undo_beyond_the_field_is_handed_on(field, qtbot):
    field.load("text")
    with qtbot.waitSignal(field.undo_requested, timeout=500):
        qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


def test_merging_a_change_from_elsewhere_keeps_the_caret(field):
    field.load("one two three")
    cursor = field.textCursor()
    cursor.setPosition(3)
    field.setTextCursor(cursor)
    edits: list[bool] = []
    field.text_edited.connect(lambda: edits.append(True))
    field.merge("one two \ud800four")
    assert field.text() == "one two \ud800four"
    assert field.textCursor().position() == 3
    assert not edits


def test_the_field_grows_with_its_text(field):
    field.load("one line")
    low = field.height()
    field.load("line\n" * 30)
    assert field.height() > 20 * low


LONG = "".join(f"{n}: the quick\u00a0brown fox 😀 \x00 jumps.\n" for n in range(3_000))


def test_a_long_text_comes_bit_by_bit_and_is_the_very_string_all_the_while(field, qtbot):
    field.load(LONG)
    assert 1 < field.document().blockCount() < 1_000
    edits: list[bool] = []
    field.text_edited.connect(lambda: edits.append(True))
    height = field.height()
    assert field.text() is LONG
    qtbot.waitUntil(lambda: field.document().blockCount() == 3_001, timeout=20_000)
    assert field.text() is LONG
    assert 0.8 < field.height() / height < 1.2
    assert not field.document().isUndoAvailable()
    assert not edits


def test_what_is_typed_before_a_long_text_is_there_stands_in_the_whole_of_it(field, qtbot):
    field.load(LONG)
    qtbot.keyClicks(field, "x")
    assert field.text() == "x" + LONG
    field.load(LONG)
    field.merge(LONG + "y")
    assert field.text() == LONG + "y"
    field.load(LONG)
    qtbot.keyClick(field, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(field, "z")
    assert field.text() == LONG + "z"


def test_another_text_takes_the_place_of_a_long_one_that_was_still_coming(field, qtbot):
    field.load(LONG)
    field.load("short")
    qtbot.wait(50)
    assert field.text() == "short"
    assert field.document().blockCount() == 1
    qtbot.keyClicks(field, "a ")
    assert field.text() == "a short"


HALVES = "a\ud83d, \ude00b"


def bring_together(field, text=HALVES):
    """Delete what stands between the halves of an emoji that was cut in two."""
    field.load(text)
    cursor = field.textCursor()
    cursor.setPosition(field.stand_ins.offset(text, text.index(",")))
    cursor.setPosition(
        field.stand_ins.offset(text, text.index("\ude00")), QTextCursor.MoveMode.KeepAnchor
    )
    field.setTextCursor(cursor)


def test_halves_of_an_emoji_brought_together_are_it_at_once_as_they_will_be_in_the_file(
    field, qtbot
):
    bring_together(field)
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    assert field.text() == "a😀b"
    assert field.document().toRawText() == "a😀b"
    assert loads(dumps(field.text())) == field.text()
    qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.text() == HALVES
    field.redo()
    assert field.text() == "a😀b"


def test_a_half_that_is_pasted_beside_the_other_one_makes_the_emoji(field):
    bring_together(field)
    mime = QMimeData()
    mime.setData(PRIVATE_TEXT, QByteArray("\ude00 and \ud83d".encode("utf-8", "surrogatepass")))
    field.insertFromMimeData(mime)
    assert field.text() == "a😀 and 😀b"
    assert loads(dumps(field.text())) == field.text()


def test_halves_in_the_wrong_order_stay_what_they_are(field, qtbot):
    text = "\ude00,\ud83d"
    field.load(text)
    cursor = field.textCursor()
    cursor.setPosition(field.stand_ins.offset(text, 2))
    field.setTextCursor(cursor)
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    assert field.text() == "\ude00\ud83d"
    assert loads(dumps(field.text())) == field.text()


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=40))
def test_show_and_read_are_inverse(text):
    stand_ins = StandIns(text)
    assert stand_ins.read(stand_ins.show(text).replace("\n", "\u2029")) == text


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(alphabet="a\r\n\x00\ud800\ufffd␀\ue000\u2029¶😀", max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_texts_shown_later_never_confuse_earlier_ones(texts):
    stand_ins = StandIns(texts[0])
    shown = []
    for text in texts:
        stand_ins.reserve("".join(shown))
        shown.append(stand_ins.show(text))
    if stand_ins.newline == "\n":
        assert [stand_ins.read(s.replace("\n", "\u2029")) for s in shown] == texts
