"""Only the messages near the view have widgets, between two fillers as high as the rest.

VirtualCards are made, filled and taken down one at a time, each in its own turn of the event loop, so that
the window answers in between however long a conversation is. A frame that is no longer needed is used again.
"""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from curator.app.editor.card_placeholder import CardFrame, CardPlaceholder
from curator.app.widgets.layouts import vbox
from curator.dataset.json_values import Json

KEPT: Final = 12
"""How many empty frames are kept to be used again; more are deleted."""

_NEARBY: Final = 12
"""A message up to this many places away is reached frame by frame, one further away by a jump."""

_TALLEST: Final = 8_000_000


class VirtualCards(QWidget):
    """Holds the placeholders of a conversation and the frames of those near the view.

    made carries a new frame, filled a placeholder that got one; grew_above says by how many pixels what
    stands over the view became taller.
    """

    made = Signal(object)
    filled = Signal(object)
    grew_above = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.placeholders: list[CardPlaceholder] = []
        self._first = self._last = 0
        self._empty: list[CardFrame] = []
        self._unused: list[CardFrame] = []
        self._above, self._below = QWidget(self), QWidget(self)
        self._column = vbox(self._above, self._below, parent=self, spacing=0, margins=0)
        self._fill()

    @property
    def loaded(self) -> list[CardPlaceholder]:
        """The placeholders that have a frame."""
        return self.placeholders[self._first : self._last]

    def show_afresh(self, messages: list[Json]) -> None:
        """Hold the messages of another conversation; their frames follow one by one."""
        self._release_all()
        self.placeholders = [
            CardPlaceholder(message, number) for number, message in enumerate(messages)
        ]
        self._first = self._last = 0
        self._fill()

    def insert(self, number: int, message: Json) -> None:
        """Hold one more message at a place; it gets a frame where the messages beside it have one."""
        self.placeholders.insert(number, CardPlaceholder(message, number))
        if number < self._first:
            self._first, self._last = self._first + 1, self._last + 1
        elif number <= self._last and self._first < self._last:
            self._last += 1
            self._load(number)
        self._fill()

    def remove(self, number: int) -> None:
        """Hold a message no longer."""
        placeholder = self.placeholders.pop(number)
        if placeholder.frame is not None:
            self._release(placeholder)
            self._last -= 1
        elif number < self._first:
            self._first, self._last = self._first - 1, self._last - 1
        self._fill()

    def frame_of(self, number: int) -> CardFrame:
        """Return the frame of a message, made now where it is not there yet."""
        placeholder = self.placeholders[number]
        if not self._first - _NEARBY <= number < self._last + _NEARBY:
            self._jump(number)
        while placeholder.frame is None:
            self._append() if number >= self._last else self._prepend()
        return placeholder.frame

    def work(self, top: int, height: int) -> bool:
        """Do one small piece of what a view needs; returns whether anything was left to do."""
        start = self._above.height() if self._first else 0
        end = start + sum(placeholder.height for placeholder in self.loaded)
        if (end <= top or start >= top + height) and self.placeholders:
            there = self._at(top)
            if not self._first <= there <= self._last:
                self._jump(there)
                start = end = self._above.height() if self._first else 0
        if self._last < len(self.placeholders) and end < top + 2 * height:
            self._append()
        elif self._first > 0 and start > top - height:
            self._prepend()
        elif self._unused:
            self._unused.pop().deleteLater()
        else:
            return False
        return True

    def settle(self) -> None:
        """Let new sizes reach the layout before anything is measured."""
        for placeholder in self.loaded:
            if placeholder.frame is not None:
                placeholder.frame.settle()
        self._column.invalidate()
        self._column.activate()

    def _append(self) -> None:
        self._last += 1
        self._load(self._last - 1)
        self._fill()

    def _prepend(self) -> None:
        guessed = self.placeholders[self._first - 1].height
        self._first -= 1
        self._load(self._first)
        self._fill()
        frame = self.placeholders[self._first].frame
        if frame is not None:
            frame.settle()
            self.grew_above.emit(frame.sizeHint().height() - guessed)

    def _jump(self, number: int) -> None:
        self._release_all()
        self._first = self._last = number
        self._fill()

    def _at(self, y: int) -> int:
        """Return which message stands at a height of the column."""
        for number, placeholder in enumerate(self.placeholders):
            y -= placeholder.height
            if y < 0:
                return number
        return len(self.placeholders) - 1

    def _load(self, number: int) -> None:
        placeholder = self.placeholders[number]
        frame = self._empty.pop() if self._empty else self._made()
        if frame.width() != self.width():
            # Its text would otherwise be laid out twice, at first in a width of chance.
            frame.resize(self.width(), frame.height())
            frame.settle()
        placeholder.load(frame)
        # Until the layout had its turn it would still be as high as its last message made it.
        frame.settle()
        frame.resize(self.width(), frame.sizeHint().height())
        self._column.insertWidget(1 + number - self._first, frame)
        self.filled.emit(placeholder)
        frame.show()

    def _made(self) -> CardFrame:
        frame = CardFrame(self)
        frame.hide()
        self.made.emit(frame)
        return frame

    def _release_all(self) -> None:
        for placeholder in self.loaded:
            self._release(placeholder)

    def _release(self, placeholder: CardPlaceholder) -> None:
        frame, placeholder.frame = placeholder.frame, None
        if frame is not None:
            frame.hide()
            self._column.removeWidget(frame)
            (self._empty if len(self._empty) < KEPT else self._unused).append(frame)

    def _fill(self) -> None:
        """Give the messages without a frame about the height they will take."""
        for filler, placeholders in (
            (self._above, self.placeholders[: self._first]),
            (self._below, self.placeholders[self._last :]),
        ):
            height = min(_TALLEST, sum(placeholder.height for placeholder in placeholders))
            filler.setFixedHeight(height)
            filler.setVisible(height > 0)
