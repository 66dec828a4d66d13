"""Laws of the keyboard on every page: who has the focus, who takes it over, and that it is seen."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QWidget

from curator.app.shortcuts import takes_text
from curator.app.widgets.stack import Stack
from tests.app.laws.conftest import bring, name_of, seen, texts, visit, words_of
from tests.app.pages.conftest import PAGE_IDS


def reachable(curator) -> list[QWidget]:
    """Return everything on the page and beside it that the keyboard can come to."""
    found = seen(curator, QWidget)
    return [w for w in found if w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.focusProxy()]


def vanish_hidden(widget: QWidget) -> None:
    widget.hide()


def vanish_disabled(widget: QWidget) -> None:
    widget.setEnabled(False)


def come_back(widget: QWidget) -> None:
    widget.show()
    widget.setEnabled(True)


@pytest.mark.parametrize("page_id", PAGE_IDS)
@pytest.mark.parametrize("vanish", [vanish_hidden, vanish_disabled])
def test_what_vanishes_hands_the_focus_to_the_main_control(whole, qtbot, page_id, vanish):
    page = visit(whole, page_id, qtbot)
    looked_at = 0
    for widget in reachable(whole):
        widget.setFocus()
        if QApplication.focusWidget() is not widget:
            continue
        looked_at += 1
        vanish(widget)
        assert QApplication.focusWidget() is page.home(), name_of(widget)
        come_back(widget)
    assert looked_at > 3


@pytest.mark.parametrize("page_id", PAGE_IDS)
def test_a_stack_that_changes_its_page_leaves_the_focus_at_the_work(whole, qtbot, page_id):
    """Qt hands it to the first widget of the new page: an arrow that goes to another conversation."""
    page = visit(whole, page_id, qtbot)
    stack = Stack(page)
    for words in ("before", "after"):
        one = QWidget()
        QPushButton(words, one)
        stack.addWidget(one)
    stack.show()
    stack.currentWidget().findChild(QPushButton).setFocus()
    stack.setCurrentIndex(1)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is page.home())
    button = stack.currentWidget().findChild(QPushButton)
    button.setFocus()
    assert QApplication.focusWidget() is button


@pytest.mark.parametrize("page_id", PAGE_IDS)
def test_the_main_control_is_the_work_and_no_button(whole, qtbot, page_id):
    home = visit(whole, page_id, qtbot).home()
    assert not isinstance(home, QAbstractButton)
    assert home.isVisible()


@pytest.mark.parametrize("page_id", PAGE_IDS)
def test_escape_leaves_every_text_and_takes_nothing_away(whole, qtbot, page_id):
    visit(whole, page_id, qtbot)
    for field in texts(whole):
        bring(field)
        field.setFocus()
        before = words_of(field)
        QTest.keyClick(field, Qt.Key.Key_Escape)
        there = QApplication.focusWidget()
        assert there is not None, name_of(field)
        assert not takes_text(there), name_of(field)
        assert words_of(field) == before, name_of(field)
