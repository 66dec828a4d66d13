"""The chips that say which part of the current filter the queue goes through."""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from curator.app.pages.label.queue import Scope, Tally
from curator.app.widgets.buttons import ChipButton
from curator.app.widgets.layouts import hbox

SCOPES: Final[tuple[Scope, ...]] = ("todo", "skipped", "flagged", "all")


class ScopeChips(QWidget):
    """One chip for each scope with its count; chosen carries the scope that was pressed."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = hbox(parent=self, spacing=8, margins=0)
        self.chips: dict[Scope, ChipButton] = {}
        for scope in SCOPES:
            chip = ChipButton("", self)
            chip.setProperty("scope", scope)
            chip.clicked.connect(self._choose)
            self.chips[scope] = chip
            row.addWidget(chip)
        row.addStretch(1)

    def show_counts(self, counts: Tally, chosen: Scope) -> None:
        """Show how many each scope has, and which one is in force."""
        words = {
            "todo": self.tr("To do {0}"),
            "skipped": self.tr("Skipped {0}"),
            "flagged": self.tr("Flagged {0}"),
            "all": self.tr("All {0}"),
        }
        for scope, chip in self.chips.items():
            chip.setText(words[scope].format(f"{counts.of(scope):,}"))
            chip.setChecked(scope == chosen)

    def _choose(self) -> None:
        self.chosen.emit(self.sender().property("scope"))
