"""A field for a whole number."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QSpinBox, QWidget

from curator.app.widgets.setting_fields import wheel_passes


class NumberField(QSpinBox):
    """A spin box whose digits keep the padding that the stylesheet cannot give them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(8, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Count up and down only while the field has the focus."""
        if not wheel_passes(self, event):
            super().wheelEvent(event)
