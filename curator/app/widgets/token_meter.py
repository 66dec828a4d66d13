"""A thin bar that shows who the tokens of a conversation belong to and where the limit lies."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.app.counted import counted
from curator.app.theme import tokens


class TokenMeter(QWidget):
    """4 px of token shares by role hue, with a mark at the limit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shares: tuple[tuple[str, int], ...] = ()
        self._limit: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set(self, shares: Sequence[tuple[str, int]], limit: int | None) -> None:
        """Show tokens by role in message order, against a limit where there is one."""
        self._shares = tuple(shares)
        self._limit = limit
        total = sum(count for _role, count in shares)
        words = counted(total, "token")
        if limit:
            words = self.tr("{0} of {1}").format(f"{total:,}", counted(limit, "token"))
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return 8 px: the bar and the mark that stands above it."""
        return QSize(120, 8)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the shares and the mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = tokens()
        bar = QRectF(0, 2, self.width(), 4)
        track = QPainterPath()
        track.addRoundedRect(bar, 2, 2)
        painter.fillPath(track, look.colour("hairline"))
        total = sum(count for _role, count in self._shares)
        whole = max(total, self._limit or total, 1)
        painter.setClipPath(track)
        left = 0.0
        for role, count in self._shares:
            width = self.width() * count / whole
            painter.fillRect(QRectF(left, 2, width, 4), look.colour(look.role(role)))
            left += width
        painter.setClipping(False)
        if self._limit and total > self._limit:
            painter.setPen(Qt.PenStyle.NoPen)
            mark = self.width() * self._limit / whole
            painter.fillRect(QRectF(mark - 1, 0, 2, 8), look.colour("danger"))
