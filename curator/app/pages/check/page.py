"""What is wrong, rule by rule; which target would take what; and the fixes, one or many at a time."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from curator.app.counted import counted
from curator.app.page import OpenRequest, Page
from curator.app.pages.check.detail import FindingDetail, RuleHead
from curator.app.pages.check.findings import MOST_ROWS, Findings, read_findings, read_matrix
from curator.app.pages.check.fixer import Fixer
from curator.app.pages.check.lists import FindingList, RuleList
from curator.app.pages.check.matrix import TargetMatrix
from curator.app.pages.check.summary import SUMMARY_TIP, summary
from curator.app.session.background import Job, Jobs
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.progress_row import ProgressRow
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.stack import Stack
from curator.app.widgets.text import Meta, tip_of
from curator.curate.fixes.fixing import SAFE_FIXES
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.project.check_report import TargetCount
    from curator.project.store.changes import Changes

RELOAD_MS: Final = 250
COUNT_BY_ITSELF_UP_TO: Final = 50_000
"""With more conversations than this, targets are counted anew only when Check again is pressed."""


class CheckPage(Page):
    """Findings grouped by rule, the matrix of targets, and the fixes."""

    page_id = "check"
    title = "Check"
    icon = "shield"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._findings: Findings | None = None
        self._reading: Job[Findings] | None = None
        self._counting: Job[dict[str, TargetCount]] | None = None
        self._profile = DEFAULT_RULES_PROFILE
        self._is_stale = True
        self._wanted = ""
        self._count_is_due = True
        self.add_action("check.run")
        self.add_action("check.fix_safe", primary=True)
        self.matrix = TargetMatrix(self)
        self.rules = RuleList(self)
        self.main = self.rules.view
        self.head = RuleHead(self)
        self.list = FindingList(self)
        self.detail = FindingDetail(self)
        self.fixer = Fixer(session, self)
        self.subtitle.setToolTip(tip_of(self.tr(SUMMARY_TIP)))
        self._note = Meta("", self)
        self._note.hide()
        self._estimated = Meta("", self, wrap=True)
        self._estimated.hide()
        self._empty = EmptyState("shield", "", "", "", self)
        self._progress = ProgressRow(self.tr("Checking"), self)
        self._reload_soon = single_shot(self, RELOAD_MS, self._read)
        self.body.setSpacing(12)
        self.body.addWidget(self.matrix)
        self._sides = sides = self._make_sides()
        self._stack = Stack(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(sides)
        self.body.addWidget(self._estimated)
        self.body.addWidget(self._stack, 1)
        row = hbox(self._note, STRETCH, self._progress)
        self._progress.hide()
        self.body.addLayout(row)
        self.session.edited.connect(self._edited)
        self.session.project_changed.connect(self._project_changed)
        self.matrix.chosen.connect(self._choose_target)
        self.rules.chosen.connect(self._choose_rule)
        self.list.chosen.connect(self._show_finding)
        self.list.opened.connect(self._open)
        self.list.fix_requested.connect(self.fix_one)
        self.detail.fix_requested.connect(self.fix_one)
        self.detail.open_requested.connect(self._open_current)
        self.head.fix_all_requested.connect(self._fix_rule)
        self.detail.walk_requested.connect(self._walk)
        self.head.show_all_requested.connect(self._show_all)
        self._empty.pressed.connect(self._empty_pressed)
        self._empty.guide_requested.connect(partial(self.action_requested.emit, "help.guide"))
        self.fixer.changed.connect(self.slots_changed)
        self._show()

    def _make_sides(self) -> QSplitter:
        """Put the rules on the left, and on the right the findings of one over what is at hand."""
        right = QWidget(self)
        parts = QSplitter(Qt.Orientation.Vertical, right)
        parts.addWidget(self.list)
        parts.addWidget(self.detail)
        parts.setSizes([320, 240])
        parts.setStretchFactor(0, 1)
        SplitterState(parts, "check-detail")
        vbox(self.head, (parts, 1), parent=right, spacing=8, margins=(8, 0, 0, 0))
        sides = QSplitter(self)
        sides.addWidget(self.rules)
        sides.addWidget(right)
        sides.setStretchFactor(1, 1)
        sides.setSizes([320, 700])
        SplitterState(sides, "check")
        return sides

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer checking, stepping and, where the project may be changed, fixing."""
        if self.session.project is None:
            return {}
        slots: dict[str, Callable[[], object]] = {}
        if self._reading is None and self._counting is None:
            slots["check.run"] = self.run
        row = self.list.row()
        if row is not None:
            slots["check.next"] = partial(self.list.go, 1)
            slots["check.previous"] = partial(self.list.go, -1)
        if self.session.is_read_only or self.fixer.is_working:
            return slots
        if row is not None and row.finding.fix and row.conversation is not None:
            slots["check.fix_one"] = self.fix_one
        if self._findings is not None and self._findings.has_safe:
            slots["check.fix_safe"] = partial(self.fixer.prepare, ())
        return slots

    def activated(self) -> None:
        """Show what the checks say now."""
        if self._is_stale:
            self._read()

    def open(self, request: OpenRequest) -> None:
        """Go to the rule another page asks about, as soon as its findings are there."""
        self._wanted = request.detail
        if self._findings is not None:
            self._take(self._findings)

    def rail_count(self) -> int | None:
        """Return how many conversations have errors."""
        index = self.session.index
        return None if index is None else self.session.counts()["errors"]

    def run(self) -> None:
        """Check everything again, for every target."""
        self._count_is_due = True
        self._read()

    def fix_one(self) -> None:
        """Fix the current finding; the next one moves up."""
        row, findings = self.list.row(), self._findings
        if row is None or findings is None or row.conversation is None or not row.finding.fix:
            return
        if row.finding.fix == "remove_copies":
            self.open_requested.emit(OpenRequest("duplicates"))
        elif row.finding.fix == "insert_system_prompt":
            self.fixer.insert_prompt(row.conversations, findings.default_prompt)
        else:
            self.fixer.fix_one(row.conversation, row.finding)

    def _read(self) -> None:
        """Read the findings for the chosen target in the background."""
        project = self.session.project
        if project is None:
            return
        if self._reading is not None:
            self._reload_soon.start()
            return
        self._is_stale = False
        profile = self._profile

        def work(progress: ProgressCall, cancelled: CancelledCall) -> Findings:
            with project.reader() as reader:
                return read_findings(reader, profile, progress, cancelled)

        job = self._reading = self.session.start(self.tr("Checking"), work)
        job.succeeded.connect(self._take)
        job.failed.connect(self._fail)
        job.ended.connect(self._read_ended)
        self.slots_changed.emit()

    def _count(self) -> None:
        """Count for every target in the background, with progress and a way to stop."""
        project = self.session.project
        if project is None or self._counting is not None:
            return
        self._count_is_due = False

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "dict[str, TargetCount]":
            with project.reader() as reader:
                return read_matrix(reader, progress, cancelled)

        job = self._counting = self.session.start(self.tr("Checking for every target"), work)
        self._progress.follow(job)  # type: ignore[arg-type]
        self._progress.show()
        job.succeeded.connect(self._take_counts)
        job.ended.connect(self._count_ended)
        self.slots_changed.emit()

    def _read_ended(self) -> None:
        self._reading = None
        if self._findings is not None and self._findings.profile != self._profile:
            self._read()
        elif self._count_is_due:
            self._count()
        self.slots_changed.emit()

    def _count_ended(self) -> None:
        self._counting = None
        self._progress.hide()
        self.slots_changed.emit()

    def _take(self, findings: Findings) -> None:
        if self.session.project is None:
            return
        rule, place = self.rules.current(), self.list.current()
        self._findings = findings
        self.rules.show_rules(findings, self._wanted or rule)
        self._wanted = ""
        if self.rules.current() != rule:
            place = 0
        self._show()
        self._show_rule(place)
        self.count_changed.emit()

    def _take_counts(self, counts: "dict[str, TargetCount]") -> None:
        self.matrix.show_counts(counts, self.session.counts().get("all", 0))

    def _fail(self, error: object) -> None:
        self._empty.set_message(
            self.tr("The check failed"), str(error), self.tr("Try again"), icon_name="error"
        )
        self._stack.setCurrentWidget(self._empty)

    def _project_changed(self) -> None:
        self._is_stale, self._count_is_due = True, not self._is_large()
        self._findings = None
        self.matrix.show_counts({}, 0)
        self.rules.show_rules(None, "")
        self.list.show_rows((), 0)
        self._show()
        if self.is_front:
            self._read()

    def _edited(self, changes: "Changes") -> None:
        if not changes.rows_changed and not {"content", "removed", "split"} & changes.fields:
            return
        self.count_changed.emit()
        self.matrix.mark_stale()
        self._count_is_due = not self._is_large()
        self._is_stale = True
        if self.is_front:
            self._reload_soon.start()

    def _is_large(self) -> bool:
        """Whether counting for every target takes long enough to wait until somebody asks."""
        index = self.session.index
        return index is not None and len(index) > COUNT_BY_ITSELF_UP_TO

    def _choose_target(self, profile: str) -> None:
        if profile != self._profile:
            self._profile = profile
            self._read()

    def _choose_rule(self, _rule: str) -> None:
        self._show_rule(0)

    def _show(self) -> None:
        """Show the lists, or say why there are none."""
        found = self._findings
        if found is not None and found.report.rules and found.report.conversations:
            self._stack.setCurrentWidget(self._sides)
        else:
            self._show_empty()
        report = self._findings.report if self._findings else None
        is_filled = report is not None and bool(report.conversations)
        self.matrix.setVisible(report is None or is_filled)
        self.subtitle.setText(summary(report) if report is not None and is_filled else "")
        estimated = found.estimated if found is not None and is_filled else ""
        self._estimated.setText(estimated)
        self._estimated.setVisible(bool(estimated))
        self.slots_changed.emit()

    def _show_empty(self) -> None:
        report = self._findings.report if self._findings else None
        if report is None:
            self._empty.set_message(
                self.tr("Checking"),
                self.tr("Every rule is looking at every conversation."),
                icon_name="shield",
            )
        elif not report.conversations:
            self._empty.set_message(
                self.tr("Nothing to check yet"),
                self.tr(
                    "Import files or write a conversation; findings appear here by themselves."
                ),
                self.tr("Import files"),
                icon_name="shield",
            )
        else:
            self._empty.set_message(
                self.tr("Nothing found"),
                self.tr("Every rule passes for all {0}.").format(
                    counted(report.conversations, "conversation")
                ),
                self.tr("Go on to Duplicates"),
                icon_name="check",
            )
        self._stack.setCurrentWidget(self._empty)

    def _empty_pressed(self) -> None:
        if self._findings is None:
            self.run()
        elif self._findings.report.conversations:
            self.open_requested.emit(OpenRequest("duplicates"))
        else:
            self.action_requested.emit("file.import")

    def _show_rule(self, place: int) -> None:
        rule = self.rules.current()
        if self._findings is None or rule not in self._findings.rows:
            return
        rows = self._findings.rows[rule]
        count = self._findings.report.rules[rule]
        fixable = sum(row.finding.fix in SAFE_FIXES for row in rows)
        self.head.show_rule(rule, count, 0 if self.session.is_read_only else fixable)
        self.list.show_rows(rows, place)
        is_cut = len(rows) == MOST_ROWS and count.count > MOST_ROWS
        self._note.setVisible(is_cut)
        if is_cut:
            self._note.setText(
                self.tr("The first {0} of {1}").format(
                    f"{MOST_ROWS:,}", counted(count.count, "finding")
                )
            )
        self._show_finding()

    def _show_finding(self) -> None:
        from curator.dataset import Conversation
        from curator.dataset.errors import ProjectError

        row, project = self.list.row(), self.session.project
        if row is None or project is None:
            return
        conversation = None
        if row.conversation is not None:
            try:
                conversation = Conversation.parse(project.content(row.conversation))
            except ProjectError:
                # Undone meanwhile: the list is being read again already.
                conversation = None
        prompt = self._findings.default_prompt if self._findings else ""
        self.detail.show_finding(row, conversation, prompt, can_write=not self.session.is_read_only)
        self.slots_changed.emit()

    def _fix_rule(self) -> None:
        self.fixer.prepare((self.rules.current(),))

    def _open(self, conversation: int) -> None:
        self.open_requested.emit(OpenRequest("write", conversation))

    def _open_current(self) -> None:
        row = self.list.row()
        if row is not None and row.conversation is not None:
            self._open(row.conversation)

    def _walk(self) -> None:
        """Go through all conversations of a finding, one after the other."""
        row = self.list.row()
        if row is not None:
            self.open_requested.emit(OpenRequest("label", ids=row.conversations))

    def _show_all(self) -> None:
        """Show every conversation with this rule's findings in the table."""
        self.open_requested.emit(OpenRequest("write", detail=f"rule:{self.rules.current()}"))
