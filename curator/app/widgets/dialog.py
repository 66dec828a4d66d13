"""A dialog of the window: Esc leaves the text first and the dialog then."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from curator.app.shortcuts import takes_text


class Dialog(QDialog):
    """What every dialog of the window is."""

    def main_control(self) -> QWidget:
        """Return what the keyboard speaks to once a text is left."""
        return self

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the text at Esc; what is written in it stays."""
        there = QApplication.focusWidget()
        writes = there is not None and self.isAncestorOf(there) and takes_text(there)
        if event.key() == Qt.Key.Key_Escape and writes:
            self.main_control().setFocus()
            return
        super().keyPressEvent(event)
