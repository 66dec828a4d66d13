"""The field for tags: words with commas between them, given out when they are finished."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from curator.app.widgets.setting_fields import is_written
from curator.dataset.label import plain_name


class TagsField(QLineEdit):
    """Holds tags; written carries the new ones, finished says that Enter ended the writing."""

    written = Signal(object)
    finished = Signal()

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Tags"))
        self.setPlaceholderText(placeholder)
        self.editingFinished.connect(self.commit)
        self.returnPressed.connect(self.finished)

    def show_tags(self, tags: Sequence[str], *, fresh: bool = False) -> None:
        """Show what is known; words that somebody writes are left alone, unless it is of something else."""
        is_same = self.hasFocus() and parse_tags(self.text()) == tuple(tags)
        if fresh or not (is_written(self) or is_same):
            self.setText(", ".join(tags))
            self.setModified(False)

    def commit(self) -> None:
        """Give out what was written and not yet taken."""
        if self.isModified():
            self.setModified(False)
            self.written.emit(parse_tags(self.text()))


def parse_tags(text: str) -> tuple[str, ...]:
    """Read tags divided by commas, by their plain names; repeats go."""
    return tuple(dict.fromkeys(filter(None, map(plain_name, text.split(",")))))
