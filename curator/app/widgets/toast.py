"""Notices at the bottom right: they never take the focus, and stay until read where they matter."""

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from curator.app.session import Notice
from curator.app.widgets.buttons import IconButton, PlainButton
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.text import Plain, Quiet

_LOOK: Final = {
    "info": ("info", "accent"),
    "success": ("check", "success"),
    "warning": ("warning", "warning"),
    "error": ("error", "danger"),
}
STAYS_MS: Final = {"info": 6000, "success": 6000, "warning": 0, "error": 0}
"""How long a notice stays by itself; 0 is until it is closed."""
MOST: Final = 4
WIDTH_PX: Final = 380


class Toast(QFrame):
    """One notice with its icon, words, perhaps a button, and a way to close it."""

    closed = Signal(object)

    def __init__(self, notice: Notice, parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setObjectName("toast")
        self.setFixedWidth(WIDTH_PX)
        self.setAccessibleName(notice.text)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 12, 8, 12)
        row.setSpacing(12)
        name, tone = _LOOK[notice.level]
        top = QVBoxLayout()
        top.addWidget(IconPicture(name, tone, 20, self))
        top.addStretch(1)
        row.addLayout(top)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(Plain(notice.text, self, wrap=True))
        if notice.detail:
            words.addWidget(Quiet(notice.detail, self, wrap=True))
        if notice.action_text:
            button = PlainButton(notice.action_text, self)
            button.clicked.connect(self._act)
            line = QHBoxLayout()
            line.setContentsMargins(0, 4, 0, 0)
            line.addWidget(button)
            line.addStretch(1)
            words.addLayout(line)
        words.addStretch(1)
        row.addLayout(words, 1)
        side = QVBoxLayout()
        close = IconButton("close", self.tr("Close this notice"), self, size=12)
        close.clicked.connect(self._close)
        side.addWidget(close)
        side.addStretch(1)
        row.addLayout(side)
        if STAYS_MS[notice.level] and not notice.action_text:
            QTimer.singleShot(STAYS_MS[notice.level], self._close)

    def _act(self) -> None:
        if self.notice.action is not None:
            self.notice.action()
        self._close()

    def _close(self) -> None:
        self.closed.emit(self)


class Toaster(QObject):
    """Stacks the notices over the window's bottom right corner, the newest lowest."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._toasts: list[Toast] = []

    def show(self, notice: Notice) -> None:
        """Show a notice; the same words twice stand only once, and the oldest gives way."""
        for toast in [t for t in self._toasts if t.notice.says_the_same(notice)]:
            self._drop(toast)
        while len(self._toasts) >= MOST:
            self._drop(self._toasts[0])
        toast = Toast(notice, self._window)
        toast.closed.connect(self._drop)
        self._toasts.append(toast)
        toast.show()
        self.place()

    def clear(self) -> None:
        """Take all notices away: they go with the project they speak of."""
        while self._toasts:
            self._drop(self._toasts[-1])

    def notices(self) -> tuple[Notice, ...]:
        """Return what is shown, oldest first."""
        return tuple(toast.notice for toast in self._toasts)

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
