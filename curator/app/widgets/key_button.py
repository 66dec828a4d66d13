"""A button with its key printed on it; apart from the others, because it needs more of Qt."""

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QStyle, QStyleOptionButton, QStylePainter, QWidget

from curator.app.theme import META_PX, font, tokens
from curator.app.widgets.buttons import Button

_LEAST_PX: Final = 120


class KeyButton(Button):
    """A button with its key printed at the right; a mouse click leaves the keyboard where it was.

    A text too long for the button ends in an ellipsis, and stands whole in the tip.
    """

    def __init__(
        self, text: str, key: str, parent: QWidget | None = None, *, icon_name: str = ""
    ) -> None:
        super().__init__(text, parent, icon_name=icon_name)
        self.key = key
        self.setAccessibleDescription(self.tr("Key {0}").format(key) if key else "")

    def sizeHint(self) -> QSize:
        """Leave room for the key."""
        size = super().sizeHint()
        return QSize(size.width() + (self._key_width() + 6 if self.key else 0), size.height())

    def minimumSizeHint(self) -> QSize:
        """Never hide the key, nor all of a long text."""
        size = self.sizeHint()
        return QSize(min(size.width(), _LEAST_PX), size.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the button, its text moved left to make room for the key."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        missing = self.sizeHint().width() - self.width()
        if missing > 0:
            metrics = self.fontMetrics()
            room = metrics.horizontalAdvance(option.text) - missing
            option.text = metrics.elidedText(option.text, Qt.TextElideMode.ElideRight, room)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        if self.key:
            option.rect = option.rect.adjusted(0, 0, -(self._key_width() + 4), 0)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        if self.key:
            self._paint_key(painter)

    def _paint_key(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(META_PX))
        look = tokens()
        width = self._key_width()
        box = self.rect().adjusted(self.width() - width - 8, 0, -8, 0)
        box.setTop((self.height() - 16) // 2)
        box.setHeight(16)
        painter.setPen(look.colour("hairline"))
        painter.setBrush(look.colour("background"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(look["text-muted" if self.isEnabled() else "text-off"]))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self.key)

    def _key_width(self) -> int:
        return max(16, self.fontMetrics().horizontalAdvance(self.key) + 6)
