"""The column of message cards: scrolls, shows what is near the view, keeps cards whose message stays."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from curator.app.editor.add_bar import AddBar
from curator.app.editor.card_placeholder import CardPlaceholder, Room
from curator.app.editor.changes import same
from curator.app.editor.hits import Hits
from curator.app.editor.message_card import MessageCard
from curator.app.editor.virtual_cards import Rooms
from curator.app.widgets.buttons import allow
from curator.dataset import Finding
from curator.dataset.json_values import Json

READING_PX: Final = 792
"""The widest a card gets: a text line of 760 px and its padding."""


class CardList(QScrollArea):
    """Shows raw messages; every signal names the place in the list it comes from."""

    message_typed = Signal(int, object)
    message_changed = Signal(int, object)
    verb_requested = Signal(int, str)
    add_requested = Signal(int, str)
    left = Signal()
    fix_requested = Signal(object)
    current_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current = -1
        self._read_only = False
        self._hits: Hits | None = None
        self._focus_comes = False
        self._findings: dict[int | None, list[Finding]] = {}
        self._key_for: Finding | None = None
        self._unmarked: set[CardPlaceholder] = set()
        self._cut: tuple[int | None, int] = (None, 0)
        self._tools: Json = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._build()
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._work)
        self.verticalScrollBar().valueChanged.connect(self._work_soon)
        self.verticalScrollBar().rangeChanged.connect(self._work_soon)

    @property
    def slots(self) -> list[CardPlaceholder]:
        """The messages in order, with what is known of each."""
        return self._rooms.slots

    def show_messages(self, messages: Sequence[Json], *, fresh: bool) -> None:
        """Show these messages; fresh means that they belong to another conversation."""
        if fresh:
            self._show_afresh(list(messages))
        else:
            self._show_again(messages)
        self._work_soon()

    def show_tokens(self, per_message: Sequence[int], cut: int | None, words: str) -> None:
        """Show the tokens of each message, and the cut line above the message at ``cut``."""
        for number, (slot, count) in enumerate(zip(self.slots, per_message, strict=False)):
            slot.show_tokens(count)
            slot.show_cut(words if number == cut else "")

    def show_tools(self, tools: Json) -> None:
        """Offer the arguments of calls by these definitions, in every card that is there and will be."""
        self._tools = tools
        for slot in self._rooms.loaded:
            if slot.card is not None:
                slot.card.show_tools(tools)

    def show_cut(self, cut: int | None, index: int) -> None:
        """Grey what is not read: the message at the cut after a character, and all behind it."""
        self._cut = (cut, index)
        for slot in self._rooms.loaded:
            self._mute(slot)

    def _mute(self, slot: CardPlaceholder) -> None:
        cut, index = self._cut
        if slot.card is not None:
            behind = cut is not None and slot.number > cut
            slot.card.content.mute_after(0 if behind else index if slot.number == cut else None)

    def show_findings(self, findings: Sequence[Finding], key_for: Finding | None) -> None:
        """Show findings under the messages they name, one card after the other."""
        self._key_for = key_for
        self._findings = {}
        for finding in findings:
            self._findings.setdefault(finding.place.message, []).append(finding)
        self._unmarked = set(self._rooms.loaded)
        self._work_soon()

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the messages be changed, or only be read."""
        self._read_only = read_only
        allow(self.first_add, allowed=not read_only)
        for slot in self._rooms.loaded:
            self._allow(slot)

    def card(self, number: int) -> MessageCard:
        """Return the card of a message, made where it is not there yet."""
        card = self._rooms.room_of(number).card
        self._mark(self.slots[number])
        return card

    def mark(self, hits: Hits | None) -> None:
        """Tint what a search found in the messages; None takes that away."""
        self._hits = hits
        for slot in self._rooms.loaded:
            if slot.card is not None:
                slot.card.content.mark(hits)

    def make_neighbours(self) -> None:
        """Make the cards beside the one at hand, so that Tab finds their texts."""
        for number in (self.current - 1, self.current + 1):
            if self.current >= 0 and 0 <= number < len(self.slots):
                self.card(number)

    def go_to(self, number: int, *, enter: bool = False) -> None:
        """Make a message current, bring it into view, and put the cursor into it where asked."""
        if not 0 <= number < len(self.slots):
            return
        self.bring(number)
        card = self._rooms.room_of(number).card
        card.enter() if enter else card.setFocus()

    def bring(self, number: int) -> None:
        """Bring a message into view and make it current; the cursor stays where it is."""
        if not 0 <= number < len(self.slots):
            return
        room = self._rooms.room_of(number)
        self._settle()
        top = room.mapTo(self.canvas, QPoint(0, 0)).y()
        height = min(room.height(), self.viewport().height())
        self.ensureVisible(0, top + height, 0, 0)
        self.ensureVisible(0, top, 0, 16)
        self._set_current(number)
        self._work_soon()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make the cards that came into view."""
        super().resizeEvent(event)
        self._work_soon()

    def _build(self) -> None:
        self.canvas = QWidget(self)
        self.canvas.setProperty("kind", "canvas")
        middle = QHBoxLayout(self.canvas)
        middle.setContentsMargins(0, 0, 8, 0)
        page = QWidget(self.canvas)
        page.setMaximumWidth(READING_PX)
        middle.addWidget(page, 100)
        middle.addStretch(1)
        self._page = QVBoxLayout(page)
        self._page.setContentsMargins(0, 0, 0, 0)
        self._page.setSpacing(0)
        self.top = QVBoxLayout()
        self.top.setSpacing(8)
        self._page.addLayout(self.top)
        self.first_add = AddBar(page)
        self.first_add.role_chosen.connect(self._add_first)
        self._page.addWidget(self.first_add)
        self._rooms = Rooms(page)
        self._rooms.made.connect(self._connect)
        self._rooms.filled.connect(self._filled)
        self._rooms.grew_above.connect(self._stay)
        self._page.addWidget(self._rooms)
        self._gap = QFrame(self.canvas)
        self._gap.setProperty("kind", "gap")
        self._gap.hide()
        self._page.addStretch(1)
        self.setWidget(self.canvas)

    def _show_afresh(self, messages: list[Json]) -> None:
        self.current = -1
        self._unmarked.clear()
        held = QApplication.focusWidget()
        if held is not None and self.canvas.isAncestorOf(held):
            # The room of the cursor is left: the first card gets it, not what Qt finds next.
            self.setFocus()
            self._focus_comes = bool(messages)
        self.verticalScrollBar().setValue(0)
        self._rooms.show_afresh(messages)

    def _show_again(self, messages: Sequence[Json]) -> None:
        head, tail = self._unchanged(messages)
        old = len(self.slots) - head - tail
        new = len(messages) - head - tail
        for _ in range(old - new):
            self._rooms.remove(head + new)
        for number in range(min(old, new)):
            self.slots[head + number].show_message(messages[head + number])
        for number in range(old, new):
            self._rooms.insert(head + number, messages[head + number])
        for number, slot in enumerate(self.slots):
            slot.renumber(number)

    def _unchanged(self, messages: Sequence[Json]) -> tuple[int, int]:
        """Return how many messages at the head and at the tail are those shown already."""
        most = min(len(messages), len(self.slots))
        head = 0
        while head < most and same(self.slots[head].message, messages[head]):
            head += 1
        tail = 0
        while tail < most - head and same(self.slots[-1 - tail].message, messages[-1 - tail]):
            tail += 1
        return head, tail

    def _connect(self, room: Room) -> None:
        card = room.card
        room.add.role_chosen.connect(self._add_after)
        card.typed.connect(self._typed)
        card.changed.connect(self._changed)
        card.verb_requested.connect(self._verb)
        card.left.connect(self.left)
        card.fix_requested.connect(self.fix_requested)
        card.became_current.connect(self._became_current)
        card.caret_moved.connect(self._follow_caret)
        card.header.drag_handle.moved.connect(self._drag)
        card.header.drag_handle.dropped.connect(self._drop)

    def _filled(self, slot: CardPlaceholder) -> None:
        self._allow(slot)
        self._mute(slot)
        if slot.card is not None:
            slot.card.show_tools(self._tools)
            slot.card.show_findings(())
            slot.card.set_current(current=False)
            slot.card.content.mark(self._hits)
        self._unmarked.add(slot)
        if self._focus_comes and slot.number == 0 and slot.card is not None:
            self._focus_comes = False
            if self.hasFocus():
                slot.card.setFocus()

    def _allow(self, slot: CardPlaceholder) -> None:
        if slot.room is not None:
            allow(slot.room.add, allowed=not self._read_only)
            slot.room.card.set_read_only(read_only=self._read_only)

    def _mark(self, slot: CardPlaceholder) -> None:
        self._unmarked.discard(slot)
        if slot.card is not None:
            slot.card.show_findings(self._findings.get(slot.number, ()), self._key_for)

    def _typed(self, message: Json) -> None:
        number = self._number_of_sender()
        self.slots[number].message = message
        self._set_current(number)
        self.message_typed.emit(number, message)

    def _changed(self, message: Json) -> None:
        self.message_changed.emit(self._number_of_sender(), message)

    def _verb(self, verb: str) -> None:
        self.verb_requested.emit(self._number_of_sender(), verb)

    def _drag(self, place: QPoint) -> None:
        """Show where a message that is dragged would go."""
        at = self.canvas.mapFromGlobal(place).y()
        self.ensureVisible(0, at, 0, 40)
        rooms = [slot.room for slot in self._rooms.loaded if slot.room is not None]
        to, first = self._gap_at(place), self._rooms.loaded[0].number
        room = rooms[min(to - first, len(rooms) - 1)]
        edge = room.mapTo(self.canvas, QPoint(0, 0))
        line = edge.y() if to - first < len(rooms) else edge.y() + room.height()
        self._gap.setGeometry(edge.x(), max(0, line - 1), room.width(), 2)
        self._gap.show()
        self._gap.raise_()

    def _drop(self, place: QPoint) -> None:
        self._gap.hide()
        card = next((s.card for s in self._rooms.loaded if _holds(s, self.sender())), None)
        if card is not None:
            to = self._gap_at(place)
            to -= to > card.number
            if to != card.number:
                self.verb_requested.emit(card.number, f"to {to}")

    def _gap_at(self, place: QPoint) -> int:
        """Return before which message a place of the screen is; the number of all is behind the last."""
        at = self.canvas.mapFromGlobal(place).y()
        loaded = [slot for slot in self._rooms.loaded if slot.room is not None]
        above = [s for s in loaded if s.room is not None and _middle(s.room, self.canvas) < at]
        return loaded[0].number + len(above) if loaded else 0

    def _became_current(self) -> None:
        self._set_current(self._number_of_sender())

    def _follow_caret(self, rect: QRect) -> None:
        card = self.sender()
        if isinstance(card, MessageCard):
            self._set_current(card.number)
            place = card.mapTo(self.canvas, rect.bottomLeft())
            self.ensureVisible(place.x(), place.y() - rect.height() // 2, 0, 32)

    def _number_of_sender(self) -> int:
        card = self.sender()
        return card.number if isinstance(card, MessageCard) else 0

    def _set_current(self, number: int) -> None:
        if number != self.current:
            self.current = number
            self.current_changed.emit(number)

    def _add_first(self, role: str) -> None:
        self.add_requested.emit(0, role)

    def _add_after(self, role: str) -> None:
        bar = self.sender()
        for slot in self._rooms.loaded:
            if slot.room is not None and slot.room.add is bar:
                self.add_requested.emit(slot.number + 1, role)

    def _stay(self, by: int) -> None:
        """Keep what is seen where it is while something above it becomes taller."""
        bar = self.verticalScrollBar()
        if bar.value() > 0:
            self._settle()
            bar.setValue(bar.value() + by)

    def _settle(self) -> None:
        self._rooms.settle()
        self._page.invalidate()
        self._page.activate()
        layout = self.canvas.layout()
        if layout is not None:
            layout.invalidate()
            layout.activate()
            height = max(layout.sizeHint().height(), self.viewport().height())
            self.canvas.resize(self.canvas.width(), height)

    def _work_soon(self) -> None:
        if not self._turn.isActive():
            self._turn.start(0)

    def _work(self) -> None:
        """Do one small piece, and the next one when the window had its turn."""
        top = self.verticalScrollBar().value() - self._rooms.mapTo(self.canvas, QPoint(0, 0)).y()
        if self._rooms.work(top, max(200, self.viewport().height())):
            self._work_soon()
        elif self._unmarked:
            self._mark(min(self._unmarked, key=_number))
            self._work_soon()


def _number(slot: CardPlaceholder) -> int:
    return slot.number


def _holds(slot: CardPlaceholder, drag_handle: QObject) -> bool:
    return slot.card is not None and slot.card.header.drag_handle is drag_handle


def _middle(room: Room, canvas: QWidget) -> int:
    return room.mapTo(canvas, QPoint(0, room.height() // 2)).y()
