"""Chips and badges: a word or a number on a soft ground, painted so that they follow the theme."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.app.theme import META_PX, font, paint_icon, tokens


class Chip(QWidget):
    """A word in a tone: ``role-user``, ``success``, ``warning``, ``danger``, ``accent`` or ``text-muted``."""

    def __init__(
        self,
        text: str,
        tone: str = "text-muted",
        parent: QWidget | None = None,
        *,
        icon_name: str = "",
    ) -> None:
        super().__init__(parent)
        self._text = text
        self._tone = tone
        self._icon = icon_name
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    @property
    def text(self) -> str:
        """The word shown."""
        return self._text

    def set(self, text: str, tone: str, icon_name: str = "") -> None:
        """Show another word, tone and icon."""
        self._text, self._tone, self._icon = text, tone, icon_name
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room of the word, 20 px high."""
        width = QFontMetrics(font(META_PX)).horizontalAdvance(self._text)
        return QSize(width + 16 + (16 if self._icon else 0), 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ground, the icon and the word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_chip(painter, QRectF(self.rect()), self._text, self._tone, self._icon)


def paint_chip(painter: QPainter, box: QRectF, text: str, tone: str, icon_name: str = "") -> None:
    """Paint a chip into a box; delegates of tables use it too."""
    look = tokens()
    ground = look.colours.get(f"{tone}-soft", look["hover"])
    painter.setPen(look.colour("hairline") if ground == look["surface"] else Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawRoundedRect(box, 6, 6)
    left = box.left() + 8
    if icon_name:
        paint_icon(painter, icon_name, QRectF(left - 2, box.center().y() - 6, 12, 12), tone)
        left += 14
    painter.setPen(look.colour(tone))
    painter.setFont(font(META_PX))
    words = QRectF(left, box.top(), box.right() - left - 6, box.height())
    painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
