"""What this room asks of a service, whatever its protocol, and the values that come back.

Each protocol has an adapter beside this file, which is the only place that knows another library's types.
Every call raises CallFailed where it fails; the texts in what it returns are cleared of the key.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

from curator.dataset.errors import Cancelled

_T = TypeVar("_T")
Order = Literal["cancel", "pause", "resume"]


class State(StrEnum):
    """Where a job stands, in our words; the service's own word is kept beside it."""

    PREPARING = "preparing"
    UPLOADING = "uploading"
    CREATING = "creating"
    UNCLEAR = "unclear"
    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"


_STATES: Final = {
    "validating_files": State.VALIDATING,
    "validating": State.VALIDATING,
    "created": State.QUEUED,
    "pending": State.QUEUED,
    "queued": State.QUEUED,
    "running": State.RUNNING,
    "pausing": State.RUNNING,
    "resuming": State.RUNNING,
    "cancelling": State.RUNNING,
    "paused": State.PAUSED,
    "succeeded": State.SUCCEEDED,
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
    "error": State.FAILED,
    "cancelled": State.CANCELLED,
    "canceled": State.CANCELLED,
}


def state_of(raw: str, words: Mapping[str, str]) -> State:
    """Return our word for a service's status, through the target's own words for the usual ones.

    An unknown word is "unknown", which is still working.
    """
    word = raw.strip().lower()
    return _STATES.get(words.get(word, word), State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ServiceJob:
    """A fine-tuning job as a service describes it; times are seconds since 1970."""

    id: str
    status: State
    raw_status: str = ""
    checkpoint: str = ""
    training_file: str = ""
    created: float | None = None
    finished: float | None = None
    estimated_finish: float | None = None
    trained_tokens: int | None = None
    result_files: tuple[str, ...] = ()
    error: str = ""
    error_code: str = ""
    error_param: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def changes(self) -> dict[str, Any]:
        """Return what it says as fields of the job table; what is left out does not unsay earlier answers."""
        unsaid = ("id", "training_file", "created", "metadata")
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in unsaid}
        kept = ("status", "error")
        return {
            name: value
            for name, value in {"job": self.id, **found}.items()
            if name in kept or value not in ("", ())
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a job; data is the service's own JSON, empty where there was none."""

    id: str
    created: float
    level: str
    message: str
    kind: str = "message"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of the training that can be used: its name, its step, its metrics and files to download."""

    id: str
    created: float
    name: str
    step: int
    metrics: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded or offered file: size in bytes where it is known, status in lower case."""

    id: str
    name: str = ""
    size: int | None = None
    status: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A base model or checkpoint that a service offers, with its last day where it is announced."""

    name: str
    shutdown: str = ""


@dataclass(frozen=True, slots=True)
class Listing(Generic[_T]):
    """What bounded paging brought: the items, and whether that was everything."""

    items: tuple[_T, ...]
    complete: bool


class WatchedFile(BufferedReader):
    """A file that reports how many bytes were read or sent, and raises Cancelled once cancelled."""

    def __init__(
        self, path: Path, on_progress: Callable[[int], None], cancelled: Callable[[], bool]
    ) -> None:
        super().__init__(FileIO(path, "rb"))
        self._on_progress = on_progress
        self._cancelled = cancelled

    def read(self, size: int | None = -1, /) -> bytes:
        """Read and report; raises Cancelled."""
        self._stop_if_cancelled()
        block = super().read(size)
        self._on_progress(self.tell())
        return block

    def report(self, done: int) -> None:
        """Report how many bytes were sent, where an SDK reads the file by its path."""
        self._stop_if_cancelled()
        self._on_progress(done)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled():
            raise Cancelled("The work was cancelled.")


class Service(Protocol):
    """The calls of a fine-tuning service."""

    def models(self) -> tuple[Model, ...]:
        """Return the models that jobs can start from or that can be asked."""

    def delete_model(self, name: str) -> bool:
        """Delete a checkpoint; False where the service says that it did not."""

    def find_hardware(self, model: str) -> None:
        """Ask where a model can be served; status 404 for one that cannot be."""

    def check_grader(self, grader: Mapping[str, Any]) -> None:
        """Let the service check a grader; status 404, 405 or 501 where it offers no such check."""

    def probe_jobs(self) -> None:
        """Ask for one job, to see whether there are jobs."""

    def probe_files(self) -> None:
        """Ask for one file, to see whether there are files."""

    def upload(self, name: str, stream: WatchedFile) -> File:
        """Upload a training file in one request."""

    def start_parts(self, name: str, size: int) -> str:
        """Announce an upload in parts and return its id."""

    def upload_part(self, upload_id: str, part: bytes) -> str:
        """Upload one part and return its id."""

    def join_parts(self, upload_id: str, parts: list[str], md5: str) -> str:
        """End an upload in parts and return the id of the file."""

    def cancel_parts(self, upload_id: str) -> None:
        """Give up an upload in parts."""

    def file(self, file_id: str, *, retries: int = 0) -> File:
        """Return what the service knows of a file."""

    def content(self, file_id: str) -> bytes:
        """Return a small file whole."""

    def download(self, file_id: str, write: Callable[[Iterator[bytes]], Path]) -> Path:
        """Give the pieces of a file to write as they come and return what write returns."""

    def create_job(self, arguments: Mapping[str, Any]) -> ServiceJob:
        """Create a job from the arguments of OpenAI's protocol; never repeated by itself."""

    def job(self, job_id: str) -> ServiceJob:
        """Return how a job stands."""

    def jobs(self, stop: Callable[[ServiceJob], bool]) -> Listing[ServiceJob]:
        """Return the newest jobs, up to the page on which stop holds for one."""

    def order(self, job_id: str, what: Order) -> ServiceJob:
        """Cancel, pause or resume a job and return how it stands then."""

    def events(self, job_id: str, is_known: Callable[[str], bool]) -> tuple[Event, ...]:
        """Return the newest events, up to the page with one whose id is known."""

    def checkpoints(self, job_id: str) -> tuple[Checkpoint, ...]:
        """Return the checkpoints of a job; status 404, 405 or 501 where the service lists none."""


DOING: Final = {
    "models": "listing base models",
    "delete_model": "deleting the model",
    "find_hardware": "asking whether the base can be served",
    "check_grader": "checking the grader",
    "probe_jobs": "looking for fine-tuning jobs",
    "probe_files": "looking for files",
    "file": "looking at the file",
    "content": "fetching the result table",
    "download": "downloading a file",
    "create_job": "creating the fine-tuning job",
    "job": "looking at the job",
    "jobs": "looking for the job in the list of fine-tuning jobs",
    "cancel": "cancelling the job",
    "pause": "pausing the job",
    "resume": "resuming the job",
    "events": "reading the events",
    "checkpoints": "reading the checkpoints",
}
"""What each call does, as sentences on its failure name it."""
