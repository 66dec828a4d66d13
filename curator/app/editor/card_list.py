"""The column of message cards: scrolls, builds what is seen, keeps cards whose message stays."""

import time
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from curator.app.editor.add_bar import AddBar
from curator.app.editor.changes import same
from curator.app.editor.message_card import MessageCard
from curator.app.editor.slot import Slot
from curator.dataset import Finding
from curator.dataset.json_values import Json

READING_PX: Final = 792
"""The widest a card gets: a text line of 760 px and its padding."""

LAZY_ABOVE: Final = 200
"""With more messages than this, cards are made only when they come near the view."""

REVEALED_FIRST: Final = 40
"""How many places are made known to the layout at once, and again whenever the end comes near."""

_SLICE_SECONDS: Final = 0.006
_KEPT_CARDS: Final = 12


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
        self.slots: list[Slot] = []
        self.current = -1
        self._read_only = False
        self._findings: dict[int | None, list[Finding]] = {}
        self._key_for: Finding | None = None
        self._cut: tuple[int | None, int] = (None, 0)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.canvas = QWidget(self)
        self.canvas.setProperty("kind", "canvas")
        middle = QHBoxLayout(self.canvas)
        middle.setContentsMargins(0, 0, 8, 0)
        page = QWidget(self.canvas)
        page.setMaximumWidth(READING_PX)
        middle.addWidget(page, 100)
        middle.addStretch(1)
        self.column = QVBoxLayout(page)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.top = QVBoxLayout()
        self.top.setSpacing(8)
        self.column.addLayout(self.top)
        self.first_add = AddBar(page)
        self.first_add.role_chosen.connect(self._add_first)
        self.column.addWidget(self.first_add)
        self._filler = QWidget(page)
        self._filler.hide()
        self.column.addWidget(self._filler)
        self.column.addStretch(1)
        self._page = page
        self._revealed = 0
        self.setWidget(self.canvas)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.timeout.connect(self._build_some)
        self.verticalScrollBar().valueChanged.connect(self._build_seen)

    def show_messages(self, messages: Sequence[Json], *, fresh: bool) -> None:
        """Show these messages; fresh means that they belong to another conversation."""
        if fresh:
            self.current = -1
            self.verticalScrollBar().setValue(0)
            self._trim(_KEPT_CARDS)
            head, tail = 0, 0
        else:
            head, tail = self._unchanged(messages)
        old = len(self.slots) - head - tail
        new = len(messages) - head - tail
        for _ in range(old - new):
            self._drop(head + new)
        for number in range(min(old, new)):
            slot = self.slots[head + number]
            slot.number = head + number
            slot.show_message(messages[head + number], fresh=fresh)
        for number in range(old, new):
            self._insert(head + number, messages[head + number])
        for number, slot in enumerate(self.slots):
            slot.renumber(number)
        self._reveal(REVEALED_FIRST if fresh else max(self._revealed, REVEALED_FIRST))
        self._build_seen()
        self._idle.start(0)

    def show_tokens(self, per_message: Sequence[int], cut: int | None, words: str) -> None:
        """Show the tokens of each message, and the cut line above the message at ``cut``."""
        for number, (slot, count) in enumerate(zip(self.slots, per_message, strict=False)):
            slot.show_tokens(count)
            slot.show_cut(words if number == cut else "")

    def show_cut(self, cut: int | None, index: int) -> None:
        """Grey what is not read: the message at the cut after a character, and all behind it."""
        self._cut = (cut, index)
        for slot in self.slots:
            self._mute(slot)

    def _mute(self, slot: Slot) -> None:
        cut, index = self._cut
        if slot.card is not None:
            behind = cut is not None and slot.number > cut
            slot.card.content.mute_after(0 if behind else index if slot.number == cut else None)

    def show_findings(self, findings: Sequence[Finding], key_for: Finding | None) -> None:
        """Show findings under the messages they name."""
        self._key_for = key_for
        self._findings = {}
        for finding in findings:
            self._findings.setdefault(finding.place.message, []).append(finding)
        for slot in self.slots:
            if slot.card is not None:
                slot.card.show_findings(self._findings.get(slot.number, ()), key_for)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the messages be changed, or only be read."""
        self._read_only = read_only
        self.first_add.setEnabled(not read_only)
        for slot in self.slots:
            if slot.add is not None:
                slot.add.setEnabled(not read_only)
            if slot.card is not None:
                slot.card.set_read_only(read_only=read_only)

    def card(self, number: int) -> MessageCard:
        """Return the card of a message, made where it is not there yet."""
        return self.slots[number].build()

    def go_to(self, number: int, *, enter: bool = False) -> None:
        """Make a message current, bring it into view, and put the cursor into it where asked."""
        if not 0 <= number < len(self.slots):
            return
        self._reveal(max(self._revealed, number + 4))
        card = self.card(number)
        self._settle()
        top = self.slots[number].mapTo(self.canvas, QPoint(0, 0)).y()
        height = min(self.slots[number].height(), self.viewport().height())
        self.ensureVisible(0, top + height, 0, 0)
        self.ensureVisible(0, top, 0, 16)
        card.enter() if enter else card.setFocus()
        self._set_current(number)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make the cards that came into view."""
        super().resizeEvent(event)
        self._idle.start(0)

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

    def _trim(self, keep: int) -> None:
        while len(self.slots) > keep:
            self._drop(len(self.slots) - 1)

    def _drop(self, number: int) -> None:
        slot = self.slots.pop(number)
        self.column.removeWidget(slot)
        slot.hide()
        slot.deleteLater()

    def _insert(self, number: int, message: Json) -> None:
        slot = Slot(message, self._page)
        slot.number = number
        slot.hide()
        slot.built.connect(self._connect_card)
        self.slots.insert(number, slot)
        self.column.insertWidget(number + 2, slot)

    def _connect_card(self, slot: Slot) -> None:
        card = slot.card
        if card is None or slot.add is None:
            return
        slot.add.role_chosen.connect(self._add_after)
        slot.add.setEnabled(not self._read_only)
        card.set_read_only(read_only=self._read_only)
        card.show_findings(self._findings.get(slot.number, ()), self._key_for)
        self._mute(slot)
        card.typed.connect(self._typed)
        card.changed.connect(self._changed)
        card.verb_requested.connect(self._verb)
        card.left.connect(self.left)
        card.fix_requested.connect(self.fix_requested)
        card.became_current.connect(self._became_current)
        card.caret_moved.connect(self._follow_caret)

    def _typed(self, message: Json) -> None:
        number = self._number_of_sender()
        self.slots[number].message = message
        self._set_current(number)
        self.message_typed.emit(number, message)

    def _changed(self, message: Json) -> None:
        self.message_changed.emit(self._number_of_sender(), message)

    def _verb(self, verb: str) -> None:
        self.verb_requested.emit(self._number_of_sender(), verb)

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
        for slot in self.slots:
            if slot.add is bar:
                self.add_requested.emit(slot.number + 1, role)

    def _reveal(self, count: int) -> None:
        """Show the first places only: Qt needs half a millisecond to style each, seen or not."""
        self._revealed = count
        for number, slot in enumerate(self.slots):
            if slot.isHidden() == (number < count):
                slot.setVisible(number < count)
        rest = min(8_000_000, sum(slot.height() for slot in self.slots[count:]))
        self._filler.setFixedHeight(rest)
        self._filler.setVisible(rest > 0)

    def _settle(self) -> None:
        """Let new sizes reach the layout before anything is measured."""
        for slot in self.slots:
            slot.settle()
        self.column.invalidate()
        self.column.activate()
        layout = self.canvas.layout()
        if layout is not None:
            layout.invalidate()
            layout.activate()
            height = max(layout.sizeHint().height(), self.viewport().height())
            self.canvas.resize(self.canvas.width(), height)

    def _build_seen(self) -> None:
        """Make the cards in and near the view, without moving what is seen."""
        bar = self.verticalScrollBar()
        top, height = bar.value(), max(200, self.viewport().height())
        place = 0
        if self._revealed < len(self.slots) and self._filler.y() < top + 3 * height:
            self._reveal(self._revealed + REVEALED_FIRST)
        for slot in self.slots[: self._revealed]:
            before = slot.height_now()
            if slot.card is None and place < top + 2 * height and place + before > top - height:
                slot.build()
                if place + before < top:
                    self._settle()
                    bar.setValue(bar.value() + slot.height() - before)
            place += before
            if place > top + 2 * height:
                return

    def _build_some(self) -> None:
        """Make cards for some milliseconds, and go on later while any are missing."""
        self._build_seen()
        if len(self.slots) > LAZY_ABOVE:
            return
        began = time.perf_counter()
        for slot in self.slots[: self._revealed]:
            if slot.card is None:
                slot.build()
                if time.perf_counter() - began > _SLICE_SECONDS:
                    self._idle.start(10)
                    return
        if self._revealed < len(self.slots):
            self._reveal(self._revealed + REVEALED_FIRST // 4)
            self._idle.start(10)
