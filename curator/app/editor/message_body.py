"""What a message says: a text, parts, or an odd value as JSON, each in the field that fits it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from PySide6.QtCore import QRect, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from curator.app.editor.highlighter import Highlighter, Span
from curator.app.editor.hits import Hits
from curator.app.editor.json_field import JsonField
from curator.app.editor.parts import Parts
from curator.app.theme import READ_PX, font
from curator.app.widgets.message_text import MessageText
from curator.dataset import Finding
from curator.dataset.json_values import Json

Shape = Literal["text", "parts", "json", "whole"]


def shape_of(message: Json) -> Shape:
    """Return which field a raw message needs; an absent or null content is an empty text."""
    if not isinstance(message, Mapping):
        return "whole"
    content = message.get("content")
    if content is None or isinstance(content, str):
        return "text"
    return "parts" if isinstance(content, list) else "json"


class MessageBody(QWidget):
    """Edits the content of one message; typed carries the new content, or the new whole message."""

    typed = Signal(object)
    changed = Signal(object)
    left = Signal()
    undo_requested = Signal()
    redo_requested = Signal()
    caret_moved = Signal(QRect)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._shape: Shape | None = None
        self._empty: Json = ""
        self._hits: Hits | None = None
        self._highlighters: dict[MessageText, Highlighter] = {}
        self.field: MessageText | Parts | JsonField | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def show_message(self, message: Json, *, fresh: bool = False) -> None:
        """Show a raw message, keeping field and caret where its kind stays and it is not fresh."""
        shape = shape_of(message)
        if shape != self._shape:
            self._make(shape)
        value = message if shape == "whole" else message.get("content")
        self._empty = value if value is None else ""
        if isinstance(self.field, MessageText):
            self.field.load(value or "") if fresh else self.field.merge(value or "")
        elif isinstance(self.field, Parts):
            self.field.show_parts(value, fresh=fresh)
        elif isinstance(self.field, JsonField):
            self.field.show_value(value, fresh=fresh)
        if self._hits is not None:
            # The field may be another one than was marked.
            self.mark(self._hits)

    @property
    def is_whole(self) -> bool:
        """Whether the field holds the whole message, which is no object."""
        return self._shape == "whole"

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the content be changed, or only be read."""
        if isinstance(self.field, MessageText):
            self.field.setReadOnly(read_only)
        elif self.field is not None:
            self.field.set_read_only(read_only=read_only)

    def settle(self) -> None:
        """Let a new size of the field reach the layout."""
        self._column.invalidate()
        self._column.activate()

    def enter(self) -> None:
        """Put the cursor into the first field."""
        target: QWidget | None = self.field
        if isinstance(target, Parts):
            target = next(iter(target.fields), None)
        if isinstance(target, JsonField):
            target = target.text
        if target is not None:
            target.setFocus()

    def text_field(self, field: str) -> MessageText | None:
        """Return the text field a path such as ``content`` or ``content[1].text`` names."""
        if isinstance(self.field, MessageText):
            return self.field if field == "content" else None
        if isinstance(self.field, Parts):
            for number, part in enumerate(self.field.fields):
                if isinstance(part, MessageText) and field == f"content[{number}].text":
                    return part
        return None

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Underline the places findings name."""
        spans: dict[MessageText, list[Span]] = {field: [] for field in self._highlighters}
        for finding in findings:
            place = finding.place
            field = self.text_field(place.field)
            if field is not None and place.start is not None and place.end is not None:
                ends = field.position(place.start), field.position(place.end)
                span = Span(*ends, finding.severity)
                spans.setdefault(field, []).append(span)
        for field in self._text_fields():
            if field.stand_ins.characters:
                spans.setdefault(field, [])
        for field, found in spans.items():
            self._highlighter(field).show(tuple(found), field.stand_ins.characters)

    def mute_after(self, index: int | None) -> None:
        """Grey a plain text after a character (0 greys all of it); None shows it as usual."""
        field = self.field
        if not isinstance(field, MessageText) or (
            index is None and field not in self._highlighters
        ):
            return
        self._highlighter(field).mute_after(None if index is None else field.position(index))

    def mark(self, hits: Hits | None) -> None:
        """Tint what a search found in the texts; None takes that away."""
        self._hits = hits
        for field in self._text_fields():
            if hits is not None:
                self._highlighter(field).mark(hits)
            elif field in self._highlighters:
                self._highlighters[field].mark(None)

    def _highlighter(self, field: MessageText) -> Highlighter:
        """Return the one highlighter of a field: a second one would wipe out its colours when it goes."""
        if field not in self._highlighters:
            self._highlighters[field] = Highlighter(field.document())
        return self._highlighters[field]

    def _text_fields(self) -> list[MessageText]:
        if isinstance(self.field, MessageText):
            return [self.field]
        parts = self.field.fields if isinstance(self.field, Parts) else []
        return [part for part in parts if isinstance(part, MessageText)]

    def _make(self, shape: Shape) -> None:
        if self.field is not None:
            self.field.blockSignals(True)  # noqa: FBT003 - Qt
            self._column.removeWidget(self.field)
            self.field.deleteLater()
            self.field = None
        self._highlighters.clear()
        self._shape = shape
        if shape == "text":
            text = MessageText(self)
            text.setFont(font(READ_PX))
            text.setProperty("kind", "plain")
            text.setAccessibleName(self._name)
            text.setPlaceholderText(self.tr("Write here"))
            text.text_edited.connect(self._text_edited)
            self.field = text
        elif shape == "parts":
            parts = Parts(self)
            parts.typed.connect(self.typed)
            parts.changed.connect(self.changed)
            self.field = parts
        else:
            json = JsonField(self._name, self)
            json.typed.connect(self.typed)
            self.field = json
        self._pass_on(self.field)
        self._column.addWidget(self.field)

    def _pass_on(self, field: MessageText | Parts | JsonField) -> None:
        field.left.connect(self.left)
        field.undo_requested.connect(self.undo_requested)
        field.redo_requested.connect(self.redo_requested)
        field.caret_moved.connect(self._pass_caret)

    def _text_edited(self) -> None:
        if isinstance(self.field, MessageText):
            # An emptied field of a null content is null again, not an empty text.
            self.typed.emit(self.field.text() or self._empty)

    def _pass_caret(self, rect: QRect) -> None:
        if self.field is not None:
            self.caret_moved.emit(QRect(self.field.mapTo(self, rect.topLeft()), rect.size()))
