"""Background work: pure functions on a pool of threads, their updates delivered in the GUI thread.

No object that carries signals ever leaves the GUI thread: a worker only emits the one bound signal
of Jobs, which Qt queues to the GUI thread.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, Literal, NamedTuple, TypeVar

from PySide6.QtCore import QMetaMethod, QObject, Signal

from curator.dataset.errors import Cancelled, CuratorError
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[ProgressCall, CancelledCall], T]
State = Literal["waiting", "running", "done", "failed", "cancelled"]

PROGRESS_EVERY_SECONDS: Final = 0.05
"""One job reports its progress at most this often; its last update is always delivered."""


class Progress(NamedTuple):
    """How far a job is: total 0 means unknown; seconds_left is None until it can be guessed."""

    done: int
    total: int
    what: str
    seconds_left: float | None = None

    @property
    def share(self) -> float | None:
        """The finished part from 0 to 1, or None where the total is unknown."""
        return min(1.0, self.done / self.total) if self.total > 0 else None


def _always() -> bool:
    return True


class Job(QObject, Generic[T]):
    """One piece of background work; lives and signals in the GUI thread.

    failed carries the exception: a CuratorError to show, anything else is a bug that was also
    handed to the exception hook. ended comes last, always, also after a cancel.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(
        self, title: str, parent: QObject, is_wanted: Callable[[], bool] = _always
    ) -> None:
        super().__init__(parent)
        self.title = title
        self.is_wanted = is_wanted
        self.state: State = "waiting"
        self.progress = Progress(0, 0, "")
        self.error: BaseException | None = None
        self._stop = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether the work has ended in any way."""
        return self.state in ("done", "failed", "cancelled")

    def cancel(self) -> None:
        """Ask the work to stop at its next look; ended follows."""
        self._stop.set()

    def is_cancelled(self) -> bool:
        """Whether a stop was asked for; safe from any thread."""
        return self._stop.is_set()


class Jobs(QObject):
    """The one pool: starts work, delivers its updates, and stops all of it at the end."""

    started = Signal(object)
    finished = Signal(object)
    bug_found = Signal(object)
    failed_unheard = Signal(object)
    """Carries the CuratorError of a job whose failure nobody else listens for."""

    _news = Signal(object)

    def __init__(self, parent: QObject | None = None, workers: int = 4) -> None:
        super().__init__(parent)
        self._workers = workers
        self._pool: ThreadPoolExecutor | None = None
        self._futures: dict[Job[object], Future[None]] = {}
        self._abandoned: set[Future[None]] = set()
        self._closed = False
        self._news.connect(self._deliver)

    def start(self, title: str, work: Work[T], is_wanted: Callable[[], bool] = _always) -> Job[T]:
        """Run work(progress, cancelled) on the pool and return its job at once.

        Once is_wanted says no, the job ends as a cancelled one does, whatever it brings.
        """
        job: Job[T] = Job(title, self, is_wanted)
        emit = self._news.emit

        def run() -> None:
            reporter = _Reporter(job, emit)
            try:
                if job.is_cancelled():
                    raise Cancelled(title)
                reporter.send("running", None)
                reporter.send("done", work(reporter.progress, job.is_cancelled))
            except Cancelled:
                reporter.send("cancelled", None)
            except Exception as error:  # noqa: BLE001 - the worker boundary: bugs are passed to the GUI thread
                reporter.send("failed", error)

        self._futures[job] = self._executor().submit(run)  # type: ignore[index]
        self.started.emit(job)
        return job

    def running(self) -> tuple[Job[object], ...]:
        """Return the jobs that have not ended, oldest first."""
        return tuple(self._futures)

    def cancel_unwanted(self) -> None:
        """Cancel what nobody wants any more; none of its updates is delivered from now on."""
        for job in [job for job in self._futures if not job.is_wanted()]:
            job.cancel()
            # Its worker may still be busy, and the window must not close before it.
            self._abandoned = {f for f in self._abandoned if not f.done()} | {self._futures[job]}
            self._end(job, _JobUpdate(job, "cancelled", None))

    def shutdown(self, seconds: float = 5.0) -> bool:
        """Cancel everything and wait; False means that some work did not answer in time."""
        self._closed = True
        for job in self._futures:
            job.cancel()
        if self._pool is None:
            return True
        from concurrent.futures import wait

        pending = wait({*self._futures.values(), *self._abandoned}, timeout=seconds).not_done
        self._pool.shutdown(wait=False, cancel_futures=True)
        if pending:
            log.info("%d background jobs did not stop within %s s", len(pending), seconds)
        return not pending

    def _executor(self) -> "ThreadPoolExecutor":
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="curator-job")
        return self._pool

    def _deliver(self, news: "_JobUpdate") -> None:
        job = news.job
        if self._closed or job.is_over:
            return
        if not job.is_wanted():
            job.cancel()
            if news.state not in ("done", "failed", "cancelled"):
                return
            news = news._replace(state="cancelled", value=None)
        if isinstance(news.value, Progress) and news.state == "running":
            job.progress = news.value
            job.progressed.emit(news.value)
            return
        if news.state == "running":
            job.state = news.state
        else:
            self._end(job, news)

    def _end(self, job: Job[object], news: "_JobUpdate") -> None:
        job.state = news.state
        if news.state == "done":
            job.succeeded.emit(news.value)
        elif isinstance(news.value, BaseException):
            job.error = news.value
            is_heard = job.isSignalConnected(QMetaMethod.fromSignal(job.failed))
            job.failed.emit(news.value)
            if not isinstance(news.value, CuratorError):
                self.bug_found.emit(news.value)
            elif not is_heard:
                self.failed_unheard.emit(news.value)
        self._futures.pop(job, None)
        job.ended.emit()
        self.finished.emit(job)
        job.deleteLater()


class _JobUpdate(NamedTuple):
    job: Job[object]
    state: State
    value: object


class _Reporter:
    """Sends the updates of one job from its worker thread: rate-limited, and dropped once the window is gone."""

    def __init__(self, job: Job[T], emit: Callable[[object], None]) -> None:
        self._job = job
        self._emit = emit
        self._began = time.monotonic()
        self._last = 0.0

    def progress(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if now - self._last < PROGRESS_EVERY_SECONDS and done < total:
            return
        self._last = now
        spent = now - self._began
        left = spent * (total - done) / done if 0 < done <= total and spent > 1 else None
        self.send("running", Progress(done, total, what, left))

    def send(self, state: State, value: object) -> None:
        try:
            self._emit(_JobUpdate(self._job, state, value))  # type: ignore[arg-type]
        except RuntimeError:
            # The window died first: Qt says that the signal's source has been deleted.
            log.debug("news of a job came after the window closed")
