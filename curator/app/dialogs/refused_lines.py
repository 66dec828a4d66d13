"""The lines of a labels file that were refused, each with its reason."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from curator.app.tables.grid import Column, GridView
from curator.app.widgets.buttons import PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.text import Muted, PageTitle

if TYPE_CHECKING:
    from curator.project.label_files import RefusedLine


class RefusedLinesDialog(Dialog):
    """Shown when lines of a labels file are about no conversation here for certain."""

    def __init__(
        self, name: str, title: str, refused: "Sequence[RefusedLine]", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import labels"))
        self.fit(880, 520)
        self._refused = tuple(refused)
        words = self.tr("These lines of {0} changed nothing.").format(name)
        columns = (
            Column(
                self.tr("Line"),
                lambda row: f"{self._refused[row].line:,}",
                width=72,
                number=True,
            ),
            Column(self.tr("Why"), self._reason, stretch=True, tip=self._reason),
        )
        self.grid = GridView(self.tr("Lines refused"), self, columns)
        self.grid.table().set_rows(range(len(self._refused)))
        close = PrimaryButton(self.tr("Go on"), self)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        row = hbox(STRETCH, close)
        self.add(PageTitle(title, self), Muted(words, self, wrap=True), (self.grid, 1), row)

    def _reason(self, row: int) -> str:
        return self._refused[row].reason
