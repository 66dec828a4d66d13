"""Clusters of repeats: two conversations side by side, and one key decides between them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QSplitter, QWidget

from curator.app.annotate.annotating import RESTORE, annotate
from curator.app.counted import counted
from curator.app.dialogs.confirm import confirm_if_many
from curator.app.page import OpenRequest, Page
from curator.app.pages.duplicates.clusters import (
    ClusterItem,
    Findings,
    read_findings,
    removal_of_all,
)
from curator.app.pages.duplicates.controls import SearchControls
from curator.app.pages.duplicates.decision import DecisionPane
from curator.app.pages.duplicates.lists import ClusterList, RemovedList
from curator.app.pages.duplicates.no_pairs import NoPairs
from curator.app.session.background import Job, Jobs
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.app.widgets.buttons import ChipButton
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.progress_row import ProgressRow
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.stack import Stack
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.dataset import Edit
    from curator.project.duplicate_search import Search
    from curator.project.duplicates import Duplicates
    from curator.project.store.changes import Changes

RELOAD_MS = 250
RELOAD_MARKS_MS = 1500


class DuplicatesPage(Page):
    """Finds copies and near copies, and goes through them pair by pair."""

    page_id = "duplicates"
    title = "Duplicates"
    icon = "duplicates"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._findings = Findings(None, [], [])
        self._job: Job[Findings] | None = None
        self._is_searching = False
        self._stale = True
        self._is_known = False
        self._failure: object = None
        self.add_action("duplicates.remove_all")
        self.add_action("duplicates.find", primary=True)
        self.controls = SearchControls(self)
        self._clusters_chip = ChipButton("", self)
        self._removed_chip = ChipButton("", self)
        self._clusters_chip.setChecked(True)
        self.clusters = ClusterList(self)
        self.main = self.clusters.view
        self.decision = DecisionPane(session, jobs, self)
        self.removed = RemovedList(self)
        self._empty = NoPairs(self)
        self._progress = ProgressRow(self.tr("Finding duplicates"), self)
        self._reload_soon = single_shot(self, RELOAD_MS, self._read)
        self.body.setSpacing(12)
        self.body.addWidget(self.controls)
        chips = hbox(self._clusters_chip, self._removed_chip, STRETCH, self._progress, spacing=8)
        self._progress.hide()
        self.body.addLayout(chips)
        sides = QSplitter(self)
        sides.addWidget(self.clusters)
        sides.addWidget(self.decision)
        sides.setStretchFactor(0, 0)
        sides.setStretchFactor(1, 1)
        sides.setSizes([300, 700])
        SplitterState(sides, "duplicates")
        self._sides = sides
        self._stack = Stack(self)
        for widget in (self._empty, sides, self.removed):
            self._stack.addWidget(widget)
        self.body.addWidget(self._stack, 1)
        self.session.edited.connect(self._edited)
        self.session.project_changed.connect(self._project_changed)
        self.controls.changed.connect(self._show_live)
        self.controls.keep_changed.connect(self._read)
        self.clusters.chosen.connect(self._choose)
        self.decision.action_requested.connect(self.action_requested)
        self.removed.restore_requested.connect(self._restore)
        self._clusters_chip.clicked.connect(self._show_clusters)
        self._removed_chip.clicked.connect(self._show_removed)
        self.removed.selection_moved.connect(self.slots_changed)
        self.decision.open_requested.connect(self.open_requested)
        self._empty.pressed.connect(self._empty_pressed)
        self._empty.guide_requested.connect(partial(self.action_requested.emit, "help.guide"))
        self._show_counts()
        self._show_empty()

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer searching, stepping and, where the project may be changed, deciding."""
        if self.session.project is None:
            return {}
        slots: dict[str, Callable[[], object]] = {}
        if not self._is_searching and not self._is_project_empty():
            slots["duplicates.find"] = self.search
        if self.decision.pair is not None and self._shows_clusters():
            slots["conversation.next"] = partial(self._step, 1)
            slots["conversation.previous"] = partial(self._step, -1)
        if self.session.is_read_only:
            return slots
        if self.decision.pair is not None and self._shows_clusters():
            slots["duplicates.keep_left"] = partial(self._remove, 1)
            slots["duplicates.keep_right"] = partial(self._remove, 0)
            slots["duplicates.keep_both"] = self._keep_both
        if self._findings.items and self._job is None:
            slots["duplicates.remove_all"] = self._remove_all
        if self._removed_chip.isChecked() and self.removed.selected():
            slots["conversation.restore"] = self._restore
        return slots

    def activated(self) -> None:
        """Show what the last search found."""
        if self._stale:
            self._read()

    def rail_count(self) -> int | None:
        """Return how many clusters wait for a decision; None while nobody has looked for any."""
        return None if self._findings.found is None else len(self._findings.items)

    def search(self) -> None:
        """Search with the settings shown, in the background."""
        project = self.session.project
        if project is None or self._is_searching:
            return
        if self._job is not None:
            # What the last search found is being read; nobody needs it any more.
            self._job.cancel()
        search, rule = self.controls.search(), self.controls.keep_rule()

        def work(progress: ProgressCall, cancelled: CancelledCall) -> Findings:
            from curator.project import duplicate_tables, duplicates

            with project.reader() as reader:
                found = duplicates.find(reader, search, progress=progress, cancelled=cancelled)
                if not project.read_only:
                    duplicate_tables.keep(project, found)
                return read_findings(reader, found, rule)

        self._follow(self.session.start(self.tr("Finding duplicates"), work))
        self._is_searching = True

    def _read(self) -> None:
        """Read the last search again; quick, so that the list follows every edit."""
        project = self.session.project
        if project is None:
            return
        if self._job is not None:
            self._reload_soon.start()
            return
        self._stale = False
        rule = self.controls.keep_rule()

        def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Findings:
            from curator.project import duplicate_tables

            with project.reader() as reader:
                return read_findings(reader, duplicate_tables.kept(reader), rule)

        self._follow(self.session.start(self.tr("Reading duplicates"), work))

    def _follow(self, job: "Job[Findings]") -> None:
        self._job, self._failure = job, None
        self._progress.follow(job)  # type: ignore[arg-type]
        self._progress.setVisible(True)
        job.succeeded.connect(partial(self._take, job))
        job.failed.connect(self._fail)
        job.ended.connect(partial(self._ended, job))
        self.slots_changed.emit()

    def _ended(self, job: "Job[Findings]") -> None:
        if job is not self._job:
            return
        self._job, self._is_searching = None, False
        self._progress.hide()
        self.slots_changed.emit()

    def _take(self, job: "Job[Findings]", findings: Findings) -> None:
        if self.session.project is None or job is not self._job:
            return
        pair = self.decision.pair
        # The order may be another one now; the person stays with the current pair.
        places = (n for n, item in enumerate(findings.items) if pair and pair in item.pairs)
        chosen = next(places, self.clusters.current())
        first = self._findings.found is None
        self._findings, self._is_known = findings, True
        if findings.found is not None and first:
            self.controls.show_search(findings.found.search)
        self.clusters.show_items(findings.items, chosen)
        self.removed.show_removed(findings.removed)
        self._show_live()
        self._show_counts()
        self._show()
        item = self.clusters.item()
        if pair is None or item is None or pair not in item.pairs:
            self._choose(self.clusters.current())
        self.count_changed.emit()

    def _fail(self, error: object) -> None:
        self._failure = error
        self._show_empty()

    def _project_changed(self) -> None:
        self._stale, self._is_known = True, False
        self._findings = Findings(None, [], [])
        self.decision.clear()
        self.clusters.show_items([], 0)
        self._show_counts()
        self._show()
        if self.session.project is not None:
            self._read()

    def _edited(self, changes: "Changes") -> None:
        from curator.project.not_duplicates import is_mark

        if changes.rows_changed:
            self._show()
        if "removed" in changes.fields:
            self._reload_soon.start(RELOAD_MS)
        elif any(map(is_mark, changes.settings)):
            # All is read anew when the person pauses, not at every decision.
            self._reload_soon.start(RELOAD_MARKS_MS)

    def _shows_clusters(self) -> bool:
        return self._clusters_chip.isChecked()

    def _show_clusters(self) -> None:
        self._clusters_chip.setChecked(True)
        self._removed_chip.setChecked(False)
        self._show()

    def _show_removed(self) -> None:
        self._clusters_chip.setChecked(False)
        self._removed_chip.setChecked(True)
        self._show()

    def _show(self) -> None:
        if not self._shows_clusters():
            self._show_removed_pane()
        elif self._findings.items:
            self._stack.setCurrentWidget(self._sides)
        else:
            self._show_empty()
        self.slots_changed.emit()

    def _show_removed_pane(self) -> None:
        if self._findings.removed:
            self._stack.setCurrentWidget(self.removed)
            return
        self._empty.show_nothing_removed()
        self._stack.setCurrentWidget(self._empty)

    def _show_empty(self) -> None:
        if self._failure is not None:
            self._empty.show_failed(self._failure)
        elif self._is_project_empty():
            self._empty.show_nothing_to_compare()
        elif not self._is_known:
            self._empty.show_reading()
        elif self._findings.found is None:
            self._empty.show_not_searched()
        else:
            self._empty.show_none_left()
        self._stack.setCurrentWidget(self._empty)

    def _is_project_empty(self) -> bool:
        return self.session.index is None or not len(self.session.index)

    def _empty_pressed(self) -> None:
        if self._is_project_empty():
            self.action_requested.emit("file.import")
        elif self._findings.found is None or not self._shows_clusters():
            self.search()
        else:
            self.open_requested.emit(OpenRequest("export"))

    def _show_counts(self) -> None:
        clusters = f"{len(self._findings.items):,}"
        removed = f"{len(self._findings.removed):,}"
        self._clusters_chip.setText(self.tr("Clusters {0}").format(clusters))
        self._removed_chip.setText(self.tr("Removed {0}").format(removed))
        self.controls.show_preview(self._findings.would_remove)
        found = self._findings.found
        self.controls.show_counted(found)
        if found is None:
            self.subtitle.setText("")
            return
        pairs = counted(found.matches.count(), "pair")
        self.subtitle.setText(
            self.tr("{0} among {1}").format(pairs, counted(len(found.ids), "conversation"))
        )

    def _show_live(self) -> None:
        self.controls.show_live(self._findings.found)

    def _choose(self, _place: int) -> None:
        item = self.clusters.item()
        if item is None or not item.pairs:
            self.decision.clear()
        else:
            self.decision.show_pair(item.pairs[0], 1, len(item.pairs))
        self.slots_changed.emit()

    def _step(self, by: int) -> None:
        """Go to the next pair of the cluster, or to the next cluster."""
        item, pair = self.clusters.item(), self.decision.pair
        if item is not None and pair in item.pairs:
            place = item.pairs.index(pair) + by
            if 0 <= place < len(item.pairs):
                self.decision.show_pair(item.pairs[place], place + 1, len(item.pairs))
                self.slots_changed.emit()
                return
        self.clusters.go(by)

    def _remove(self, side: int) -> None:
        """Remove the left (0) or right (1) conversation of the pair in favour of the other."""
        from curator.curate.duplicates.clusters import Decision
        from curator.project import duplicates

        project, item, pair = self.session.project, self.clusters.item(), self.decision.pair
        if project is None or item is None or pair is None:
            return
        gone, keep = (pair[0], pair[1]) if side == 0 else (pair[1], pair[0])
        title = self.tr("Keep {0}, remove {1}").format(keep, gone)
        decision = Decision(gone, kept=False, partner=keep, similarity=pair[2])
        edit = duplicates.removal(project, self._last_search(), [decision], title)
        if edit is not None and self.session.push(edit) is not None:
            item.without_row(gone)
            self._go_on(item)

    def _keep_both(self) -> None:
        from curator.project.not_duplicates import parting

        project, item, pair = self.session.project, self.clusters.item(), self.decision.pair
        if project is None or item is None or pair is None:
            return
        if self.session.push(parting(project, [pair[:2]])) is not None:
            item.without_pair(*pair[:2])
            self._go_on(item)

    def _go_on(self, item: ClusterItem) -> None:
        """Show what comes next at once; the list is read again a moment later."""
        if item.pairs:
            self.decision.show_pair(item.pairs[0], 1, len(item.pairs))
        else:
            self.clusters.drop_current()
        self.slots_changed.emit()

    def _last_search(self) -> "Search":
        found: Duplicates | None = self._findings.found
        return self.controls.search() if found is None else found.search

    def _remove_all(self) -> None:
        """Keep one of every cluster by the chosen rule; one step that undo takes back."""
        project, found = self.session.project, self._findings.found
        if project is None or found is None:
            return
        rule = self.controls.keep_rule()

        def work(_progress: ProgressCall, _cancelled: CancelledCall) -> "Edit | None":
            return removal_of_all(project, found, rule)

        job = self.session.start(self.tr("Choosing whom to keep"), work)
        job.succeeded.connect(self._ask_removal)

    def _ask_removal(self, edit: "Edit | None") -> None:
        """Apply the removal of all copies, and tell of it with the button that takes it back."""
        if edit is None:
            return
        count = len(edit.conversations())
        verb = self.tr("Remove all copies")

        def tell(_applied: object) -> None:
            words = self.tr("{0} removed, and still in the list of removed ones.")
            self.session.notify_step(words.format(counted(count, "duplicate")))

        def go() -> None:
            job = self.session.push_later(verb, lambda _reader, _progress, _cancelled: edit)
            if job is not None:
                job.succeeded.connect(tell)

        confirm_if_many(self.session, count, verb, verb, go, self)

    def _restore(self) -> None:
        ids = self.removed.selected()
        annotate(self.session, ids, RESTORE, self)
