"""The list of clusters, and the list of what was removed."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from curator.app.pages.duplicates.clusters import ClusterItem
from curator.app.tables.grid import Column, GridView
from curator.app.widgets.buttons import PlainButton
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.text import Muted

Removed = list[tuple[int, str, int | None, str]]


class ClusterList(QWidget):
    """The clusters, the largest first; chosen tells the place of the current one."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[ClusterItem] = []
        self.setMinimumWidth(220)
        columns = (
            Column(self.tr("First words"), self._title, stretch=True, tip=self._title),
            Column(
                self.tr("Size"),
                lambda place: len(self._items[place].rows),
                width=52,
                number=True,
            ),
            Column(
                self.tr("Alike"),
                lambda place: f"{self._items[place].similarity * 100:.0f} %",
                width=64,
                number=True,
            ),
        )
        self.view = GridView(self.tr("Clusters of duplicates"), self, columns, one_row=True)
        self.table = self.view.table()
        self.view.current_row_changed.connect(self.chosen)
        vbox(self.view, parent=self, margins=0)

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
        """Go to another row, as far as there is one."""
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


class RemovedList(QWidget):
    """Everything that was removed, with reason and partner, and a way back."""

    restore_requested = Signal()
    selection_moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._removed: Removed = []
        columns = (
            Column(
                self.tr("Conversation"),
                lambda place: self._removed[place][0],
                width=104,
                number=True,
            ),
            Column(self.tr("First words"), self._title, stretch=True),
            Column(self.tr("Why"), self._reason, width=260, tip=self._reason),
        )
        self.view = GridView(self.tr("Removed conversations"), self, columns)
        self.table = self.view.table()
        self._restore = PlainButton(self.tr("Restore"), self, icon_name="restore")
        self._restore.setEnabled(False)
        self._restore.clicked.connect(self.restore_requested)
        self.view.selection_moved.connect(self._tell)
        row = hbox(
            Muted(self.tr("Nothing is lost: select what to bring back."), self),
            STRETCH,
            self._restore,
        )
        vbox(row, (self.view, 1), parent=self, spacing=8, margins=0)

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

    def _title(self, place: int) -> str:
        return self._removed[place][3]

    def _reason(self, place: int) -> str:
        return self._removed[place][1]
