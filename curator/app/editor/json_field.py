"""A field for JSON: mono, coloured, checked at every key, and never rewritten unless it was changed."""

from PySide6.QtCore import QRect, Signal
from PySide6.QtWidgets import QWidget

from curator.app.editor.changes import pretty
from curator.app.editor.highlighter import Highlighter
from curator.app.theme import TEXT_PX, mono_font
from curator.app.widgets.layouts import vbox
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.text import Meta
from curator.dataset.json_values import BadJson, Json, loads


class JsonField(QWidget):
    """Edits one JSON value, or with ``as_text`` a string that should hold JSON, kept letter by letter.

    typed carries the value after every key that left it valid (a string always is).
    """

    typed = Signal(object)
    left = Signal()
    undo_requested = Signal()
    redo_requested = Signal()
    caret_moved = Signal(QRect)

    def __init__(self, name: str, parent: QWidget | None = None, *, as_text: bool = False) -> None:
        super().__init__(parent)
        self._as_text = as_text
        self._value: Json = None
        self.text = MessageText(self, line_height=130)
        self.text.setFont(mono_font(TEXT_PX))
        self.text.setProperty("kind", "plain")
        self.text.setAccessibleName(name)
        self._colours = Highlighter(self.text.document(), "json")
        self._state = Meta("", self)
        self._state.setProperty("tone", "danger")
        self._state.hide()
        vbox(self.text, self._state, parent=self, spacing=4, margins=0)
        self.text.text_edited.connect(self._on_edited)
        self.text.left.connect(self.left)
        self.text.undo_requested.connect(self.undo_requested)
        self.text.redo_requested.connect(self.redo_requested)
        self.text.caret_moved.connect(self._pass_caret)

    @property
    def is_valid(self) -> bool:
        """Whether the text is one JSON value."""
        return not self._problem(self.text.text())

    def show_value(self, value: Json, *, fresh: bool = False) -> None:
        """Show a value, keeping the caret where it is already shown; fresh: of something else.

        A text in the making that is no JSON yet is left alone while the cursor stands in it.
        """
        half = self.text.hasFocus() and self.text.is_written and not self.is_valid
        if half and not fresh:
            return
        self._value = value
        shown = value if self._as_text and isinstance(value, str) else pretty(value)
        if self._reads_as(value):
            return
        if self.text.hasFocus():
            self.text.merge(shown)
        else:
            self.text.load(shown)
        self._update_text()

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the text be changed, or only be read."""
        self.text.setReadOnly(read_only)

    def _reads_as(self, value: Json) -> bool:
        if self._as_text and isinstance(value, str):
            return self.text.text() == value
        if self._problem(self.text.text()):
            return False
        return pretty(loads(self.text.text())) == pretty(value)

    def _on_edited(self) -> None:
        text = self.text.text()
        problem = self._update_text()
        if self._as_text and isinstance(self._value, str):
            self._value = text
            self.typed.emit(text)
        elif not problem:
            self._value = loads(text)
            self.typed.emit(self._value)

    def _update_text(self) -> str:
        problem = self._problem(self.text.text())
        if problem and not (self._as_text and isinstance(self._value, str)):
            problem = self.tr("{0} The last valid version is kept.").format(problem)
        self._state.setText(problem)
        self._state.setVisible(bool(problem))
        return problem

    def _problem(self, text: str) -> str:
        try:
            loads(text)
        except BadJson as error:
            if error.column is None:
                return self.tr("Not valid JSON: {0}.").format(error.reason)
            words = self.tr("Not valid JSON: {0} at column {1}.")
            return words.format(error.reason, error.column)
        return ""

    def _pass_caret(self, rect: QRect) -> None:
        self.caret_moved.emit(QRect(self.text.mapTo(self, rect.topLeft()), rect.size()))
