"""Small tables of numbers: a grid of labels that a screen reader can walk through."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from curator.app.theme import number_font
from curator.app.widgets.text import Elided, Meta, Plain


class NumberTable(QWidget):
    """Rows of a name and numbers under small headings; the numbers stand right, in figures of one width."""

    def __init__(self, headings: Sequence[str], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._columns = len(headings)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(6)
        # Numbers far from their names are hard to follow, so the room is left over at the right.
        self._grid.setColumnMinimumWidth(0, 120)
        self._grid.setColumnStretch(self._columns, 1)
        self._cells: list[list[QLabel]] = []
        for column, words in enumerate(headings):
            self._grid.addWidget(Meta(words, self), 0, column, _side(column))

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Show other rows; each has a name and as many numbers as there are headings after the first."""
        while len(self._cells) < len(rows):
            self._add_row()
        for place, cells in enumerate(self._cells):
            shown = place < len(rows)
            for column, cell in enumerate(cells):
                cell.setVisible(shown)
                cell.setText(rows[place][column] if shown else "")

    def texts(self) -> list[list[str]]:
        """Return what is shown, row by row."""
        return [[cell.text() for cell in cells] for cells in self._cells if cells[0].text()]

    def _add_row(self) -> None:
        row = len(self._cells) + 1
        cells: list[QLabel] = []
        for column in range(self._columns):
            # A name may be of any length; a number is never cut.
            cell = Plain("", self) if column else Elided("", self)
            if column:
                cell.setFont(number_font())
                cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(cell, row, column, _side(column))
            cells.append(cell)
        self._cells.append(cells)


def _side(column: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft


def in_bytes(size: int) -> str:
    """Write a file size the way people say it."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""
