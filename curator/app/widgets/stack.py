"""Pages in one place, of which one is seen."""

from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget


class Stack(QStackedWidget):
    """Shows one of several widgets; a change hands the focus to no neighbour.

    Qt gives the focus of the page that goes to the first button of the page that comes, which may act
    on Space. Here nothing has it for a moment, and the window gives it to the work.
    """

    def setCurrentIndex(self, index: int) -> None:
        """Show the page at an index."""
        going = self.currentWidget()
        there = QApplication.focusWidget()
        leaves = index != self.currentIndex() and 0 <= index < self.count()
        if leaves and going is not None and there is not None and going.isAncestorOf(there):
            there.clearFocus()
        super().setCurrentIndex(index)

    def setCurrentWidget(self, widget: QWidget) -> None:
        """Show one of the pages."""
        self.setCurrentIndex(self.indexOf(widget))
