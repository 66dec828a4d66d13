"""The current pair: what it is, the comparison, and the keys that decide."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from curator.app.actions import action
from curator.app.page import OpenRequest
from curator.app.pages.duplicates.clusters import Pair
from curator.app.pages.duplicates.pair_view import PairFacts, PairView
from curator.app.session.background import Job, Jobs
from curator.app.session.session import Session
from curator.app.widgets.buttons import LinkButton, allow
from curator.app.widgets.key_button import KeyButton
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.text import Meta, Muted, SectionTitle
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.curate.difference import TurnPair

Comparison = tuple[Pair, PairFacts, PairFacts, "list[TurnPair]"]

_KEYS = ("duplicates.keep_left", "duplicates.keep_both", "duplicates.keep_right")


class DecisionPane(QWidget):
    """Shows one pair; comparing runs in the background, so no long text holds the window up."""

    action_requested = Signal(str)
    open_requested = Signal(object)

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.jobs = jobs
        self.pair: Pair | None = None
        self._heading = SectionTitle("", self)
        self._facts = Muted("", self)
        self._open = LinkButton(self.tr("Open the left one"), self)
        self._open.clicked.connect(self._ask_open)
        self.view = PairView(self)
        head = hbox(
            self._heading,
            self._facts,
            STRETCH,
            Meta(self.tr("← → go through the pairs"), self),
            self._open,
            spacing=8,
        )
        vbox(head, (self.view, 1), self._buttons(), parent=self, spacing=8, margins=(8, 0, 0, 0))
        self.clear()

    def clear(self) -> None:
        """Show no pair."""
        self.pair = None
        self._heading.setText("")
        self._facts.setText("")
        self._open.hide()
        self._allow(
            allowed=False, reason=self.tr("Choose two conversations that repeat each other.")
        )
        self.view.setWidget(QWidget(self.view))

    def show_pair(self, pair: Pair, place: int, number: int) -> None:
        """Compare two conversations and show them."""
        project = self.session.project
        if project is None:
            return
        self.pair = pair
        self._heading.setText(self.tr("{0} % alike").format(f"{pair[2] * 100:.0f}"))
        self._facts.setText(self.tr("pair {0} of {1}").format(place, number) if number > 1 else "")
        self._open.show()
        self._allow(allowed=not self.session.is_read_only)

        def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Comparison:
            from curator.curate.difference import compare_conversations

            with project.reader() as reader:
                sides = [
                    PairFacts(
                        id_,
                        reader.conversation(id_),
                        reader.annotation(id_),
                        reader.row(id_).tokens,
                    )
                    for id_ in pair[:2]
                ]
            left, right = sides
            return pair, left, right, compare_conversations(left.conversation, right.conversation)

        job: Job[Comparison] = self.session.start(self.tr("Comparing"), work)
        job.succeeded.connect(self._show)

    def _show(self, comparison: Comparison) -> None:
        pair, left, right, turns = comparison
        if pair == self.pair:
            self.view.show_pair(left, right, turns)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.buttons: list[KeyButton] = []
        for action_id in _KEYS:
            entry = action(action_id)
            button = KeyButton(entry.label(), entry.shortcut, self, icon_name=entry.icon)
            button.setToolTip(entry.hint())
            button.setProperty("action", action_id)
            button.clicked.connect(self._ask)
            self.buttons.append(button)
            row.addWidget(button, 1)
        return row

    def _allow(self, *, allowed: bool, reason: str = "") -> None:
        for button in self.buttons:
            allow(button, allowed=allowed, reason=reason)

    def _ask(self) -> None:
        sender = self.sender()
        if isinstance(sender, KeyButton):
            self.action_requested.emit(str(sender.property("action")))

    def _ask_open(self) -> None:
        if self.pair is not None:
            self.open_requested.emit(OpenRequest("write", self.pair[0]))
