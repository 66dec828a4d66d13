"""What a fix changes, before and after."""

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from curator.app.pages.check.findings import Change
from curator.app.widgets.diff_text import MarkedText
from curator.app.widgets.layouts import clear
from curator.app.widgets.text import Meta


class ChangesView(QWidget):
    """Every part that a fix changes: before at the left, after at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)

    def show_changes(self, changes: Sequence[Change]) -> None:
        """Show other changes."""
        clear(self._grid)
        if not changes:
            return
        self._grid.addWidget(Meta(self.tr("Before"), self), 0, 0)
        self._grid.addWidget(Meta(self.tr("After"), self), 0, 1)
        for at, change in enumerate(changes):
            self._grid.addWidget(Meta(self._name(change), self), 2 * at + 1, 0, 1, 2)
            for column, spans in enumerate((change.before, change.after)):
                text = MarkedText(self)
                nothing = [("same", self.tr("(not there)"))]
                is_mono = change.part not in ("", "content", "role")
                if spans:
                    text.show_spans(spans, mono=is_mono)
                else:
                    text.show_parts(nothing)
                self._grid.addWidget(text, 2 * at + 2, column)
        self._grid.setRowStretch(2 * len(changes) + 1, 1)

    def _name(self, change: Change) -> str:
        if change.message is None:
            return self.tr("Key {0}").format(change.part)
        if not change.part:
            return self.tr("Message {0}").format(change.message + 1)
        return self.tr("Message {0}, {1}").format(change.message + 1, change.part)
