"""The lines of a labels file that were refused, each with its reason."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from curator.app.tables.grid import Column, GridView, Table
from curator.app.widgets.buttons import PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.text import PageTitle, Quiet

if TYPE_CHECKING:
    from curator.project.label_files import RefusedLine


class RefusedLinesDialog(Dialog):
    """Shown when lines of a labels file are about no conversation here for certain."""

    def __init__(
        self, name: str, title: str, refused: "Sequence[RefusedLine]", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Import labels"))
        self.fit(880, 520)
        self._refused = tuple(refused)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(PageTitle(title, self))
        words = self.tr("These lines of {0} changed nothing.").format(name)
        column.addWidget(Quiet(words, self, wrap=True))
        self.grid = GridView(self.tr("Lines refused"), self)
        table = Table(
            (
                Column(self.tr("Line"), self._line, width=72, number=True),
                Column(self.tr("Why"), self._reason, stretch=True, tip=self._reason),
            ),
            self,
        )
        table.set_rows(range(len(self._refused)))
        self.grid.set_table(table)
        column.addWidget(self.grid, 1)
        row = QHBoxLayout()
        close = PrimaryButton(self.tr("Go on"), self)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        row.addStretch(1)
        row.addWidget(close)
        column.addLayout(row)

    def _line(self, row: int) -> str:
        return f"{self._refused[row].line:,}"

    def _reason(self, row: int) -> str:
        return self._refused[row].reason
