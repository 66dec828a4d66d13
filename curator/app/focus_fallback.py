"""Where the keyboard goes when the widget that had it goes away: to the page's main control.

Qt gives the focus to whatever comes next. That widget may act on Space or an arrow, so that a
key meant for the page undoes a split or changes a label. One object follows the focus of the whole window.
"""

from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from curator.app.page import Page
from curator.app.shortcuts import takes_text
from curator.app.widgets.card import Card

_ACTING: Final = (
    "QAbstractButton", "QComboBox", "QAbstractSpinBox", "QAbstractSlider", "QAbstractItemView",
    "QTabBar",
)  # fmt: skip


def acts_on_keys(widget: QWidget) -> bool:
    """Whether a widget itself answers Space or arrows."""
    return any(widget.inherits(kind) for kind in _ACTING)


def can_have(widget: QWidget | None) -> bool:
    """Whether a widget is still there, seen and usable."""
    return widget is not None and isValid(widget) and widget.isVisible() and widget.isEnabled()


class FocusFallback(QObject):
    """Follows the focus; front gives the page the window falls back to.

    Where letters are keys on that page, a mouse press outside a text leaves the text, so that letters are keys again
    wherever the mouse clicked last.
    """

    def __init__(
        self,
        app: QApplication,
        window: QWidget,
        front: Callable[[], Page | None],
    ) -> None:
        super().__init__(window)
        self._app = app
        self._window = window
        self._front = front
        self._last: WeakKeyDictionary[QWidget, QWidget] = WeakKeyDictionary()
        self._was_nowhere = False
        self._text: QWidget | None = None
        app.focusChanged.connect(self._moved)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the text at a mouse press elsewhere in the window."""
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(watched, QWidget):
            text = self._text
            is_elsewhere = (
                text is not None
                and self._app.focusWidget() is text
                and watched.window() is self._window
                and not _belongs(watched, text)
            )
            page = self._front()
            if is_elsewhere and page is not None:
                page.home().setFocus(Qt.FocusReason.MouseFocusReason)
        return super().eventFilter(watched, event)

    def _moved(self, _old: QWidget | None, now: QWidget | None) -> None:
        self._watch_mouse(now)
        came_from_nowhere, self._was_nowhere = self._was_nowhere, now is None
        if now is None:
            # What had it may only be on its way out.
            QTimer.singleShot(0, self._look)
            return
        top = now.window()
        last = self._last.get(top)
        self._last[top] = now
        page = self._front()
        if page is not None and page.is_placing:
            return
        if last is None or last is now or can_have(last) or not top.isVisible():
            return
        if came_from_nowhere and not acts_on_keys(now):
            # Somebody put the cursor there on purpose; Qt itself would have gone on at once.
            return
        self._go_home(top, now)

    def _look(self) -> None:
        top = self._app.activeWindow()
        if self._app.focusWidget() is not None or top is None or top not in self._last:
            return
        if not can_have(self._last[top]):
            self._go_home(top, None)

    def _go_home(self, top: QWidget, now: QWidget | None) -> None:
        page = self._front()
        home = top if top is not self._window or page is None else page.home()
        if home is not now:
            home.setFocus()

    def _watch_mouse(self, now: QWidget | None) -> None:
        is_text = now is not None and now.window() is self._window and takes_text(now)
        page = self._front()
        wanted = now if is_text and page is not None and page.has_letter_keys else None
        if (wanted is None) != (self._text is None):
            # Only while it matters: Python would be asked about every event of the window.
            if wanted is None:
                self._app.removeEventFilter(self)
            else:
                self._app.installEventFilter(self)
        self._text = wanted


def _belongs(pressed: QWidget, text: QWidget) -> bool:
    """Whether a press is one into the text: its own parts, and the card around it."""
    around = isinstance(pressed, Card) and pressed.isAncestorOf(text)
    return pressed is text or text.isAncestorOf(pressed) or around
