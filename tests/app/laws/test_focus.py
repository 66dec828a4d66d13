"""Law: a widget that goes away hands the focus to the page's main control, never to a neighbour."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QListWidget,
    QPushButton,
    QWidget,
)

from curator import app as curator_app
from curator.app.focus_fallback import acts_on_keys
from curator.app.main import PAGES
from curator.app.shortcuts import takes_text
from curator.app.text_order import texts_of
from curator.app.widgets.card import Card, nearest_text
from curator.app.widgets.reading_card import ReadingCard
from tests.app.laws.conftest import bring, name_of, seen, settle, visit

PAGE_IDS = [entry.page_id for entry in PAGES]


def test_every_stack_of_the_window_is_the_one_that_keeps_the_law():
    app = Path(curator_app.__file__).parent
    plain = [p for p in app.rglob("*.py") if "QStackedWidget(" in p.read_text("utf-8")]
    assert not plain


def test_the_sample_opens_with_the_focus_in_its_list(curator, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("curator.app.session.file_actions.documents", lambda: tmp_path)
    curator.window.resize(1500, 1000)
    curator.window.show()
    curator.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is curator.window)
    card = next(w for w in seen(curator, QAbstractButton) if w.accessibleName() == "Try the sample")
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: curator.session.project is not None, timeout=60_000)
    settle(curator, qtbot)
    qtbot.waitUntil(lambda: curator.front.page_id == "write")
    assert QApplication.focusWidget() is curator.front.home()


def test_what_is_deleted_hands_the_focus_on_too(whole, qtbot):
    page = visit(whole, "export", qtbot)
    button = QPushButton("x", page)
    button.show()
    button.setFocus()
    button.deleteLater()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is page.home())


def test_a_notice_that_goes_leaves_the_focus_at_the_work(whole, qtbot):
    """The end of an import report once left it on a label, which the next arrow changed."""
    page = visit(whole, "write", qtbot)
    whole.session.notify("warning", "x", action_text="Do it", action=lambda: None)
    toast = whole.window.toaster._toasts[-1]
    toast.findChild(QPushButton).setFocus()
    toast._act()
    assert QApplication.focusWidget() is page.home()


def test_a_widget_that_vanished_behind_a_dialog_does_not_leave_the_focus_to_a_neighbour(
    whole, qtbot
):
    page = visit(whole, "export", qtbot)
    page.split.assign.setFocus()
    dialog = QDialog(whole.window)
    dialog.open()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    page.split.assign.setEnabled(False)
    dialog.close()
    whole.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is whole.window)
    there = QApplication.focusWidget()
    assert there is None or not acts_on_keys(there), name_of(there)


def test_space_twice_on_assign_does_not_undo_the_split(whole, qtbot):
    page = visit(whole, "export", qtbot)
    page.split.assign.setFocus()
    QTest.keyClick(page.split.assign, Qt.Key.Key_Space)
    settle(whole, qtbot)
    steps = whole.session.project.last_step()
    for _ in range(3):
        QTest.keyClick(QApplication.focusWidget() or whole.window, Qt.Key.Key_Space)
        settle(whole, qtbot)
    assert whole.session.project.last_step() == steps


def test_space_at_the_end_of_the_queue_presses_nothing(whole, qtbot):
    page = visit(whole, "label", qtbot)
    for _ in range(len(page.queue)):
        QTest.keyClick(QApplication.focusWidget() or whole.window, "a")
    assert page.queue.current is None
    QTest.keyClick(QApplication.focusWidget() or whole.window, Qt.Key.Key_Space)
    assert page.queue.current is None


def clickable(curator) -> list[QWidget]:
    """Return what a mouse may press on the Label page: buttons, lists, cards, and the bare ground."""
    kinds = (QAbstractButton, QListWidget, ReadingCard, Card)
    found = [w for w in seen(curator, kinds) if w.window() is curator.window]
    skipped = ("Note", "rail", "Fold the page list", "Go to")
    return [w for w in found if not any(s in name_of(w) or s in _text(w) for s in skipped)]


def _text(widget: QWidget) -> str:
    return widget.text() if isinstance(widget, QAbstractButton) else ""


def keys_act(page, where: str) -> None:
    """Press a letter, a digit and Space, and see that each does what it does on this page."""
    conversation, project = page.queue.current, page.session.project
    if conversation is None:
        page._show_everything()
        conversation = page.queue.current
    flag = project.annotation(conversation).flag
    QTest.keyClick(QApplication.focusWidget() or page.window(), "f")
    assert project.annotation(conversation).flag is not flag, where
    given = page._my_labels(conversation)
    QTest.keyClick(QApplication.focusWidget() or page.window(), "1")
    assert page._my_labels(conversation) != given, where
    QTest.keyClick(QApplication.focusWidget() or page.window(), Qt.Key.Key_Space)
    assert str(project.annotation(conversation).status) == "skipped", where


@pytest.mark.parametrize("start", ["anywhere", "note", "tags"])
def test_keys_act_the_same_wherever_the_mouse_clicked_last(whole, qtbot, start):
    page = visit(whole, "label", qtbot)
    names = [name_of(w) for w in clickable(whole)]
    assert len(names) > 12
    for number, name in enumerate(names):
        found = clickable(whole)
        if number >= len(found):
            break
        widget = found[number]
        if start != "anywhere":
            (page._inspector.note if start == "note" else page._inspector._tags).setFocus()
        place = bring(widget)
        if isinstance(widget, Card) and nearest_text(widget, place) is not None:
            continue
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place)
        for box in whole.window.findChildren(QDialog):
            if box.isVisible():
                box.close()
                whole.window.activateWindow()
        if whole.front is not page:
            whole.show_page("label")
        settle(whole, qtbot)
        keys_act(page, name)


def test_tab_goes_from_text_to_text_on_write(whole, qtbot):
    page = visit(whole, "write", qtbot)
    page.editor.cards.go_to(0, enter=True)
    met = []
    for _ in range(60):
        there = QApplication.focusWidget()
        assert takes_text(there), name_of(there)
        if there in met:
            break
        met.append(there)
        QTest.keyClick(there, Qt.Key.Key_Tab)
    messages = [slot.card.content.field for slot in page.editor.cards.placeholders]
    reached = [field for field in met if field in messages]
    assert reached == [field for field in messages if field in met]
    assert {f.accessibleName() for f in met} >= {"Text", "Tags", "Note", "Arguments"}
    assert len(met) == sum(len(texts_of(r)) for r in (page.list, page.editor, page.inspector()))
    last = QApplication.focusWidget()
    QTest.keyClick(last, Qt.Key.Key_Backtab)
    assert QApplication.focusWidget() is met[-1]


def test_tab_from_a_button_still_goes_to_the_next_one(whole, qtbot):
    page = visit(whole, "write", qtbot)
    page.editor.cards.go_to(0)
    card = QApplication.focusWidget()
    QTest.keyClick(card, Qt.Key.Key_Tab)
    there = QApplication.focusWidget()
    assert there is not card
    assert card.isAncestorOf(there)


def test_enter_ends_the_tags(whole, qtbot):
    for page_id in ("write", "label"):
        page = visit(whole, page_id, qtbot)
        tags = page.inspector()._tags
        tags.setFocus()
        QTest.keyClicks(tags, f", {page_id}")
        QTest.keyClick(tags, Qt.Key.Key_Return)
        assert QApplication.focusWidget() is page.home()
        conversation = whole.session.current
        assert page_id in whole.session.project.annotation(conversation).tags


def test_the_white_around_a_text_is_its_margin(whole, qtbot):
    for page_id in ("write", "label"):
        page = visit(whole, page_id, qtbot)
        cards = [c for c in seen(whole, Card) if c.findChildren(type(page.inspector().note))]
        tried = 0
        for card in cards:
            place = QPoint(card.width() // 2, card.height() - 3)
            text = nearest_text(card, place)
            if text is None or card.childAt(place) is not None:
                continue
            bring(card)
            page.leave_text()
            QTest.mouseClick(card, Qt.MouseButton.LeftButton, pos=place)
            assert QApplication.focusWidget() is text, name_of(card)
            tried += 1
        assert tried, page_id
