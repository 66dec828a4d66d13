"""The focus ring of a text without a frame of its own: it is drawn around the card the text lies in."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from curator.app.widgets.card import card_around


def show_ring(text: QWidget, *, on: bool) -> None:
    """Draw the ring around the card a text lies in, or take it away."""
    card = card_around(text)
    if card is not None:
        card.set_current(current=on)


class FocusRing(QObject):
    """Follows the focus of one of Qt's own texts."""

    def __init__(self, text: QWidget) -> None:
        super().__init__(text)
        self._text = text
        text.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the ring while the text has the keyboard."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            show_ring(self._text, on=event.type() == QEvent.Type.FocusIn)
        return super().eventFilter(watched, event)
