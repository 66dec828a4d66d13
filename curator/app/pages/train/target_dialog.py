"""The form that adds a target or edits one: address, learning rate kind, and the key."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from curator.app.widgets.buttons import FlatButton, PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Meta, Muted, PageTitle
from curator.dataset.errors import CuratorError, WrongUse
from curator.tune.targets.addresses import fix_address
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import Target, derive_target, key_variable, with_rate_kind


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """What the form says: the target to keep, and a new key for it, if one was typed."""

    target: Target
    key: Key | None


class TargetDialog(Dialog):
    """Adds a target made from a shipped one, or edits one; chosen carries a TargetChoice."""

    chosen = Signal(object)

    def __init__(
        self,
        templates: Mapping[str, Target],
        editing: Target | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._templates = dict(templates)
        self._editing = editing
        self._fields: dict[str, QLineEdit] = {}
        self._accepted = ""
        title = self.tr("Add a target") if editing is None else self.tr("Edit the target")
        self.setWindowTitle(title)
        self.setMinimumWidth(520)
        self._form = QFormLayout()
        self._form.setSpacing(8)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._note = Muted("", self, wrap=True)
        self._fault = Meta("", self, wrap=True)
        self._fault.setProperty("tone", "danger")
        self._kind = ComboBox(self)
        for name, target in self._templates.items():
            self._kind.addItem(target.label, name)
        custom = self._kind.findData("custom")
        self._kind.setCurrentIndex(max(custom, 0))
        self._name = QLineEdit(self)
        self._name.setPlaceholderText(self.tr("small letters, digits and hyphens"))
        self._label = QLineEdit(self)
        self._rate = ComboBox(self)
        self._rate.addItem(self.tr("a multiple of its own (OpenAI's way)"), "multiplier")
        self._rate.addItem(self.tr("the rate itself, such as 0.00002"), "absolute")
        self._key = QLineEdit(self)
        self._key.setEchoMode(QLineEdit.EchoMode.Password)
        later = self.tr("leave empty to store it later")
        keep = self.tr("leave empty to keep what is there")
        self._key.setPlaceholderText(later if self._editing is None else keep)
        if self._editing is None:
            self._row(self.tr("Kind"), self._kind)
            self._row(self.tr("Short name"), self._name)
        self._row(self.tr("Shown as"), self._label)
        self._places = self._form.rowCount()
        self._row(self.tr("Learning rate is"), self._rate)
        self._row(self.tr("API key"), self._key)
        self._name.textChanged.connect(self._show_note)
        self._kind.currentIndexChanged.connect(self._show_template)
        self._show_template()
        self.add(PageTitle(title, self), self._form, self._note, self._fault, self._buttons())

    def _row(self, words: str, field: QWidget) -> None:
        field.setAccessibleName(words)
        self._form.addRow(words, field)

    def _buttons(self) -> QHBoxLayout:
        cancel = FlatButton(self.tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        keep = PrimaryButton(self.tr("Keep"), self)
        keep.clicked.connect(self._keep)
        keep.setDefault(True)
        return hbox(STRETCH, cancel, keep)

    def _template(self) -> Target:
        return self._editing or self._templates[str(self._kind.currentData())]

    def _show_template(self) -> None:
        """Offer the blanks of this kind's address."""
        template = self._template()
        for field in self._fields.values():
            self._form.removeRow(field)
        self._fields = {}
        before = self._label
        for number, blank in enumerate(template.address_fields):
            field = QLineEdit(template.address.get(blank.name, ""), self)
            example = blank.help.partition(", for example ")[2].partition(". ")[0]
            field.setPlaceholderText(example.rstrip("."))
            field.setToolTip(blank.help)
            field.setAccessibleName(blank.label)
            field.setAccessibleDescription(blank.help)
            self._form.insertRow(self._places + number, blank.label, field)
            self.setTabOrder(before, field)
            before = self._fields[blank.name] = field
        if self._editing is not None:
            self._label.setText(template.label)
            self._rate.setCurrentIndex(self._rate.findData(template.learning_rate.kind))
        # Only an unknown server leaves open what it takes the number for.
        self._form.setRowVisible(self._rate, template.base_url == "{address}")
        self._show_note()

    def _show_note(self) -> None:
        """Say where the key goes, and which variable may hold it instead."""
        template = self._template()
        words = self.tr(
            "The key goes into the key store of this computer, never into a file. Where there is "
            "no key store, set the environment variable {0} instead."
        )
        if self._editing is not None:
            self._note.setText(words.format(template.key_env))
        else:
            self._note.setText(words.format(key_variable(template, self._name.text().strip())))

    def _keep(self) -> None:
        try:
            choice = self._choice()
        except CuratorError as error:
            self._fault.setText(str(error))
            return
        self.chosen.emit(choice)
        self.accept()

    def _mended(self, typed: str) -> str:
        """Return the address without what was pasted too much; say once what is odd about it."""
        url, notes = fix_address(typed)
        if notes and self._accepted != url:
            self._accepted = url
            self._fields["address"].setText(url)
            again = self.tr("Press Keep again to take it so.")
            raise WrongUse(" ".join([*notes, again]))
        return url

    def _choice(self) -> TargetChoice:
        typed = {name: field.text().strip() for name, field in self._fields.items()}
        missing = [n for n, value in typed.items() if not value]
        if missing:
            labels = {f.name: f.label for f in self._template().address_fields}
            raise WrongUse(self.tr("Fill in: {0}.").format(labels[missing[0]]))
        if "address" in typed:
            typed["address"] = self._mended(typed["address"])
        key = Key(self._key.text()) if self._key.text().strip() else None
        if self._editing is not None:
            update = {"address": typed, "label": self._label.text().strip() or self._editing.label}
            return TargetChoice(self._with_rate(self._editing.model_copy(update=update)), key)
        kind = str(self._kind.currentData())
        name = self._name.text().strip() or kind
        if kind == "custom" and not self._name.text().strip():
            raise WrongUse(self.tr("Give the target a short name, for example my-gateway."))
        made = derive_target(kind, name, self._label.text().strip(), typed)
        return TargetChoice(self._with_rate(made), key)

    def _with_rate(self, target: Target) -> Target:
        if target.base_url != "{address}":
            return target
        return with_rate_kind(target, self._rate.currentData())
