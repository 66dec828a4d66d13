"""The bar under the conversation: label values and decisions, each with its key on the button."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from curator.app.actions import action
from curator.app.pages.label.keys import Answer, assign_keys, is_long
from curator.app.theme import icon
from curator.app.widgets.buttons import allow
from curator.app.widgets.flow import FlowLayout
from curator.app.widgets.key_button import KeyButton
from curator.app.widgets.layouts import clear, vbox
from curator.app.widgets.text import Elided, hairline, tip_of
from curator.dataset import LabelSet, Status

_DECISIONS = {
    "label.accept": Status.ACCEPTED,
    "label.reject": Status.REJECTED,
    "label.skip": Status.SKIPPED,
}
_NAME_PX: Final = 240
"""A longer name of a label set is cut: the answers need the line."""

_TONES = {"label.accept": "success", "label.reject": "danger", "label.skip": "text-muted"}


class LabelBar(QWidget):
    """Shows the questions and the decisions; every press goes out as a signal."""

    answer_requested = Signal(object)
    action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.answers: dict[str, Answer] = {}
        self._buttons: dict[Answer, KeyButton] = {}
        self._others: dict[str, KeyButton] = {}
        self._questions = QGridLayout()
        self._questions.setHorizontalSpacing(12)
        self._questions.setVerticalSpacing(8)
        self._questions.setColumnStretch(1, 1)
        vbox(hairline(self), self._questions, self._decisions(), parent=self, spacing=12, margins=0)

    def show_sets(self, sets: Sequence[LabelSet]) -> None:
        """Show the questions of the project."""
        clear(self._questions)
        self.answers = assign_keys(sets)
        self._buttons, self._others = {}, {}
        keys = {answer: key for key, answer in self.answers.items()}
        for row, label_set in enumerate(sets):
            name = Elided(label_set.name, self)
            name.setProperty("kind", "muted")
            name.setMaximumWidth(_NAME_PX)
            name.setToolTip(tip_of("\n".join(filter(None, (label_set.name, label_set.help)))))
            # On the line of the first values, however many lines follow.
            name.setContentsMargins(0, 7, 0, 0)
            self._questions.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._questions.addWidget(self._values(label_set, keys), row, 1)

    def show_state(self, chosen: Mapping[str, str], status: Status, *, flag: bool) -> None:
        """Press the buttons of what was said of the current conversation."""
        for answer, button in self._buttons.items():
            button.setChecked(chosen.get(answer.label_set) == answer.value)
        for name, button in self._others.items():
            value = chosen.get(name)
            hidden = value is None or Answer(name, value) in self._buttons
            self._show_other(button, None if hidden else Answer(name, str(value)))
        for action_id, button in self._decision_buttons.items():
            button.setChecked(_DECISIONS[action_id] == status)
        self._flag.setChecked(flag)

    def set_writable(self, *, writable: bool) -> None:
        """Allow or forbid everything that changes."""
        buttons = (*self._buttons.values(), *self._decision_buttons.values(), self._flag)
        for button in (*buttons, *self._others.values()):
            allow(button, allowed=writable)

    def _values(self, label_set: LabelSet, keys: Mapping[Answer, str]) -> QWidget:
        line = QWidget(self)
        row = FlowLayout(line)
        answers = [Answer(label_set.name, value) for value in label_set.values]
        # A long set shows the answers that have a key and the one given; the picker has them all.
        shown = [each for each in answers if each in keys] if is_long(label_set) else answers
        for answer in shown:
            button = KeyButton(answer.value, keys.get(answer, ""), line)
            button.setCheckable(True)
            button.setAccessibleName(f"{answer.label_set}: {answer.value}")
            button.setToolTip(tip_of(answer.value))
            button.setProperty("answer", answer)
            button.clicked.connect(self._answered)
            self._buttons[answer] = button
            row.addWidget(button)
        if is_long(label_set):
            other = KeyButton("", "", line)
            other.setCheckable(True)
            other.clicked.connect(self._answered)
            self._others[label_set.name] = other
            row.addWidget(other)
            row.addWidget(self._picker_button(len(answers), line))
        return line

    def _show_other(self, button: KeyButton, answer: Answer | None) -> None:
        """Show an answer that has no button of its own, or nothing."""
        button.setVisible(answer is not None)
        button.setProperty("answer", answer)
        if answer is not None:
            button.setText(answer.value)
            button.setToolTip(tip_of(answer.value))
            button.setAccessibleName(f"{answer.label_set}: {answer.value}")
            button.setChecked(True)

    def _picker_button(self, count: int, line: QWidget) -> KeyButton:
        entry = action("label.pick")
        button = KeyButton(self.tr("All {0}…").format(f"{count:,}"), entry.shortcut, line)
        button.setToolTip(entry.hint())
        button.setProperty("action", "label.pick")
        button.clicked.connect(self._asked)
        return button

    def _decisions(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._decision_buttons: dict[str, KeyButton] = {}
        for action_id in _DECISIONS:
            button = self._key_button(action_id, _TONES[action_id])
            self._decision_buttons[action_id] = button
            row.addWidget(button)
        row.addSpacing(8)
        self._flag = self._key_button("label.flag", "warning")
        row.addWidget(self._flag)
        note = self._key_button("label.note", "text-muted")
        note.setCheckable(False)
        row.addWidget(note)
        row.addStretch(1)
        return row

    def _key_button(self, action_id: str, tone: str) -> KeyButton:
        entry = action(action_id)
        button = KeyButton(entry.label(), entry.shortcut, self)
        button.setIcon(icon(entry.icon, tone))
        button.setToolTip(entry.hint())
        button.setCheckable(True)
        button.setProperty("action", action_id)
        button.clicked.connect(self._asked)
        return button

    def _answered(self) -> None:
        answer = self.sender().property("answer")
        sender = self.sender()
        if isinstance(sender, KeyButton):
            # The press alone must not change the look: the edit may be refused.
            sender.setChecked(not sender.isChecked())
        self.answer_requested.emit(answer)

    def _asked(self) -> None:
        sender = self.sender()
        if isinstance(sender, KeyButton) and sender.isCheckable():
            sender.setChecked(not sender.isChecked())
        self.action_requested.emit(str(sender.property("action")))
