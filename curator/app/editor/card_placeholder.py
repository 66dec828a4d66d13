"""The place of one message in the editor, and the frame that shows it while it is near the view."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtWidgets import QWidget

from curator.app.editor.add_bar import AddBar, CutLine
from curator.app.editor.message_card import MessageCard
from curator.app.widgets.layouts import vbox
from curator.dataset.json_values import Json

_HEAD_PX: Final = 84
_LINE_PX: Final = 25
_LINE_CHARACTERS: Final = 85


class CardFrame(QWidget):
    """Holds the card of a message; above it the cut line, below it the plus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cut: CutLine | None = None
        self.card = MessageCard(self)
        self.add = AddBar(self)
        self._column = vbox(self.card, self.add, parent=self, spacing=0, margins=0)

    def settle(self) -> None:
        """Let a new size of what is inside reach the frame's own layout."""
        self.card.settle()
        self._column.invalidate()
        self._column.activate()

    def show_cut(self, words: str) -> None:
        """Draw the cut line above the card, or take it away where the words are empty."""
        if words and self.cut is None:
            self.cut = CutLine(self)
            self._column.insertWidget(0, self.cut)
        if self.cut is not None:
            self.cut.set_message(words)
            self.cut.setVisible(bool(words))


class CardPlaceholder:
    """A message and its place; its frame is there only near the view."""

    def __init__(self, message: Json, number: int) -> None:
        self.message = message
        self.number = number
        self.tokens: int | None = None
        self.frame: CardFrame | None = None
        self._cut_words = ""
        self._guess = guess_height(message)

    @property
    def card(self) -> MessageCard | None:
        """The card of the message, where it was made."""
        return self.frame.card if self.frame is not None else None

    @property
    def cut(self) -> CutLine | None:
        """The cut line above the card, where there ever was one."""
        return self.frame.cut if self.frame is not None else None

    @property
    def height(self) -> int:
        """The height it takes; a guess where it has no frame."""
        return self.frame.height() if self.frame is not None else self._guess

    def load(self, frame: CardFrame) -> None:
        """Show the message in a frame that showed another one, or none."""
        self.frame = frame
        frame.card.show_message(self.message, self.number, fresh=True)
        frame.card.show_tokens(self.tokens)
        frame.show_cut(self._cut_words)

    def show_message(self, message: Json) -> None:
        """Show another version of the message."""
        self.message, self._guess = message, guess_height(message)
        if self.frame is not None:
            self.frame.card.show_message(message, self.number)

    def renumber(self, number: int) -> None:
        """Take another place in the order."""
        if number != self.number:
            self.number = number
            if self.frame is not None:
                self.frame.card.renumber(number)

    def show_tokens(self, count: int) -> None:
        """Show how many tokens the message takes."""
        if count != self.tokens:
            self.tokens = count
            if self.frame is not None:
                self.frame.card.show_tokens(count)

    def show_cut(self, words: str) -> None:
        """Draw the cut line above the card, or take it away where the words are empty."""
        if words != self._cut_words:
            self._cut_words = words
            if self.frame is not None:
                self.frame.show_cut(words)


def guess_height(message: Json) -> int:
    """Return about how many pixels a message will need."""
    content = message.get("content") if isinstance(message, Mapping) else None
    text = content if isinstance(content, str) else ""
    lines = text.count("\n") + len(text) // _LINE_CHARACTERS + 1
    return _HEAD_PX + min(lines, 2_000) * _LINE_PX
