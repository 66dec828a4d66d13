"""The settings of a new job: a field for each, its help beneath, and what only some methods have."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from curator.app.widgets.buttons import ChipButton, QuietButton
from curator.app.widgets.card import Card
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Meta, Quiet, SectionTitle
from curator.dataset.errors import WrongUse
from curator.tune.graders import shown
from curator.tune.recipe import Recipe, check_value
from curator.tune.targets import Hyperparameter, Method, Target

_EXAMPLES: Final[tuple[dict[str, Any], ...]] = (
    {
        "type": "string_check",
        "name": "same answer",
        "operation": "ilike",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
    },
    {
        "type": "text_similarity",
        "name": "near the answer",
        "evaluation_metric": "rouge_l",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
    },
    {
        "type": "score_model",
        "name": "judge",
        "model": "gpt-4.1-mini",
        "range": [0, 1],
        "input": [
            {
                "role": "user",
                "content": "Score from 0 to 1 how well the reply {{sample.output_text}} says what "
                "{{item.reference_answer}} says.",
            }
        ],
    },
    {
        "type": "python",
        "name": "own rule",
        "source": "def grade(sample, item):\n"
        "    return float(item['reference_answer'] in sample['output_text'])\n",
    },
)


class SettingsCard(Card):
    """Holds what is typed; changed tells of every change."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._target: Target | None = None
        self._method: Method = "sft"
        self.fields: dict[str, QWidget] = {}
        self._holders: list[QWidget] = []
        self._advanced: list[QWidget] = []
        self.body.addWidget(SectionTitle(self.tr("Settings"), self))
        self._form = QFormLayout()
        self._form.setVerticalSpacing(8)
        self._form.setHorizontalSpacing(12)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.body.addLayout(self._form)
        self.more = ChipButton(self.tr("More settings"), self)
        self.more.toggled.connect(self._show_advanced)
        row = QHBoxLayout()
        row.addWidget(self.more)
        row.addStretch(1)
        self.body.addLayout(row)
        self._suffix = self._line(self.tr("Name ending"), self.tr("part of the checkpoint's name"))
        self._suffix.setMaxLength(64)
        self._seed = self._line(self.tr("Seed"), self.tr("auto"))
        self._wandb = self._line(
            self.tr("Weights & Biases"), self.tr("project the run appears in; empty for none")
        )
        self.body.addWidget(self._grader_box())
        self.fault = Meta("", self, wrap=True)
        self.fault.setProperty("tone", "danger")
        self.fault.hide()
        self.body.addWidget(self.fault)

    def offer(self, target: Target, method: Method) -> None:
        """Make a field for every setting of the target and method, its help beneath."""
        self._target, self._method = target, method
        for holder in self._holders:
            self._form.removeRow(holder)
        self.fields, self._holders, self._advanced = {}, [], []
        for place, setting in enumerate(target.settings(method)):
            holder = QWidget(self)
            column = QVBoxLayout(holder)
            column.setContentsMargins(0, 0, 0, 4)
            column.setSpacing(2)
            field = self._field(setting, holder)
            field.setAccessibleName(setting.label)
            field.setAccessibleDescription(setting.help)
            field.setToolTip(setting.help)
            column.addWidget(field)
            column.addWidget(Meta(setting.help, holder, wrap=True))
            self._form.insertRow(place, setting.label, holder)
            self.fields[setting.name] = field
            self._holders.append(holder)
            if setting.advanced:
                self._advanced.append(holder)
        self.more.setVisible(bool(self._advanced))
        self._show_advanced(self.more.isChecked())
        self._form.setRowVisible(self._wandb, target.wandb)
        self._grader_holder.setVisible(method == "rft")
        self.changed.emit()

    def fill(self, recipe: Recipe) -> None:
        """Type what a recipe says; its target and method must be offered already."""
        for name, field in self.fields.items():
            value = recipe.settings.get(name)
            if isinstance(field, QCheckBox):
                field.setChecked(bool(recipe.value(name)))
            elif isinstance(field, QComboBox):
                field.setCurrentText(str(recipe.value(name)))
            elif isinstance(field, QLineEdit):
                field.setText("" if value is None else str(value))
        advanced = {s.name for s in recipe.target.settings(recipe.method) if s.advanced}
        if advanced & set(recipe.settings):
            self.more.setChecked(True)
        self._suffix.setText(recipe.suffix)
        self._seed.setText("" if recipe.seed is None else str(recipe.seed))
        self._wandb.setText(str((recipe.wandb or {}).get("project", "")))
        self._grader.setPlainText("" if recipe.grader is None else shown(recipe.grader))

    def choices(self) -> dict[str, Any]:
        """Return what is typed, as make_recipe takes it; raises WrongUse for what cannot be read."""
        seed = self._seed.text().strip()
        if seed and not seed.isdecimal():
            raise WrongUse(self.tr("The seed must be a whole number, or empty."))
        project = self._wandb.text().strip() if self._target and self._target.wandb else ""
        return {
            "settings": self._typed(),
            "suffix": self._suffix.text().strip(),
            "seed": int(seed) if seed else None,
            "grader": self._typed_grader(),
            "wandb": {"project": project} if project else None,
        }

    def say(self, fault: str) -> None:
        """Show what is wrong with what is typed; empty takes it away."""
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))

    def _grader_box(self) -> QWidget:
        self._grader_holder = QWidget(self)
        column = QVBoxLayout(self._grader_holder)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(Quiet(self.tr("Grader"), self._grader_holder))
        row.addStretch(1)
        begin = QuietButton(self.tr("Begin with"), self._grader_holder)
        menu = QMenu(begin)
        for example in _EXAMPLES:
            entry = menu.addAction(example["type"])
            entry.triggered.connect(partial(self._take_example, example))
        begin.setMenu(menu)
        row.addWidget(begin)
        column.addLayout(row)
        self._grader = QPlainTextEdit(self._grader_holder)
        self._grader.setProperty("kind", "mono")
        self._grader.setAccessibleName(self.tr("Grader"))
        self._grader.setPlaceholderText('{"type": "string_check", "name": "exact", ...}')
        self._grader.setFixedHeight(160)
        self._grader.setTabChangesFocus(True)
        self._grader.textChanged.connect(self.changed)
        column.addWidget(self._grader)
        words = self.tr(
            "What scores the replies, as JSON. {{item.NAME}} is a field of the training row, "
            "{{sample.output_text}} the reply. A service that offers it is asked about the grader "
            "before anything is uploaded."
        )
        column.addWidget(Meta(words, self._grader_holder, wrap=True))
        return self._grader_holder

    def _take_example(self, example: Mapping[str, Any]) -> None:
        self._grader.setPlainText(shown(example))
        self._grader.setFocus()

    def _line(self, words: str, placeholder: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setPlaceholderText(placeholder)
        field.setAccessibleName(words)
        field.textChanged.connect(self.changed)
        # An ampersand in a form's label would be read as a key.
        self._form.addRow(words.replace("&", "&&"), field)
        return field

    def _show_advanced(self, shown: bool) -> None:  # noqa: FBT001 - a Qt slot
        for holder in self._advanced:
            self._form.setRowVisible(holder, shown)

    def _field(self, setting: Hyperparameter, parent: QWidget) -> QWidget:
        if setting.kind == "bool":
            box = QCheckBox(self.tr("on"), parent)
            box.setChecked(bool(setting.default))
            box.toggled.connect(self.changed)
            return box
        if setting.kind == "choice":
            choice = ComboBox(parent)
            choice.addItems(list(setting.choices))
            let_shrink(choice)
            choice.setCurrentText(str(setting.default))
            choice.currentTextChanged.connect(self.changed)
            return choice
        line = QLineEdit(parent)
        line.setPlaceholderText(self._default_words(setting))
        line.textChanged.connect(self.changed)
        line.editingFinished.connect(self._check_fields)
        return line

    def _check_fields(self) -> None:
        """Mark fields whose number lies outside its bounds, and say the first one's sentence."""
        fault = ""
        for setting in self._target.settings(self._method) if self._target else ():
            field = self.fields.get(setting.name)
            if not isinstance(field, QLineEdit):
                continue
            wrong = ""
            if field.text().strip():
                try:
                    check_value(setting, field.text())
                except WrongUse as error:
                    wrong = str(error)
            field.setProperty("state", "wrong" if wrong else "")
            field.style().unpolish(field)
            field.style().polish(field)
            fault = fault or wrong
        self.say(fault)

    def _default_words(self, setting: Hyperparameter) -> str:
        if setting.default == "auto":
            return self.tr("auto")
        return self.tr("{0} by default").format(setting.default)

    def _typed(self) -> Mapping[str, Any]:
        typed: dict[str, Any] = {}
        for name, field in self.fields.items():
            if isinstance(field, QCheckBox):
                typed[name] = field.isChecked()
            elif isinstance(field, QComboBox):
                # What is left to the trainer is no setting; the origin lists only choices.
                if field.currentText() != "auto":
                    typed[name] = field.currentText()
            elif isinstance(field, QLineEdit) and field.text().strip():
                typed[name] = field.text().strip()
        return typed

    def _typed_grader(self) -> Mapping[str, Any] | None:
        text = self._grader.toPlainText().strip()
        if self._method != "rft" or not text:
            return None
        try:
            grader = json.loads(text)
        except ValueError as error:
            raise WrongUse(self.tr("The grader is not valid JSON: {0}.").format(error)) from error
        if not isinstance(grader, dict):
            raise WrongUse(self.tr("The grader must be a JSON object."))
        return grader


def let_shrink(box: QComboBox) -> None:
    """Let a long entry be cut in a narrow window, so that it does not push the form out of sight."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
