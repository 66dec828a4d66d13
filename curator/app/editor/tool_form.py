"""The form of one tool definition: name, description, and a row for each parameter."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QVBoxLayout, QWidget

from curator.app.editor import tool_shape
from curator.app.editor.name_field import NameField
from curator.app.editor.tool_shape import TYPES, Parameter
from curator.app.theme import TEXT_PX, mono_font
from curator.app.widgets.buttons import FlatButton, IconButton
from curator.app.widgets.layouts import hbox, vbox
from curator.app.widgets.setting_fields import ComboBox
from curator.dataset.json_values import Json


class ToolForm(QWidget):
    """Edits a definition of the usual shape and keeps every other key; typed carries the new one.

    A definition of another shape hides the form: the JSON beneath it shows everything.
    """

    typed = Signal(object)
    left = Signal()

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = number
        self._tool: Json = None
        self._read_only = False
        self._names: list[str] = []
        self.rows: list[ParameterRow] = []
        self.name = NameField(self.tr("Function name"), self)
        self.name.setFont(mono_font(TEXT_PX))
        self.description = NameField(self.tr("What the function does"), self)
        self._add = FlatButton(self.tr("Add a parameter"), self, icon_name="plus")
        self._add.clicked.connect(self._add_parameter)
        head = hbox((self.name, 2), (self.description, 5), spacing=8)
        self._grid = QVBoxLayout()
        self._grid.setSpacing(4)
        vbox(
            head,
            self._grid,
            (self._add, 0, Qt.AlignmentFlag.AlignLeft),
            parent=self,
            spacing=8,
            margins=0,
        )
        for field, key in ((self.name, "name"), (self.description, "description")):
            field.setObjectName(key)
            field.typed.connect(self._word_typed)
            field.left.connect(self.left)

    def show_tool(self, tool: Json) -> None:
        """Show a definition, keeping the rows and the cursor where they still fit."""
        self._tool = tool
        usual = tool_shape.is_usual(tool)
        self.setVisible(usual)
        if not usual:
            return
        function = tool["function"]
        self.name.show_value(function.get("name"))
        self.description.show_value(function.get("description"))
        found = tool_shape.parameters(tool)
        self._names = [each.name for each in found]
        while len(self.rows) > len(found):
            gone = self.rows.pop()
            self._grid.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self.rows) < len(found):
            self._add_row()
        for row, parameter in zip(self.rows, found, strict=True):
            row.show_parameter(parameter)
        self.set_read_only(read_only=self._read_only)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the definition be changed, or only be read."""
        self._read_only = read_only
        for field in (self.name, self.description):
            field.set_read_only(read_only=read_only)
        for row in self.rows:
            row.set_read_only(read_only=read_only)
        self._add.setVisible(not read_only)

    def _add_row(self) -> None:
        row = ParameterRow(len(self.rows), self)
        row.changed.connect(self._parameter_changed)
        row.left.connect(self.left)
        self.rows.append(row)
        self._grid.addWidget(row)
        # Else it would be shown, and could take the cursor, only with the next event.
        row.show()

    def _word_typed(self, words: str) -> None:
        self._take(tool_shape.with_word(self._tool, self.sender().objectName(), words))

    def _add_parameter(self) -> None:
        self._take(tool_shape.with_new_parameter(self._tool), whole=True)
        self.rows[-1].name.setFocus()
        self.rows[-1].name.selectAll()

    def _parameter_changed(self, place: int, part: str, value: object) -> None:
        tool, name = self._tool, self._names[place]
        if part == "name":
            self._take(tool_shape.renamed(tool, name, str(value)))
        elif part == "required":
            self._take(tool_shape.with_required(tool, name, required=bool(value)), whole=True)
        elif part == "remove":
            self._take(tool_shape.without_parameter(tool, name), whole=True)
        else:
            changed = tool_shape.with_parameter(tool, name, part, str(value))
            self._take(changed, whole=part == "type")

    def _take(self, tool: Json, *, whole: bool = False) -> None:
        """Show and tell the new definition; a whole change is a step of its own."""
        if tool == self._tool:
            return
        self.show_tool(tool)
        self.typed.emit(tool)
        if whole:
            self.left.emit()


class ParameterRow(QWidget):
    """One parameter: name, type, whether it must be given, description, and a way to remove it."""

    changed = Signal(int, str, object)
    left = Signal()

    def __init__(self, place: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = place
        self.name = NameField(self.tr("Parameter name"), self)
        self.name.setFont(mono_font(TEXT_PX))
        self.type = ComboBox(self)
        self.type.setAccessibleName(self.tr("Type"))
        self.required = QCheckBox(self.tr("required"), self)
        self.description = NameField(self.tr("What it means"), self)
        self.remove = IconButton("trash", self.tr("Remove this parameter"), self)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        for column, (widget, share) in enumerate(
            ((self.name, 3), (self.type, 0), (self.required, 0), (self.description, 5),
             (self.remove, 0))
        ):  # fmt: skip
            grid.addWidget(widget, 0, column)
            grid.setColumnStretch(column, share)
        for field, part in ((self.name, "name"), (self.description, "description")):
            field.setObjectName(part)
            field.typed.connect(self._typed)
            field.left.connect(self.left)
        self.type.activated.connect(self._type_chosen)
        self.required.clicked.connect(self._required_clicked)
        self.remove.clicked.connect(self._ask_remove)

    def show_parameter(self, parameter: Parameter) -> None:
        """Show a parameter; a type the form does not know stands as it is and stays."""
        if not self.name.hasFocus() or self.name.text() == parameter.name:
            self.name.show_value(parameter.name)
        self.description.show_value(parameter.description)
        known = parameter.type in TYPES
        odd = self.tr("any") if parameter.type is None else self.tr("as in the JSON")
        with QSignalBlocker(self.type):
            self.type.clear()
            for each in TYPES if known else (odd, *TYPES):
                self.type.addItem(each)
            self.type.setCurrentText(str(parameter.type) if known else odd)
        with QSignalBlocker(self.required):
            self.required.setChecked(parameter.required)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the parameter be changed, or only be read."""
        for field in (self.name, self.description):
            field.set_read_only(read_only=read_only)
        for widget in (self.type, self.required):
            widget.setEnabled(not read_only)
        self.remove.setVisible(not read_only)

    def _typed(self, words: str) -> None:
        self.changed.emit(self.place, self.sender().objectName(), words)

    def _type_chosen(self, _place: int) -> None:
        if self.type.currentText() in TYPES:
            self.changed.emit(self.place, "type", self.type.currentText())

    def _required_clicked(self, on: bool) -> None:  # noqa: FBT001 - a Qt slot
        self.changed.emit(self.place, "required", on)

    def _ask_remove(self) -> None:
        self.changed.emit(self.place, "remove", None)
