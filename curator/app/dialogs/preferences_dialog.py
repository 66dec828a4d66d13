"""The preferences dialog, generated from the Preferences type; every change takes effect at once."""

from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from curator.app.preferences import GROUPS, Preferences, PreferenceStore
from curator.app.widgets.buttons import PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.number_field import NumberField
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Meta, PageTitle, Plain, SectionTitle, hairline


class PreferencesDialog(Dialog):
    """One row for each field, under its group."""

    def __init__(self, store: PreferenceStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Preferences"))
        self.setMinimumWidth(560)
        self._store = store
        self.add(PageTitle(self.tr("Preferences"), self))
        for group in GROUPS:
            self.body.addWidget(hairline(self))
            self.body.addWidget(SectionTitle(_words(group), self))
            self.body.addLayout(self._group(group))
        self.body.addStretch(1)
        close = PrimaryButton(self.tr("Close"), self)
        close.clicked.connect(self.accept)
        self.body.addLayout(hbox(STRETCH, close))

    def _group(self, group: str) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(0, 1)
        for name, field in Preferences.model_fields.items():
            if group_of(field) != group:
                continue
            line = grid.rowCount()
            grid.addLayout(
                vbox(
                    Plain(_words(field.title or name), self),
                    Meta(_words(field.description or ""), self, wrap=True),
                    spacing=2,
                ),
                line,
                0,
            )
            editor = self._editor(name, field)
            editor.setObjectName(name)
            editor.setAccessibleName(_words(field.title or name))
            editor.setAccessibleDescription(_words(field.description or ""))
            grid.addWidget(editor, line, 1, Qt.AlignmentFlag.AlignRight)
        return grid

    def _editor(self, name: str, field: FieldInfo) -> QWidget:
        value = getattr(self._store.values, name)
        if field.annotation is bool:
            box = QCheckBox(self)
            box.setChecked(bool(value))
            box.toggled.connect(self._changed)
            return box
        if field.annotation is int:
            number = NumberField(self)
            number.setRange(*_bounds(field))
            number.setValue(int(value))
            number.setFixedWidth(96)
            number.valueChanged.connect(self._changed)
            return number
        if get_origin(field.annotation) is Literal:
            choice = ComboBox(self)
            for each in get_args(field.annotation):
                choice.addItem(_words(str(each).capitalize()), each)
            choice.setCurrentIndex(choice.findData(value))
            choice.setFixedWidth(200)
            choice.currentIndexChanged.connect(self._changed)
            return choice
        line = QLineEdit(str(value), self)
        line.setFixedWidth(200)
        line.editingFinished.connect(self._changed)
        return line

    def _changed(self) -> None:
        editor = self.sender()
        if not isinstance(editor, QWidget):
            return
        name, value = editor.objectName(), _value_of(editor)
        if value == getattr(self._store.values, name):
            return
        try:
            self._store.change(name, value)
            _mark(editor, wrong=False)
        except ValidationError:
            _mark(editor, wrong=True)


def group_of(field: FieldInfo) -> str:
    """Return the group a preference is shown in."""
    extra = field.json_schema_extra
    return str(extra.get("group", "")) if isinstance(extra, dict) else ""


def _words(text: str) -> str:
    return QCoreApplication.translate("preferences", text) if text else ""


def _bounds(field: FieldInfo) -> tuple[int, int]:
    found: dict[str, Any] = {}
    for rule in field.metadata:
        for name in ("ge", "le"):
            if hasattr(rule, name):
                found[name] = getattr(rule, name)
    return int(found.get("ge", 0)), int(found.get("le", 1_000_000))


def _value_of(editor: QWidget) -> object:
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QSpinBox):
        return editor.value()
    if isinstance(editor, QComboBox):
        return editor.currentData()
    return editor.text() if isinstance(editor, QLineEdit) else None


def _mark(editor: QWidget, *, wrong: bool) -> None:
    editor.setProperty("state", "wrong" if wrong else "")
    editor.style().unpolish(editor)
    editor.style().polish(editor)
