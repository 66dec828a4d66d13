"""Fields that hold a setting: the wheel scrolls the page over them, and turns only the one in use.

A wheel that rolls over a form must change nothing in it. So every choice, number and slider of the
window is one of these (a number is a NumberField), never Qt's own class.
"""

from collections.abc import Iterable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QSlider, QWidget

from curator.app.widgets.text import tip_of


def wheel_passes(field: QWidget, event: QWheelEvent) -> bool:
    """Hand the wheel on to what scrolls, unless somebody works in the field; returns whether it was."""
    if field.hasFocus():
        return False
    event.ignore()
    return True


def is_written(field: QLineEdit | QComboBox) -> bool:
    """Whether somebody writes in a field: the cursor is there, and words the program did not put there.

    Such words are left alone, whatever the program comes to know meanwhile.
    """
    line = field.lineEdit() if isinstance(field, QComboBox) else field
    return line is not None and line.hasFocus() and line.isModified()


class ComboBox(QComboBox):
    """A choice among some."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # Qt's own policy would let the wheel itself bring the focus.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(self._show_start)
        self.currentTextChanged.connect(self._text_changed)

    def setEditable(self, editable: bool) -> None:  # noqa: FBT001, N802 - Qt's name
        """Let words be written that are no entry; what was written is shown from its first letter."""
        super().setEditable(editable)
        line = self.lineEdit()
        if line is not None:
            line.editingFinished.connect(self._show_start)

    def setCurrentText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show an entry or any words; the same ones again would bring their end into sight, without a signal."""
        super().setCurrentText(text)
        self._show_start()

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        """Open the list as wide as its longest entry, where the screen has the room."""
        view = self.view()
        bar = view.verticalScrollBar().sizeHint().width()
        most = self.screen().availableGeometry().width() - 2 * bar
        view.setMinimumWidth(min(view.sizeHintForColumn(0) + 2 * bar, most))
        super().showPopup()

    def offer(self, entries: Iterable[tuple[str, object]], text: str) -> None:
        """Offer other entries (their words and data) and show one; what somebody writes stays."""
        line = self.lineEdit()
        held = line if line is not None and is_written(self) else None
        with QSignalBlocker(self), QSignalBlocker(held or self):
            written, caret = (held.text(), held.cursorPosition()) if held else (text, 0)
            self.clear()
            for words, data in entries:
                self.addItem(words, data)
            if held is None:
                self.show_text(text)
                return
            self.setCurrentIndex(-1)
            held.setText(written)
            held.setCursorPosition(caret)
            held.setModified(True)

    def show_text(self, text: str) -> None:
        """Show an entry or, where it can be written in, any words; what somebody writes stays."""
        if is_written(self):
            return
        if text != self.currentText():
            place = self.findText(text)
            self.setCurrentIndex(place)
            if place < 0:
                self.setEditText(text)
        self._show_start()

    def _text_changed(self) -> None:
        line = self.lineEdit()
        if line is not None and not line.hasFocus():
            self._show_start()

    def _show_start(self) -> None:
        """Show a long text from its first letter, whole in the tip; Qt shows the end of it."""
        line = self.lineEdit()
        if line is not None and not is_written(self):
            line.setCursorPosition(0)
            line.setToolTip(tip_of(line.text()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Choose another entry only while the field has the focus."""
        if not wheel_passes(self, event):
            super().wheelEvent(event)


class DecimalField(QDoubleSpinBox):
    """A number with decimals; its digits keep the padding that the stylesheet cannot give them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(8, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Count up and down only while the field has the focus."""
        if not wheel_passes(self, event):
            super().wheelEvent(event)


class Slider(QSlider):
    """A share that is drawn to its place."""

    def __init__(self, orientation: Qt.Orientation, parent: QWidget | None = None) -> None:
        super().__init__(orientation, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move only while the slider has the focus."""
        if not wheel_passes(self, event):
            super().wheelEvent(event)


def let_shrink(box: QComboBox) -> None:
    """Let a long entry be cut in a narrow window, so that it does not push the form out of sight."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
