"""The fixes of the Check page: one finding at once, or many after a look at what would change."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QWidget

from curator.app.counted import counted
from curator.app.dialogs.confirm import confirm_if_many
from curator.app.pages.check.preview_dialog import PreviewDialog
from curator.app.session.background import Job
from curator.app.session.session import Session
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.dataset import Edit, Finding
    from curator.project.fixing import FixReport
    from curator.project.store.changes import Changes

AT_ONCE: Final = 40
"""So many conversations are fixed in the window's own thread; more go to the background."""

Plan = tuple[list["Edit"], "FixReport"]


class Fixer(QObject):
    """Works out fixes in the background, shows them, and applies what the person agrees to."""

    changed = Signal()

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._job: Job[object] | None = None
        self.dialog: PreviewDialog | None = None
        self._plan: Plan | None = None

    @property
    def is_working(self) -> bool:
        """Whether fixes are being worked out or applied."""
        return self._job is not None

    def fix_one(self, conversation: int, finding: "Finding") -> None:
        """Fix one finding at once."""
        from curator.project.fixing import fix_one

        project = self._session.project
        if project is None or self._session.is_read_only:
            return
        edit = fix_one(project, conversation, finding, self._session.author)
        if edit is None:
            self._session.notify("info", self.tr("The text has changed; the finding is gone."))
            return
        self._session.push(edit)

    def insert_prompt(self, conversations: tuple[int, ...], prompt: str) -> None:
        """Put a system prompt in front of conversations that have none."""
        project, author = self._session.project, self._session.author
        if project is None or self._job is not None or not prompt:
            return

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "Edit | None":
            from curator.project.prompts import unifying

            with project.reader() as reader:
                return unifying(reader, conversations, prompt, author, progress, cancelled)

        job = self._session.run(self.tr("Inserting the system prompt"), work, self._ask_insert)
        self._follow(job)

    def _ask_insert(self, edit: "Edit | None") -> None:
        if edit is not None:
            title = self.tr("Insert the system prompt")
            apply = partial(self._apply, [edit], len(edit.patches))
            confirm_if_many(self._session, len(edit.patches), title, title, apply, self)

    def prepare(self, rules: tuple[str, ...]) -> None:
        """Work out the safe fixes (of these rules, where given) and show them."""
        project, author = self._session.project, self._session.author
        if project is None or self._job is not None:
            return

        def work(progress: ProgressCall, cancelled: CancelledCall) -> Plan:
            from curator.project.fixing import fix_project

            with project.reader() as reader:
                return fix_project(
                    reader, rules, author=author, progress=progress, cancelled=cancelled
                )

        job = self._session.run(self.tr("Working out the fixes"), work, self._show)
        self._follow(job)

    def _follow(self, job: "Job[Plan] | Job[tuple[Changes, ...]] | Job[Edit | None]") -> None:
        self._job = job  # type: ignore[assignment]
        job.ended.connect(self._ended)
        self.changed.emit()

    def _ended(self) -> None:
        self._job = None
        self.changed.emit()

    def _show(self, plan: Plan) -> None:
        edits, report = plan
        if not edits:
            self._session.notify("info", self.tr("There is nothing to fix safely any more."))
            return
        self._plan = plan
        self.dialog = PreviewDialog(report, self._window)
        self.dialog.finished.connect(self._answered)
        self.dialog.open()

    def _answered(self, answer: int) -> None:
        plan, self._plan = self._plan, None
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
        is_wanted = answer == QDialog.DialogCode.Accepted and self._session.project is not None
        if is_wanted and plan is not None:
            edits, report = plan
            self._apply(edits, report.conversations)

    def _apply(self, edits: "list[Edit]", conversations: int) -> None:
        """Apply the edits, in the background where they are about many conversations."""
        if conversations > AT_ONCE:
            job = self._session.push_later(self.tr("Fixing"), lambda *_calls: edits)
            if job is not None:
                job.succeeded.connect(self._tell_fixed)
                self._follow(job)
            return
        applied: list[Changes] = []
        for edit in edits:
            changes = self._session.push(edit)
            if changes is None:
                break
            applied.append(changes)
        self._tell_fixed(applied)

    def _tell_fixed(self, applied: "Sequence[Changes]") -> None:
        if applied:
            conversations = sum(len(changes.conversations) for changes in applied)
            words = self.tr("{0} fixed.").format(counted(conversations, "conversation"))
            self._session.notify_step(words, steps=len(applied))
