"""The small plus between two messages, and the line where a base model stops reading."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from curator.app.editor.card_header import role_menu
from curator.app.theme import META_PX, font, paint_icon, tokens


class AddBar(QAbstractButton):
    """Adds a message where it stands: pressed, it offers the roles."""

    role_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pointed = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Add a message here"))
        self.setToolTip(self.tr("Add a message here"))
        self.clicked.connect(self.choose)

    def choose(self) -> None:
        """Open the menu of roles."""
        menu = role_menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.triggered.connect(self._chosen)
        menu.popup(self.mapToGlobal(self.rect().center()))

    def sizeHint(self) -> QSize:
        """Return a height of 20 px."""
        return QSize(120, 20)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the line on which a message would be put."""
        self._pointed = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the line."""
        self._pointed = False
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint a small plus, with a line through it while the pointer is on it."""
        if not self.isEnabled():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = tokens()
        centre = QRectF(self.rect()).center()
        lit = self._pointed or self.hasFocus()
        if lit:
            painter.setPen(QPen(look.colour("accent"), 1))
            painter.drawLine(QPointF(0, centre.y()), QPointF(centre.x() - 12, centre.y()))
            painter.drawLine(
                QPointF(centre.x() + 12, centre.y()), QPointF(self.width(), centre.y())
            )
        box = QRectF(centre.x() - 6, centre.y() - 6, 12, 12)
        paint_icon(painter, "plus", box, "accent" if lit else "text-off")

    def _chosen(self, entry: object) -> None:
        self.role_chosen.emit(entry.data())  # type: ignore[attr-defined]


class CutLine(QWidget):
    """A dashed line with the words that say how far a base model reads."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_message(self, words: str) -> None:
        """Show these words on the line."""
        self._words = words
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return a height of 24 px."""
        return QSize(240, 24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the words in the middle of the line."""
        painter = QPainter(self)
        look = tokens()
        middle = self.height() / 2
        painter.setFont(font(META_PX))
        width = QFontMetrics(font(META_PX)).horizontalAdvance(self._words) + 16
        left = (self.width() - width) / 2
        painter.setPen(QPen(look.colour("danger"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(0, middle), QPointF(left, middle))
        painter.drawLine(QPointF(left + width, middle), QPointF(self.width(), middle))
        painter.setPen(look.colour("danger"))
        words = QRectF(left, 0, width, self.height())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter), self._words)
