"""The settings of a new job: a field for each, its help beneath, and what only some methods have."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QWidget,
)

from curator.app.widgets.buttons import ChipButton, FlatButton
from curator.app.widgets.card import Card
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.setting_fields import ComboBox, let_shrink
from curator.app.widgets.text import Meta, Muted, Plain, SectionTitle
from curator.dataset.errors import WrongUse
from curator.tune.jobs.auto_settings import Autos
from curator.tune.jobs.graders import shown
from curator.tune.jobs.recipe import Recipe, check_value
from curator.tune.targets.profiles import Hyperparameter, Method, Target

_LABEL_PX: Final = 120
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
    """Holds what is typed; folded, it says in a line what will be used. changed tells of every change."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._target: Target | None = None
        self._method: Method = "sft"
        self._autos = Autos({}, frozenset())
        self.fields: dict[str, QWidget] = {}
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        self._lines: dict[QWidget, tuple[QWidget, ...]] = {}
        self.change = ChipButton(self.tr("Change settings"), self)
        self.change.toggled.connect(self._unfold)
        self.body.addLayout(hbox(SectionTitle(self.tr("Settings"), self), STRETCH, self.change))
        self._summary = Muted("", self, wrap=True)
        self.body.addWidget(self._summary)
        self._inside = self._fold()
        self.body.addWidget(self._inside)
        self.body.addWidget(self._grader_box())
        self.fault = Meta("", self, wrap=True)
        self.fault.setProperty("tone", "danger")
        self.fault.hide()
        self.body.addWidget(self.fault)

    def add_above(self, widget: QWidget) -> None:
        """Put something at the top of what unfolds."""
        self._column.insertWidget(0, widget)

    def offer(self, target: Target, method: Method) -> None:
        """Make a field for every setting of the target and method, its help beneath."""
        self._target, self._method = target, method
        for widget in (widget for row in self._rows.values() for widget in row):
            widget.hide()
            widget.deleteLater()
        self.fields, self._rows = {}, {}
        settings = target.settings(method)
        self._autos = Autos({}, frozenset(setting.name for setting in settings))
        before: QWidget = self.change
        for place, setting in enumerate(settings):
            field = self._field(setting, self._inside)
            field.setAccessibleName(setting.label)
            field.setAccessibleDescription(setting.help)
            field.setToolTip(setting.help)
            self._add_row(place, setting.name, setting.label, field, setting.help)
            self.fields[setting.name] = field
            self.setTabOrder(before, field)
            before = field
        self.more.setVisible(any(setting.advanced for setting in settings))
        self._grader_holder.setVisible(method == "rft")
        self._show_rows()
        self._summarise()
        self.changed.emit()

    def show_autos(self, found: Autos) -> None:
        """Say what each setting left open will be, and show only those the chosen way uses."""
        self._autos = found
        for setting in self._settings():
            field, auto = self.fields[setting.name], self._auto_words(setting)
            if isinstance(field, QLineEdit):
                field.setPlaceholderText(auto)
            elif isinstance(field, QComboBox) and field.findData("auto") >= 0:
                field.setItemText(field.findData("auto"), auto)
        self._show_rows()
        self._summarise()
        self.set_message(found.fault)

    def fill(self, recipe: Recipe) -> None:
        """Type what a recipe says; its target and method must be offered already."""
        for name, field in self.fields.items():
            value = recipe.settings.get(name)
            if isinstance(field, QCheckBox):
                field.setChecked(bool(recipe.value(name)))
            elif isinstance(field, QComboBox):
                field.setCurrentIndex(max(0, field.findData(str(recipe.value(name)))))
            elif isinstance(field, QLineEdit):
                field.setText("" if value is None else str(value))
        advanced = {s.name for s in recipe.target.settings(recipe.method) if s.advanced}
        if advanced & set(recipe.settings):
            self.more.setChecked(True)
        self._summarise()
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

    def set_message(self, fault: str) -> None:
        """Show what is wrong with what is typed; empty takes it away."""
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))

    def _fold(self) -> QWidget:
        inside = QWidget(self)
        # A grid gives wrapped help texts the height they need at every width; a form does not.
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnMinimumWidth(0, _LABEL_PX)
        self._grid.setColumnStretch(1, 1)
        self.more = ChipButton(self.tr("More settings"), inside)
        self.more.toggled.connect(self._show_rows)
        row = hbox(self.more, STRETCH)
        self._last = QGridLayout()
        self._last.setHorizontalSpacing(12)
        self._last.setVerticalSpacing(8)
        self._last.setColumnMinimumWidth(0, _LABEL_PX)
        self._last.setColumnStretch(1, 1)
        self._column = vbox(
            self._grid, row, self._last, parent=inside, spacing=12, margins=(0, 4, 0, 0)
        )
        ending = self.tr("Added to the checkpoint's name.")
        self._suffix = self._line(inside, self.tr("Name ending"), self.tr("none"), ending)
        self._suffix.setMaxLength(64)
        self._seed = self._line(inside, self.tr("Seed"), self.tr("auto"), "")
        runs = self.tr("The project there in which the run appears.")
        self._wandb = self._line(inside, self.tr("Weights & Biases"), self.tr("none"), runs)
        inside.hide()
        return inside

    def _add_row(self, place: int, name: str, label: str, field: QWidget, text: str) -> None:
        title = Plain(label, self._inside, wrap=True)
        title.setBuddy(field)
        help_text = Meta(text, self._inside, wrap=True)
        top = Qt.AlignmentFlag.AlignTop
        title.setContentsMargins(0, 6, 0, 0)
        help_text.setContentsMargins(0, 0, 0, 8)
        self._grid.addWidget(title, 2 * place, 0, top)
        self._grid.addWidget(field, 2 * place, 1)
        self._grid.addWidget(help_text, 2 * place + 1, 1, top)
        self._rows[name] = (title, field, help_text)

    def _settings(self) -> tuple[Hyperparameter, ...]:
        return self._target.settings(self._method) if self._target else ()

    def _show_rows(self, _shown: bool = False) -> None:  # noqa: FBT001, FBT002 - a Qt slot
        """Show the settings in use, the rarer ones only when asked for; a typed one stays in sight."""
        typed = self._typed()
        for setting in self._settings():
            is_used = setting.name in self._autos.used or setting.name in typed
            is_shown = is_used and (self.more.isChecked() or not setting.advanced)
            for widget in self._rows[setting.name]:
                widget.setVisible(is_shown)
        for widget in self._lines[self._wandb]:
            widget.setVisible(self._target is not None and self._target.wandb)

    def _unfold(self, shown: bool) -> None:  # noqa: FBT001 - a Qt slot
        self._inside.setVisible(shown)
        self._summary.setVisible(not shown)

    def _summarise(self) -> None:
        """Say in a line what the plain settings are."""
        typed = self._typed()
        parts = [
            f"{s.label}: {self._said(typed[s.name]) if s.name in typed else self._auto_words(s)}"
            for s in self._settings()
            if s.name in typed or (s.name in self._autos.used and not s.advanced)
        ]
        self._summary.setText(" · ".join(parts))

    def _said(self, value: object) -> str:
        return (
            (self.tr("on") if value else self.tr("off")) if isinstance(value, bool) else str(value)
        )

    def _auto_words(self, setting: Hyperparameter) -> str:
        """Return what a setting left open will be."""
        if setting.default != "auto":
            return self.tr("{0} by default").format(setting.default)
        value = self._autos.values.get(setting.name)
        if value is not None:
            return self.tr("auto: {0}").format(value)
        if self._target is not None and self._target.protocol != "local":
            return self.tr("auto: the service chooses")
        return self.tr("auto")

    def _grader_box(self) -> QWidget:
        self._grader_holder = QWidget(self)
        begin = FlatButton(self.tr("Begin with"), self._grader_holder)
        menu = QMenu(begin)
        for example in _EXAMPLES:
            entry = menu.addAction(example["type"])
            entry.triggered.connect(partial(self._take_example, example))
        begin.setMenu(menu)
        row = hbox(Muted(self.tr("Grader"), self._grader_holder), STRETCH, begin)
        self._grader = QPlainTextEdit(self._grader_holder)
        self._grader.setProperty("kind", "mono")
        self._grader.setAccessibleName(self.tr("Grader"))
        self._grader.setPlaceholderText('{"type": "string_check", "name": "exact", ...}')
        self._grader.setFixedHeight(160)
        self._grader.setTabChangesFocus(True)
        self._grader.textChanged.connect(self.changed)
        words = self.tr(
            "What scores the replies, as JSON. {{item.NAME}} is a field of the training row, "
            "{{sample.output_text}} the reply. A service that offers it is asked about the grader "
            "before anything is uploaded."
        )
        vbox(
            row,
            self._grader,
            Meta(words, self._grader_holder, wrap=True),
            parent=self._grader_holder,
            spacing=4,
            margins=(0, 4, 0, 0),
        )
        # Until a target and method are known nothing is graded.
        self._grader_holder.hide()
        return self._grader_holder

    def _take_example(self, example: Mapping[str, Any]) -> None:
        self._grader.setPlainText(shown(example))
        self._grader.setFocus()

    def _line(self, parent: QWidget, words: str, placeholder: str, text: str) -> QLineEdit:
        field = QLineEdit(parent)
        field.setPlaceholderText(placeholder)
        field.setAccessibleName(words)
        field.setToolTip(text)
        field.textChanged.connect(self.changed)
        title, row = Plain(words, parent), len(self._lines)
        self._last.addWidget(title, row, 0)
        self._last.addWidget(field, row, 1)
        self._lines[field] = (title, field)
        return field

    def _field(self, setting: Hyperparameter, parent: QWidget) -> QWidget:
        if setting.kind == "bool":
            box = QCheckBox(self.tr("on"), parent)
            box.setChecked(bool(setting.default))
            box.toggled.connect(self.changed)
            return box
        if setting.kind == "choice":
            choice = ComboBox(parent)
            for each in setting.choices:
                choice.addItem(each, each)
            let_shrink(choice)
            choice.setCurrentIndex(max(0, choice.findData(str(setting.default))))
            choice.currentTextChanged.connect(self.changed)
            return choice
        line = QLineEdit(parent)
        line.setPlaceholderText(self._auto_words(setting))
        line.textChanged.connect(self.changed)
        line.editingFinished.connect(self._check_fields)
        return line

    def _check_fields(self) -> None:
        """Mark fields whose number lies outside its bounds, and say the first one's sentence."""
        fault = ""
        for setting in self._settings():
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
        self.set_message(fault)
        self._summarise()

    def _typed(self) -> Mapping[str, Any]:
        typed: dict[str, Any] = {}
        for name, field in self.fields.items():
            if isinstance(field, QCheckBox):
                typed[name] = field.isChecked()
            elif isinstance(field, QComboBox):
                # What is left to the trainer is no setting; the origin lists only choices.
                if field.currentData() != "auto":
                    typed[name] = field.currentData()
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
