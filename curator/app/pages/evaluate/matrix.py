"""The confusion matrix: a row for each right label, a column for each label said; a cell has its conversations."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from curator.app.counted import counted
from curator.app.pages.evaluate.background import Shown
from curator.app.tables import Index
from curator.app.tables.grid import Column, GridView, Table
from curator.app.theme import META_PX, font, number_font, tokens
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.text import Muted
from curator.tune.evaluation.scores import UNREADABLE, Coded

_CELL_PX: Final = 52
_WIDE_CELL_PX: Final = 96
_FEW: Final = 10
_ROW_PX: Final = 26
_LABEL_PX: Final = 150


class MatrixTable(QAbstractTableModel):
    """The counts of a confusion matrix."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self.counts = np.zeros((0, 0), np.int64)

    def show_matrix(self, coded: Coded | None) -> None:
        """Show the matrix of a candidate; None shows nothing."""
        self.beginResetModel()
        if coded is None:
            self.rows, self.columns, self.counts = (), (), np.zeros((0, 0), np.int64)
        else:
            self.rows = coded.classes[: coded.n_real]
            self.columns = (*coded.classes, UNREADABLE)
            self.counts = coded.matrix
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many labels have questions."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many labels can be said."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Return a count, and in words what it counts."""
        count = int(self.counts[index.row(), index.column()])
        if role == int(Qt.ItemDataRole.DisplayRole):
            return f"{count:,}" if count else ""
        if role in (int(Qt.ItemDataRole.ToolTipRole), int(Qt.ItemDataRole.AccessibleTextRole)):
            return self.tr("right {0}, said {1}: {2}").format(
                self.rows[index.row()], self.columns[index.column()], f"{count:,}"
            )
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> Any:
        """Return a label; the tip has the whole of it."""
        names = self.columns if orientation == Qt.Orientation.Horizontal else self.rows
        wanted = (int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.ToolTipRole))
        return names[section] if role in wanted and section < len(names) else None


class _CellDelegate(QStyledItemDelegate):
    """Paints a cell: the share of its row as colour, right ones green, wrong ones red."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the ground, the count and the ring of the current cell."""
        table = index.model()
        if not isinstance(table, MatrixTable):
            return
        look = tokens()
        counts = table.counts[index.row()]
        count, total = int(counts[index.column()]), int(counts.sum())
        if count:
            tone = "success" if index.row() == index.column() else "danger"
            ground = QColor(look.colour(tone))
            ground.setAlphaF(0.12 + 0.38 * count / max(1, total))
            painter.fillRect(option.rect, ground)
        painter.setFont(number_font(META_PX))
        painter.setPen(look.colour("text"))
        painter.drawText(
            option.rect, int(Qt.AlignmentFlag.AlignCenter), f"{count:,}" if count else "·"
        )
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(look.colour("focus"))
            for inset in (0, 1):
                painter.drawRect(option.rect.adjusted(inset, inset, -1 - inset, -1 - inset))


