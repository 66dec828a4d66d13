"""The table every page uses: rows are a permutation of row numbers over columns, never a proxy.

A page makes a Table with its Columns and hands it rows (an array of row numbers); sorting and
filtering are the index's work and come back as another array.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from curator.app.preference_file import read_stored
from curator.app.tables import Index
from curator.app.theme import TEXT_PX, font, number_font, tokens
from curator.app.widgets.text import runs_right_to_left, tip_of

if TYPE_CHECKING:
    import numpy as np

ROW_PX: Final = 28
COMPACT_ROW_PX: Final = 22
BAR_PX: Final = 3

# Comparing plain integers halves the time of data(), which Qt asks some 1,500 times per frame.
_DISPLAY: Final = int(Qt.ItemDataRole.DisplayRole)
_ALIGN: Final = int(Qt.ItemDataRole.TextAlignmentRole)
_FONT: Final = int(Qt.ItemDataRole.FontRole)
_TIP: Final = int(Qt.ItemDataRole.ToolTipRole)
_ACCESSIBLE: Final = int(Qt.ItemDataRole.AccessibleTextRole)
_ONLY_THIS_ROW: Final = (
    QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: read gives the text of a row number (a str, int or float, never a numpy number).

    name is what a sort asks for (empty: cannot be sorted by); paint, where given, draws the cell
    itself as paint(painter, rect, row number).
    """

    title: str
    read: Callable[[int], object]
    name: str = ""
    width: int = 80
    number: bool = False
    stretch: bool = False
    tip: Callable[[int], str] | None = None
    paint: Callable[[QPainter, QRect, int], None] | None = None


class Table(QAbstractTableModel):
    """Shows rows (row numbers, in order) through columns; read-only."""

    sort_requested = Signal(str, bool)

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._rows: np.ndarray | Sequence[int] = ()
        self._count = 0
        self._numbers = number_font()

    def set_rows(self, rows: "np.ndarray | Sequence[int]") -> None:
        """Show other rows or another order."""
        self.beginResetModel()
        self._rows = rows
        self._count = len(rows)
        self.endResetModel()

    def row_number(self, shown: int) -> int:
        """Return the row number that stands at a place of the table."""
        return int(self._rows[shown])

    def refresh(self) -> None:
        """Read the visible cells again; the rows stay where they are."""
        if self._count:
            self.dataChanged.emit(
                self.index(0, 0), self.index(self._count - 1, len(self.columns) - 1)
            )

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many rows are shown."""
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        """Return a cell's text, side and font."""
        if role == _DISPLAY:
            return self.columns[index.column()].read(int(self._rows[index.row()]))
        column = self.columns[index.column()]
        if role == _ALIGN:
            return _RIGHT if column.number else None
        if role == _FONT:
            return self._numbers if column.number else None
        if role in (_TIP, _ACCESSIBLE) and column.tip is not None:
            words = column.tip(int(self._rows[index.row()]))
            return tip_of(words) if role == _TIP else words
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and 0 <= section < len(self.columns):
            if role == _DISPLAY:
                return self.columns[section].title
            if role == _ALIGN:
                left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
                return _RIGHT if self.columns[section].number else left
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Ask whoever holds the index for another order."""
        if 0 <= column < len(self.columns) and self.columns[column].name:
            descending = order == Qt.SortOrder.DescendingOrder
            self.sort_requested.emit(self.columns[column].name, descending)


class GridDelegate(QStyledItemDelegate):
    """Paints a whole row as one: hover ground, selection ground and a bar at its left."""

    def __init__(self, view: "GridView") -> None:
        super().__init__(view)
        self._view = view
        self._font, self._number = font(TEXT_PX), number_font()
        self._metrics, self._number_metrics = QFontMetrics(self._font), QFontMetrics(self._number)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the ground of the row, then the cell."""
        look = tokens()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, look.colour("selection"))
        elif index.row() == self._view.hover_row:
            painter.fillRect(option.rect, look.colour("hover"))
        if selected and self._view.is_leftmost(index.column()):
            bar = QRect(option.rect.left(), option.rect.top(), BAR_PX, option.rect.height())
            painter.fillRect(bar, look.colour("accent"))
        table = index.model()
        column = table.columns[index.column()] if isinstance(table, Table) else None
        if column is not None and column.paint is not None and isinstance(table, Table):
            painter.save()
            column.paint(painter, option.rect.adjusted(8, 0, -8, 0), table.row_number(index.row()))
            painter.restore()
            return
        if column is None or not isinstance(table, Table):
            super().paint(painter, option, index)
            return
        # Qt's own way through the stylesheet takes several times as long for one line of plain text.
        value = column.read(table.row_number(index.row()))
        text = f"{value:,}" if isinstance(value, int) else str(value)
        if text:
            painter.setPen(look.colour("text"))
            self._draw_line(painter, option.rect.adjusted(8, 0, -8, 0), text, number=column.number)

    def _draw_line(self, painter: QPainter, box: QRect, text: str, *, number: bool) -> None:
        metrics = self._number_metrics if number else self._metrics
        painter.setFont(self._number if number else self._font)
        line = text if text.isascii() and len(text) < 24 else " ".join(text[:400].split())
        width = metrics.horizontalAdvance(line)
        if width > box.width():
            line = metrics.elidedText(line, Qt.TextElideMode.ElideRight, box.width())
            width = metrics.horizontalAdvance(line)
        right = not number and runs_right_to_left(line)
        left = box.right() + 1 - width if number or right else box.left()
        middle = box.center().y() + (metrics.ascent() - metrics.descent()) // 2
        way = Qt.LayoutDirection
        painter.setLayoutDirection(way.RightToLeft if right else way.LeftToRight)
        painter.drawText(left, middle + 1, line)


