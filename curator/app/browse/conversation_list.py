"""Search, bulk bar and table of the Write page: which conversations, in what order, which chosen."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QWidget

from curator.app.annotate.annotating import AnnotationChange, annotate
from curator.app.browse.bulk_bar import BulkBar
from curator.app.browse.search_bar import SearchBar
from curator.app.browse.view_maker import ViewMaker
from curator.app.pasting import paste
from curator.app.session.session import Session
from curator.app.tables.conversations import LABELS_COLUMN, ConversationTable
from curator.app.tables.grid import GridView
from curator.app.timers import single_shot
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.layouts import vbox
from curator.app.widgets.stack import Stack

if TYPE_CHECKING:
    from curator.project.store.changes import Changes

WIDTH_NEEDED: Final = {3: 600, 6: 640, 7: 740}
"""From which width of the table the turns, the split and the time are shown."""

OPEN_MS: Final = 40
"""How long a row must stay current before it is opened, so that held arrow keys stay smooth."""


class ConversationList(QWidget):
    """Tells which conversation is current (chosen) and which one somebody wants to write in (entered)."""

    chosen = Signal(object)
    entered = Signal()
    view_made = Signal()
    import_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._wanted: int | None = None
        self._must_show = False
        self._fallback = 0
        self.search = SearchBar(session, self)
        self.bar = BulkBar(self)
        self.table = ConversationTable(session, self)
        self.grid = GridView(self.tr("Conversations"), self)
        self.grid.set_table(self.table)
        self.grid.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.maker = ViewMaker(session, self)
        self._empty = EmptyState("search", "", "", self.tr("Show all"), self, guide=False)
        self._stack = Stack(self)
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self._empty)
        vbox(self.search, self.bar, (self._stack, 1), parent=self, spacing=8, margins=0)
        self._open = single_shot(self, OPEN_MS, self._choose)
        self.search.searched.connect(self._search)
        self.search.table_wanted.connect(self._to_table)
        self.table.sort_requested.connect(self._sort)
        self.grid.current_row_changed.connect(self._current_moved)
        self.grid.row_opened.connect(self._enter)
        self.grid.selection_moved.connect(self._selection_moved)
        self.bar.change_requested.connect(self.change)
        self.bar.all_wanted.connect(self.choose_all)
        self._empty.pressed.connect(self._empty_pressed)
        self.maker.made.connect(self._show_view)
        self.maker.searching.connect(self._show_searching)

    @property
    def current_id(self) -> int | None:
        """The current conversation in the table."""
        row, index = self.grid.current_row(), self._session.index
        return int(index.ids[row]) if row is not None and index is not None else None

    def chosen_ids(self) -> list[int]:
        """Return the conversations that are selected, or the one that is open."""
        ids = self.table.ids_between(self.grid.selected_ranges())
        return ids or ([self._session.current] if self._session.current is not None else [])

    def shown_ids(self) -> list[int]:
        """Return all conversations the table shows, in its order."""
        count = self.table.rowCount()
        return self.table.ids_between([(0, count - 1)]) if count else []

    def change(self, change: AnnotationChange) -> None:
        """Give the selected conversations a change, as one step."""
        annotate(self._session, self.chosen_ids(), change, self)

    def choose_all(self) -> None:
        """Select all that match."""
        self.grid.selectAll()
        self.grid.setFocus()

    def paste(self) -> None:
        """Make conversations of the copied lines of JSON, and go to the first."""
        first = paste(self._session, QApplication.clipboard().text())
        if first is not None:
            self.go_to(first)

    def step(self, by: int) -> None:
        """Go some places on in the table."""
        place = self.grid.currentIndex().row() + by
        if 0 <= place < self.table.rowCount():
            self.grid.go_to(place)
            self._choose()

    def go_to(self, conversation: int) -> None:
        """Make a conversation current; a filter that hides it is taken away."""
        index = self._session.index
        row = index.row_of(conversation) if index is not None else None
        if row is None:
            return
        if self.maker.is_working:
            # The view that is being made may hold it; its filter is left alone until that is known.
            self._wanted, self._must_show = conversation, True
            return
        place = self.table.place_of(row)
        if place is None:
            everything = "is:removed" if index is not None and index.removed[row] else ""
            if self.maker.query.strip() != everything:
                self._wanted, self._must_show = conversation, True
                self.search.set_text(everything)
            return
        self.grid.go_to(place)
        self._choose()

    def reload(self) -> None:
        """Make everything anew: another project, or one read again."""
        self.table.forget()
        self.table.note_settings()
        self._wanted = self._session.current
        self.maker.make()

    def catch_up(self) -> None:
        """Make the view anew after edits that came while another page was in front."""
        self.table.note_settings()
        self._wanted = self._session.current
        self.maker.make()

    def edited(self, changes: "Changes") -> None:
        """Show what an edit changed; rows leave or come only where the filter is about that."""
        self.table.forget(changes)
        if {"label_sets", "base_model"} & set(changes.settings):
            self.table.note_settings()
        filtered = bool(self.maker.query.strip()) and changes.fields != {"content"}
        if changes.rows_changed or "removed" in changes.fields or filtered:
            # What leaves the filter gives its place to the next one.
            self._wanted = self._session.current
            self._fallback = max(0, self.grid.currentIndex().row())
            self.maker.make()
        else:
            self.table.refresh()
        self._show_counts()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out side columns where the titles would have no room."""
        super().resizeEvent(event)
        for column, needed in WIDTH_NEEDED.items():
            self.grid.setColumnHidden(column, self.width() < needed)

    def _search(self, text: str) -> None:
        if not self._must_show:
            self._wanted = self._session.current
        self._fallback = 0
        self.maker.ask(text)

    def _sort(self, name: str, descending: bool) -> None:  # noqa: FBT001 - a slot
        self.grid.horizontalHeader().setSortIndicatorShown(True)
        self._wanted = self._session.current
        self.maker.ask(sort=name, descending=descending)

    def _show_view(self) -> None:
        view, index = self._session.view, self._session.index
        rows = view.rows if view is not None else ()
        self.table.set_rows(rows)
        nothing = len(rows) == 0
        if nothing:
            self._show_empty()
        has_focus = self.grid.hasFocus() or self._empty.button.hasFocus()
        cursor = QApplication.focusWidget()
        was_empty = cursor is not None and self._empty.isAncestorOf(cursor)
        self._stack.setCurrentIndex(1 if nothing else 0)
        if was_empty and not nothing:
            # The button that had the cursor is gone; Qt would choose whatever comes next.
            self.grid.setFocus()
        if has_focus:
            (self._empty.button if nothing else self.grid).setFocus()
        self._show_counts()
        self.grid.setColumnHidden(LABELS_COLUMN, not self.table.has_chips)
        wanted, self._wanted = self._wanted, None
        row = index.row_of(wanted) if index is not None and wanted is not None else None
        place = self.table.place_of(row) if row is not None else None
        if place is not None:
            self.grid.go_to(place)
            self._choose()
        elif not nothing:
            self.grid.go_to(min(self._fallback, len(rows) - 1))
            self._choose()
        self._fallback = 0
        self._selection_moved()
        insists, self._must_show = self._must_show, False
        if insists and wanted is not None and place is None:
            self.go_to(wanted)
        self.view_made.emit()

    def _show_empty(self) -> None:
        index = self._session.index
        if index is not None and len(index) and self.maker.query.strip():
            self._empty.set_message(
                self.tr("Nothing matches"),
                self.tr("No conversation fits this search and these filters."),
                self.tr("Show all"),
                "search",
            )
        else:
            self._empty.set_message(
                self.tr("No conversations yet"),
                self.tr("Import files, drop them here, or write the first one."),
                self.tr("Import files"),
                "import",
            )

    def _show_counts(self) -> None:
        counts = self._session.counts()
        self.search.show_counts(counts)
        self.search.show_result(self.table.rowCount(), counts.get("all", 0))

    def _show_searching(self) -> None:
        self.search.show_result(self.table.rowCount(), 0, searching=True)

    def _current_moved(self, _row: int) -> None:
        self._open.start()

    def _choose(self) -> None:
        self._open.stop()
        conversation = self.current_id
        if conversation is not None and conversation != self._session.current:
            self._session.current = conversation
        self.chosen.emit(conversation)

    def _enter(self, _row: int) -> None:
        self._choose()
        self.entered.emit()

    def _selection_moved(self) -> None:
        ranges = self.grid.selected_ranges()
        count = sum(last - first + 1 for first, last in ranges)
        self.bar.show_chosen(count, self.table.rowCount())

    def _to_table(self) -> None:
        self.grid.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _empty_pressed(self) -> None:
        if self.maker.query.strip():
            self.search.set_text("")
        else:
            self.import_wanted.emit()
