"""One side of the comparison: who is asked, and the reply as it comes."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QPlainTextEdit,
    QWidget,
)

from curator.app.counted import counted
from curator.app.pages.try_out.background import Live, ask_candidate
from curator.app.pages.try_out.exchange import Answer, Prompt
from curator.app.session.background import Job
from curator.app.session.session import Session, failure_words
from curator.app.theme import READ_PX, font
from curator.app.widgets.buttons import LinkButton, PlainButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.focus_ring import FocusRing
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.reading_card import showable
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Meta, Plain
from curator.tune.candidates import Asked, Candidate
from curator.tune.evaluation.chatting import Reply

_LOOK_MS: Final = 50
_TARGET_PX: Final = 144
_NARROW_PX: Final = 480


class Side(QWidget):
    """A target and a candidate to choose, and beneath them the card of the reply."""

    answered = Signal(object)
    chosen = Signal()
    keep_requested = Signal()
    train_requested = Signal()

    def __init__(self, name: str, keep_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.answer: Answer | None = None
        self._asked: dict[str, Asked] = {}
        self._live: Live | None = None
        self._job: Job[Reply] | None = None
        self._asking: Candidate | None = None
        self._choosers = self._head()
        vbox(self._choosers, (self._card(keep_tip), 1), parent=self, spacing=8, margins=0)
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._show_live)
        self.show_nothing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the two choosers under each other where a name would not fit beside the target."""
        super().resizeEvent(event)
        way = QBoxLayout.Direction
        is_narrow = self.width() < _NARROW_PX
        self._choosers.setDirection(way.TopToBottom if is_narrow else way.LeftToRight)

    @property
    def is_asking(self) -> bool:
        """Whether a reply is on its way."""
        return self._job is not None

    def candidate(self) -> Candidate | None:
        """Return who would be asked; a typed name that is not in the list counts too."""
        target, text = self.target.currentData(), self.who.currentText().strip()
        if target is None or not text:
            return None
        for place in range(self.who.count()):
            if self.who.itemText(place) == text:
                found: Candidate = self.who.itemData(place)
                return found
        return Candidate(target, text, text)

    def offered(self) -> tuple[Candidate, ...]:
        """Return everybody who can be chosen, of every target."""
        return tuple(one for asked in self._asked.values() for one in asked.candidates)

    def offer(self, asked: Sequence[Asked], preferred: Candidate | None) -> None:
        """Offer these candidates; a choice made before stays, else the preferred one is chosen."""
        before = self.candidate() or preferred
        self._asked = {one.target.id: one for one in asked}
        with QSignalBlocker(self.target):
            self.target.clear()
            for one in asked:
                self.target.addItem(one.target.label, one.target.id)
        self.choose(before)

    def choose(self, candidate: Candidate | None) -> None:
        """Turn to a candidate; one that is no longer offered stands as a typed name."""
        if candidate is not None and candidate.target in self._asked:
            self.target.setCurrentIndex(self.target.findData(candidate.target))
        self._fill()
        if candidate is not None and candidate.target == self.target.currentData():
            self.who.show_text(candidate.label)
        self._show_beginning()
        self.chosen.emit()

    def ask(self, session: Session, prompt: Prompt, temperature: float, max_tokens: int) -> None:
        """Ask the chosen candidate; answered follows, whatever comes."""
        candidate = self.candidate()
        if candidate is None or self.is_asking:
            return
        live = Live()
        self._live, self._asking, self.answer = live, candidate, None
        title = self.tr("Asking, {0}").format(self.name)
        job = session.start(title, ask_candidate(candidate, prompt, temperature, max_tokens, live))
        self._job = job
        job.succeeded.connect(lambda reply: self._end(live, "done", reply))
        job.failed.connect(lambda error: self._end(live, "failed", None, error))
        job.ended.connect(lambda: self._end(live, "stopped"))
        self.text.setPlainText("")
        self._state.set(self.tr("waiting for the first word"), "text-muted")
        self._set_foot("")
        self._look.start()

    def stop(self) -> None:
        """Let go of the reply at once; what came so far stays."""
        if self._job is not None and self._live is not None:
            self._job.cancel()
            self._end(self._live, "stopped")

    def show_nothing(self) -> None:
        """Show that nothing was asked yet."""
        self.answer = None
        self.text.setPlainText("")
        self._state.set(self.tr("not asked yet"), "text-muted")
        self._set_foot("")

    def show_answer(self, answer: Answer) -> None:
        """Show an answer that came to some end."""
        self.answer = answer
        self._show(answer.text)
        reply = answer.reply
        if answer.ending == "failed":
            self._state.set(self.tr("no answer"), "danger", "error")
            self._set_foot("", answer.reason)
        elif answer.ending == "stopped" or reply is None:
            self._state.set(self.tr("stopped"), "warning", "stop")
            self._set_foot(self.tr("What came before the stop."))
        elif reply.finish_reason == "length":
            self._state.set(self.tr("cut at the longest reply"), "warning", "warning")
            self._set_foot(self._facts(reply))
        else:
            self._state.set(self.tr("answered"), "success", "check")
            self._set_foot(self._facts(reply))

    def _facts(self, reply: Reply) -> str:
        words = [
            counted(reply.tokens, "token"),
            self.tr("{0} s").format(f"{reply.seconds:.1f}"),
        ]
        if reply.tokens_per_second:
            words.insert(
                1,
                self.tr("{0} per second").format(counted(round(reply.tokens_per_second), "token")),
            )
        if not reply.text.strip():
            blank = self.tr("nothing but blanks")
            # First, as the line's end may be cut off beside a long state.
            words.insert(0, blank if reply.text else self.tr("it said nothing"))
        return " · ".join(words)

    def _head(self) -> QBoxLayout:
        self.target = ComboBox(self)
        self.target.setMinimumWidth(_TARGET_PX)
        self.target.setAccessibleName(self.tr("Target, {0}").format(self.name))
        self.target.currentIndexChanged.connect(self._target_changed)
        self.who = ComboBox(self)
        self.who.setEditable(True)
        self.who.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.who.setMinimumContentsLength(12)
        self.who.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.who.setAccessibleName(self.tr("Candidate, {0}").format(self.name))
        self.who.currentTextChanged.connect(self.chosen)
        self.who.currentIndexChanged.connect(self._show_beginning)
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(8)
        row.addWidget(self.target)
        row.addWidget(self.who, 1)
        return row

    def _card(self, keep_tip: str) -> Card:
        card = Card(self, stripe="role-assistant")
        self._state = Chip("", "text-muted", card)
        self._facts_text = Meta("", card)
        card.body.addLayout(hbox(self._state, self._facts_text, STRETCH, spacing=8))
        self.text = QPlainTextEdit(card)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(font(READ_PX))
        self.text.setProperty("kind", "plain")
        self.text.setAccessibleName(self.tr("Reply, {0}").format(self.name))
        self.text.document().setDocumentMargin(0)
        self.text.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._reason = Plain("", card, wrap=True)
        card.body.addWidget(self._reason)
        self.train = LinkButton(self.tr("Go to Train"), card)
        self.train.clicked.connect(self.train_requested)
        card.body.addWidget(self.train, 0, Qt.AlignmentFlag.AlignLeft)
        card.body.addWidget(self.text, 1)
        FocusRing(self.text)
        self.keep = PlainButton(self.tr("Keep as conversation"), card, icon_name="plus")
        self.keep.setToolTip(keep_tip)
        self.keep.setAccessibleName(self.tr("Keep as conversation, {0}").format(self.name))
        self.keep.clicked.connect(self.keep_requested)
        card.body.addLayout(hbox(STRETCH, self.keep))
        return card

    def _set_foot(self, facts: str, reason: str = "") -> None:
        self._facts_text.setText(facts)
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))
        self.train.setVisible(bool(reason))
        self.keep.setVisible(not reason)

    def _target_changed(self) -> None:
        self._fill()
        self._show_beginning()
        self.chosen.emit()

    def _fill(self) -> None:
        one = self._asked.get(self.target.currentData() or "")
        known = one.candidates if one is not None else ()
        self.who.offer([(c.label, c) for c in known], known[0].label if known else "")

    def _show_beginning(self) -> None:
        """Show how a long name begins, and the whole of it in the tip."""
        line = self.who.lineEdit()
        if line is not None and not line.hasFocus():
            line.setCursorPosition(0)
        words = self.tr(
            "A base model or a checkpoint; any other name the service knows can be typed"
        )
        self.who.setToolTip("\n".join(filter(None, (self.who.currentText(), words))))

    def _show_live(self) -> None:
        if self._live is not None and self._live.text:
            self._state.set(self.tr("answering"), "accent")
            self._show(self._live.text)

    def _show(self, text: str) -> None:
        """Show a text; one that only grew keeps the selection and the place the person reads at."""
        shown, wanted = self.text.toPlainText(), showable(text)
        if shown and wanted.startswith(shown):
            bar = self.text.verticalScrollBar()
            at_end = bar.value() == bar.maximum()
            cursor = self.text.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            cursor.insertText(wanted[len(shown) :])
            if at_end:
                bar.setValue(bar.maximum())
        elif shown != wanted:
            self.text.setPlainText(wanted)

    def _end(
        self, live: Live, ending: str, reply: Reply | None = None, error: object = None
    ) -> None:
        if live is not self._live or self._asking is None:
            return
        self._look.stop()
        candidate, self._live, self._job, self._asking = self._asking, None, None, None
        text = live.text if reply is None else reply.text
        if ending == "done":
            answer = Answer(candidate, text, "done", reply)
        elif ending == "failed":
            answer = Answer(candidate, text, "failed", None, failure_words(error))
        else:
            answer = Answer(candidate, text, "stopped")
        self.show_answer(answer)
        self.answered.emit(answer)
