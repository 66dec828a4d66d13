"""A sheet over the window with a field and a list: letters narrow the list, keys choose from it."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)
from shiboken6 import isValid

from curator.app.widgets.text import Meta

OWN_KEYS: Final = frozenset(
    {
        *(Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
        *(Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Tab),
        Qt.Key.Key_Backtab,
    }
)
"""Keys that work the list while the field has the focus."""


class SearchSheet(QFrame):
    """Takes the focus when it opens and gives it back when it leaves; hides when the focus goes elsewhere.

    A kind of sheet fills ``found`` in search() and acts on what was chosen in choose(); it lays out
    field, list and ``none``, the words that stand where the list is empty.
    """

    def __init__(self, window: QWidget, *, width: int, rows: int, row_px: int) -> None:
        super().__init__(window)
        self.setObjectName("popup")
        self.setFixedWidth(width)
        self.window_below = window
        self._rows, self._row_px = rows, row_px
        self._before: QWidget | None = None
        self.field = QLineEdit(self)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.found = QListWidget(self)
        self.found.setProperty("kind", "plain")
        self.found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.found.itemClicked.connect(self._clicked)
        self.none = Meta(self.tr("Nothing has these letters in its name."), self)
        self.none.setContentsMargins(8, 0, 8, 4)
        self.hide()

    def search(self, typed: str) -> None:
        """Fill the list with what fits the letters, best first."""

    def choose(self, item: QListWidgetItem, event: QKeyEvent | None) -> None:
        """Act on the row that was chosen; event is the press of Enter, None for a click."""

    def press_tab(self, by: int) -> None:
        """Act on Tab (1) or Shift+Tab (-1)."""

    def open_at(self, place: QPoint) -> None:
        """Show all rows there, and take letters."""
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self.begin_again()
        self.move(place)
        self.show()
        self.raise_()
        self.field.setFocus()

    def begin_again(self) -> None:
        """Search again from an empty field."""
        if self.field.text():
            self.field.clear()
        else:
            self._search("")

    def leave(self) -> None:
        """Hide and give the focus back."""
        if not self.isVisible():
            return
        before, self._before = self._before, None
        self.hide()
        if before is not None and isValid(before):
            before.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows, Enter, Tab and Escape work while the field has the focus."""
        kind = event.type()
        if kind == QEvent.Type.FocusOut:
            self.hide()
        elif isinstance(event, QKeyEvent) and Qt.Key(event.key()) in OWN_KEYS:
            if kind == QEvent.Type.ShortcutOverride:
                # With whatever is held beside it, such a key is for the sheet, not for the window.
                event.accept()
                return True
            if kind == QEvent.Type.KeyPress:
                self._press(Qt.Key(event.key()), event)
                return True
        return super().eventFilter(watched, event)

    def _search(self, typed: str) -> None:
        self.found.clear()
        self.search(typed)
        self.none.setVisible(self.found.count() == 0)
        self.found.setVisible(self.found.count() > 0)
        self.found.setCurrentRow(0)
        shown = min(max(self.found.count(), 1), self._rows)
        self.found.setFixedHeight(shown * self._row_px + 4)
        self.adjustSize()

    def _press(self, key: Qt.Key, event: QKeyEvent) -> None:
        item = self.found.currentItem()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._step(1 if key == Qt.Key.Key_Down else -1, around=True)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._step(self._rows - 1 if key == Qt.Key.Key_PageDown else 1 - self._rows)
        elif key == Qt.Key.Key_Escape:
            self.leave()
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.press_tab(-1 if key == Qt.Key.Key_Backtab else 1)
        elif item is not None and not event.isAutoRepeat():
            self.choose(item, event)

    def _step(self, by: int, *, around: bool = False) -> None:
        count = self.found.count()
        if count:
            row = self.found.currentRow() + by
            self.found.setCurrentRow(row % count if around else max(0, min(row, count - 1)))

    def _clicked(self, item: QListWidgetItem) -> None:
        self.choose(item, None)
