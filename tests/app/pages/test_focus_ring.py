"""Law: whoever holds the keyboard shows it, on every page, in every theme."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from curator.app.main import PAGES
from curator.app.widgets.card import card_around
from tests.app.laws.conftest import bring, name_of, seen, settle, visit

_AROUND = 4
_CHANGED = 40
"""A caret alone changes fewer points than this."""


def ring_room(widget: QWidget) -> QRect:
    """The part of the window where a widget or the card it fills may show that it has the focus."""
    holder = card_around(widget) or widget
    place = QRect(holder.mapTo(widget.window(), QPoint(0, 0)), holder.size())
    return place.adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND).intersected(widget.window().rect())


def changed(before: QImage, after: QImage) -> int:
    """How many points of two pictures differ."""
    one, two = (
        np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint32)
        for image in (before, after)
    )
    return int(np.count_nonzero(one != two))


@pytest.mark.parametrize("page_id", [entry.page_id for entry in PAGES])
def test_every_control_that_takes_the_keyboard_shows_it(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    dark = []
    for widget in seen(whole, QWidget):
        # What is shown anew while one goes through all of it is gone.
        if not isValid(widget):
            continue
        takes = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
        if not takes or not (page.isAncestorOf(widget) or _in_inspector(page, widget)):
            continue
        page.setFocus()
        bring(widget)
        settle(whole, qtbot)
        if not isValid(widget) or not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        room = ring_room(widget)
        before = whole.window.grab(room).toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        if QApplication.focusWidget() is not widget:
            continue
        qtbot.wait(1)
        # The card one is at keeps its ring while the focus is elsewhere for a moment.
        is_ringed = bool(card_around(widget) and card_around(widget).property("current"))
        if not is_ringed and changed(before, whole.window.grab(room).toImage()) < _CHANGED:
            dark.append(name_of(widget))
    assert dark == [], dark


def _in_inspector(page, widget: QWidget) -> bool:
    inspector = page.inspector()
    return inspector is not None and inspector.isAncestorOf(widget)
