"""A one-line field for names and ids that writes only what a person typed."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from curator.dataset.json_values import Json


class NameField(QLineEdit):
    """Edits a short text; a value that one line cannot show unchanged stays locked.

    typed carries the text after every key.
    """

    typed = Signal(str)
    left = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._locked = False
        self.setAccessibleName(name)
        self.setPlaceholderText(name)
        self.textEdited.connect(self.typed)
        self.editingFinished.connect(self.left)

    def show_value(self, value: Json) -> None:
        """Show a text; anything else, and a text with line ends, cannot be changed here."""
        text = value if isinstance(value, str) else ""
        if text != self.text():
            self.setText(text.encode("utf-16-le", "replace").decode("utf-16-le"))
        odd = self.text() != text or not (value is None or isinstance(value, str))
        self._locked = odd
        self.setReadOnly(odd)
        self.setToolTip(self.tr("Change this value under Other fields.") if odd else "")

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the text be changed, or only be read."""
        self.setReadOnly(read_only or self._locked)
