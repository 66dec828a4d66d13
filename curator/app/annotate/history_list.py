"""Who did what to one conversation, newest first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from curator.app.dates import local_time
from curator.app.widgets.layouts import vbox
from curator.app.widgets.text import Elided, Meta

if TYPE_CHECKING:
    from curator.project.store.journal import HistoryEntry

SHOWN = 12


class HistoryList(QWidget):
    """A short list of steps; one step of several fields is one line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[QWidget] = []
        self._column = vbox(parent=self, spacing=2, margins=0)

    def show_history(self, entries: "Sequence[HistoryEntry]") -> None:
        """Show these entries."""
        for line in self._lines:
            self._column.removeWidget(line)
            line.deleteLater()
        self._lines.clear()
        steps = {entry.step.id: entry.step for entry in entries if entry.step.state == "done"}
        for step in list(steps.values())[:SHOWN]:
            when = local_time(step.changed / 1000, "%m-%d %H:%M")
            self._add(Elided(step.title, self))
            self._add(Meta(" · ".join(filter(None, (when, step.author))), self))
        if not steps:
            self._add(Meta(self.tr("Nothing was changed yet"), self))

    def _add(self, line: QWidget) -> None:
        self._lines.append(line)
        self._column.addWidget(line)
