"""The conversation in the middle: its messages one under the other, 760 px wide, to be read."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from curator.app.widgets.reading_card import READING_PX, ReadingCard
from curator.app.widgets.text import Quiet
from curator.dataset import Conversation

MOST_CARDS = 200


class ReadingPane(QScrollArea):
    """Shows one conversation; J and K walk through its messages."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        self.conversation_title = ""
        self._cards: list[ReadingCard] = []
        self._place = -1

    def show_conversation(self, conversation: Conversation) -> None:
        """Show another conversation from its beginning."""
        self.conversation_title = conversation.title
        canvas = QWidget(self)
        canvas.setProperty("kind", "canvas")
        row = QHBoxLayout(canvas)
        row.setContentsMargins(0, 0, 0, 0)
        column_widget = QWidget(canvas)
        column_widget.setMaximumWidth(READING_PX)
        column = QVBoxLayout(column_widget)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        messages = conversation.messages
        self._cards = [
            ReadingCard(message, number, parent=column_widget)
            for number, message in enumerate(messages[:MOST_CARDS], 1)
        ]
        for card in self._cards:
            column.addWidget(card)
        if len(messages) > MOST_CARDS:
            words = self.tr("{0} more messages; open the conversation on the Write page.")
            column.addWidget(Quiet(words.format(f"{len(messages) - MOST_CARDS:,}"), column_widget))
        column.addStretch(1)
        row.addWidget(column_widget, 100)
        row.addStretch(1)
        self._place = -1
        self.setWidget(canvas)
        self.verticalScrollBar().setValue(0)

    def next_message(self) -> None:
        """Go to the next message."""
        self._go(min(self._place + 1, len(self._cards) - 1))

    def previous_message(self) -> None:
        """Go to the message before."""
        self._go(max(self._place - 1, 0))

    def _go(self, place: int) -> None:
        if not 0 <= place < len(self._cards):
            return
        if 0 <= self._place < len(self._cards):
            self._cards[self._place].set_current(current=False)
        self._place = place
        self._cards[place].set_current(current=True)
        self.ensureWidgetVisible(self._cards[place], 0, 24)
