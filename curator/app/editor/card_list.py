"""The column of message cards: scrolls, shows what is near the view, keeps cards whose message stays."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject, QPoint, QRect, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from curator.app.editor.add_bar import AddBar
from curator.app.editor.card_placeholder import CardFrame, CardPlaceholder
from curator.app.editor.changes import same
from curator.app.editor.hits import Hits
from curator.app.editor.message_card import MessageCard
from curator.app.editor.virtual_cards import VirtualCards
from curator.app.timers import single_shot
from curator.app.widgets.buttons import allow
from curator.app.widgets.layouts import STRETCH, ScrollColumn, hbox, vbox
from curator.dataset import Finding
from curator.dataset.json_values import Json

READING_PX: Final = 792
"""The widest a card gets: a text line of 760 px and its padding."""


class CardList(ScrollColumn):
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
        self.canvas = self.inside
        page = QWidget(self.canvas)
        page.setMaximumWidth(READING_PX)
        hbox((page, 100), STRETCH, parent=self.canvas, margins=(0, 0, 8, 0))
        self.top = QVBoxLayout()
        self.top.setSpacing(8)
        self.first_add = AddBar(page)
        self.first_add.role_chosen.connect(self._add_first)
        self._virtual = VirtualCards(page)
        self._virtual.made.connect(self._connect)
        self._virtual.filled.connect(self._filled)
        self._virtual.grew_above.connect(self._stay)
        self._gap = QFrame(self.canvas)
        self._gap.setProperty("kind", "gap")
        self._gap.hide()
        self._page = vbox(
            self.top, self.first_add, self._virtual, STRETCH, parent=page, spacing=0, margins=0
        )
        self._turn = single_shot(self, 0, self._work)
        self.verticalScrollBar().valueChanged.connect(self._work_soon)
        self.verticalScrollBar().rangeChanged.connect(self._work_soon)

    @property
    def placeholders(self) -> list[CardPlaceholder]:
        """The messages in order, with what is known of each."""
        return self._virtual.placeholders

    def show_messages(self, messages: Sequence[Json], *, fresh: bool) -> None:
        """Show these messages; fresh means that they belong to another conversation."""
        if fresh:
            self._show_afresh(list(messages))
        else:
            self._show_again(messages)
        self._work_soon()

    def show_tokens(self, per_message: Sequence[int], cut: int | None, words: str) -> None:
        """Show the tokens of each message, and the cut line above the message at ``cut``."""
        for number, (placeholder, count) in enumerate(
            zip(self.placeholders, per_message, strict=False)
        ):
            placeholder.show_tokens(count)
            placeholder.show_cut(words if number == cut else "")

    def show_tools(self, tools: Json) -> None:
        """Offer the arguments of calls by these definitions, in every card that is there and will be."""
        self._tools = tools
        for placeholder in self._virtual.loaded:
            if placeholder.card is not None:
                placeholder.card.show_tools(tools)

    def show_cut(self, cut: int | None, index: int) -> None:
        """Grey what is not read: the message at the cut after a character, and all behind it."""
        self._cut = (cut, index)
        for placeholder in self._virtual.loaded:
            self._mute(placeholder)

    def _mute(self, placeholder: CardPlaceholder) -> None:
        cut, index = self._cut
        if placeholder.card is not None:
            behind = cut is not None and placeholder.number > cut
            placeholder.card.content.mute_after(
                0 if behind else index if placeholder.number == cut else None
            )

    def show_findings(self, findings: Sequence[Finding], key_for: Finding | None) -> None:
        """Show findings under the messages they name, one card after the other."""
        self._key_for = key_for
        self._findings = {}
        for finding in findings:
            self._findings.setdefault(finding.place.message, []).append(finding)
        self._unmarked = set(self._virtual.loaded)
        self._work_soon()

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the messages be changed, or only be read."""
        self._read_only = read_only
        allow(self.first_add, allowed=not read_only)
        for placeholder in self._virtual.loaded:
            self._allow(placeholder)

    def card(self, number: int) -> MessageCard:
        """Return the card of a message, made where it is not there yet."""
        card = self._virtual.frame_of(number).card
        self._mark(self.placeholders[number])
        return card

    def mark(self, hits: Hits | None) -> None:
        """Tint what a search found in the messages; None takes that away."""
        self._hits = hits
        for placeholder in self._virtual.loaded:
            if placeholder.card is not None:
                placeholder.card.content.mark(hits)

    def make_adjacent_cards(self) -> None:
        """Make the cards beside the current one, so that Tab finds their texts."""
        for number in (self.current - 1, self.current + 1):
            if self.current >= 0 and 0 <= number < len(self.placeholders):
                self.card(number)

    def go_to(self, number: int, *, enter: bool = False) -> None:
        """Make a message current, bring it into view, and put the cursor into it where asked."""
        if not 0 <= number < len(self.placeholders):
            return
        self.bring(number)
        card = self._virtual.frame_of(number).card
        card.enter() if enter else card.setFocus()

    def bring(self, number: int) -> None:
        """Bring a message into view and make it current; the cursor stays where it is."""
        if not 0 <= number < len(self.placeholders):
            return
        frame = self._virtual.frame_of(number)
        self._settle()
        top = frame.mapTo(self.canvas, QPoint(0, 0)).y()
        height = min(frame.height(), self.viewport().height())
        self.ensureVisible(0, top + height, 0, 0)
        self.ensureVisible(0, top, 0, 16)
        self._set_current(number)
        self._work_soon()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make the cards that came into view."""
        super().resizeEvent(event)
        self._work_soon()

    def _show_afresh(self, messages: list[Json]) -> None:
        self.current = -1
        self._unmarked.clear()
        held = QApplication.focusWidget()
        if held is not None and self.canvas.isAncestorOf(held):
            # The card with the cursor goes: the first card gets it, not what Qt finds next.
            self.setFocus()
            self._focus_comes = bool(messages)
        self.verticalScrollBar().setValue(0)
        self._virtual.show_afresh(messages)

    def _show_again(self, messages: Sequence[Json]) -> None:
        head, tail = self._unchanged(messages)
        old = len(self.placeholders) - head - tail
        new = len(messages) - head - tail
        for _ in range(old - new):
            self._virtual.remove(head + new)
        for number in range(min(old, new)):
            self.placeholders[head + number].show_message(messages[head + number])
        for number in range(old, new):
            self._virtual.insert(head + number, messages[head + number])
        for number, placeholder in enumerate(self.placeholders):
            placeholder.renumber(number)

    def _unchanged(self, messages: Sequence[Json]) -> tuple[int, int]:
        """Return how many messages at the head and at the tail are those shown already."""
        most = min(len(messages), len(self.placeholders))
        head = 0
        while head < most and same(self.placeholders[head].message, messages[head]):
            head += 1
        tail = 0
        while tail < most - head and same(
            self.placeholders[-1 - tail].message, messages[-1 - tail]
        ):
            tail += 1
        return head, tail

    def _connect(self, frame: CardFrame) -> None:
        card = frame.card
        frame.add.role_chosen.connect(self._add_after)
        card.typed.connect(self._typed)
        card.changed.connect(self._changed)
        card.verb_requested.connect(self._verb)
        card.left.connect(self.left)
        card.fix_requested.connect(self.fix_requested)
        card.became_current.connect(self._became_current)
        card.caret_moved.connect(self._follow_caret)
        card.header.drag_handle.moved.connect(self._drag)
        card.header.drag_handle.dropped.connect(self._drop)

    def _filled(self, placeholder: CardPlaceholder) -> None:
        self._allow(placeholder)
        self._mute(placeholder)
        if placeholder.card is not None:
            placeholder.card.show_tools(self._tools)
            placeholder.card.show_findings(())
            placeholder.card.set_current(current=False)
            placeholder.card.content.mark(self._hits)
        self._unmarked.add(placeholder)
        if self._focus_comes and placeholder.number == 0 and placeholder.card is not None:
            self._focus_comes = False
            if self.hasFocus():
                placeholder.card.setFocus()

    def _allow(self, placeholder: CardPlaceholder) -> None:
        if placeholder.frame is not None:
            allow(placeholder.frame.add, allowed=not self._read_only)
            placeholder.frame.card.set_read_only(read_only=self._read_only)

    def _mark(self, placeholder: CardPlaceholder) -> None:
        self._unmarked.discard(placeholder)
        if placeholder.card is not None:
            placeholder.card.show_findings(
                self._findings.get(placeholder.number, ()), self._key_for
            )

    def _typed(self, message: Json) -> None:
        number = self._number_of_sender()
        self.placeholders[number].message = message
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
        frames = [
            placeholder.frame
            for placeholder in self._virtual.loaded
            if placeholder.frame is not None
        ]
        to, first = self._gap_at(place), self._virtual.loaded[0].number
        frame = frames[min(to - first, len(frames) - 1)]
        edge = frame.mapTo(self.canvas, QPoint(0, 0))
        line = edge.y() if to - first < len(frames) else edge.y() + frame.height()
        self._gap.setGeometry(edge.x(), max(0, line - 1), frame.width(), 2)
        self._gap.show()
        self._gap.raise_()

    def _drop(self, place: QPoint) -> None:
        self._gap.hide()
        card = next((s.card for s in self._virtual.loaded if _holds(s, self.sender())), None)
        if card is not None:
            to = self._gap_at(place)
            to -= to > card.number
            if to != card.number:
                self.verb_requested.emit(card.number, f"to {to}")

    def _gap_at(self, place: QPoint) -> int:
        """Return before which message a place of the screen is; the number of all is behind the last."""
        at = self.canvas.mapFromGlobal(place).y()
        loaded = [
            placeholder for placeholder in self._virtual.loaded if placeholder.frame is not None
        ]
        above = [s for s in loaded if s.frame is not None and _middle(s.frame, self.canvas) < at]
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
        for placeholder in self._virtual.loaded:
            if placeholder.frame is not None and placeholder.frame.add is bar:
                self.add_requested.emit(placeholder.number + 1, role)

    def _stay(self, by: int) -> None:
        """Keep what is seen where it is while something above it becomes taller."""
        bar = self.verticalScrollBar()
        if bar.value() > 0:
            self._settle()
            bar.setValue(bar.value() + by)

    def _settle(self) -> None:
        self._virtual.settle()
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
        top = self.verticalScrollBar().value() - self._virtual.mapTo(self.canvas, QPoint(0, 0)).y()
        if self._virtual.work(top, max(200, self.viewport().height())):
            self._work_soon()
        elif self._unmarked:
            self._mark(min(self._unmarked, key=_number))
            self._work_soon()


def _number(placeholder: CardPlaceholder) -> int:
    return placeholder.number


def _holds(placeholder: CardPlaceholder, drag_handle: QObject) -> bool:
    return placeholder.card is not None and placeholder.card.header.drag_handle is drag_handle


def _middle(frame: CardFrame, canvas: QWidget) -> int:
    return frame.mapTo(canvas, QPoint(0, frame.height() // 2)).y()
