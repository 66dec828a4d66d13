"""The shared widgets: what they show, what they are called, and how they follow the theme."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QSplitter, QWidget

from curator.app.actions import action
from curator.app.session.background import Progress
from curator.app.widgets.buttons import ActionButton, ChipButton, IconButton, PrimaryButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.key_button import KeyButton
from curator.app.widgets.progress_row import ProgressRow, duration
from curator.app.widgets.reading_card import SHOWN_CHARACTERS, ReadingCard, showable
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.severity import SeverityIcon
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.text import Elided, tip_of
from curator.app.widgets.token_meter import TokenMeter
from curator.dataset import Message


def test_a_button_is_named_by_its_text_until_it_has_another_name(qtbot):
    button = ChipButton("")
    qtbot.addWidget(button)
    button.setText("Errors 3")
    assert button.accessibleName() == "Errors 3"
    button.setAccessibleName("Only errors")
    button.setText("Errors 4")
    assert button.accessibleName() == "Only errors"


def test_an_action_button_asks_by_id(qtbot):
    button = ActionButton(action("label.accept"), primary=True)
    qtbot.addWidget(button)
    with qtbot.waitSignal(button.action_requested) as caught:
        button.click()
    assert caught.args == ["label.accept"]
    assert "(A)" in button.toolTip()


def test_a_key_button_has_room_for_its_key(qtbot):
    plain, keyed = PrimaryButton("Accept"), KeyButton("Accept", "Space")
    qtbot.addWidget(plain)
    qtbot.addWidget(keyed)
    assert keyed.sizeHint().width() > plain.sizeHint().width()
    assert keyed.focusPolicy() == Qt.FocusPolicy.TabFocus
    assert "Space" in keyed.accessibleDescription()


def test_an_icon_button_has_a_name(qtbot):
    button = IconButton("plus", "Add")
    qtbot.addWidget(button)
    assert (button.accessibleName(), button.toolTip()) == ("Add", "Add")


def test_a_chip_says_what_it_shows(qtbot):
    chip = Chip("User", "role-user")
    qtbot.addWidget(chip)
    chip.set("Assistant", "role-assistant")
    assert (chip.text, chip.accessibleName()) == ("Assistant", "Assistant")


def test_a_way_out_takes_the_cursor_also_while_another_window_is_active(qtbot):
    first, other = QWidget(), QWidget()
    qtbot.addWidget(first)
    qtbot.addWidget(other)
    state = EmptyState("chat", "Looking", "A moment.", parent=first)
    first.show()
    state.guide.setFocus()
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: not state.guide.hasFocus(), timeout=60_000)
    state.set_message("Nobody to ask", "Set it up.", "Go to Train")
    assert first.focusWidget() is state.button


def test_an_empty_state_offers_one_button(qtbot):
    state = EmptyState("tag", "Nothing", "A long sentence " * 8, "Import")
    qtbot.addWidget(state)
    state.resize(800, 600)
    state.show()
    with qtbot.waitSignal(state.pressed):
        state.button.click()
    assert state._sentence.height() >= 2 * state._sentence.fontMetrics().height()
    state.set_message("All done", "Yes.")
    assert not state.button.isVisible()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (62, "62 s"), (170, "3 min"), (7500, "2 h 5 min")]
)
def test_times_in_words(seconds, words):
    assert duration(seconds) == words


def test_progress_in_words(qtbot):
    row = ProgressRow("Import")
    qtbot.addWidget(row)
    row.show_progress(Progress(1000, 4000, "Reading", 170))
    assert row._facts.text() == "Reading · 1,000 of 4,000 · 3 min left"
    assert row._bar.value() == 250
    row.show_progress(Progress(7, 0, ""))
    assert row._bar.maximum() == 0


def test_a_severity_has_a_word(qtbot):
    icon = SeverityIcon("warning")
    qtbot.addWidget(icon)
    assert icon.accessibleName() == "Warning"


def test_a_meter_says_its_numbers(qtbot):
    meter = TokenMeter()
    qtbot.addWidget(meter)
    meter.set([("user", 3000), ("assistant", 480)], 3112)
    assert meter.accessibleName() == "3,480 of 3,112 tokens"
    meter.resize(400, 8)
    image = meter.grab().toImage()
    assert len({image.pixel(x, 4) for x in range(400)}) >= 3


def test_a_long_line_is_cut_and_whole_in_the_tip(qtbot):
    label = Elided("word " * 100)
    qtbot.addWidget(label)
    label.setText("other " * 100)
    assert label.minimumSizeHint().width() <= 24
    assert label.toolTip().count("other") == 100


def test_a_reading_card_is_named_and_shows_a_long_text_in_two_steps(qtbot):
    text = "x" * (SHOWN_CHARACTERS + 1000)
    card = ReadingCard(Message.of("user", text), 2)
    qtbot.addWidget(card)
    assert card.accessibleName() == "Message 2, User"
    assert card._text.text() == text[:SHOWN_CHARACTERS]
    assert "1,000" in card._more.text()
    card._more.click()
    assert card._text.text() == text


def test_a_reading_card_shows_tool_calls_and_odd_values(qtbot):
    call = {"id": "c1", "function": {"name": "find_iban", "arguments": {"a": "\ud800"}}}
    card = ReadingCard(Message({"role": "assistant", "tool_calls": [call], "content": None}), 1)
    qtbot.addWidget(card)
    shown = {chip.text for chip in card.findChildren(Chip) if not chip.isHidden()}
    assert shown == {"Assistant", "find_iban"}
    empty = ReadingCard(Message({"role": "critic", "content": ""}), 1)
    qtbot.addWidget(empty)
    assert empty.accessibleName() == "Message 1, critic"


def test_what_qt_cannot_show_is_replaced():
    assert showable("a\ud800b\0c") == "a?b␀c"


def test_a_card_marks_the_current_one(qtbot):
    card = Card(stripe="role-user")
    qtbot.addWidget(card)
    card.set_current(current=True)
    assert card.property("current") is True
    card.resize(100, 60)
    assert not card.grab().isNull()


def test_a_splitter_comes_back_where_it_was(qtbot):
    def make() -> QSplitter:
        splitter = QSplitter()
        qtbot.addWidget(splitter)
        splitter.addWidget(QWidget())
        splitter.addWidget(QWidget())
        splitter.resize(400, 100)
        splitter.show()
        return splitter

    first = make()
    state = SplitterState(first, "test")
    first.setSizes([100, 292])
    state._keep()
    second = make()
    SplitterState(second, "test")
    assert second.sizes() == first.sizes()


def test_a_reading_card_is_used_again(qtbot):
    call = {"id": "c1", "function": {"name": "find_iban", "arguments": "{}"}}
    card = ReadingCard(Message({"role": "assistant", "tool_calls": [call], "weight": 0}), 1)
    qtbot.addWidget(card)
    card.show_message(Message.of("user", "Where is my card?"), 2)
    assert card.accessibleName() == "Message 2, User"
    assert card._text.text() == "Where is my card?"
    assert {chip.text for chip in card.findChildren(Chip) if not chip.isHidden()} == {"User"}


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
@pytest.mark.parametrize("kind", [PrimaryButton, ChipButton, IconButton])
def test_a_button_with_the_focus_answers_enter_as_it_does_space(qtbot, kind, key):
    button = IconButton("close", "Close") if kind is IconButton else kind("Go on")
    qtbot.addWidget(button)
    with qtbot.waitSignal(button.clicked, timeout=1000):
        qtbot.keyClick(button, key)


def test_a_long_name_is_shown_from_its_first_letter(qtbot):
    """Whoever chose it, a name longer than its box begins at its beginning; the list shows it whole."""
    names = [f"ft:tiny:this-computer:support-desk-sample:18ec2dd202ac28f1c75f9b{n}" for n in "17"]
    holder = QWidget()
    qtbot.addWidget(holder)
    box, other = ComboBox(holder), QLineEdit(holder)
    box.setEditable(True)
    box.setFixedWidth(160)
    other.move(0, 60)
    holder.show()
    holder.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is holder)
    line = box.lineEdit()
    other.setFocus()
    box.offer([(name, None) for name in names], names[0])
    for chosen in (names[0], names[1], "a base whose name was only typed, longer than the box"):
        box.setCurrentText(chosen)
        assert (line.cursorPosition(), line.toolTip()) == (0, tip_of(chosen))
    box.setFocus()
    QTest.keyClick(line, Qt.Key.Key_Down)
    assert box.currentText() in names
    assert line.cursorPosition() == 0
    line.selectAll()
    QTest.keyClicks(line, "mine")
    assert line.cursorPosition() == 4
    other.setFocus()
    assert line.cursorPosition() == 0
    box.showPopup()
    assert box.view().viewport().width() >= box.view().sizeHintForColumn(0)
    box.hidePopup()
