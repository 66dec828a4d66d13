"""A dialog of the window: Esc leaves the text first and the dialog then."""

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from curator.app.shortcuts import takes_text
from curator.app.widgets.layouts import Item, add_items, vbox

_MARGIN_PX: Final = 40


class Dialog(QDialog):
    """What every dialog of the window is: a column of what is added, deleted when it closes unless kept."""

    def __init__(self, parent: QWidget | None = None, *, is_kept: bool = False) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=not is_kept)
        self.body = vbox(parent=self, spacing=12, margins=(24, 24, 24, 16))

    def add(self, *items: Item) -> None:
        """Put items beneath each other."""
        add_items(self.body, *items)

    def fit(self, width: int, height: int) -> None:
        """Take this size, or as much of it as the window and the screen have room for."""
        margin = QSize(_MARGIN_PX, _MARGIN_PX)
        room = self.screen().availableSize() - margin
        owner = self.parentWidget()
        if owner is not None and owner.window().isVisible():
            room = room.boundedTo(owner.window().size() - margin)
        self.resize(QSize(width, height).boundedTo(room))

    def main_control(self) -> QWidget:
        """Return what the keyboard speaks to once a text is left."""
        return self

    def done(self, result: int) -> None:
        """Close; what is written in a field counts as finished first."""
        there = QApplication.focusWidget()
        if there is not None and self.isAncestorOf(there):
            self.setFocus()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the text at Esc; what is written in it stays."""
        there = QApplication.focusWidget()
        writes = there is not None and self.isAncestorOf(there) and takes_text(there)
        if event.key() == Qt.Key.Key_Escape and writes:
            self.main_control().setFocus()
            return
        super().keyPressEvent(event)
