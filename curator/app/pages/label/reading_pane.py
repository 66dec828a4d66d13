"""The conversation in the middle: its messages one under the other, 760 px wide, to be read."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QWidget

from curator.app.counted import counted
from curator.app.widgets.layouts import STRETCH, hbox, scroll_canvas, vbox
from curator.app.widgets.reading_card import READING_PX, ReadingCard
from curator.app.widgets.text import Muted
from curator.dataset import Conversation

MOST_CARDS = 200


class ReadingPane(QScrollArea):
    """Shows one conversation; J and K walk through its messages."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setProperty("kind", "reader")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        self.conversation_title = ""
        self._cards: list[ReadingCard] = []
        self._shown = 0
        self._place = -1
        canvas = scroll_canvas(self)
        self._holder = QWidget(canvas)
        self._holder.setMaximumWidth(READING_PX)
        self._rest = Muted("", self._holder)
        self._column = vbox(
            self._rest, STRETCH, parent=self._holder, spacing=8, margins=(0, 0, 8, 0)
        )
        hbox((self._holder, 100), STRETCH, parent=canvas, margins=0)
        self.setWidget(canvas)

    def show_conversation(self, conversation: Conversation) -> None:
        """Show another conversation from its beginning; the cards of the one before are used again."""
        self.conversation_title = conversation.title
        messages = conversation.messages
        self._shown = min(len(messages), MOST_CARDS)
        for place, message in enumerate(messages[: self._shown]):
            if place < len(self._cards):
                self._cards[place].show_message(message, place + 1)
                self._cards[place].show()
            else:
                card = ReadingCard(message, place + 1, self._holder)
                self._cards.append(card)
                self._column.insertWidget(place, card)
        for card in self._cards[self._shown :]:
            card.hide()
        words = self.tr("{0}; open the conversation on the Write page.")
        self._rest.setText(words.format(counted(len(messages) - self._shown, "more message")))
        self._rest.setVisible(len(messages) > self._shown)
        self._place = -1
        self.verticalScrollBar().setValue(0)

    def next_message(self) -> None:
        """Go to the next message."""
        self._go(min(self._place + 1, self._shown - 1))

    def previous_message(self) -> None:
        """Go to the message before."""
        self._go(max(self._place - 1, 0))

    def _go(self, place: int) -> None:
        if not 0 <= place < self._shown:
            return
        if 0 <= self._place < self._shown:
            self._cards[self._place].set_current(current=False)
        self._place = place
        self._cards[place].set_current(current=True)
        self.ensureWidgetVisible(self._cards[place], 0, 24)
