"""A card: a surface with a hairline, perhaps with a stripe in a role's hue at its left."""

from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from curator.app.theme import tokens

STRIPE_PX = 3


class Card(QFrame):
    """A surface that groups what belongs together; put widgets into ``body``."""

    def __init__(
        self, parent: QWidget | None = None, *, stripe: str = "", padding: int = 16
    ) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._stripe = stripe
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding - 4, padding, padding - 4)
        self.body.setSpacing(8)

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
