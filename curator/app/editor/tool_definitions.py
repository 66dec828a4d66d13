"""The tools a conversation offers: folded to one line, unfolded each as a form and as JSON checked at every key."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from curator.app.editor.json_field import JsonField
from curator.app.editor.tool_form import ToolForm
from curator.app.theme import icon
from curator.app.widgets.buttons import FlatButton, IconButton
from curator.app.widgets.card import Card
from curator.app.widgets.layouts import hbox, vbox
from curator.app.widgets.text import Elided
from curator.dataset.json_values import Json

_NEW_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "new_tool",
        "description": "",
        "parameters": {"type": "object", "properties": {}, "required": []},
    },
}


class ToolDefinitions(Card):
    """Edits the "tools" of a conversation; typed while keys are pressed, changed by whole steps.

    Both carry the new list, or None where no tool is left.
    """

    typed = Signal(object)
    changed = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, stripe="role-tool", padding=12)
        self._tools: Json = None
        self._fields: list[JsonField] = []
        self._forms: list[ToolForm] = []
        self._read_only = False
        self._fold = IconButton("chevron-right", self.tr("Show the tool definitions"), self)
        self._fold.setCheckable(True)
        self._fold.toggled.connect(self._unfold)
        self._words = Elided("", self)
        self._add = FlatButton(self.tr("Add a tool"), self, icon_name="plus")
        self._add.clicked.connect(self._add_tool)
        self.body.addLayout(hbox(self._fold, (self._words, 1), self._add, spacing=8))
        self._list = QWidget(self)
        self._column = vbox(parent=self._list, spacing=8, margins=0)
        self._list.hide()
        self.body.addWidget(self._list)

    def show_tools(self, tools: Json, *, fresh: bool = False) -> None:
        """Show the value of "tools": a list of definitions, or something odd; fresh: of another one."""
        self._tools = tools
        self.setVisible(tools is not None)
        entries = tools if isinstance(tools, list) else []
        names = ", ".join(filter(None, map(_name, entries)))
        words = self.tr("Tools: {0}").format(names or self.tr("none"))
        if not isinstance(tools, list):
            words = self.tr("The tools are no list")
        self._words.setText(words)
        self.setAccessibleName(words)
        if self._fold.isChecked():
            self._show_fields(fresh=fresh)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the definitions be changed, or only be read."""
        self._read_only = read_only
        self._add.setVisible(not read_only)
        for field in self._fields:
            field.set_read_only(read_only=read_only)
        for form in self._forms:
            form.set_read_only(read_only=read_only)

    def unfold(self) -> None:
        """Show every definition."""
        self._fold.setChecked(True)

    def _unfold(self, shown: bool) -> None:  # noqa: FBT001 - a slot
        self._fold.setIcon(icon("chevron-down" if shown else "chevron-right", "text-muted"))
        self._list.setVisible(shown)
        if shown:
            self._show_fields()

    def _values(self) -> list[Json]:
        return list(self._tools) if isinstance(self._tools, list) else [self._tools]

    def _show_fields(self, *, fresh: bool = False) -> None:
        values = self._values()
        while len(self._fields) > len(values):
            self._forms.pop()
            gone = self._fields.pop()
            row = gone.parentWidget() or gone
            self._column.removeWidget(row)
            row.deleteLater()
        while len(self._fields) < len(values):
            self._add_field()
        for field, value in zip(self._fields, values, strict=True):
            field.show_value(value, fresh=fresh)
        for form, value in zip(self._forms, values, strict=True):
            form.show_tool(value)

    def _add_field(self) -> None:
        row = QWidget(self._list)
        form = ToolForm(len(self._fields), row)
        form.set_read_only(read_only=self._read_only)
        form.typed.connect(self._form_typed)
        form.left.connect(self.left)
        self._forms.append(form)
        line = QHBoxLayout()
        vbox(form, line, parent=row, spacing=8, margins=(0, 0, 0, 8))
        field = JsonField(self.tr("Tool definition"), row)
        field.setProperty("number", len(self._fields))
        field.set_read_only(read_only=self._read_only)
        field.typed.connect(self._typed)
        field.left.connect(self.left)
        remove = IconButton("trash", self.tr("Remove this tool"), row)
        remove.setProperty("number", len(self._fields))
        remove.clicked.connect(self._remove)
        line.addWidget(field, 1)
        line.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        self._fields.append(field)
        self._column.addWidget(row)

    def _typed(self, value: Json) -> None:
        number = int(self.sender().property("number"))
        self._forms[number].show_tool(value)
        self._take(number, value)

    def _form_typed(self, value: Json) -> None:
        form = self.sender()
        if isinstance(form, ToolForm):
            self._fields[form.number].show_value(value)
            self._take(form.number, value)

    def _take(self, number: int, value: Json) -> None:
        values = self._values()
        values[number] = value
        self._tools = values if isinstance(self._tools, list) else value
        self.typed.emit(self._tools)

    def _remove(self) -> None:
        number = int(self.sender().property("number"))
        self.changed.emit([v for n, v in enumerate(self._values()) if n != number] or None)

    def _add_tool(self) -> None:
        known = self._tools if isinstance(self._tools, list) else []
        self.unfold()
        self.changed.emit([*known, _NEW_TOOL])


def _name(tool: Json) -> str:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else ""
