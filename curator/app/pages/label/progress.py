"""How far the labelling is: a thin bar of decisions, and the same in words."""

from PySide6.QtCore import QCoreApplication, QRectF, QSize
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.app.pages.label.queue import LabelQueue, Tally
from curator.app.theme import tokens
from curator.app.widgets.layouts import vbox
from curator.app.widgets.text import Meta


class _Bar(QWidget):
    """4 px of shares in the tones of the decisions."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.parts: tuple[tuple[str, int], ...] = ()
        self.whole = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = tokens()
        track = QPainterPath()
        track.addRoundedRect(QRectF(self.rect()), 2, 2)
        painter.setClipPath(track)
        painter.fillRect(self.rect(), look.colour("hairline"))
        left = 0.0
        for tone, count in self.parts:
            width = self.width() * count / max(1, self.whole)
            painter.fillRect(QRectF(left, 0, width, 4), look.colour(tone))
            left += width


class LabelProgress(QWidget):
    """Accepted, rejected and skipped apart, and what is left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = _Bar(self)
        self._words = Meta("", self)
        vbox(self._bar, self._words, parent=self, spacing=4, margins=0)

    def show_counts(self, counts: Tally) -> None:
        """Show how many there are of each."""
        self._bar.parts = (
            ("success", counts.accepted),
            ("danger", counts.rejected),
            ("text-muted", counts.skipped),
        )
        self._bar.whole = counts.all
        self._bar.update()
        words = self.tr("{0} accepted · {1} rejected · {2} to do")
        if counts.skipped:
            words = self.tr("{0} accepted · {1} rejected · {2} to do, {3} of them skipped")
        numbers = (counts.accepted, counts.rejected, counts.of("todo"), counts.skipped)
        self._words.setText(words.format(*(f"{number:,}" for number in numbers)))
        self._bar.setAccessibleName(self._words.text())


def place_words(queue: LabelQueue) -> str:
    """Say where one stands in the queue; what was put off comes again after all others."""
    again, all_again = queue.times_again
    words = QCoreApplication.translate("LabelProgress", "{0} of {1}")
    numbers = (queue.place + 1, queue.conversations)
    if again:
        words = QCoreApplication.translate("LabelProgress", "Skipped before: {0} of {1}")
        numbers = (again, all_again)
    return words.format(*(f"{number:,}" for number in numbers))
