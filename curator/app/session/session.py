"""What is open: the project, its index and view, and the one way by which anything changes."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Signal

from curator.dataset.errors import Cancelled, CuratorError
from curator.dataset.label import plain_name

if TYPE_CHECKING:
    import numpy as np

    from curator.app.session.background import Job, Jobs, Work
    from curator.app.session.maintenance import ProjectMaintenance
    from curator.dataset.edit import Edit
    from curator.dataset.json_values import Json
    from curator.dataset.progress import CancelledCall, ProgressCall
    from curator.project.queries.index import Index
    from curator.project.store.changes import Changes
    from curator.project.store.project import Project
    from curator.project.store.reader import Reader

    EditWork = Callable[[Reader, ProgressCall, CancelledCall], Edit | Sequence[Edit] | None]

T = TypeVar("T")

Level = Literal["info", "success", "warning", "error"]


class Notice(NamedTuple):
    """One thing to tell the person; an action is offered as a button beside it."""

    level: Level
    text: str
    detail: str = ""
    action_text: str = ""
    action: Callable[[], object] | None = None
    topic: str = ""
    """A newer notice of the same topic takes the place of the older one."""

    def is_same(self, other: "Notice") -> bool:
        """Whether a person would read the same in another notice, or news of the same."""
        return self[:4] == other[:4] or (bool(self.topic) and self.topic == other.topic)


class View(NamedTuple):
    """Which conversations are shown and in what order: the table's rows and the queue's.

    rows are row numbers of the index; query is the text the person typed.
    """

    rows: "np.ndarray"
    query: str = ""
    sort: str = "id"
    descending: bool = False


def failure_words(error: object) -> str:
    """Say why work failed, in a sentence; of a bug, which has a report of its own, only that there was one."""
    if isinstance(error, CuratorError):
        return str(error)
    return QCoreApplication.translate("session", "Something broke here; a report was opened.")


class Session(QObject):
    """The open project; every page reads from it and changes it through push().

    edited carries the Changes of one applied, undone or redone edit, after the index has been
    refreshed; step_undone carries the same of a step that was taken back, or done again (True), after
    edited; project_changed means that everything may be different (opened, closed, imported,
    re-read); closing comes while the project is still open, for what is half typed; closed when it
    is open no more, for all that belongs to it; notice carries a Notice to show.
    """

    edited = Signal(object)
    step_undone = Signal(object, bool)
    project_changed = Signal()
    closing = Signal()
    closed = Signal()
    notice = Signal(object)

    def __init__(self, jobs: "Jobs", author: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.jobs = jobs
        self.author = plain_name(author)
        self.preferences: dict[str, Json] = {}
        self.project: Project | None = None
        self.index: Index | None = None
        self.view: View | None = None
        self.current: int | None = None
        self._counts: dict[str, int] | None = None
        self._maintenance: ProjectMaintenance | None = None
        self._missed: list[list[Changes]] = []
        self._loading: tuple[Path, Job[tuple[Project, Index]]] | None = None
        jobs.failed_unheard.connect(self.notify_failure)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be changed: no project, or somebody else has it open."""
        return self.project is None or self.project.read_only

    def notify(
        self,
        level: Level,
        text: str,
        detail: str = "",
        action_text: str = "",
        action: Callable[[], object] | None = None,
    ) -> None:
        """Show the person a notice, from any page."""
        self.notice.emit(Notice(level, text, detail, action_text, action))

    def push(self, edit: "Edit") -> "Changes | None":
        """Apply an edit; where it cannot be, tell why and return None."""
        return self._change(lambda project: project.apply(edit))

    def push_later(self, title: str, work: "EditWork") -> "Job[tuple[Changes, ...]] | None":
        """Work out an edit, or several, and apply it, all in the background; None without a project.

        Whoever follows the job's succeeded gets the Changes of what was applied, after edited; empty
        where nothing was to change. A cancel takes effect between two edits: those that were applied
        stay. A failure is told here. All of it is dropped once another project is open.
        """
        project = self.project
        if project is None:
            self.notify("warning", self.tr("No project is open, so nothing was changed."))
            return None
        applied: list[Changes] = []

        def run(progress: "ProgressCall", cancelled: "CancelledCall") -> "tuple[Changes, ...]":
            with project.reader() as reader:
                found = work(reader, progress, cancelled)
            edits = found if isinstance(found, Sequence) else (found,) if found is not None else ()
            for number, edit in enumerate(edits):
                if cancelled() and not applied:
                    raise Cancelled(title)
                if cancelled():
                    break
                progress(number, len(edits), "")
                applied.append(project.apply(edit))
            return tuple(applied)

        def spread() -> None:
            if self.project is project and len(applied) == 1:
                self._spread(applied[0])
            elif self.project is project and applied:
                # So much changed that the index is read anew, which does not hold the window up.
                self.reload()
            applied.clear()

        job = self.start(title, run)
        job.succeeded.connect(spread)
        job.failed.connect(self.notify_failure)
        # What was applied before a failure or a cancel is in the project all the same.
        job.ended.connect(spread)
        return job

    def undo(self) -> "Changes | None":
        """Take back the last step; None where there is none."""
        return self._undo_or_redo(lambda project: project.undo(), again=False)

    def redo(self) -> "Changes | None":
        """Do again what was last taken back; None where there is nothing."""
        return self._undo_or_redo(lambda project: project.redo(), again=True)

    def _spread(self, changes: "Changes") -> None:
        """Let the index and everybody who follows edited know of an edit that was applied."""
        if self.project is not None and self.index is not None:
            self.index.refresh(self.project, changes)
        for missed in self._missed:
            missed.append(changes)
        self._counts = None
        self._maintained().take_note(changes)
        self.edited.emit(changes)

    def start(self, title: str, work: "Work[T]") -> "Job[T]":
        """Start work on the open project; what it brings is dropped once another one is open."""
        project = self.project
        return self.jobs.start(title, work, lambda: self.project is project)

    def run(self, title: str, work: "Work[T]", then: Callable[[T], object]) -> "Job[T]":
        """Start work on the open project, pass what it brings on, and tell why it failed."""
        job = self.start(title, work)
        job.succeeded.connect(then)
        job.failed.connect(self.notify_failure)
        return job

    def notify_step(
        self, text: str, detail: str = "", *, level: Level = "success", steps: int = 1
    ) -> None:
        """Tell of the last step, or of the last steps, with the button that takes them back."""
        self.notify(level, text, detail, self.tr("Undo"), self.taking_back(steps))

    def taking_back(self, steps: int = 1) -> Callable[[], object]:
        """Return what takes back the steps applied last, and nothing else, whatever comes after them."""
        project = self.project
        step = project.last_step() if project is not None else None

        def take_back() -> None:
            if project is None or self.project is not project or project.last_step() != step:
                self.notify(
                    "info",
                    self.tr("Other steps came after that one."),
                    self.tr("Undo takes them back one by one, the newest first."),
                )
                return
            for _ in range(steps):
                self.undo()

        return take_back

    def counts(self) -> dict[str, int]:
        """Return the index's counts, worked out at most once for each change; empty without a project."""
        if self._counts is None:
            self._counts = {} if self.index is None else self.index.counts()
        return self._counts

    def preference(self, name: str, *, default: "Json" = None) -> "Json":
        """Return what this person chose in the preferences, or the default."""
        return self.preferences.get(name, default)

    def setting(self, name: str, default: "Json" = None) -> "Json":
        """Return a project setting, or the default where no project is open."""
        return default if self.project is None else self.project.setting(name, default)

    def open_project(self, path: Path | str) -> "Job[tuple[Project, Index]]":
        """Open a project in the background; project_changed follows, or a notice that says why not."""
        return self._load(self.tr("Opening project"), Path(path), create=False)

    def new_project(self, path: Path | str) -> "Job[tuple[Project, Index]]":
        """Create a project and open it, as open_project does."""
        return self._load(self.tr("Creating project"), Path(path), create=True)

    def close_project(self) -> None:
        """Close what is open; project_changed follows where something was."""
        self._loading = None
        if self.project is not None:
            self._close_current()
            self.project_changed.emit()

    def reload(self) -> "Job[Index] | None":
        """Read the index again in the background, after work that wrote rows past push()."""
        project = self.project
        if project is None:
            return None

        def work(_progress: "ProgressCall", _cancelled: "CancelledCall") -> "Index":
            from curator.project.queries.index import Index

            return Index(project.path)

        # The new index may be read before an edit that comes meanwhile.
        missed: list[Changes] = []
        self._missed.append(missed)
        job = self.jobs.start(self.tr("Reading the project"), work)
        job.succeeded.connect(lambda index: self._adopt_index(project, index, missed))
        job.failed.connect(self.notify_failure)
        job.ended.connect(lambda: self._forget_missed(missed))
        return job

    def _load(self, title: str, path: Path, *, create: bool) -> "Job[tuple[Project, Index]]":
        author = self.author

        def work(_progress: "ProgressCall", _cancelled: "CancelledCall") -> "tuple[Project, Index]":
            from curator.project.queries.index import Index
            from curator.project.store.project import Project

            with ExitStack() as held:
                opened = (
                    Project.create(path, author) if create else Project.open(path, author=author)
                )
                held.enter_context(opened)
                index = Index(opened.path)
                held.pop_all()
            return opened, index

        if self._loading is not None and self._loading[0] == path and not create:
            return self._loading[1]  # the second click of an impatient person
        job = self.jobs.start(title, work)
        self._loading = (path, job)
        job.succeeded.connect(lambda opened: self._take_loaded(opened, job))
        job.failed.connect(self.notify_failure)
        job.ended.connect(lambda: self._forget_loading(job))
        return job

    def _forget_loading(self, job: "Job[tuple[Project, Index]]") -> None:
        if self._loading is not None and self._loading[1] is job:
            self._loading = None

    def _take_loaded(
        self, opened: "tuple[Project, Index]", job: "Job[tuple[Project, Index]]"
    ) -> None:
        """Show what was opened, unless another project was asked for meanwhile or all was closed."""
        if self._loading is not None and self._loading[1] is job:
            self._adopt(opened)
            return
        project, index = opened
        index.close()
        project.close()

    def _adopt(self, opened: "tuple[Project, Index]") -> None:
        self._close_current()
        self.project, self.index = opened
        self._counts = None
        self._maintained().look_after(self.project)
        self.project_changed.emit()

    def _maintained(self) -> "ProjectMaintenance":
        """Return what keeps the project up to date, created when the first project opens."""
        if self._maintenance is None:
            from curator.app.session.maintenance import ProjectMaintenance

            self._maintenance = ProjectMaintenance(self.jobs, self)
            self._maintenance.rows_changed.connect(self.reload)
            self._maintenance.failed.connect(self.notify_failure)
        return self._maintenance

    def _close_current(self) -> None:
        if self.project is not None:
            self.closing.emit()
        self._maintained().stop()
        project, index = self.project, self.index
        self.project, self.index, self.view, self.current = None, None, None, None
        self._counts = None
        if index is not None:
            index.close()
        if project is not None:
            project.close()
            self.jobs.cancel_unwanted()
            self.closed.emit()

    def _adopt_index(self, project: "Project", index: "Index", missed: "list[Changes]") -> None:
        if self.project is not project:
            index.close()
            return
        for changes in missed:
            index.refresh(project, changes)
        if self.index is not None:
            self.index.close()
        self.index, self.view, self._counts = index, None, None
        self._maintained().look_after(self.project)
        self.project_changed.emit()

    def _forget_missed(self, missed: "list[Changes]") -> None:
        self._missed = [each for each in self._missed if each is not missed]

    def _change(self, do: "Callable[[Project], Changes | None]") -> "Changes | None":
        if self.project is None:
            self.notify("warning", self.tr("No project is open, so nothing was changed."))
            return None
        try:
            changes = do(self.project)
        except CuratorError as error:
            self.notify_failure(error)
            return None
        if changes is not None:
            self._spread(changes)
        return changes

    def _undo_or_redo(
        self, do: "Callable[[Project], Changes | None]", *, again: bool
    ) -> "Changes | None":
        changes = self._change(do)
        if changes is not None:
            self.step_undone.emit(changes, again)
        return changes

    def notify_failure(self, error: object) -> None:
        """Tell why work failed; what is no CuratorError is a bug, which the exception hook shows."""
        if isinstance(error, CuratorError):
            text, _, detail = str(error).partition("\n")
            self.notify("error", text, detail)
