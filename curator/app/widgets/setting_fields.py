"""Fields that hold a setting: the wheel scrolls the page over them, and turns only the one in use.

A wheel that rolls over a form must change nothing in it. So every choice, number and slider of the
window is one of these (a number is a NumberField), never Qt's own class.
"""

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSlider, QWidget


def wheel_passes(field: QWidget, event: QWheelEvent) -> bool:
    """Hand the wheel on to what scrolls, unless somebody works in the field; returns whether it was."""
    if field.hasFocus():
        return False
    event.ignore()
    return True


class ComboBox(QComboBox):
    """A choice among some."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # Qt's own policy would let the wheel itself bring the focus.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

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
