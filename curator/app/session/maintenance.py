"""What an open project needs in the background: a warm engine, numbers of today, words to search in."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from curator.app.timers import single_shot

if TYPE_CHECKING:
    from curator.app.session.background import Job, Jobs
    from curator.dataset.progress import CancelledCall, ProgressCall
    from curator.project.store.changes import Changes
    from curator.project.store.project import Project

WAIT_MS: Final = 2000
"""How long after an edit its words enter the search index; typing on puts it off."""


class ProjectMaintenance(QObject):
    """Looks after one project at a time; rows_changed says that stored numbers became others.

    failed carries the error of work that could not be done."""

    rows_changed = Signal()
    failed = Signal(object)

    def __init__(self, jobs: "Jobs", parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._project: Project | None = None
        self._job: Job[int] | None = None
        self._later = single_shot(self, WAIT_MS, self._begin)

    def look_after(self, project: "Project") -> None:
        """Bring a project up to date, and keep it so until stop()."""
        if project is not self._project:
            self.stop()
            self._project = project
            self._begin()
        else:
            self._later.start()

    def take_note(self, changes: "Changes") -> None:
        """Do soon what an edit makes necessary."""
        if "base_model" in changes.settings or "rules_profile" in changes.settings:
            self._begin()
        elif "content" in changes.fields:
            self._later.start()

    def stop(self) -> None:
        """Let go of the project; what is under way ends at its next step."""
        self._later.stop()
        self._project = None
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _begin(self) -> None:
        project = self._project
        if project is None or project.read_only:
            return
        if self._job is not None:
            self._later.start()
            return
        job = self._jobs.start(
            self.tr("FormActions the search"), lambda p, c: _bring_up(project, p, c)
        )
        job.succeeded.connect(self._tell)
        job.failed.connect(self.failed)
        job.ended.connect(self._ended)
        self._job = job

    def _ended(self) -> None:
        if self.sender() is self._job:
            self._job = None

    def _tell(self, recounted: int) -> None:
        if recounted and self._project is not None:
            self.rows_changed.emit()


def _bring_up(project: "Project", progress: "ProgressCall", cancelled: "CancelledCall") -> int:
    """Do all that is due and return how many rows were counted anew."""
    from curator.project.imports.reanalysis import reanalyse
    from curator.project.queries.search import index_texts
    from curator.project.store.derive import is_stale

    project.warm_up()
    recounted = reanalyse(project, progress, cancelled) if is_stale(project) else 0
    index_texts(project, progress, cancelled)
    return recounted
