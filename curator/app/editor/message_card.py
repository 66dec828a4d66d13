"""The card of one message: header, text, tool calls, other fields, findings."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from curator.app.editor.card_header import CardHeader
from curator.app.editor.changes import role_of, with_key
from curator.app.editor.findings_list import FindingsList
from curator.app.editor.json_field import JsonField
from curator.app.editor.message_body import MessageBody
from curator.app.editor.name_field import NameField
from curator.app.editor.tool_calls import ToolCalls, new_call
from curator.app.theme import tokens
from curator.app.widgets.card import Card
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.reading_card import role_word
from curator.app.widgets.text import Meta
from curator.dataset import Finding
from curator.dataset.json_values import Json

_SHOWN_KEYS: Final = frozenset({"role", "content", "name", "weight", "tool_calls", "tool_call_id"})


class MessageCard(Card):
    """Shows and edits one raw message; it never changes the value it was given.

    typed carries the message after a key, changed after a whole step; verb_requested names a step
    on the list of messages, such as "add" or "up".
    """

    typed = Signal(object)
    changed = Signal(object)
    left = Signal()
    verb_requested = Signal(str)
    fix_requested = Signal(object)
    became_current = Signal()
    caret_moved = Signal(QRect)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = 0
        self._message: Json = {}
        self._read_only = False
        self._calls: ToolCalls | None = None
        self._tools: Json = None
        self._others: JsonField | None = None
        self._call_id: NameField | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.header = CardHeader(self)
        self.content = MessageBody(self.tr("Text"), self)
        self.findings = FindingsList(self)
        self.body.addWidget(self.header)
        self.body.addWidget(self.content)
        self.body.addWidget(self.findings)
        self.header.role_chosen.connect(self._role_chosen)
        self.header.name_typed.connect(self._name_typed)
        self.header.weight_toggled.connect(self.toggle_weight)
        self.header.menu_requested.connect(self._open_menu)
        self.header.name_left.connect(self.left)
        self.content.typed.connect(self._content_typed)
        self.content.changed.connect(self._content_changed)
        self.content.left.connect(self.left)
        self.findings.fix_requested.connect(self.fix_requested)
        self.content.undo_requested.connect(partial(self.verb_requested.emit, "undo"))
        self.content.redo_requested.connect(partial(self.verb_requested.emit, "redo"))
        self.content.caret_moved.connect(self._caret_in_content)

    @property
    def message(self) -> Json:
        """The raw message as it stands in the card."""
        return self._message

    def show_message(self, message: Json, number: int, *, fresh: bool = False) -> None:
        """Show a message and which turn it is (counted from 0); fresh begins the field's undo anew."""
        self._message = message
        role = role_of(message)
        self.set_stripe(tokens().role(role))
        fields = message if isinstance(message, Mapping) else {}
        self.renumber(number)
        self.header.role.setVisible(isinstance(message, Mapping))
        self.header.role.show_role(role)
        self.header.show_name(fields.get("name"), shown="name" in fields)
        self.header.show_weight(fields.get("weight"), assistant=role == "assistant")
        self.content.show_message(message, fresh=fresh)
        self._show_call_id(fields, role)
        self._show_calls(fields)
        self._show_others(fields)
        self.set_read_only(read_only=self._read_only)

    def renumber(self, number: int) -> None:
        """Take another place in the order."""
        self.number = number
        role = role_word(role_of(self._message))
        self.setAccessibleName(self.tr("Message {0}, {1}").format(number + 1, role))
        self.header.show_number(number + 1)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the message be changed, or only be read."""
        self._read_only = read_only
        self.header.set_read_only(read_only=read_only)
        self.content.set_read_only(read_only=read_only)
        for part in (self._calls, self._others, self._call_id):
            if part is not None:
                part.set_read_only(read_only=read_only)

    def show_tokens(self, count: int | None) -> None:
        """Show how many tokens the message takes; None: not counted yet."""
        fields = self._message if isinstance(self._message, Mapping) else {}
        trained = role_of(self._message) == "assistant" and fields.get("weight") != 0
        self.header.show_tokens(count, trained=trained)

    def show_findings(self, findings: Sequence[Finding], key_for: Finding | None = None) -> None:
        """Show the findings of this message under it, and underline their places."""
        self.findings.show_findings(findings, key_for)
        self.content.show_findings(findings)

    def settle(self) -> None:
        """Let a new size of the text reach the card's own layout."""
        self.content.settle()
        self.body.invalidate()
        self.body.activate()

    def enter(self) -> None:
        """Put the cursor into the text."""
        self.content.enter()

    def text_field(self, field: str) -> MessageText | None:
        """Return the text field that a finding's place names."""
        found = self.content.text_field(field)
        if found is None and self._calls is not None:
            for form in self._calls.forms:
                json = form.text_fields().get(field)
                found = json.text if json is not None else found
        return found

    def choose_role(self) -> None:
        """Open the menu of roles."""
        self.header.role.choose()

    def toggle_weight(self) -> None:
        """Switch an answer between trained and not trained."""
        if isinstance(self._message, Mapping) and not self._read_only:
            value = 1 if self._message.get("weight") == 0 else 0
            self._step(with_key(self._message, "weight", value))

    def add_call(self) -> None:
        """Add a tool call to this answer."""
        if isinstance(self._message, Mapping):
            calls = self._message.get("tool_calls")
            calls = list(calls) if isinstance(calls, list) else []
            self._step({**self._message, "tool_calls": [*calls, new_call(calls)]})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter writes, + adds, Esc leaves a text for its card; the rest are actions of the window."""
        if event.key() == Qt.Key.Key_Escape and not self.hasFocus():
            self.setFocus()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.enter()
        elif event.key() == Qt.Key.Key_Plus and not self._read_only:
            self.verb_requested.emit("add")
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draw the ring and tell which card is current."""
        super().focusInEvent(event)
        self.set_current(current=True)
        self.became_current.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.set_current(current=False)

    def _show_call_id(self, fields: Mapping[str, Json], role: str) -> None:
        shown = role == "tool" or "tool_call_id" in fields
        if shown and self._call_id is None:
            self._call_id = NameField(self.tr("Answers the call with id"), self)
            self._call_id.typed.connect(self._call_id_typed)
            self._call_id.left.connect(self.left)
            self.body.insertWidget(1, self._call_id)
        if self._call_id is not None:
            self._call_id.setVisible(shown)
            self._call_id.show_value(fields.get("tool_call_id"))

    def show_tools(self, tools: Json) -> None:
        """Offer the arguments of calls by the definitions of the conversation."""
        self._tools = tools
        if self._calls is not None:
            self._calls.show_tools(tools)

    def _show_calls(self, fields: Mapping[str, Json]) -> None:
        found = fields.get("tool_calls")
        calls = found if isinstance(found, list) else []
        shown = bool(calls)
        if shown and self._calls is None:
            self._calls = ToolCalls(self)
            self._calls.show_tools(self._tools)
            self._calls.typed.connect(self._calls_typed)
            self._calls.changed.connect(self._calls_changed)
            self._calls.left.connect(self.left)
            self._calls.caret_moved.connect(self._caret_in_calls)
            self.body.insertWidget(self.body.indexOf(self.findings), self._calls)
        if self._calls is not None:
            self._calls.setVisible(shown)
            self._calls.show_calls(calls)

    def _show_others(self, fields: Mapping[str, Json]) -> None:
        others = self._other_fields(fields)
        if others and self._others is None:
            caption = Meta(self.tr("Other fields"), self)
            self._others = JsonField(self.tr("Other fields"), self)
            self._others.typed.connect(self._others_typed)
            self._others.left.connect(self.left)
            place = self.body.indexOf(self.findings)
            self.body.insertWidget(place, caption)
            self.body.insertWidget(place + 1, self._others)
        if self._others is not None:
            self._others.show_value(others)

    def _other_fields(self, fields: Mapping[str, Json]) -> dict[str, Json]:
        """Return what no other field of the card shows: unknown keys, and known ones of odd types."""
        others = {key: value for key, value in fields.items() if key not in _SHOWN_KEYS}
        for key, kind in (("role", str), ("name", str), ("tool_call_id", str)):
            if key in fields and not isinstance(fields[key], kind):
                others[key] = fields[key]
        if "tool_calls" in fields and not (
            isinstance(fields["tool_calls"], list) and fields["tool_calls"]
        ):
            others["tool_calls"] = fields["tool_calls"]
        return others

    def _content_typed(self, content: Json) -> None:
        if self.content.is_whole:
            self._type(content)
        elif content is not None or "content" in self._message:
            self._type({**self._message, "content": content})

    def _content_changed(self, content: Json) -> None:
        self._step({**self._message, "content": content})

    def _name_typed(self, name: str) -> None:
        self._type(with_key(self._message, "name", name or None))

    def _call_id_typed(self, call_id: str) -> None:
        self._type({**self._message, "tool_call_id": call_id})

    def _calls_typed(self, calls: Json) -> None:
        self._type({**self._message, "tool_calls": calls})

    def _calls_changed(self, calls: Json) -> None:
        self._step(with_key(self._message, "tool_calls", calls or None))

    def _others_typed(self, others: Json) -> None:
        if isinstance(others, dict):
            shown = self._other_fields(self._message)
            kept = {k: v for k, v in self._message.items() if k not in shown or k in others}
            self._type({**kept, **others})

    def _role_chosen(self, role: str) -> None:
        self._step({**self._message, "role": role})

    def _type(self, message: Json) -> None:
        self._message = message
        self.typed.emit(message)

    def _step(self, message: Json) -> None:
        self.changed.emit(message)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for verb, text in self._menu_entries():
            menu.addAction(text).setData(verb)
        menu.triggered.connect(self._menu_chosen)
        button = self.header.more
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _menu_entries(self) -> list[tuple[str, str]]:
        entries = [
            ("duplicate", self.tr("Duplicate turn") + "\tCtrl+D"),
            ("up", self.tr("Move up") + "\tAlt+Up"),
            ("down", self.tr("Move down") + "\tAlt+Down"),
        ]
        if role_of(self._message) == "assistant":
            entries.append(("call", self.tr("Add a tool call")))
        if isinstance(self._message, Mapping):
            entries.append(("name", self.tr("Give a name")))
        if role_of(self._message) in ("system", "developer"):
            entries.append(("prompts", self.tr("System prompts of the project…")))
        return [*entries, ("remove", self.tr("Remove turn") + "\tCtrl+Shift+Del")]

    def _menu_chosen(self, entry: object) -> None:
        verb = entry.data()  # type: ignore[attr-defined]
        if verb == "call":
            self.add_call()
        elif verb == "name":
            self.header.focus_name()
        else:
            self.verb_requested.emit(verb)

    def _caret_in_content(self, rect: QRect) -> None:
        self.caret_moved.emit(QRect(self.content.mapTo(self, rect.topLeft()), rect.size()))

    def _caret_in_calls(self, rect: QRect) -> None:
        if self._calls is not None:
            self.caret_moved.emit(QRect(self._calls.mapTo(self, rect.topLeft()), rect.size()))
