"""What is asked: the system prompt, the question, how the reply is made, and the answer hoped for."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPlainTextEdit,
    QWidget,
)

from curator.app.actions import action
from curator.app.counted import counted
from curator.app.pages.try_out.exchange import Prompt
from curator.app.theme import READ_PX, font
from curator.app.widgets.buttons import ActionButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.layouts import hbox
from curator.app.widgets.number_field import NumberField
from curator.app.widgets.reading_card import showable
from curator.app.widgets.setting_fields import ComboBox, DecimalField
from curator.app.widgets.text import Elided, Muted

_QUESTION_PX: Final = 72
_EXPECTED_LINES: Final = 3
_EXPECTED_LEAST_PX: Final = 320
_LONGEST: Final = 32_000
_USUAL_TOKENS: Final = 300


class QuestionField(QPlainTextEdit):
    """The text of the question; Ctrl+Enter asks, Enter begins a new line."""

    ask_requested = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask at Ctrl+Enter, type everything else."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self.ask_requested.emit()
            return
        super().keyPressEvent(event)


class QuestionCard(Card):
    """The card at the top of the page; prompt() is what it says now."""

    changed = Signal()
    action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, stripe="role-user", padding=12)
        self._taken = Prompt("")
        self._loading = False
        self.body.addLayout(self._system_row())
        self.text = QuestionField(self)
        self.text.setFixedHeight(_QUESTION_PX)
        self.text.setTabChangesFocus(True)
        self.text.setFont(font(READ_PX))
        self.text.setAccessibleName(self.tr("Question"))
        self.text.setPlaceholderText(self.tr("Type a question; Ctrl+Enter asks both sides"))
        self.text.textChanged.connect(self._edited)
        self.body.addWidget(self.text)
        self._expected_holder = self._expected_row()
        self.body.addWidget(self._expected_holder)
        self.body.addLayout(self._foot())
        # A line of its own: beside the fields it is cut in a narrow window.
        self.body.addWidget(self.origin)
        self.take(Prompt(""))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the demonstrated answer to the new width."""
        super().resizeEvent(event)
        self._fit_expected()

    def prompt(self) -> Prompt:
        """Return what would be asked now, with the chosen system prompt."""
        question, system = self.text.toPlainText(), self.system.currentData() or ""
        taken = self._taken
        if question != showable(taken.question):
            return Prompt(question, system)
        return Prompt(taken.question, system, taken.earlier, taken.demonstrated, taken.conversation)

    def take(self, prompt: Prompt) -> None:
        """Show a prompt that was asked before or comes from the project."""
        self._taken = prompt
        self._loading = True
        self.text.setPlainText(showable(prompt.question))
        if self.system.findData(prompt.system) < 0:
            self._add_system(prompt.system)
        self.system.setCurrentIndex(self.system.findData(prompt.system))
        self._loading = False
        self._show_origin()
        self.changed.emit()

    def offer_systems(self, prompts: Sequence[str]) -> None:
        """Offer these system prompts; the chosen one stays."""
        chosen = self.system.currentData() or ""
        self._loading = True
        self.system.clear()
        for text in dict.fromkeys(("", *prompts, chosen)):
            self._add_system(text)
        self.system.setCurrentIndex(self.system.findData(chosen))
        self._loading = False

    def light(self, *, can_ask: bool, is_asking: bool) -> None:
        """Offer to ask, or to stop while replies are on their way."""
        self.ask.setEnabled(can_ask)
        self.ask.setVisible(not is_asking)
        self.stop.setVisible(is_asking)

    def _system_row(self) -> QHBoxLayout:
        self.system = ComboBox(self)
        self.system.setAccessibleName(self.tr("System prompt"))
        self.system.setMinimumContentsLength(20)
        self.system.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._add_system("")
        return hbox(Muted(self.tr("System prompt"), self), (self.system, 1), spacing=8)

    def _add_system(self, text: str) -> None:
        line = " ".join(text[:200].split()) or self.tr("None")
        self.system.addItem(showable(line), text)
        self.system.setItemData(
            self.system.count() - 1, showable(text[:2_000]), Qt.ItemDataRole.ToolTipRole
        )

    def _expected_row(self) -> QWidget:
        holder = QWidget(self)
        self.expected = QPlainTextEdit(holder)
        self.expected.setReadOnly(True)
        self.expected.setTabChangesFocus(True)
        # Its lines wrap; a bar would only cover the last of them.
        self.expected.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.expected.setFont(font(READ_PX))
        self.expected.setProperty("kind", "plain")
        self.expected.document().setDocumentMargin(0)
        self.expected.setAccessibleName(self.tr("Demonstrated answer"))
        hbox(
            (Chip(self.tr("demonstrated answer"), "success", holder), 0, Qt.AlignmentFlag.AlignTop),
            (self.expected, 1),
            parent=holder,
            spacing=8,
            margins=0,
        )
        return holder

    def _foot(self) -> QHBoxLayout:
        self.temperature = DecimalField(self)
        self.temperature.setRange(0.0, 2.0)
        self.temperature.setSingleStep(0.1)
        self.temperature.setDecimals(1)
        self.temperature.setAccessibleName(self.tr("Temperature"))
        self.temperature.setToolTip(
            self.tr(
                "0 takes the likeliest word every time, so that two sides can be compared; higher "
                "values vary more. A few base models accept only 1."
            )
        )
        self.longest = NumberField(self)
        self.longest.setRange(1, _LONGEST)
        self.longest.setValue(_USUAL_TOKENS)
        self.longest.setAccessibleName(self.tr("Longest reply, in tokens"))
        self.longest.setToolTip(
            self.tr("A reply is cut here; 100 tokens are about 75 English words")
        )
        self.origin = Elided("", self)
        self.origin.setProperty("kind", "meta")
        self.ask = ActionButton(action("try.ask"), primary=True, parent=self)
        self.ask.setToolTip(self.tr("Send the question to both sides (Ctrl+Enter)"))
        self.stop = ActionButton(action("try.stop"), parent=self)
        row = QHBoxLayout()
        row.setSpacing(8)
        for words, field in (
            (self.tr("Temperature"), self.temperature),
            (self.tr("Longest reply"), self.longest),
        ):
            row.addWidget(Muted(words, self))
            row.addWidget(field)
        row.addStretch(1)
        for button in (self.ask, self.stop):
            button.action_requested.connect(self.action_requested)
            row.addWidget(button)
        return row

    def _edited(self) -> None:
        if not self._loading:
            self._show_origin()
            self.changed.emit()

    def _show_origin(self) -> None:
        """Say where the question comes from; words of one's own have no demonstrated answer."""
        now = self.prompt()
        words = self.tr("0 is the steadiest, 2 the wildest")
        if now.conversation is not None:
            words = self.tr("Conversation {0} of the test split").format(f"{now.conversation:,}")
            if now.earlier:
                turns = self.tr("{0} along").format(
                    counted(len(now.earlier), "earlier turn goes", "earlier turns go")
                )
                words = f"{words} · {turns}"
        self.origin.setText(words)
        self.expected.setPlainText(showable(now.demonstrated))
        self._expected_holder.setVisible(bool(now.demonstrated))
        self._fit_expected()

    def _fit_expected(self) -> None:
        """Make the demonstrated answer as high as its lines, up to the most it may take."""
        room = QRect(0, 0, max(self.expected.viewport().width(), _EXPECTED_LEAST_PX), _LONGEST)
        words = self.expected.toPlainText()[:2_000]
        box = self.expected.fontMetrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), words)
        most = _EXPECTED_LINES * self.expected.fontMetrics().lineSpacing()
        self.expected.setFixedHeight(min(most, box.height()) + 2)
