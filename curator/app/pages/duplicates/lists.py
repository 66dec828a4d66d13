"""The list of clusters, and the list of what was removed."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from curator.app.pages.duplicates.clusters import ClusterItem
from curator.app.tables.grid import Column, GridView, Table
from curator.app.widgets.buttons import PlainButton
from curator.app.widgets.text import Quiet

Removed = list[tuple[int, str, int | None, str]]


class ClusterList(QWidget):
    """The clusters, the largest first; chosen tells the place of the current one."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[ClusterItem] = []
        self.setMinimumWidth(220)
        self.view = GridView(self.tr("Clusters of duplicates"), self)
        self.table = Table(
            (
                Column(self.tr("First words"), self._title, stretch=True, tip=self._title),
                Column(self.tr("Size"), self._size, width=52, number=True),
                Column(self.tr("Alike"), self._alike, width=64, number=True),
            ),
            self,
        )
        self.view.set_table(self.table)
        self.view.setSelectionMode(GridView.SelectionMode.SingleSelection)
        self.view.current_row_changed.connect(self.chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)

    def show_items(self, items: list[ClusterItem], chosen: int) -> None:
        """Show clusters and stay at a place as far as there are so many."""
        self._items = items
        with QSignalBlocker(self.view):
            self.table.set_rows(range(len(items)))
            if items:
                self.view.go_to(min(max(chosen, 0), len(items) - 1))

    def current(self) -> int:
        """Return the place of the current cluster, 0 where there is none."""
        return self.view.current_row() or 0

    def item(self) -> ClusterItem | None:
        """Return the current cluster."""
        place = self.view.current_row()
        return None if place is None else self._items[place]

    def go(self, by: int) -> None:
        """Go to a neighbour, as far as there is one."""
        if self._items:
            self.view.go_to(min(max(self.current() + by, 0), len(self._items) - 1))

    def drop_current(self) -> None:
        """Take the current cluster away and go to the one that moves up."""
        place = self.view.current_row()
        if place is not None:
            del self._items[place]
            self.show_items(self._items, place)
            self.chosen.emit(self.current())

    def _title(self, place: int) -> str:
        return self._items[place].title

    def _size(self, place: int) -> int:
        return len(self._items[place].rows)

    def _alike(self, place: int) -> str:
        return f"{self._items[place].similarity * 100:.0f} %"


class RemovedList(QWidget):
    """Everything that was removed, with reason and partner, and a way back."""

    restore_requested = Signal()
    selection_moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._removed: Removed = []
        self.view = GridView(self.tr("Removed conversations"), self)
        self.table = Table(
            (
                Column(self.tr("Conversation"), self._id, width=104, number=True),
                Column(self.tr("First words"), self._title, stretch=True),
                Column(self.tr("Why"), self._reason, width=260, tip=self._reason),
            ),
            self,
        )
        self.view.set_table(self.table)
        self._restore = PlainButton(self.tr("Restore"), self, icon_name="restore")
        self._restore.setEnabled(False)
        self._restore.clicked.connect(self.restore_requested)
        self.view.selection_moved.connect(self._tell)
        row = QHBoxLayout()
        row.addWidget(Quiet(self.tr("Nothing is lost: select what to bring back."), self))
        row.addStretch(1)
        row.addWidget(self._restore)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.view, 1)

    def show_removed(self, removed: Removed) -> None:
        """Show what is removed now."""
        self._removed = removed
        self.table.set_rows(range(len(removed)))

    def selected(self) -> list[int]:
        """Return the ids of the selected conversations."""
        ranges = self.view.selected_ranges()
        return [self._removed[at][0] for low, high in ranges for at in range(low, high + 1)]

    def _tell(self) -> None:
        self._restore.setEnabled(bool(self.view.selected_ranges()))
        self.selection_moved.emit()

    def _id(self, place: int) -> int:
        return self._removed[place][0]

    def _title(self, place: int) -> str:
        return self._removed[place][3]

    def _reason(self, place: int) -> str:
        return self._removed[place][1]
