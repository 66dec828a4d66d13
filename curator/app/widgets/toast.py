"""Notices at the bottom right: at most two, never with the focus, and gone after a while.

What mattered (a warning, an error) and left unread is kept: the status line counts it and shows it
again. All of them go with their project.
"""

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from curator.app.session.session import Notice
from curator.app.widgets.buttons import IconButton, PlainButton
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.text import Muted, Plain

_LOOK: Final = {
    "info": ("info", "accent"),
    "success": ("check", "success"),
    "warning": ("warning", "warning"),
    "error": ("error", "danger"),
}
STAYS_MS: Final = {"info": 6000, "success": 6000, "warning": 20_000, "error": 20_000}
"""How long a notice stays by itself; the pointer over it, or the focus in it, holds it."""
WITH_BUTTON_MS: Final = 12_000
"""One with a button stays so long at least."""
MOST: Final = 2
MOST_KEPT: Final = 20
WIDTH_PX: Final = 380


class Toast(QFrame):
    """One notice with its icon, words, perhaps a button, and a way to close it."""

    closed = Signal(object)
    timed_out = Signal(object)

    def __init__(self, notice: Notice, parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setObjectName("toast")
        self.setFixedWidth(WIDTH_PX)
        self.setAccessibleName(notice.text)
        name, tone = _LOOK[notice.level]
        top = vbox(IconPicture(name, tone, 20, self), STRETCH)
        words = vbox(Plain(notice.text, self, wrap=True), spacing=4)
        if notice.detail:
            words.addWidget(Muted(notice.detail, self, wrap=True))
        if notice.action_text:
            button = PlainButton(notice.action_text, self)
            button.clicked.connect(self._act)
            words.addLayout(hbox(button, STRETCH, margins=(0, 4, 0, 0)))
        words.addStretch(1)
        close = IconButton("close", self.tr("Close this notice"), self, size=12)
        close.clicked.connect(self._close)
        side = vbox(close, STRETCH)
        hbox(top, (words, 1), side, parent=self, spacing=12, margins=(12, 12, 8, 12))
        stays = STAYS_MS[notice.level]
        self.timer = QTimer(self)
        self.timer.setInterval(max(stays, WITH_BUTTON_MS) if notice.action_text else stays)
        self.timer.timeout.connect(self._time_out)
        self.timer.start()

    def _time_out(self) -> None:
        there = QApplication.focusWidget()
        is_used = there is not None and self.isAncestorOf(there)
        if not self.underMouse() and not is_used:
            self.timed_out.emit(self)

    def _act(self) -> None:
        # What it does may tell something itself.
        self._close()
        if self.notice.action is not None:
            self.notice.action()

    def _close(self) -> None:
        self.closed.emit(self)


class Toaster(QObject):
    """Stacks the notices over the window's bottom right corner, the newest lowest.

    kept_changed carries how many warnings and errors left without being closed.
    """

    kept_changed = Signal(int)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._toasts: list[Toast] = []
        self._kept: list[Notice] = []

    def show(self, notice: Notice) -> None:
        """Show a notice; the same words twice stand only once, and the oldest gives way."""
        for toast in [t for t in self._toasts if t.notice.is_same(notice)]:
            self._drop(toast)
        self._keep([kept for kept in self._kept if not kept.is_same(notice)])
        while len(self._toasts) >= MOST:
            self._put_by(self._toasts[0])
        toast = Toast(notice, self._window)
        toast.closed.connect(self._drop)
        toast.timed_out.connect(self._put_by)
        self._toasts.append(toast)
        # At its place before it is seen: it must not pass under the pointer on its way there.
        self.place()
        toast.show()
        self.place()

    def clear(self) -> None:
        """Take all notices away: they go with the project they speak of."""
        while self._toasts:
            self._drop(self._toasts[-1])
        self._keep([])

    def notices(self) -> tuple[Notice, ...]:
        """Return what is shown, oldest first."""
        return tuple(toast.notice for toast in self._toasts)

    def show_kept(self) -> None:
        """Show again what left unread, the newest first."""
        again, rest = self._kept[-MOST:], self._kept[:-MOST]
        self._keep(rest)
        for notice in again:
            self.show(notice)

    def _put_by(self, toast: Toast) -> None:
        """Take a notice off the screen, and keep it where it mattered."""
        self._drop(toast)
        if toast.notice.level in ("warning", "error"):
            self._keep([*self._kept, toast.notice][-MOST_KEPT:])

    def _keep(self, kept: list[Notice]) -> None:
        if len(kept) != len(self._kept):
            self.kept_changed.emit(len(kept))
        self._kept = kept

    def _drop(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.hide()
            toast.deleteLater()
            self.place()

    def place(self) -> None:
        """Put the notices into the corner, as the window is now."""
        bottom = self._window.height() - 48
        for toast in reversed(self._toasts):
            toast.setFixedHeight(max(toast.heightForWidth(WIDTH_PX), toast.sizeHint().height()))
            bottom -= toast.height()
            toast.move(self._window.width() - WIDTH_PX - 16, bottom)
            toast.raise_()
            bottom -= 8
