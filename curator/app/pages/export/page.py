"""Splits with their numbers before and after, and the one button that exports."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QWidget

from curator.app.counted import counted
from curator.app.page import OpenRequest, Page
from curator.app.pages.export.export_card import ExportCard
from curator.app.pages.export.result_card import ResultCard
from curator.app.pages.export.split_card import SplitCard
from curator.app.session.background import Job, Jobs
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.layouts import STRETCH, scroll_canvas, vbox
from curator.app.widgets.progress_row import ProgressRow
from curator.app.widgets.stack import Stack
from curator.dataset.errors import ProjectError, WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from curator.curate.splits import SplitPlan
    from curator.project.exports.exporting import ExportReport
    from curator.project.exports.selection import Blocker, ExportSettings, Selection
    from curator.project.exports.verify import Verification
    from curator.project.splits import SplitProposal
    from curator.project.store.changes import Changes
    from curator.project.store.project import Project

    Preview = tuple[SplitProposal | str, Selection | str, dict[str, Any] | None]

PREVIEW_MS = 250
_NARROW_PX = 1_040


class ExportPage(Page):
    """Splits the project and writes the files to train on."""

    page_id = "export"
    title = "Split and export"
    icon = "export"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._stale = True
        self._proposal: SplitProposal | None = None
        self._preview_job: Job[Preview] | None = None
        self._export_job: Job[ExportReport] | None = None
        self._project: Project | None = None
        self.split = SplitCard(self)
        self.export = ExportCard(self)
        self.result = ResultCard(self)
        self.result.hide()
        self._progress = ProgressRow(self.tr("Exporting"), self)
        self._progress.hide()
        self._empty = EmptyState("export", "", "", "", self)
        self._soon = single_shot(self, PREVIEW_MS, self._read)
        # Nothing is offered before it is known what it would do.
        for button in (self.split.assign, self.export.export):
            button.setEnabled(False)
        canvas = scroll_canvas(self)
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._cards.setSpacing(16)
        self._cards.addWidget(self.split, 1)
        self._cards.addWidget(self.export, 1)
        vbox(
            self._cards, self._progress, self.result, STRETCH, parent=canvas, spacing=16, margins=0
        )
        scroll = QScrollArea(self)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(canvas)
        self._scroll = scroll
        self._stack = Stack(self)
        self._stack.addWidget(scroll)
        self._stack.addWidget(self._empty)
        self.body.addWidget(self._stack, 1)
        self.session.edited.connect(self._edited)
        self.session.project_changed.connect(self._project_changed)
        self.split.changed.connect(self._soon.start)
        self.export.changed.connect(self._soon.start)
        self._empty.pressed.connect(partial(self.action_requested.emit, "file.import"))
        self._empty.guide_requested.connect(partial(self.action_requested.emit, "help.guide"))
        self.split.assign_requested.connect(self._assign)
        self.split.fresh_requested.connect(self._assign_anew)
        self.split.leaks_requested.connect(self._show_leaks)
        self.export.export_requested.connect(self._export)
        self.export.blocker_requested.connect(self._show_blocker)
        self.result.folder_requested.connect(self._open_folder)
        self.result.verify_requested.connect(self._verify)
        self.result.train_requested.connect(self._train)
        self._project_changed()

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer exporting, verifying and, where the project may be changed, splitting."""
        if self.session.project is None or self._stack.currentWidget() is self._empty:
            return {}
        slots: dict[str, Callable[[], object]] = {}
        if self.split.assign.isEnabled() and not self.session.is_read_only:
            slots["split.assign"] = self._assign
        if self.export.export.isEnabled() and self._export_job is None:
            slots["export.run"] = self._export
        if self.result.folder is not None:
            slots["export.verify"] = self._verify
        return slots

    def activated(self) -> None:
        """Show the numbers as they are now."""
        if self._stale:
            self._read()

    def resizeEvent(self, event: "QResizeEvent") -> None:
        """Put the two cards under each other where they would not fit side by side."""
        super().resizeEvent(event)
        way = QBoxLayout.Direction
        is_narrow = event.size().width() < _NARROW_PX
        self._cards.setDirection(way.TopToBottom if is_narrow else way.LeftToRight)

    def _project_changed(self) -> None:
        self._stale = True
        self._proposal = None
        self.result.hide()
        self.result.folder = None
        project = self.session.project
        if project is None:
            return
        from curator.project.labels import label_sets
        from curator.project.splits import plan_of

        names = [each.name for each in label_sets(project)]
        is_other, self._project = project is not self._project, project
        # The same project read again takes away nothing that somebody typed for it.
        self.split.show_plan(plan_of(project) if is_other else None, names)
        if is_other:
            self.export.show_folder(project.path.with_name(f"{project.path.stem} export"))
        if self.is_front:
            self._read()

    def _edited(self, changes: "Changes") -> None:
        self._stale = True
        if "label_sets" in changes.settings and self.session.project is not None:
            from curator.project.labels import label_sets

            names = [each.name for each in label_sets(self.session.project)]
            self.split.show_plan(None, names)
        if self.is_front:
            self._soon.start()

    def _read(self) -> None:
        """Work out in the background what splitting and exporting would do."""
        project = self.session.project
        if project is None:
            return
        if self._preview_job is not None:
            self._soon.start()
            return
        self._stale = False
        plan, problem = self._plan()
        settings, author = self.export.settings(), self.session.author

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "Preview":
            from curator.project.exports.exporting import last_export

            with project.reader() as reader:
                proposal: SplitProposal | str = problem
                if plan is not None:
                    proposal = _propose(reader, plan, author, progress, cancelled)
                return proposal, _select(reader, settings), last_export(reader)

        job = self.session.start(self.tr("Looking ahead"), work)
        self._preview_job = job
        job.succeeded.connect(self._show_preview)
        job.ended.connect(self._preview_ended)

    def _preview_ended(self) -> None:
        self._preview_job = None

    def _plan(self) -> "tuple[SplitPlan | None, str]":
        try:
            return self.split.plan(), ""
        except WrongUse as error:
            return None, str(error)

    def _show_preview(self, preview: "Preview") -> None:
        proposal, selection, last = preview
        if self.session.project is None:
            return
        if isinstance(proposal, str):
            self._proposal = None
            self.split.show_problem(proposal)
        else:
            self._proposal = proposal
            self.split.show_proposal(proposal, writable=not self.session.is_read_only)
        if isinstance(selection, str):
            self.export.show_problem(selection)
        else:
            self.export.show_selection(selection)
            self.export.export.setEnabled(
                self.export.export.isEnabled() and self._export_job is None
            )
        if last is not None and self.result.folder is None:
            self._show_result(last, fresh=False)
        self._show_or_empty()
        self.slots_changed.emit()

    def _show_or_empty(self) -> None:
        index = self.session.index
        if index is not None and len(index):
            self._stack.setCurrentWidget(self._scroll)
            return
        self._empty.set_message(
            self.tr("Nothing to export yet"),
            self.tr(
                "Import conversations or write the first one; then split and export them here."
            ),
            self.tr("Import files"),
        )
        self._stack.setCurrentWidget(self._empty)

    def _assign(self) -> None:
        if self._proposal is not None and self._proposal.edit is not None:
            self._push(self._proposal)

    def _assign_anew(self) -> None:
        """Forget where conversations are and divide all by the plan."""
        project, (plan, _) = self.session.project, self._plan()
        if project is None or plan is None:
            return
        author = self.session.author

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "SplitProposal":
            from curator.project.splits import propose

            with project.reader() as reader:
                return propose(
                    reader, plan, fresh=True, author=author, progress=progress, cancelled=cancelled
                )

        job = self.session.start(self.tr("Splitting"), work)
        job.succeeded.connect(self._push)

    def _push(self, proposal: "SplitProposal") -> None:
        if proposal.edit is None or self.session.push(proposal.edit) is None:
            return
        after = proposal.after
        words = self.tr("{0} train, {1} validation, {2} test.").format(
            f"{after.train.rows:,}", f"{after.validation.rows:,}", f"{after.test.rows:,}"
        )
        self.session.notify_step(words)

    def _export(self) -> None:
        project = self.session.project
        if project is None or self._export_job is not None:
            return
        if not self.export.folder.text().strip():
            self.session.notify("warning", self.tr("Choose a folder to export into."))
            self.export.folder.setFocus()
            return
        settings, folder = self.export.settings(), Path(self.export.folder.text()).expanduser()

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "ExportReport":
            from curator.project.exports import exporting

            report = exporting.export(project, folder, settings, progress, cancelled)
            if not project.read_only:
                exporting.remember(project, report)
            return report

        job = self.session.start(self.tr("Exporting"), work)
        self._export_job = job
        self.export.export.setEnabled(False)
        self._progress.follow(job)  # type: ignore[arg-type]
        self._progress.show()
        job.succeeded.connect(self._exported)
        job.failed.connect(self.session.notify_failure)
        job.ended.connect(self._export_ended)
        self.slots_changed.emit()

    def _exported(self, report: "ExportReport") -> None:
        facts = report.to_json() | {"folder": str(report.folder.absolute())}
        self._show_result(facts, fresh=True)
        if self.is_front:
            return
        self.session.notify(
            "success",
            self.tr("{0} exported.").format(counted(report.rows, "conversation")),
            action_text=self.tr("Open folder"),
            action=self._open_folder,
        )

    def _export_ended(self) -> None:
        self._export_job = None
        self._progress.hide()
        self._soon.start()
        self.slots_changed.emit()

    def _show_result(self, facts: dict[str, Any], *, fresh: bool) -> None:
        left = facts["left_out"].items()
        reasons = [f"{count:,} {self.export.reason(name)}" for name, count in left]
        words = self.tr("not kept: {0} of {1}")
        lost = facts.get("losses", {}).items()
        reasons += [words.format(name, counted(count, "conversation")) for name, count in lost]
        self.result.show_export(facts, fresh=fresh, reasons=reasons)
        self.result.show()
        if fresh:
            QTimer.singleShot(0, partial(self._scroll.ensureWidgetVisible, self.result))

    def _verify(self) -> None:
        folder = self.result.folder
        if folder is None:
            return

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "Verification":
            from curator.project.exports.verify import verify

            return verify(folder, progress, cancelled)

        job = self.session.start(self.tr("Verifying the export"), work)
        job.succeeded.connect(self.result.show_verification)
        job.failed.connect(self.session.notify_failure)

    def _open_folder(self) -> None:
        if self.result.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.result.folder)))

    def _train(self) -> None:
        self.open_requested.emit(OpenRequest("train", detail=str(self.result.folder)))

    def _show_blocker(self, blocker: "Blocker") -> None:
        self.open_requested.emit(
            OpenRequest("check", ids=blocker.conversations, detail=blocker.rule)
        )

    def _show_leaks(self) -> None:
        if self._proposal is not None:
            ids = tuple(id_ for rows in self._proposal.before.leaks for id_ in rows)
            self.open_requested.emit(OpenRequest("label", ids=ids))


def _propose(
    reader: Any, plan: "SplitPlan", author: str, progress: ProgressCall, cancelled: CancelledCall
) -> "SplitProposal | str":
    from curator.project.splits import propose

    try:
        return propose(reader, plan, author=author, progress=progress, cancelled=cancelled)
    except (WrongUse, ProjectError) as error:
        return str(error)


def _select(reader: Any, settings: "ExportSettings") -> "Selection | str":
    from curator.project.exports.selection import select

    try:
        return select(reader, settings)
    except (WrongUse, ProjectError) as error:
        return str(error)
