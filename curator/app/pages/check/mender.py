"""The repairs of the Check page: one finding at once, or many after a look at what would change."""

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QWidget

from curator.app.counted import counted
from curator.app.dialogs.question import ask_where_many
from curator.app.pages.check.preview_dialog import PreviewDialog
from curator.app.session.background import Job
from curator.app.session.session import Session
from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.dataset import Edit, Finding
    from curator.project.fixing import FixReport

AT_ONCE: Final = 40
"""So many conversations are mended in the window's own thread; more go to the background."""

Plan = tuple[list["Edit"], "FixReport"]


class Mender(QObject):
    """Works out repairs in the background, shows them, and applies what the person agrees to."""

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
        """Whether a repair is being worked out or applied."""
        return self._job is not None

    def fix_one(self, conversation: int, finding: "Finding") -> None:
        """Mend one finding at once."""
        from curator.project.fixing import fix_one

        project = self._session.project
        if project is None or self._session.is_read_only:
            return
        edit = fix_one(project, conversation, finding, self._session.author)
        if edit is None:
            self._session.tell("info", self.tr("The text has changed; the finding is gone."))
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

        job = self._session.start(self.tr("Inserting the system prompt"), work)
        job.succeeded.connect(self._push)
        self._follow(job)

    def _push(self, edit: "Edit | None") -> None:
        if edit is None:
            return
        title = self.tr("Insert the system prompt")
        ask_where_many(
            self._session, len(edit.patches), title, title, partial(self._push_now, edit), self
        )

    def _push_now(self, edit: "Edit") -> None:
        if len(edit.patches) > AT_ONCE:
            # One step all the same: the edit is whole, only its writing happens elsewhere.
            self._apply_in_background([edit], len(edit.patches))
        elif self._session.push(edit) is not None:
            self._tell_done(len(edit.patches))

    def prepare(self, rules: tuple[str, ...]) -> None:
        """Work out the safe repairs (of these rules, where given) and show them."""
        project, author = self._session.project, self._session.author
        if project is None or self._job is not None:
            return

        def work(progress: ProgressCall, cancelled: CancelledCall) -> Plan:
            from curator.project.fixing import fix_project

            with project.reader() as reader:
                return fix_project(
                    reader, rules, author=author, progress=progress, cancelled=cancelled
                )

        job = self._session.start(self.tr("Working out the repairs"), work)
        job.succeeded.connect(self._show)
        self._follow(job)

    def _follow(self, job: "Job[Plan] | Job[tuple[int, int]] | Job[Edit | None]") -> None:
        self._job = job  # type: ignore[assignment]
        job.failed.connect(self._tell_failure)
        job.ended.connect(self._ended)
        self.changed.emit()

    def _ended(self) -> None:
        self._job = None
        self.changed.emit()

    def _tell_failure(self, error: object) -> None:
        self._session.tell("error", self.tr("Nothing more was fixed."), str(error))

    def _show(self, plan: Plan) -> None:
        edits, report = plan
        if not edits:
            self._session.tell("info", self.tr("There is nothing to fix safely any more."))
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
            self._apply(*plan)

    def _apply(self, edits: "list[Edit]", report: "FixReport") -> None:
        if report.conversations > AT_ONCE:
            self._apply_in_background(edits, report.conversations)
            return
        for edit in edits:
            if self._session.push(edit) is None:
                return
        self._tell_done(report.conversations, len(edits))

    def _apply_in_background(self, edits: "list[Edit]", total: int) -> None:
        """Apply past the session, edit by edit, and read the project again afterwards."""
        project = self._session.project
        if project is None:
            return

        def work(progress: ProgressCall, cancelled: CancelledCall) -> tuple[int, int]:
            done = steps = 0
            for edit in edits:
                if cancelled():
                    break
                progress(done, total, "")
                project.apply(edit)
                done += len(edit.conversations())
                steps += 1
            if not done:
                raise Cancelled("fix")
            return done, steps

        job = self._session.start(self.tr("Fixing"), work)
        job.succeeded.connect(self._applied)
        job.failed.connect(self._reread)
        self._follow(job)

    def _applied(self, done: tuple[int, int]) -> None:
        self._reread()
        self._tell_done(*done)

    def _reread(self, _error: object = None) -> None:
        self._session.reload()

    def _tell_done(self, conversations: int, steps: int = 1) -> None:
        self._session.tell_step(self._done(conversations), steps=steps)

    def _done(self, conversations: int) -> str:
        return self.tr("{0} fixed.").format(counted(conversations, "conversation"))
