"""The rooms of the messages near the view: one unbroken stretch of the column, between two fillers.

Rooms are made, filled and taken down one at a time, each in its own turn of the event loop, so that
the window answers in between however long a conversation is. A room left behind is used again.
"""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from curator.app.editor.card_placeholder import CardPlaceholder, Room
from curator.dataset.json_values import Json

KEPT: Final = 12
"""How many empty rooms wait to be used again; more are taken down."""

_WALKED: Final = 12
"""A message up to this many places away is reached room by room, one further away by a jump."""

_TALLEST: Final = 8_000_000


class Rooms(QWidget):
    """Holds the slots of a conversation and the rooms of some of them.

    made carries a new room, filled a slot that got one; grew_above says by how many pixels what
    stands over the view became taller.
    """

    made = Signal(object)
    filled = Signal(object)
    grew_above = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slots: list[CardPlaceholder] = []
        self._first = self._last = 0
        self._empty: list[Room] = []
        self._left: list[Room] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._above, self._below = QWidget(self), QWidget(self)
        self._column.addWidget(self._above)
        self._column.addWidget(self._below)
        self._fill()

    @property
    def loaded(self) -> list[CardPlaceholder]:
        """The slots that have a room."""
        return self.slots[self._first : self._last]

    def show_afresh(self, messages: list[Json]) -> None:
        """Hold the messages of another conversation; their rooms come by and by."""
        self._move_out()
        self.slots = [CardPlaceholder(message, number) for number, message in enumerate(messages)]
        self._first = self._last = 0
        self._fill()

    def insert(self, number: int, message: Json) -> None:
        """Hold one more message at a place; it gets a room where its neighbours have theirs."""
        self.slots.insert(number, CardPlaceholder(message, number))
        if number < self._first:
            self._first, self._last = self._first + 1, self._last + 1
        elif number <= self._last and self._first < self._last:
            self._last += 1
            self._load(number)
        self._fill()

    def remove(self, number: int) -> None:
        """Hold a message no longer."""
        slot = self.slots.pop(number)
        if slot.room is not None:
            self._leave(slot)
            self._last -= 1
        elif number < self._first:
            self._first, self._last = self._first - 1, self._last - 1
        self._fill()

    def room_of(self, number: int) -> Room:
        """Return the room of a message, made now where it is not there yet."""
        slot = self.slots[number]
        if not self._first - _WALKED <= number < self._last + _WALKED:
            self._jump(number)
        while slot.room is None:
            self._append() if number >= self._last else self._prepend()
        return slot.room

    def work(self, top: int, height: int) -> bool:
        """Do one small piece of what a view needs; returns whether anything was left to do."""
        start = self._above.height() if self._first else 0
        end = start + sum(slot.height for slot in self.loaded)
        if (end <= top or start >= top + height) and self.slots:
            there = self._at(top)
            if not self._first <= there <= self._last:
                self._jump(there)
                start = end = self._above.height() if self._first else 0
        if self._last < len(self.slots) and end < top + 2 * height:
            self._append()
        elif self._first > 0 and start > top - height:
            self._prepend()
        elif self._left:
            self._left.pop().deleteLater()
        else:
            return False
        return True

    def settle(self) -> None:
        """Let new sizes reach the layout before anything is measured."""
        for slot in self.loaded:
            if slot.room is not None:
                slot.room.settle()
        self._column.invalidate()
        self._column.activate()

    def _append(self) -> None:
        self._last += 1
        self._load(self._last - 1)
        self._fill()

    def _prepend(self) -> None:
        guessed = self.slots[self._first - 1].height
        self._first -= 1
        self._load(self._first)
        self._fill()
        room = self.slots[self._first].room
        if room is not None:
            room.settle()
            self.grew_above.emit(room.sizeHint().height() - guessed)

    def _jump(self, number: int) -> None:
        self._move_out()
        self._first = self._last = number
        self._fill()

    def _at(self, y: int) -> int:
        """Return which message stands at a height of the column."""
        for number, slot in enumerate(self.slots):
            y -= slot.height
            if y < 0:
                return number
        return len(self.slots) - 1

    def _load(self, number: int) -> None:
        slot = self.slots[number]
        room = self._empty.pop() if self._empty else self._made()
        if room.width() != self.width():
            # Its text would otherwise be laid out twice, at first in a width of chance.
            room.resize(self.width(), room.height())
            room.settle()
        slot.load(room)
        # Until the layout had its turn it would still be as high as its last message made it.
        room.settle()
        room.resize(self.width(), room.sizeHint().height())
        self._column.insertWidget(1 + number - self._first, room)
        self.filled.emit(slot)
        room.show()

    def _made(self) -> Room:
        room = Room(self)
        room.hide()
        self.made.emit(room)
        return room

    def _move_out(self) -> None:
        for slot in self.loaded:
            self._leave(slot)

    def _leave(self, slot: CardPlaceholder) -> None:
        room, slot.room = slot.room, None
        if room is not None:
            room.hide()
            self._column.removeWidget(room)
            (self._empty if len(self._empty) < KEPT else self._left).append(room)

    def _fill(self) -> None:
        """Give the messages without a room about the height they will take."""
        for filler, slots in (
            (self._above, self.slots[: self._first]),
            (self._below, self.slots[self._last :]),
        ):
            height = min(_TALLEST, sum(slot.height for slot in slots))
            filler.setFixedHeight(height)
            filler.setVisible(height > 0)
