"""Two conversations side by side, turn against turn; what differs is coloured and marked."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from curator.app.counted import counted
from curator.app.theme import tokens
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.diff_text import DiffText
from curator.app.widgets.flow import FlowLayout
from curator.app.widgets.layouts import STRETCH, hbox, scroll_canvas
from curator.app.widgets.reading_card import role_word
from curator.app.widgets.status_look import STATUS_LOOK, status_word
from curator.app.widgets.text import Meta, Muted, Plain
from curator.curate.difference import Span, TurnPair

if TYPE_CHECKING:
    from curator.dataset import Annotation, Conversation

SHOWN_TURNS: Final = 60
"""More turns than these would take too long to build at once."""


class PairFacts:
    """One side of a pair: the conversation and what is known of it."""

    def __init__(
        self, id_: int, conversation: "Conversation", annotation: "Annotation", tokens_count: int
    ) -> None:
        self.id = id_
        self.conversation = conversation
        self.annotation = annotation
        self.tokens = tokens_count


class PairView(QScrollArea):
    """The comparison; both sides of a turn share a row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Two conversations side by side"))

    def show_pair(self, left: PairFacts, right: PairFacts, turns: list[TurnPair]) -> None:
        """Show two conversations and how their turns compare."""
        canvas = scroll_canvas(self)
        grid = QGridLayout(canvas)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setSpacing(8)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        for column, facts in enumerate((left, right)):
            grid.addWidget(self._heading(facts, column, canvas), 0, column)
        for row, turn in enumerate(turns[:SHOWN_TURNS], 1):
            sides = (
                (turn.left, turn.left_spans, left),
                (turn.right, turn.right_spans, right),
            )
            for column, (place, spans, facts) in enumerate(sides):
                grid.addWidget(self._side(place, spans, facts, turn, canvas), row, column)
        if len(turns) > SHOWN_TURNS:
            rest = self.tr("{0} not shown; open the conversation to see all.")
            words = rest.format(counted(len(turns) - SHOWN_TURNS, "more turn is", "more turns are"))
            grid.addWidget(Muted(words, canvas), SHOWN_TURNS + 1, 0, 1, 2)
        grid.setRowStretch(len(turns) + 2, 1)
        self.setWidget(canvas)
        self.verticalScrollBar().setValue(0)

    def _heading(self, facts: PairFacts, column: int, parent: QWidget) -> QWidget:
        head = QWidget(parent)
        # Beside a long list there is no room for all of it on one line.
        row = FlowLayout(head, gap=8)
        side = self.tr("Left") if column == 0 else self.tr("Right")
        row.addWidget(Plain(self.tr("{0} · conversation {1}").format(side, facts.id), head))
        icon_name, tone, _word = STATUS_LOOK[facts.annotation.status]
        row.addWidget(Chip(status_word(facts.annotation.status), tone, head, icon_name=icon_name))
        if facts.annotation.split:
            row.addWidget(Chip(facts.annotation.split, "accent", head))
        row.addWidget(Meta(counted(facts.tokens, "token"), head))
        return head

    def _side(
        self,
        place: int | None,
        spans: tuple[Span, ...],
        facts: PairFacts,
        turn: TurnPair,
        parent: QWidget,
    ) -> QWidget:
        if place is None:
            return _gap(self.tr("no such turn"), parent)
        message = facts.conversation.messages[place]
        role = tokens().role(message.role)
        card = Card(parent, stripe=role, padding=12)
        word = role_word(message.role)
        card.setAccessibleName(self.tr("Message {0}, {1}").format(place + 1, word))
        card.body.addLayout(
            hbox(
                Chip(word, role, card),
                Meta(str(place + 1), card),
                STRETCH,
                Meta(self._verdict(turn), card),
                spacing=8,
            )
        )
        card.body.addWidget(DiffText(spans, card) if spans else Muted(self.tr("(empty)"), card))
        card.body.addStretch(1)
        return card

    def _verdict(self, turn: TurnPair) -> str:
        if turn.same:
            return self.tr("same")
        if turn.left is None or turn.right is None:
            return self.tr("only here")
        return self.tr("differs")


def _gap(words: str, parent: QWidget) -> QWidget:
    gap = QWidget(parent)
    column = QVBoxLayout(gap)
    label = Muted(words, gap)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    column.addWidget(label)
    return gap