class GridView(QTableView):
    """A table view as the look says; activated rows come as row_opened(row number).

    With columns it shows a Table of them, which has no rows yet; one_row lets only one be selected.
    """

    row_opened = Signal(int)
    current_row_changed = Signal(int)
    selection_moved = Signal()

    def __init__(
        self,
        name: str,
        parent: QWidget | None = None,
        columns: Sequence[Column] = (),
        *,
        one_row: bool = False,
    ) -> None:
        super().__init__(parent)
        self.hover_row = -1
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        modes = QAbstractItemView.SelectionMode
        self.setSelectionMode(modes.SingleSelection if one_row else modes.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setItemDelegate(GridDelegate(self))
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(COMPACT_ROW_PX)
        self.set_compact(compact=bool(read_stored().get("compact_rows", False)))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setSortIndicatorShown(False)
        header.setFixedHeight(32)
        self.activated.connect(self._open)
        if columns:
            self.set_table(Table(columns, self))

    def set_table(self, table: Table) -> None:
        """Show a table; its columns say their widths and which one takes the rest."""
        self.setModel(table)
        header = self.horizontalHeader()
        # The header would otherwise ask every row whether it is selected: seconds at a million.
        header.setSelectionModel(QItemSelectionModel(table, header))
        for place, column in enumerate(table.columns):
            mode = QHeaderView.ResizeMode.Stretch if column.stretch else None
            header.setSectionResizeMode(place, mode or QHeaderView.ResizeMode.Interactive)
            self.setColumnWidth(place, column.width)
        if any(column.name for column in table.columns):
            self.setSortingEnabled(True)
        selection = self.selectionModel()
        selection.currentRowChanged.connect(self._tell_current)
        selection.selectionChanged.connect(self._tell_selection)

    def set_compact(self, *, compact: bool) -> None:
        """Show rows of 22 px instead of 28."""
        self.verticalHeader().setDefaultSectionSize(COMPACT_ROW_PX if compact else ROW_PX)

    def table(self) -> Table:
        """Return the table shown."""
        table = self.model()
        if not isinstance(table, Table):
            raise TypeError("a GridView shows a Table; call set_table first")
        return table

    def current_row(self) -> int | None:
        """Return the row number under the cursor, or None."""
        index = self.currentIndex()
        return self.table().row_number(index.row()) if index.isValid() else None

    def selected_ranges(self) -> list[tuple[int, int]]:
        """Return the selected places as (first, last) pairs: cheap even when all are selected."""
        selection = self.selectionModel().selection()
        ranges = (selection.at(place) for place in range(selection.count()))
        return sorted({(r.top(), r.bottom()) for r in ranges})

    def is_leftmost(self, column: int) -> bool:
        """Whether a column stands at the left edge, wherever the person moved it."""
        return self.horizontalHeader().visualIndex(column) == 0

    def go_to(self, shown: int) -> None:
        """Make a place current and the only one selected, and bring it into view."""
        index = self.model().index(shown, 0)
        # The view's own setCurrentIndex looks at the keys held down: with Ctrl it would add the row.
        self.selectionModel().setCurrentIndex(index, _ONLY_THIS_ROW)
        self.scrollTo(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up the row under the pointer."""
        self._hover(self.rowAt(int(event.position().y())))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Put the light out."""
        self._hover(-1)
        super().leaveEvent(event)

    def _hover(self, row: int) -> None:
        if row != self.hover_row:
            self.hover_row = row
            self.viewport().update()

    def _open(self, index: QModelIndex) -> None:
        self.row_opened.emit(self.table().row_number(index.row()))

    def _tell_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self.current_row_changed.emit(self.table().row_number(index.row()))

    def _tell_selection(self, _on: QItemSelection, _off: QItemSelection) -> None:
        self.selection_moved.emit()
