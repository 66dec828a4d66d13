"""The jobs side of the page at work: reads the job table, watches servers, passes orders on."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from curator.app.pages.train import background
from curator.app.pages.train.background import JobsState
from curator.app.pages.train.jobs_pane import JobsPane
from curator.app.session.background import Job as Work
from curator.app.session.background import Jobs
from curator.app.session.background import Work as WorkCall
from curator.app.session.job_end_notice import notify_desktop
from curator.app.session.session import Session
from curator.tune.checkpoint_names import job_name
from curator.tune.jobs.table import Job
from curator.tune.jobs.watching import Seen
from curator.tune.services.port import Order, State
from curator.tune.targets.profiles import state_folder


class JobFollower(QObject):
    """Keeps the jobs pane true; changed tells that a job began, moved or ended."""

    changed = Signal()
    _seen = Signal(object, object)

    def __init__(self, pane: JobsPane, session: Session, jobs: Jobs) -> None:
        super().__init__(pane)
        self._pane = pane
        self._session = session
        self._jobs = jobs
        self._known = JobsState((), None)
        self._watch: Work[None] | None = None
        self._begun = False
        self._shows_all = False
        self._seen.connect(self._take_seen)
        pane.job_chosen.connect(self._choose)
        pane.view.order_requested.connect(self._order)
        pane.view.check_requested.connect(self._check)
        pane.view.discard_requested.connect(self._discard)

    @property
    def unfinished(self) -> int:
        """How many jobs are still at work somewhere."""
        return sum(job.is_followed for job in self._known.jobs if job.is_of(self._project()))

    def chosen(self) -> Job | None:
        """Return the job shown."""
        token = self._pane.chosen
        return next((job for job in self._known.jobs if job.token == token), None)

    def read(self) -> None:
        """Read the job table; the first time also puts right what a dead program left behind."""
        begin, self._begun = not self._begun, True
        reading = partial(background.read_jobs, self._pane.chosen, self._wanted_of(), begin=begin)
        self._run(self.tr("Reading the jobs"), reading)

    def begin(self) -> None:
        """Take up the jobs of last time, where there are any, though nobody came to this page yet."""
        if (state_folder() / "jobs.sqlite").is_file():
            self.read()

    def show_newest(self) -> None:
        """Read the job table and bring its newest job to the front."""
        reading = partial(background.read_jobs, "", self._wanted_of())
        self._run(self.tr("Reading the jobs"), reading, self._show_newest)

    def take(self, known: JobsState) -> None:
        """Show what somebody else found out about the jobs."""
        self._show(known)

    def cancel_chosen(self) -> None:
        """Cancel the job shown at its server."""
        self._order(self._pane.chosen, "cancel")

    def show_all(self, shown: bool) -> None:  # noqa: FBT001 - a Qt slot
        """Show the jobs of every project, or of the open one only."""
        self._shows_all = shown
        self.read()

    @property
    def of_other_projects(self) -> int:
        """How many jobs other projects have."""
        return sum(not job.is_of(self._project()) for job in self._known.jobs)

    def _project(self) -> str:
        """Return the path of the open project, empty where there is none."""
        project = self._session.project
        return "" if project is None else str(project.path)

    def _wanted_of(self) -> str:
        return "" if self._shows_all else self._project()

    def _shown(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        return tuple(job for job in jobs if job.is_of(self._wanted_of()))

    def _run(
        self,
        title: str,
        work: WorkCall[JobsState],
        then: Callable[[JobsState], object] | None = None,
    ) -> None:
        self._session.run(title, work, then or self._show)

    def _show(self, known: JobsState) -> None:
        self._known = known
        for words in known.unreadable:
            self._session.notify("warning", words)
        self._pane.show_jobs(self._shown(known.jobs))
        if known.details is not None:
            self._pane.show_details(known.details)
        if known.has_followed and self._watch is None:
            self._begin_watch()
        self.changed.emit()

    def _show_newest(self, known: JobsState) -> None:
        self._show(known)
        shown = self._shown(known.jobs)
        if shown:
            self._pane.choose(shown[0].token)

    def _begin_watch(self) -> None:
        watching = partial(background.follow_all, self._seen.emit)
        # The page goes with its project, and the next one's page watches again.
        self._watch = self._session.start(self.tr("Following jobs"), watching)
        self._watch.failed.connect(self._session.notify_failure)
        self._watch.ended.connect(self._watch_ended)

    def _watch_ended(self) -> None:
        self._watch = None

    def _take_seen(self, known: JobsState, seen: Seen) -> None:
        self._known = known
        self._pane.show_jobs(self._shown(known.jobs))
        self._pane.show_details(seen.details, seen.trouble)
        if seen.details.job.is_final:
            self._tell_end(seen.details.job)
        self.changed.emit()

    def _tell_end(self, job: Job) -> None:
        words = self.tr("{0} at {1}: {2}").format(
            job_name(job), job.target, self._pane.view.status_words(job)
        )
        if not job.is_of(self._project()):
            words = self.tr("A job of another project has ended. {0}").format(words)
        self._session.notify("success" if job.status is State.SUCCEEDED else "warning", words)
        if self._session.preference("notify", default=True):
            notify_desktop(self._pane, self.tr("Training has ended"), words)

    def _choose(self, token: str) -> None:
        self._run(self.tr("Reading the job"), partial(background.read_jobs, token, ""))

    def _order(self, token: str, what: Order) -> None:
        # An order is carried out whatever is opened meanwhile.
        job = self._jobs.start(
            self.tr("Sending the order"), partial(background.give_order, token, what)
        )
        job.succeeded.connect(self._show)
        job.failed.connect(self._session.notify_failure)

    def _check(self, token: str) -> None:
        self._run(self.tr("Looking for the job"), partial(background.check_again, token))

    def _discard(self, token: str) -> None:
        self._run(self.tr("Setting aside"), partial(background.set_aside, token))
