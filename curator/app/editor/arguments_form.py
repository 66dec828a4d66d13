"""A row for each argument of a call, by the parameters of its definition; the JSON text stays whole."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from curator.app.editor.arguments_text import Arguments, Row, read_arguments
from curator.app.editor.name_field import NameField
from curator.app.theme import TEXT_PX, mono_font
from curator.app.widgets.layouts import clear
from curator.app.widgets.text import Meta, Plain
from curator.dataset.json_values import Json


class ArgumentsForm(QWidget):
    """Edits the arguments of one call; typed carries the new JSON text.

    It hides where the function is not defined, or where writing the text anew would change more
    than the one argument: the JSON beneath it shows everything then.
    """

    typed = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._arguments: Arguments | None = None
        self._read_only = False
        self._shown: tuple[str, ...] = ()
        self.fields: list[NameField] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.hide()

    def show_arguments(self, definition: Json, text: Json) -> None:
        """Show the arguments in a text by the definition of their function, None where there is none."""
        self._arguments = found = read_arguments(definition, text)
        rows = () if found is None else found.rows()
        self.setVisible(bool(rows))
        if tuple(row.name for row in rows) != self._shown:
            self._build(rows)
        for field, row in zip(self.fields, rows, strict=True):
            if not (field.hasFocus() and row.means(field.text())):
                field.show_value(row.text)
            field.setPlaceholderText(row.hint())
            field.set_read_only(read_only=self._read_only)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the arguments be changed, or only be read."""
        self._read_only = read_only
        for field in self.fields:
            field.set_read_only(read_only=read_only)

    def _build(self, rows: tuple[Row, ...]) -> None:
        clear(self._grid)
        self.fields = []
        self._shown = tuple(row.name for row in rows)
        for place, row in enumerate(rows):
            name = Plain(row.name, self)
            name.setFont(mono_font(TEXT_PX))
            field = NameField(self.tr("Argument {0}").format(row.name), self)
            field.setObjectName(row.name)
            field.setToolTip(row.description)
            field.typed.connect(self._typed)
            field.left.connect(self.left)
            for column, widget in enumerate((name, field, Meta(row.kind(), self))):
                self._grid.addWidget(widget, place, column)
                widget.show()
            self.fields.append(field)

    def _typed(self, words: str) -> None:
        field = self.sender()
        if not isinstance(field, NameField) or self._arguments is None:
            return
        text = self._arguments.with_argument(field.objectName(), words)
        field.setProperty("state", "wrong" if text is None else "")
        field.style().unpolish(field)
        field.style().polish(field)
        if text is not None:
            self._arguments = self._arguments.reread(text)
            self.typed.emit(text)
