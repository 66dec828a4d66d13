"""Find and replace over all conversations shown: search, look at every place, replace in one step."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QWidget,
)

from curator.app.counted import counted
from curator.app.dialogs.confirm import confirm_if_many
from curator.app.hit_delegate import HIT, HitDelegate
from curator.app.session.background import Job
from curator.app.session.session import Session, failure_words
from curator.app.tables import Index as ModelIndex
from curator.app.timers import single_shot
from curator.app.widgets.buttons import ChipButton, FlatButton, PlainButton, PrimaryButton, allow
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import hbox
from curator.app.widgets.reading_card import role_word
from curator.app.widgets.text import Meta
from curator.curate.search.replace import Hit, Replacer, Search
from curator.dataset.errors import CuratorError
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.dataset import Edit
    from curator.project.replacing import Found, Place
    from curator.project.store.changes import Changes
    from curator.project.store.reader import Reader

FIND_MS: Final = 300
ROLES: Final = ("system", "user", "assistant", "tool")
_CHECK: Final = int(Qt.ItemDataRole.CheckStateRole)
_DISPLAY: Final = int(Qt.ItemDataRole.DisplayRole)


class HitTable(QAbstractTableModel):
    """The hits of a search, each with a tick."""

    ticked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.hits: tuple[tuple[int, Hit], ...] = ()
        self._off: set[int] = set()

    def show_hits(self, hits: tuple[tuple[int, Hit], ...]) -> None:
        """Show these hits, all ticked."""
        self.beginResetModel()
        self.hits, self._off = hits, set()
        self.endResetModel()

    @property
    def left_out(self) -> list["Place"]:
        """The hits whose tick was taken away."""
        chosen = [self.hits[number] for number in sorted(self._off)]
        return [(conversation, h.message, h.part, h.start) for conversation, h in chosen]

    def tick_all(self, *, on: bool) -> None:
        """Tick or untick every hit."""
        self._off = set() if on else set(range(len(self.hits)))
        if self.hits:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.hits) - 1, 1))
        self.ticked.emit()

    def rowCount(self, parent: ModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many hits are listed."""
        return 0 if parent.isValid() else len(self.hits)

    def columnCount(self, parent: ModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        """Return the two columns: where, and what."""
        return 0 if parent.isValid() else 2

    def data(self, index: ModelIndex, role: int = _DISPLAY) -> object:
        """Return the place, the words, or the tick."""
        conversation, hit = self.hits[index.row()]
        if role == _DISPLAY and index.column() == 0:
            return self.tr("{0}, turn {1}").format(conversation, hit.message + 1)
        if role == _DISPLAY:
            return f"{hit.context[0]}{hit.before} → {hit.after}{hit.context[1]}"
        if role == HIT:
            return hit
        if role == _CHECK and index.column() == 0:
            off = index.row() in self._off
            return Qt.CheckState.Unchecked if off else Qt.CheckState.Checked
        return None

    def setData(self, index: ModelIndex, value: object, role: int = _DISPLAY) -> bool:  # noqa: N802
        """Take a tick."""
        if role != _CHECK:
            return False
        on = Qt.CheckState(value) == Qt.CheckState.Checked
        self._off.discard(index.row()) if on else self._off.add(index.row())
        self.dataChanged.emit(index, index)
        self.ticked.emit()
        return True

    def flags(self, index: ModelIndex) -> Qt.ItemFlag:
        """Let the first column be ticked."""
        tick = Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | tick


class FindReplaceDialog(Dialog):
    """A window of its own that stays open while one looks; replaced carries what changed."""

    replaced = Signal(object)
    conversation_chosen = Signal(int)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent, is_kept=True)
        self._session = session
        self._ids: Sequence[int] = ()
        self._project = session.project
        self._found: Found | None = None
        self._searched: Search | None = None
        self._job: Job[Found] | Job[tuple[Changes, ...]] | None = None
        self._is_replacing = False
        self.setWindowTitle(self.tr("Find and replace"))
        self.fit(760, 520)
        self.table = HitTable(self)
        self.find_field = QLineEdit(self)
        self.replace_field = QLineEdit(self)
        for field, name in (
            (self.find_field, self.tr("Find")),
            (self.replace_field, self.tr("Replace with")),
        ):
            field.setAccessibleName(name)
            field.setPlaceholderText(name)
            field.textChanged.connect(self._changed)
        self._case = QCheckBox(self.tr("Match case"), self)
        self._word = QCheckBox(self.tr("Whole words"), self)
        self._regex = QCheckBox(self.tr("Regular expression"), self)
        options = QHBoxLayout()
        options.setSpacing(12)
        for box in (self._case, self._word, self._regex):
            box.toggled.connect(self._changed)
            options.addWidget(box)
        options.addSpacing(12)
        self._roles = {role: ChipButton(role_word(role), self) for role in ROLES}
        for chip in self._roles.values():
            chip.toggled.connect(self._changed)
            options.addWidget(chip)
        options.addStretch(1)
        form = QGridLayout()
        form.setSpacing(8)
        form.addWidget(self.find_field, 0, 0)
        form.addWidget(self.replace_field, 1, 0)
        self.add(form, options, (self._make_view(), 1), self._make_foot())
        self._wait = single_shot(self, FIND_MS, self.search_now)
        session.edited.connect(self._edited)
        session.project_changed.connect(self._project_changed)

    def look_in(self, ids: Sequence[int]) -> None:
        """Work on these conversations: those the table shows."""
        self._ids, self._project = ids, self._session.project
        self.find_field.setFocus()
        self.find_field.selectAll()
        self.search_now()

    def search_now(self) -> None:
        """Search in the background; an earlier search is given up, a replacement ended first."""
        self._wait.stop()
        if self._is_replacing:
            return
        self._stop()
        self._found = None
        self.table.show_hits(())
        self._update_text()
        search, ids, project = self._search(), self._ids, self._session.project
        if not search.find or project is None or not self._is_right(search):
            return
        self._searched = search

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "Found":
            from curator.project.replacing import find

            with project.reader() as reader:
                return find(reader, ids, search, progress, cancelled)

        job = self._session.start(self.tr("Finding"), work)
        self._job = job
        job.succeeded.connect(self._show_found)
        job.failed.connect(self._failed)

    def replace(self) -> None:
        """Replace every ticked hit as one step, in the background."""
        found, search, project = self._found, self._searched, self._session.project
        if found is None or search is None or project is None or self._session.is_read_only:
            return
        if project is not self._project:
            return
        left_out, author = self.table.left_out, self._session.author
        self._stop()

        def work(
            reader: "Reader", progress: ProgressCall, cancelled: CancelledCall
        ) -> "Edit | None":
            from curator.project.replacing import replacing

            return replacing(
                reader, found.conversations, search, left_out, author, progress, cancelled
            )

        job = self._session.push_later(self.tr("Replacing"), work)
        if job is not None:
            self._job, self._is_replacing = job, True
            allow(
                self.replace_button, allowed=False, reason=self.tr("It is being replaced already.")
            )
            job.succeeded.connect(self._tell_replaced)
            job.ended.connect(self._replacing_ended)

    def _ask(self) -> None:
        count = len(self._found.conversations) if self._found is not None else 0
        confirm_if_many(
            self._session,
            count,
            self.tr("Find and replace"),
            self.tr("Replace"),
            self.replace,
            self,
        )

    def _project_changed(self) -> None:
        if self._session.project is self._project:
            return
        self._stop()
        self._ids, self._found = (), None
        self.table.show_hits(())
        self.hide()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Give up a search that runs."""
        self._stop()
        super().closeEvent(event)

    def _make_view(self) -> QTableView:
        view = QTableView(self)
        view.setModel(self.table)
        view.setAccessibleName(self.tr("Places found"))
        view.setShowGrid(False)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.horizontalHeader().hide()
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(26)
        view.setItemDelegateForColumn(1, HitDelegate(view))
        view.setColumnWidth(0, 150)
        view.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        view.activated.connect(self._open)
        self.table.ticked.connect(self._update_text)
        return view

    def _make_foot(self) -> QHBoxLayout:
        self._state = Meta("", self)
        none = PlainButton(self.tr("None"), self)
        every = PlainButton(self.tr("All"), self)
        none.clicked.connect(partial(self.table.tick_all, on=False))
        every.clicked.connect(partial(self.table.tick_all, on=True))
        self.replace_button = PrimaryButton(self.tr("Replace"), self)
        self.replace_button.clicked.connect(self._ask)
        close = FlatButton(self.tr("Close"), self)
        close.clicked.connect(self.close)
        return hbox((self._state, 1), every, none, close, self.replace_button, spacing=8)

    def _search(self) -> Search:
        roles = {role for role, chip in self._roles.items() if chip.isChecked()}
        if "system" in roles:
            roles.add("developer")
        return Search(
            self.find_field.text(),
            self.replace_field.text(),
            is_regex=self._regex.isChecked(),
            match_case=self._case.isChecked(),
            whole_word=self._word.isChecked(),
            roles=frozenset(roles),
        )

    def _is_right(self, search: Search) -> bool:
        try:
            Replacer(search)
        except CuratorError as error:
            self._state.setText(str(error))
            return False
        return True

    def _changed(self) -> None:
        # Nothing may be replaced by other words than those on the screen.
        self._found = None
        allow(self.replace_button, allowed=False, reason=self._why_nothing())
        self._wait.start()

    def _edited(self, changes: "Changes") -> None:
        found = self._found
        if found is None or self._is_replacing or "content" not in changes.fields:
            return
        if not set(changes.conversations).isdisjoint(found.conversations):
            # The places left out may be elsewhere now.
            self.search_now()

    def _show_found(self, found: "Found") -> None:
        self._job = None
        self._found = found
        self.table.show_hits(found.hits)
        self._update_text()

    def _tell_replaced(self, applied: "Sequence[Changes]") -> None:
        for changes in applied:
            words = self.tr("Conversations changed: {0}.")
            self._session.notify_step(words.format(f"{len(changes.conversations):,}"))
            self.replaced.emit(changes)

    def _replacing_ended(self) -> None:
        self._job, self._is_replacing = None, False
        self.search_now()

    def _why_nothing(self) -> str:
        """Say why there is nothing to replace; empty where the project can only be looked at."""
        return "" if self._session.is_read_only else self.tr("Nothing is found that would change.")

    def _failed(self, error: object) -> None:
        self._job = None
        self._state.setText(failure_words(error))

    def _update_text(self) -> None:
        found = self._found
        left_out = len(self.table.left_out)
        going = (found.total - left_out) if found is not None else 0
        may = going > 0 and not self._session.is_read_only
        allow(self.replace_button, allowed=may, reason=self._why_nothing())
        if found is None:
            self._state.setText(
                self.tr("In {0} shown").format(counted(len(self._ids), "conversation"))
            )
            return
        words = self.tr("{0} in {1}, {2} left out")
        numbers = (
            counted(found.total, "place"),
            counted(len(found.conversations), "conversation"),
            f"{left_out:,}",
        )
        text = words.format(*numbers)
        if found.total > len(found.hits):
            text += self.tr(", the first {0} listed").format(f"{len(found.hits):,}")
        self._state.setText(text)

    def _open(self, index: QModelIndex) -> None:
        self.conversation_chosen.emit(self.table.hits[index.row()][0])

    def _stop(self) -> None:
        if self._job is not None and not self._job.is_over:
            if self._is_replacing:
                return
            self._job.succeeded.disconnect()
            self._job.failed.disconnect()
            self._job.cancel()
        self._job = None
