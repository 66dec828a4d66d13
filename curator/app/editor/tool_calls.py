"""The form of one tool call: its name, its id, and its arguments checked at every key."""

from collections.abc import Mapping

from PySide6.QtCore import QRect, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from curator.app.editor.arguments_form import ArgumentsForm
from curator.app.editor.arguments_text import definition_of
from curator.app.editor.json_field import JsonField
from curator.app.editor.name_field import NameField
from curator.app.theme import TEXT_PX, mono_font
from curator.app.widgets.buttons import IconButton
from curator.app.widgets.card import Card
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import hbox, vbox
from curator.dataset.json_values import Json


class ToolCallForm(Card):
    """Edits one call of an assistant message; a call of an odd shape is shown whole as JSON."""

    typed = Signal(object)
    left = Signal()
    remove_requested = Signal()
    caret_moved = Signal(QRect)

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent, padding=12)
        self.number = number
        self._call: Json = None
        self._tools: Json = None
        self._name = NameField(self.tr("Function name"), self)
        self._id = NameField(self.tr("Call id"), self)
        for field in (self._name, self._id):
            field.setFont(mono_font(TEXT_PX))
            field.left.connect(self.left)
        self._arguments = JsonField(self.tr("Arguments"), self, as_text=True)
        self._whole = JsonField(self.tr("Tool call"), self)
        self._remove = IconButton("trash", self.tr("Remove this call"), self)
        self._remove.clicked.connect(self.remove_requested)
        self.arguments = ArgumentsForm(self)
        self.arguments.typed.connect(self._argument_typed)
        self.arguments.left.connect(self.left)
        self.body.addLayout(self._row())
        self.body.addWidget(self.arguments)
        self.body.addWidget(self._arguments)
        self.body.addWidget(self._whole)
        self._name.typed.connect(self._name_typed)
        self._id.typed.connect(self._id_typed)
        self._arguments.typed.connect(self._arguments_typed)
        self._whole.typed.connect(self._whole_typed)
        for json in (self._arguments, self._whole):
            json.left.connect(self.left)
            json.caret_moved.connect(self._pass_caret)

    def show_call(self, call: Json) -> None:
        """Show a call."""
        self._call = call
        function = call.get("function") if isinstance(call, Mapping) else None
        usual = isinstance(function, Mapping)
        for field in (self._name, self._id, self._arguments):
            field.setVisible(usual)
        self._whole.setVisible(not usual)
        if not isinstance(function, Mapping):
            self.arguments.hide()
            self._whole.show_value(call)
            return
        self._name.show_value(function.get("name"))
        self._id.show_value(call.get("id"))
        self._arguments.show_value(function.get("arguments"))
        self._show_arguments()

    def show_tools(self, tools: Json) -> None:
        """Offer the arguments by the definitions of the conversation."""
        self._tools = tools
        self._show_arguments()

    def _show_arguments(self) -> None:
        function = self._call.get("function") if isinstance(self._call, Mapping) else None
        if isinstance(function, Mapping):
            definition = definition_of(self._tools, function.get("name"))
            self.arguments.show_arguments(definition, function.get("arguments"))

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the call be changed, or only be read."""
        for field in (self._name, self._id, self._arguments, self._whole):
            field.set_read_only(read_only=read_only)
        self.arguments.set_read_only(read_only=read_only)
        self._remove.setVisible(not read_only)

    def text_fields(self) -> dict[str, JsonField]:
        """Return the fields findings can point into, by their path."""
        return {f"tool_calls[{self.number}].function.arguments": self._arguments}

    def _row(self) -> QHBoxLayout:
        return hbox(
            IconPicture("tool", "role-tool", 16, self),
            (self._name, 3),
            (self._id, 2),
            self._remove,
            spacing=8,
        )

    def _name_typed(self, name: str) -> None:
        self._emit({**self._call, "function": {**self._call["function"], "name": name}})
        self._show_arguments()

    def _id_typed(self, call_id: str) -> None:
        self._emit({**self._call, "id": call_id})

    def _arguments_typed(self, arguments: Json) -> None:
        self._emit({**self._call, "function": {**self._call["function"], "arguments": arguments}})
        self._show_arguments()

    def _argument_typed(self, text: str) -> None:
        self._arguments.show_value(text)
        self._emit({**self._call, "function": {**self._call["function"], "arguments": text}})

    def _whole_typed(self, call: Json) -> None:
        self._emit(call)

    def _emit(self, call: Json) -> None:
        self._call = call
        self.typed.emit(call)

    def _pass_caret(self, rect: QRect) -> None:
        sender = self._arguments if self._arguments.isVisible() else self._whole
        self.caret_moved.emit(QRect(sender.mapTo(self, rect.topLeft()), rect.size()))


class ToolCalls(QWidget):
    """All calls of one message, in order."""

    typed = Signal(object)
    changed = Signal(object)
    left = Signal()
    caret_moved = Signal(QRect)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._calls: list[Json] = []
        self._tools: Json = None
        self.forms: list[ToolCallForm] = []
        self._column = vbox(parent=self, spacing=8, margins=0)

    def show_calls(self, calls: list[Json]) -> None:
        """Show these calls, keeping the forms that are there."""
        self._calls = list(calls)
        while len(self.forms) > len(calls):
            form = self.forms.pop()
            self._column.removeWidget(form)
            form.deleteLater()
        while len(self.forms) < len(calls):
            self._add_form()
        for form, call in zip(self.forms, calls, strict=True):
            form.show_call(call)

    def show_tools(self, tools: Json) -> None:
        """Offer the arguments of every call by these definitions."""
        self._tools = tools
        for form in self.forms:
            form.show_tools(tools)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the calls be changed, or only be read."""
        for form in self.forms:
            form.set_read_only(read_only=read_only)

    def _add_form(self) -> None:
        form = ToolCallForm(len(self.forms), self)
        form.show_tools(self._tools)
        form.typed.connect(self._typed)
        form.remove_requested.connect(self._remove)
        form.left.connect(self.left)
        form.caret_moved.connect(self._pass_caret)
        self.forms.append(form)
        self._column.addWidget(form)

    def _typed(self, call: Json) -> None:
        form = self.sender()
        if isinstance(form, ToolCallForm):
            self._calls[form.number] = call
            self.typed.emit(list(self._calls))

    def _remove(self) -> None:
        form = self.sender()
        if isinstance(form, ToolCallForm):
            self.changed.emit([c for n, c in enumerate(self._calls) if n != form.number])

    def _pass_caret(self, rect: QRect) -> None:
        form = self.sender()
        if isinstance(form, ToolCallForm):
            self.caret_moved.emit(QRect(form.mapTo(self, rect.topLeft()), rect.size()))


def new_call(existing: list[Json]) -> dict[str, Json]:
    """Return an empty call with an id that no other call here has."""
    taken = {call.get("id") for call in existing if isinstance(call, Mapping)}
    number = next(n for n in range(1, len(existing) + 2) if f"call_{n}" not in taken)
    return {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": "", "arguments": "{}"},
    }
