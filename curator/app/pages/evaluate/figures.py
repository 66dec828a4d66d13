"""The table of figures: a row for each, a column for each candidate, and what differs."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from curator.app.pages.evaluate.background import Shown
from curator.app.tables.grid import Column, GridView, Table
from curator.app.widgets.text import Muted, Plain


class FiguresPane(QWidget):
    """What was measured, with the comparison in words above it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, ...]] = []
        self.sentence = Plain("", self, wrap=True)
        self.advice = Muted("", self, wrap=True)
        self.view = GridView(self.tr("Figures"), self)
        self.view.setSelectionMode(GridView.SelectionMode.SingleSelection)
        self.view.set_table(Table((), self))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.sentence)
        column.addWidget(self.advice)
        column.addWidget(self.view, 1)

    def show_run(self, shown: Shown) -> None:
        """Show the figures of a run."""
        header, rows = shown.figures
        self._rows = [tuple(row) for row in rows]
        comparison = shown.comparison
        self.sentence.setText(comparison.sentence() if comparison else "")
        self.sentence.setVisible(comparison is not None)
        advice = comparison.advice() if comparison else ""
        if not shown.line.items or not self._rows:
            advice = self.tr("No question was answered by every candidate yet.")
        self.advice.setText(advice)
        self.advice.setVisible(bool(advice))
        columns = [self._column(title, at) for at, title in enumerate(header)]
        self.view.set_table(Table(columns, self))
        self.view.table().set_rows(range(len(self._rows)))
        if self._rows:
            self.view.go_to(0)

    def _column(self, title: str, at: int) -> Column:
        def read(row: int) -> str:
            return self._rows[row][at]

        def tip(row: int) -> str:
            return f"{self._rows[row][0]}: {self._rows[row][at]}" if at else self._rows[row][0]

        return Column(title, read, width=200, stretch=at == 0, tip=tip)
