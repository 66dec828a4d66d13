"""The form of a new job: what to train on, from which base model, and with which settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from curator.app.widgets.buttons import ChipButton, LinkButton, PlainButton
from curator.app.widgets.card import Card
from curator.app.widgets.text import Elided, Meta, Quiet, SectionTitle
from curator.curate.cost import last_days
from curator.dataset.errors import WrongUse
from curator.tune.probing import ServedBase
from curator.tune.recipe import Recipe, check_value, make_recipe
from curator.tune.targets import Hyperparameter, Method, Target


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """The export to train on: its folder and its rows, as far as they are known."""

    folder: Path
    rows: int
    validation_rows: int


class Composer(QScrollArea):
    """Makes recipes; changed tells that a dry run no longer fits what is typed."""

    changed = Signal()
    folder_requested = Signal()
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._target: Target | None = None
        self._export: ExportChoice | None = None
        self._settings: dict[str, QWidget] = {}
        self._holders: list[QWidget] = []
        self._advanced: list[QWidget] = []
        self._days: dict[str, str] = {}
        inside = QWidget(self)
        inside.setProperty("kind", "canvas")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(12)
        self._column.addWidget(self._data_card())
        self._column.addWidget(self._base_card())
        self._column.addWidget(self._settings_card())
        self._column.addStretch(1)
        self.setWidget(inside)

    def show_target(self, target: Target) -> None:
        """Offer what a target takes."""
        if self._target is not None and self._target == target:
            return
        self._target = target
        self._method.blockSignals(True)  # noqa: FBT003 - Qt's own signature
        self._method.clear()
        for method in target.methods:
            self._method.addItem(self._method_words(method), method)
        self._method.blockSignals(False)  # noqa: FBT003 - Qt's own signature
        self._method_row.setVisible(len(target.methods) > 1 or target.methods[0] != "sft")
        self._offer_bases([ServedBase(name, "") for name in target.bases])
        self._build_settings()
        self._note.setText(target.note)
        self._note.setVisible(bool(target.note))
        self.changed.emit()

    def offer_served(self, served: Sequence[ServedBase]) -> None:
        """Add what the server itself named; the profile's own stay on top."""
        known = set(self._target.bases) if self._target else set()
        self._days = {base.name: base.shutdown for base in served}
        mine = [ServedBase(name, self._days.get(name, "")) for name in sorted(known, reverse=True)]
        self._offer_bases([*mine, *(base for base in served if base.name not in known)])

    def show_export(self, export: ExportChoice | None) -> None:
        """Show which export is trained on."""
        self._export = export
        if export is None:
            self._folder.setText(self.tr("No export yet"))
            self._rows.setText(self.tr("Export the project first, or choose the folder of one."))
        else:
            self._folder.setText(str(export.folder))
            words = self.tr("{0} rows to train on, {1} to validate with")
            self._rows.setText(words.format(f"{export.rows:,}", f"{export.validation_rows:,}"))
        self.changed.emit()

    @property
    def export(self) -> ExportChoice | None:
        """The export to train on."""
        return self._export

    def recipe(self) -> Recipe:
        """Return the checked recipe; raises WrongUse with the sentence to show."""
        if self._target is None:
            raise WrongUse(self.tr("Choose a target first."))
        seed = self._seed.text().strip()
        if seed and not seed.isdecimal():
            raise WrongUse(self.tr("The seed must be a whole number, or empty."))
        return make_recipe(
            self._target,
            self._base.currentText(),
            method=self.method(),
            settings=self._typed(),
            suffix=self._suffix.text().strip(),
            seed=int(seed) if seed else None,
            grader=self._typed_grader(),
        )

    def method(self) -> Method:
        """Return the method chosen."""
        chosen: Method = self._method.currentData() or "sft"
        return chosen

    def say(self, fault: str) -> None:
        """Show what is wrong with what is typed; empty takes it away."""
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))

    def _data_card(self) -> Card:
        card = Card(self)
        card.body.addWidget(SectionTitle(self.tr("Train on"), card))
        self._folder = Elided(self.tr("No export yet"), card)
        self._rows = Meta("", card, wrap=True)
        card.body.addWidget(self._folder)
        card.body.addWidget(self._rows)
        row = QHBoxLayout()
        row.setSpacing(8)
        choose = PlainButton(self.tr("Choose a folder"), card, icon_name="folder")
        choose.clicked.connect(self.folder_requested)
        export = LinkButton(self.tr("Export now"), card)
        export.clicked.connect(self.export_requested)
        row.addWidget(choose)
        row.addWidget(export)
        row.addStretch(1)
        card.body.addLayout(row)
        return card

    def _base_card(self) -> Card:
        card = Card(self)
        card.body.addWidget(SectionTitle(self.tr("Base model"), card))
        self._base = QComboBox(card)
        self._base.setEditable(True)
        self._base.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._base.setAccessibleName(self.tr("Base model"))
        _let_shrink(self._base)
        self._base.currentTextChanged.connect(self._base_changed)
        self._end = Meta("", card, wrap=True)
        card.body.addWidget(self._base)
        card.body.addWidget(self._end)
        self._method_row = QWidget(card)
        row = QHBoxLayout(self._method_row)
        row.setContentsMargins(0, 4, 0, 0)
        self._method = QComboBox(self._method_row)
        self._method.setAccessibleName(self.tr("Method"))
        _let_shrink(self._method)
        self._method.currentIndexChanged.connect(self._build_settings)
        row.addWidget(Quiet(self.tr("Method"), self._method_row))
        row.addWidget(self._method, 1)
        card.body.addWidget(self._method_row)
        self._note = Meta("", card, wrap=True)
        card.body.addWidget(self._note)
        return card

    def _settings_card(self) -> Card:
        card = Card(self)
        card.body.addWidget(SectionTitle(self.tr("Settings"), card))
        self._form = QFormLayout()
        self._form.setVerticalSpacing(8)
        self._form.setHorizontalSpacing(12)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        card.body.addLayout(self._form)
        self._more = ChipButton(self.tr("More settings"), card)
        self._more.toggled.connect(self._show_advanced)
        row = QHBoxLayout()
        row.addWidget(self._more)
        row.addStretch(1)
        card.body.addLayout(row)
        self._suffix = self._line(self.tr("Name ending"), self.tr("part of the checkpoint's name"))
        self._suffix.setMaxLength(64)
        self._seed = self._line(self.tr("Seed"), self.tr("auto"))
        self._grader = QPlainTextEdit(card)
        self._grader.setProperty("kind", "mono")
        self._grader.setAccessibleName(self.tr("Grader"))
        self._grader.setPlaceholderText('{"type": "string_check", "name": "exact", ...}')
        self._grader.setFixedHeight(96)
        self._grader.setTabChangesFocus(True)
        self._grader.textChanged.connect(self.changed)
        card.body.addWidget(self._grader)
        self._fault = Meta("", card, wrap=True)
        self._fault.setProperty("tone", "danger")
        self._fault.hide()
        card.body.addWidget(self._fault)
        return card

    def _line(self, words: str, placeholder: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setPlaceholderText(placeholder)
        field.setAccessibleName(words)
        field.textChanged.connect(self.changed)
        self._form.addRow(words, field)
        return field

    def _build_settings(self) -> None:
        """Make a field for every setting of the target and method, its help beneath."""
        if self._target is None:
            return
        for holder in self._holders:
            self._form.removeRow(holder)
        self._settings, self._holders, self._advanced = {}, [], []
        for place, setting in enumerate(self._target.settings(self.method())):
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
            self._settings[setting.name] = field
            self._holders.append(holder)
            if setting.advanced:
                self._advanced.append(holder)
        self._more.setVisible(bool(self._advanced))
        self._show_advanced(self._more.isChecked())
        self._grader.setVisible(self.method() == "rft")
        self.changed.emit()

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
            choice = QComboBox(parent)
            choice.addItems(list(setting.choices))
            _let_shrink(choice)
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
        for setting in self._target.settings(self.method()) if self._target else ():
            field = self._settings.get(setting.name)
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
        for name, field in self._settings.items():
            if isinstance(field, QCheckBox):
                typed[name] = field.isChecked()
            elif isinstance(field, QComboBox):
                typed[name] = field.currentText()
            elif isinstance(field, QLineEdit) and field.text().strip():
                typed[name] = field.text().strip()
        return typed

    def _typed_grader(self) -> Mapping[str, Any] | None:
        text = self._grader.toPlainText().strip()
        if self.method() != "rft" or not text:
            return None
        try:
            grader = json.loads(text)
        except ValueError as error:
            raise WrongUse(self.tr("The grader is not valid JSON: {0}.").format(error)) from error
        if not isinstance(grader, dict):
            raise WrongUse(self.tr("The grader must be a JSON object."))
        return grader

    def _offer_bases(self, bases: Sequence[ServedBase]) -> None:
        before = self._base.currentText()
        self._base.blockSignals(True)  # noqa: FBT003 - Qt's own signature
        self._base.clear()
        names = [base.name for base in bases]
        self._base.addItems(names)
        self._base.setCurrentText(before if before in names else (names[0] if names else ""))
        self._base.blockSignals(False)  # noqa: FBT003 - Qt's own signature
        line = self._base.lineEdit()
        if line is not None:
            line.setPlaceholderText(self.tr("the name as the service writes it"))
        self._base_changed()

    def _base_changed(self) -> None:
        name = self._base.currentText().strip()
        words = self._end_words(name) if name and self._target else ""
        self._end.setText(words)
        self._end.setVisible(bool(words))
        self.changed.emit()

    def _end_words(self, name: str) -> str:
        days = last_days(name, self._target.prices if self._target else "")
        served: date | str = self._days.get(name, "") or (days.serve if days and days.serve else "")
        if not served:
            return ""
        if days is None or days.create is None:
            return self.tr("Answers until {0}.").format(served)
        words = self.tr("Takes new jobs until {0}; answers until {1}.")
        return words.format(days.create, served)

    def _method_words(self, method: Method) -> str:
        return {
            "sft": self.tr("Supervised: learn to answer as shown"),
            "dpo": self.tr("Preference: learn the better of two answers"),
            "rft": self.tr("Reinforcement: learn from a grader"),
        }[method]


def _let_shrink(box: QComboBox) -> None:
    """Let a long entry be cut in a narrow window, so that it does not push the form out of sight."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
