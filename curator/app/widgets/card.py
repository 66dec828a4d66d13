"""A card: a surface with a hairline, perhaps with a stripe in a role's hue at its left."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from curator.app.theme import tokens
from curator.app.widgets.layouts import vbox

STRIPE_PX = 3
_MARGIN_PX = 12
"""So far above a text a press is still one into it."""


class Card(QFrame):
    """A surface that groups what belongs together; put widgets into ``body``."""

    def __init__(
        self, parent: QWidget | None = None, *, stripe: str = "", padding: int = 16
    ) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._stripe = stripe
        self.body = vbox(
            parent=self, spacing=8, margins=(padding, padding - 4, padding, padding - 4)
        )

    def set_stripe(self, token: str) -> None:
        """Colour the left edge with a token, such as ``role-user``; empty takes it away."""
        self._stripe = token
        self.update()

    def set_current(self, *, current: bool) -> None:
        """Draw the focus ring around the card, or take it away."""
        if bool(self.property("current")) != current:
            self.setProperty("current", current)
            self.style().unpolish(self)
            self.style().polish(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor into the text nearest to the place: the white around a text is its margin."""
        place = event.position().toPoint()
        text = nearest_text(self, place) if event.button() == Qt.MouseButton.LeftButton else None
        if text is None:
            super().mousePressEvent(event)
            return
        text.setFocus(Qt.FocusReason.MouseFocusReason)
        text.setTextCursor(text.cursorForPosition(text.viewport().mapFrom(self, place)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the surface and then the stripe inside its rounded edge."""
        super().paintEvent(event)
        if not self._stripe:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPainterPath()
        edge.addRoundedRect(self.rect().adjusted(0, 0, 0, 0), 8, 8)
        painter.setClipPath(edge)
        painter.fillRect(0, 0, STRIPE_PX, self.height(), tokens().colour(self._stripe))


def card_around(widget: QWidget) -> Card | None:
    """Return the nearest card a widget lies in, None for one that lies in none."""
    above = widget.parentWidget()
    while above is not None and not isinstance(above, Card):
        above = above.parentWidget()
    return above


def nearest_text(card: QWidget, place: QPoint) -> QTextEdit | None:
    """Return the text of a card that can be written in and stands beside or above a place; None for none."""
    tops = {
        text.mapTo(card, QPoint(0, 0)).y(): text
        for text in card.findChildren(QTextEdit)
        if text.isVisible() and not text.isReadOnly()
    }
    above = [top for top in tops if top - _MARGIN_PX <= place.y()]
    return tops[max(above)] if above else None