class MatrixView(QTableView):
    """The matrix as a table of small cells; arrows go from cell to cell."""

    cell_chosen = Signal(int, int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setShowGrid(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_CellDelegate(self))
        across, down = self.horizontalHeader(), self.verticalHeader()
        for header in (across, down):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setFont(font(META_PX))
            header.setHighlightSections(False)
        across.setDefaultSectionSize(_CELL_PX)
        across.setFixedHeight(28)
        down.setDefaultSectionSize(_ROW_PX)
        down.setFixedWidth(_LABEL_PX)
        down.setTextElideMode(Qt.TextElideMode.ElideRight)
        across.setTextElideMode(Qt.TextElideMode.ElideRight)

    def show_table(self, table: MatrixTable) -> None:
        """Show a table and tell which cell is current from then on."""
        self.setModel(table)
        self.selectionModel().currentChanged.connect(self._tell)
        table.modelReset.connect(self._fit)

    def go_to(self, row: int, column: int) -> None:
        """Make a cell current and bring it into view."""
        index = self.model().index(row, column)
        self.selectionModel().setCurrentIndex(
            index, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        if self.isVisible():
            self.scrollTo(index)

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the current cell into view: before it is shown, the view does not know its size."""
        super().showEvent(event)
        self.scrollTo(self.currentIndex())

    def _fit(self) -> None:
        is_few = self.model().columnCount() <= _FEW
        self.horizontalHeader().setDefaultSectionSize(_WIDE_CELL_PX if is_few else _CELL_PX)

    def _tell(self, index: QModelIndex) -> None:
        if index.isValid():
            self.cell_chosen.emit(index.row(), index.column())


class MatrixPane(QWidget):
    """The matrix of one candidate and, beside it, the conversations of the cell at hand."""

    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Shown | None = None
        self._conversations: list[int] = []
        self.who = ComboBox(self)
        self.who.setAccessibleName(self.tr("Candidate"))
        self.who.currentIndexChanged.connect(self._show_candidate)
        self.about = Muted("", self)
        self.table = MatrixTable(self)
        self.view = MatrixView(self.tr("Confusion matrix"), self)
        self.view.show_table(self.table)
        self.view.cell_chosen.connect(self._show_cell)
        self.list = GridView(self.tr("Conversations of the cell"), self)
        self.list.setSelectionMode(GridView.SelectionMode.SingleSelection)
        self.list.set_table(
            Table(
                (
                    Column(self.tr("Conversation"), self._id_of, width=96, number=True),
                    Column(
                        self.tr("First words"), self._title_of, stretch=True, tip=self._title_of
                    ),
                ),
                self,
            )
        )
        self.list.row_opened.connect(self._open)
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.who)
        row.addWidget(self.about)
        row.addStretch(1)
        column.addLayout(row)
        sides = QSplitter(self)
        sides.addWidget(self.view)
        sides.addWidget(self.list)
        sides.setStretchFactor(0, 2)
        sides.setStretchFactor(1, 1)
        sides.setSizes([620, 340])
        SplitterState(sides, "evaluate-matrix")
        column.addWidget(sides, 1)

    def show_run(self, shown: Shown) -> None:
        """Show the matrix of a run's last candidate."""
        self._shown = shown
        entries: Sequence[tuple[str, object]] = [(name, at) for at, name in enumerate(shown.names)]
        self.who.offer(entries, shown.names[-1] if shown.names else "")
        self._show_candidate()

    def _show_candidate(self) -> None:
        shown, at = self._shown, self.who.currentIndex()
        if shown is None or not 0 <= at < len(shown.names):
            return
        coded = shown.results.candidates[at].coded
        self.table.show_matrix(coded)
        self._conversations = []
        self.list.table().set_rows(())
        if coded is None or not len(coded.actual):
            self.about.setText(self.tr("These replies are compared as texts; they have no labels."))
            return
        wrong = coded.matrix.copy()
        np.fill_diagonal(wrong[:, : wrong.shape[0]], 0)
        row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        self.view.go_to(int(row), int(column) if wrong.any() else int(row))

    def _show_cell(self, row: int, column: int) -> None:
        shown, at = self._shown, self.who.currentIndex()
        if shown is None or at < 0:
            return
        self._conversations = list(shown.cells[at].get((row, column), ()))
        words = self.tr("Right is {0}, said is {1}: {2}").format(
            self.table.rows[row],
            self.table.columns[column],
            counted(len(self._conversations), "conversation"),
        )
        self.about.setText(words)
        self.list.table().set_rows(range(len(self._conversations)))
        if self._conversations:
            self.list.go_to(0)

    def _open(self, at: int) -> None:
        self.opened.emit(self._conversations[at])

    def _id_of(self, at: int) -> str:
        return str(self._conversations[at])

    def _title_of(self, at: int) -> str:
        return "" if self._shown is None else self._shown.titles.get(self._conversations[at], "")
