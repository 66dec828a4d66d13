"""Labels in the few sizes the window knows."""

import re
import unicodedata
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

_TIP_LINE: Final = 60
"""A longer tip is wrapped."""
_BREAK: Final = "\u200b"
_LONG_WORD: Final = re.compile(r"\S{32,}")
_PIECE: Final = re.compile(r"\S{1,15}[/\\_.-]|\S{1,16}")


def runs_right_to_left(text: str) -> bool:
    """Whether a text is read from right to left: its first letter with a direction says so."""
    if text.isascii():
        return False
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((kind != "L" for kind in kinds if kind in ("L", "R", "AL")), False)


def breakable(text: str) -> str:
    """Let words that are too long for a line break: a path is one word to Qt, which would cut it."""
    return _LONG_WORD.sub(lambda word: _BREAK.join(_PIECE.findall(word.group())), text)


class _Text(QLabel):
    """A label whose kind the stylesheet knows; text is plain, never guessed to be markup."""

    kind = ""

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, wrap: bool = False
    ) -> None:
        super().__init__(breakable(text) if wrap else text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("kind", self.kind)
        self.setWordWrap(wrap)
        self._turn(text)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show a text, from the side it is read from, and with the room it needs."""
        super().setText(breakable(text) if self.wordWrap() else text)
        self._turn(text)
        if (
            self.wordWrap()
            and self.isVisible()
            and self.heightForWidth(self.width()) > self.height()
        ):
            make_room(self)

    def text(self) -> str:
        """Return the text without the places where a long word may break."""
        return super().text().replace(_BREAK, "") if self.wordWrap() else super().text()

    def _turn(self, text: str) -> None:
        # Qt would set every label in the direction of the window.
        way = Qt.LayoutDirection
        right = runs_right_to_left(text)
        if right != (self.layoutDirection() == way.RightToLeft):
            self.setLayoutDirection(way.RightToLeft if right else way.LeftToRight)


def make_room(widget: QWidget) -> None:
    """Lay out anew all that is around a widget that grew, at once.

    Qt hands the need for room up by events, one for each layout on the way, and may paint between them:
    words that arrive late would stand cut until then.
    """
    around = widget.parentWidget()
    while around is not None:
        layout = around.layout()
        if layout is not None:
            layout.activate()
        if isinstance(around, QScrollArea):
            QCoreApplication.sendEvent(around, QEvent(QEvent.Type.LayoutRequest))
            return
        around = around.parentWidget()


class Plain(_Text):
    """Text of 13 px."""


class PageTitle(_Text):
    """The name of a page, 20 px."""

    kind = "title"


class SectionTitle(_Text):
    """The name of a part of a page."""

    kind = "section"


class Muted(_Text):
    """Muted text of 13 px."""

    kind = "muted"


class Meta(_Text):
    """Muted text of 11 px: side facts."""

    kind = "meta"


def tip_of(text: str) -> str:
    """Return a text as a tip that wraps and shows it as it is: Qt would take a < for markup."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    if "<" not in text and len(text) <= _TIP_LINE:
        return text
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), ("\n", "<br>")):
        text = text.replace(sign, name)
    return f"<qt>{text}</qt>"


class Elided(_Text):
    """One line that ends in an ellipsis where it does not fit; the tip holds the whole."""

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show a text and keep it whole in the tip."""
        super().setText(text)
        self.setToolTip(tip_of(text))

    def minimumSizeHint(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """Allow any width."""
        size = super().minimumSizeHint()
        size.setWidth(24)
        return size

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint as much as fits."""
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.setLayoutDirection(self.layoutDirection())
        metrics = QFontMetrics(self.font())
        line = metrics.elidedText(
            " ".join(self.text().split()),
            Qt.TextElideMode.ElideRight,
            self.contentsRect().width(),
        )
        painter.drawText(self.contentsRect(), int(self.alignment()), line)


def hairline(parent: QWidget | None = None, *, vertical: bool = False) -> QFrame:
    """Return a line of one pixel."""
    line = QFrame(parent)
    line.setProperty("kind", "vertical-hairline" if vertical else "hairline")
    return line
