"""The value picker: letters find an answer among many, Enter gives it, on the Label and Write pages."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from curator.app.annotate.value_picker import ValuePicker
from curator.app.pages.label.keys import Answer
from curator.dataset import Edit, LabelSet
from curator.project.labels import label_sets_patch

MANY = LabelSet("intent", "choice", tuple(f"{a}_{b}" for a in ("card", "pin", "top_up", "cash") for b in
    ("arrival", "lost", "fee", "limit", "stolen", "not_working", "pending", "swallowed")))  # fmt: skip
TONE = LabelSet("tone", "rating", ("1", "2", "3"))
GIVE = Qt.Key.Key_Return


@pytest.fixture
def many(opened):
    """The Label page with a set of 32 values and a rating."""
    patch = label_sets_patch(opened.session.project, (MANY, TONE))
    opened.session.push(Edit("Label sets", "anna", (patch,)))
    opened.window.activateWindow()
    opened.front.setFocus()
    return opened


def labels(curator, conversation: int) -> dict[str, str]:
    return {each.label_set: each.value for each in curator.session.project.labels(conversation)}


def picker(curator) -> ValuePicker:
    return curator.front.picking.picker


def shown(curator) -> list[str]:
    found = picker(curator).found
    return [found.item(row).text() for row in range(found.count())]


def test_letters_find_an_answer_and_enter_gives_it_and_goes_on(many, qtbot):
    qtbot.keyClick(many.window, Qt.Key.Key_L)
    field = picker(many).field
    assert QApplication.focusWidget() is field
    assert len(shown(many)) == 32
    qtbot.keyClicks(field, "pinlo")
    assert shown(many)[0] == "pin_lost"
    qtbot.keyClick(field, GIVE)
    assert labels(many, 1) == {"intent": "pin_lost"}
    assert many.front.queue.current == 1
    qtbot.keyClicks(field, "3")
    qtbot.keyClick(field, GIVE)
    assert labels(many, 1) == {"intent": "pin_lost", "tone": "3"}
    assert many.front.queue.current == 2
    assert not picker(many).isVisible()
    assert QApplication.focusWidget() is not field


def test_letters_of_keys_are_letters_in_the_picker(many, qtbot):
    qtbot.keyClick(many.window, Qt.Key.Key_L)
    qtbot.keyClicks(picker(many).field, "axf pl 1 ")
    assert many.session.project.annotation(1).status == "pending"
    assert not many.session.project.annotation(1).flag
    assert labels(many, 1) == {}
    assert shown(many) == []
    qtbot.keyClick(picker(many).field, GIVE)
    assert labels(many, 1) == {}
    qtbot.keyClick(picker(many).field, Qt.Key.Key_Escape)
    assert not picker(many).isVisible()
    qtbot.keyClick(many.window, Qt.Key.Key_A)
    assert many.session.project.annotation(1).status == "accepted"


def test_shift_enter_stays(many, qtbot):
    qtbot.keyClick(many.window, Qt.Key.Key_L)
    qtbot.keyClicks(picker(many).field, "cashfee")
    qtbot.keyClick(picker(many).field, GIVE, Qt.KeyboardModifier.ShiftModifier)
    assert labels(many, 1) == {"intent": "cash_fee"}
    assert many.front.queue.current == 1
    assert not picker(many).isVisible()


def test_going_on_can_be_switched_off(many, qtbot):
    many.dialogs.store().change("advance", False)
    many.menus.run("label.pick")
    picker(many).field.setText("cashfee")
    qtbot.keyClick(picker(many).field, GIVE)
    qtbot.keyClicks(picker(many).field, "1")
    qtbot.keyClick(picker(many).field, GIVE)
    assert labels(many, 1) == {"intent": "cash_fee", "tone": "1"}
    assert many.front.queue.current == 1


def test_what_was_used_last_comes_first(many, qtbot):
    for wanted in ("cash_swallowed", "top_up_fee"):
        many.menus.run("label.pick")
        picker(many).field.setText(wanted)
        qtbot.keyClick(picker(many).field, GIVE, Qt.KeyboardModifier.ShiftModifier)
        many.menus.run("conversation.next")
    many.menus.run("label.pick")
    assert shown(many)[:3] == ["top_up_fee", "cash_swallowed", "card_arrival"]
    assert len(shown(many)) == 32


def test_the_answer_given_can_be_taken_away(many, qtbot):
    many.front.answer(Answer("intent", "pin_fee"))
    many.menus.run("label.pick")
    field = picker(many).field
    assert "Take the answer away" not in shown(many)
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert shown(many)[-1] == "Take the answer away"
    qtbot.keyClick(field, Qt.Key.Key_Up)
    qtbot.keyClick(field, GIVE)
    assert labels(many, 1) == {}


def test_a_key_held_down_gives_one_answer(many, qtbot):
    many.menus.run("label.pick")
    held = QKeyEvent(QKeyEvent.Type.KeyPress, GIVE, Qt.KeyboardModifier.NoModifier, "\r", True)
    QApplication.sendEvent(picker(many).field, held)
    assert labels(many, 1) == {}
    assert picker(many).isVisible()


def test_a_long_set_does_not_fill_the_page(many):
    bar = many.front._bar
    assert sum(answer.label_set == "intent" for answer in bar._buttons) == 7
    other = bar._others["intent"]
    assert not other.isVisible()
    many.front.answer(Answer("intent", "cash_pending"))
    assert (other.text(), other.isVisible(), other.isChecked()) == ("cash_pending", True, True)
    other.click()
    assert labels(many, 1) == {}
    assert not other.isVisible()


def test_an_answer_is_for_the_conversation_the_picker_was_opened_for(many, qtbot):
    many.menus.run("label.pick")
    many.front.queue.next()
    many.front._show()
    picker(many).field.setText("cardfee")
    qtbot.keyClick(picker(many).field, GIVE)
    picker(many).field.setText("2")
    qtbot.keyClick(picker(many).field, GIVE)
    assert labels(many, 1) == {"intent": "card_fee", "tone": "2"}
    assert labels(many, 2) == {}
    assert many.front.queue.current == 2


def test_leaving_the_page_closes_the_picker(many):
    many.menus.run("label.pick")
    assert picker(many).isVisible()
    many.show_page("write")
    assert not many.pages["label"].picking.picker.isVisible()


def test_the_write_page_answers_for_all_that_are_chosen(many, qtbot):
    page = many.show_page("write")
    qtbot.waitUntil(lambda: page.list.table.rowCount() == 12)
    page.list.go_to(3)
    many.menus.run("label.pick")
    picker(many).field.setText("cardfee")
    qtbot.keyClick(picker(many).field, GIVE)
    picker(many).field.setText("1")
    qtbot.keyClick(picker(many).field, GIVE)
    assert labels(many, 3) == {"intent": "card_fee", "tone": "1"}
    assert many.session.current == 4
    page.list.choose_all()
    many.menus.run("label.pick")
    picker(many).field.setText("pinfee")
    qtbot.keyClick(picker(many).field, GIVE, Qt.KeyboardModifier.ShiftModifier)
    assert {labels(many, each)["intent"] for each in range(1, 13)} == {"pin_fee"}
    assert many.session.current == 4


def test_the_inspector_opens_the_picker(many, qtbot):
    page = many.show_page("write")
    qtbot.waitUntil(lambda: many.session.current is not None)
    page.inspector()._pick.click()
    assert picker(many).isVisible()


def test_without_label_sets_the_way_out_is_told(opened):
    opened.session.push(Edit("None", "anna", (label_sets_patch(opened.session.project, ()),)))
    opened.menus.run("label.pick")
    assert "Ctrl+L" in opened.window.toaster.notices()[-1].text
    assert opened.front.picking.picker is None


def test_the_picker_stays_inside_a_narrow_window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(320, 300)
    window.show()
    sheet = ValuePicker(window)
    sheet.ask([1], [MANY], {}, {})
    assert sheet.x() == 0
