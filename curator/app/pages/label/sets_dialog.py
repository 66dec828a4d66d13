"""The questions annotators answer: add, name, order and take away label sets."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from curator.app.widgets.buttons import FlatButton, IconButton, PlainButton, PrimaryButton
from curator.app.widgets.card import Card
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox, scroll_canvas, vbox
from curator.app.widgets.number_field import NumberField
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Meta, Muted, PageTitle
from curator.dataset import LabelSet
from curator.dataset.label import plain_name


class LabelSetsDialog(Dialog):
    """Edits label sets; chosen carries the new tuple."""

    chosen = Signal(object)

    def __init__(self, sets: Sequence[LabelSet], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Label sets"))
        self.fit(560, 560)
        self._editors: list[_SetEditor] = []
        words = self.tr(
            "Each set is one question. The first ten values get the keys 1 to 9 and 0. Labels "
            "already given stay when a set is taken away."
        )
        self.add(
            PageTitle(self.tr("Label sets"), self), Muted(words, self, wrap=True), (self._list(), 1)
        )
        self._fault = Meta("", self)
        self._fault.setProperty("tone", "danger")
        self.body.addWidget(self._fault)
        self.body.addLayout(self._buttons())
        for label_set in sets or (LabelSet("", "choice", ()),):
            self._add(label_set)
        if not sets:
            self._editors[0].name.setFocus()

    def sets(self) -> tuple[LabelSet, ...]:
        """Return what is typed; rows without a name are left out."""
        made = (editor.label_set() for editor in self._editors)
        return tuple(label_set for label_set in made if label_set.name)

    def _list(self) -> QScrollArea:
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = scroll_canvas(area)
        self._column = vbox(STRETCH, parent=inside, spacing=12, margins=(0, 0, 8, 0))
        area.setWidget(inside)
        return area

    def _buttons(self) -> QHBoxLayout:
        add = PlainButton(self.tr("Add a set"), self, icon_name="plus")
        add.clicked.connect(self._add_empty)
        cancel = FlatButton(self.tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        keep = PrimaryButton(self.tr("Keep"), self)
        keep.clicked.connect(self._keep)
        keep.setDefault(True)
        return hbox(add, STRETCH, cancel, keep)

    def _add_empty(self) -> None:
        self._add(LabelSet("", "choice", ())).name.setFocus()

    def _add(self, label_set: LabelSet) -> "_SetEditor":
        editor = _SetEditor(label_set, self)
        editor.removed.connect(self._remove)
        self._editors.append(editor)
        self._column.insertWidget(self._column.count() - 1, editor)
        return editor

    def _remove(self, editor: "_SetEditor") -> None:
        self._editors.remove(editor)
        editor.hide()
        editor.deleteLater()

    def _keep(self) -> None:
        sets = self.sets()
        names = [label_set.name for label_set in sets]
        if len(set(names)) < len(names):
            self._fault.setText(self.tr("Two sets have the same name. Give each its own."))
        elif any(len(label_set.values) < 2 for label_set in sets):
            self._fault.setText(self.tr("A set needs at least two values to choose from."))
        else:
            self.chosen.emit(sets)
            self.accept()


class _SetEditor(Card):
    """One label set."""

    removed = Signal(object)

    def __init__(self, label_set: LabelSet, parent: QWidget) -> None:
        super().__init__(parent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self.name = QLineEdit(label_set.name, self)
        self.kind = ComboBox(self)
        self.kind.addItem(self.tr("One of several values"), "choice")
        self.kind.addItem(self.tr("A rating"), "rating")
        self.kind.setCurrentIndex(self.kind.findData(label_set.kind))
        self.values = QLineEdit(", ".join(label_set.values), self)
        self.values.setPlaceholderText(self.tr("positive, neutral, negative"))
        self.highest = NumberField(self)
        self.highest.setRange(2, 10)
        self.highest.setValue(len(label_set.values) if label_set.kind == "rating" else 5)
        for words in (self.name, self.values):
            words.setCursorPosition(0)
        self.help = QLineEdit(label_set.help, self)
        for line, (text, field) in enumerate(
            (
                (self.tr("Question"), self.name),
                (self.tr("Answers"), self.kind),
                (self.tr("Values"), self.values),
                (self.tr("Highest"), self.highest),
                (self.tr("Help"), self.help),
            )
        ):
            label = Muted(text, self)
            label.setBuddy(field)
            field.setAccessibleName(text)
            grid.addWidget(label, line, 0)
            grid.addWidget(field, line, 1)
        remove = IconButton("trash", self.tr("Take this set away"), self)
        remove.clicked.connect(self._remove)
        grid.addWidget(remove, 0, 2)
        self.body.addLayout(grid)
        self._grid = grid
        self.kind.currentIndexChanged.connect(self._show_kind)
        self._show_kind()

    def label_set(self) -> LabelSet:
        """Return the set as typed."""
        name, help_text = plain_name(self.name.text()), self.help.text().strip()
        if self.kind.currentData() == "rating":
            values = tuple(str(number) for number in range(1, self.highest.value() + 1))
            return LabelSet(name, "rating", values, help_text)
        words = map(plain_name, self.values.text().split(","))
        return LabelSet(name, "choice", tuple(dict.fromkeys(w for w in words if w)), help_text)

    def _show_kind(self) -> None:
        rating = self.kind.currentData() == "rating"
        for line, shown in ((2, not rating), (3, rating)):
            for place in (0, 1):
                item = self._grid.itemAtPosition(line, place)
                widget = item.widget() if item is not None else None
                if widget is not None:
                    widget.setVisible(shown)

    def _remove(self) -> None:
        self.removed.emit(self)
