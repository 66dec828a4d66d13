"""The place of one message in the editor: an empty room until it is seen, then its card."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from curator.app.editor.add_bar import AddBar, CutLine
from curator.app.editor.message_card import MessageCard
from curator.dataset.json_values import Json

_HEAD_PX: Final = 84
_ANY_HEIGHT: Final = 16_777_215
_LINE_PX: Final = 25
_LINE_CHARACTERS: Final = 85


class Slot(QWidget):
    """Holds a message and, once built, its card; above it the cut line, below it the plus."""

    built = Signal(object)

    def __init__(self, message: Json, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = message
        self.number = 0
        self.tokens: int | None = None
        self.card: MessageCard | None = None
        self.cut: CutLine | None = None
        self.add: AddBar | None = None
        self._cut_words = ""
        self._column: QVBoxLayout | None = None
        self.setFixedHeight(_guess_height(message))

    def build(self) -> MessageCard:
        """Make the card, once."""
        if self.card is None:
            self.setMinimumHeight(0)
            self.setMaximumHeight(_ANY_HEIGHT)
            self._column = QVBoxLayout(self)
            self._column.setContentsMargins(0, 0, 0, 0)
            self._column.setSpacing(0)
            self.card = MessageCard(self)
            self.add = AddBar(self)
            self._column.addWidget(self.card)
            self._column.addWidget(self.add)
            self.show_cut(self._cut_words)
            self.card.show_message(self.message, self.number, fresh=True)
            if self.tokens is not None:
                self.card.show_tokens(self.tokens)
            self.built.emit(self)
            self.card.show()
        return self.card

    def height_now(self) -> int:
        """Return the height it takes; a guess while Qt has not laid it out yet."""
        if self.card is None or self.isVisible():
            return self.height()
        return self.card.sizeHint().height() + 20

    def settle(self) -> None:
        """Let a new size of the card reach the slot's own layout."""
        if self._column is not None:
            self._column.activate()

    def show_message(self, message: Json, *, fresh: bool) -> None:
        """Show another message in the same place."""
        self.message = message
        if self.card is not None:
            self.card.show_message(message, self.number, fresh=fresh)
        else:
            self.setFixedHeight(_guess_height(message))

    def renumber(self, number: int) -> None:
        """Take another place in the order."""
        if number != self.number:
            self.number = number
            if self.card is not None:
                self.card.renumber(number)

    def show_tokens(self, count: int) -> None:
        """Show how many tokens the message takes."""
        if count != self.tokens:
            self.tokens = count
            if self.card is not None:
                self.card.show_tokens(count)

    def show_cut(self, words: str) -> None:
        """Draw the cut line above the card, or take it away where the words are empty."""
        self._cut_words = words
        if words and self.cut is None and self._column is not None:
            self.cut = CutLine(self)
            self._column.insertWidget(0, self.cut)
        if self.cut is not None:
            self.cut.say(words)
            self.cut.setVisible(bool(words))


def _guess_height(message: Json) -> int:
    content = message.get("content") if isinstance(message, Mapping) else None
    text = content if isinstance(content, str) else ""
    lines = text.count("\n") + len(text) // _LINE_CHARACTERS + 1
    return _HEAD_PX + min(lines, 2_000) * _LINE_PX
