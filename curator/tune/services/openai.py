"""OpenAI's protocol behind the room's own calls: OpenAI, this computer's server and all that are compatible."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from curator.tune.services.answers import number, refuse, text, whole
from curator.tune.services.port import (
    DOING,
    Checkpoint,
    Event,
    File,
    Listing,
    Model,
    Order,
    ServiceJob,
    WatchedFile,
    state_of,
)

if TYPE_CHECKING:
    from openai import OpenAI

    from curator.tune.services.client import Connection

# In seconds: some services read the whole file before they answer its upload.
_UPLOAD_READ_S: Final = 600.0
_PIECE: Final = 1 << 16
# Events come newest first: what stands on later pages is known from earlier looks.
_EVENT_PAGES: Final = 20
_CHECKPOINT_PAGES: Final = 2


class OpenAIService:
    """The calls of a service that keeps OpenAI's protocol."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def models(self) -> tuple[Model, ...]:
        """Return the models a service names."""
        what = DOING["models"]
        page = self._connection.call(object, what, lambda sdk: sdk.models.list(), retries=1)
        return tuple(
            Model(item.id, text(getattr(item, "shutdown_date", None)))
            for item in self._data(page, what)
            if isinstance(getattr(item, "id", None), str)
        )

    def delete_model(self, name: str) -> bool:
        """Delete a checkpoint; False where the service says that it did not."""
        answer = self._connection.call(
            object, DOING["delete_model"], lambda sdk: sdk.models.delete(name)
        )
        return getattr(answer, "deleted", True) is not False

    def find_hardware(self, model: str) -> None:
        """Refuse: the protocol has no such question."""
        raise refuse(self._connection.target.label, f"it does not tell where {model} is served.")

    def check_grader(self, grader: Mapping[str, Any]) -> None:
        """Let the service check a grader."""
        asked: Any = dict(grader)
        self._connection.call(
            object,
            DOING["check_grader"],
            lambda sdk: sdk.fine_tuning.alpha.graders.validate(grader=asked),
            retries=1,
        )

    def probe_jobs(self) -> None:
        """Ask for one job."""
        self._probe("probe_jobs", lambda sdk: sdk.fine_tuning.jobs.list(limit=1))

    def probe_files(self) -> None:
        """Ask for one file."""
        self._probe("probe_files", lambda sdk: sdk.files.list(purpose="fine-tune", limit=1))

    def upload(self, name: str, stream: WatchedFile) -> File:
        """Upload a training file in one request."""
        from openai.types import FileObject

        answer = self._connection.call(
            FileObject,
            f"uploading {name}",
            lambda sdk: sdk.files.create(
                file=(name, stream), purpose="fine-tune", timeout=_UPLOAD_READ_S
            ),
        )
        self._id_of(answer)
        return _file(answer)

    def start_parts(self, name: str, size: int) -> str:
        """Announce an upload in parts and return its id."""
        from openai.types import Upload

        answer = self._connection.call(
            Upload,
            f"announcing {name}",
            lambda sdk: sdk.uploads.create(
                bytes=size, filename=name, mime_type="text/jsonl", purpose="fine-tune"
            ),
            retries=2,
        )
        return self._id_of(answer)

    def upload_part(self, upload_id: str, part: bytes) -> str:
        """Upload one part and return its id."""
        from openai.types.uploads import UploadPart

        answer = self._connection.call(
            UploadPart,
            "uploading a part",
            lambda sdk: sdk.uploads.parts.create(upload_id, data=part, timeout=_UPLOAD_READ_S),
        )
        return self._id_of(answer)

    def join_parts(self, upload_id: str, parts: list[str], md5: str) -> str:
        """End an upload in parts and return the id of the file."""
        from openai.types import Upload

        answer = self._connection.call(
            Upload,
            "joining the uploaded parts",
            lambda sdk: sdk.uploads.complete(upload_id, part_ids=parts, md5=md5),
            retries=2,
        )
        return self._id_of(answer.file)

    def cancel_parts(self, upload_id: str) -> None:
        """Give up an upload in parts."""
        self._connection.call(
            object, "cancelling the upload", lambda sdk: sdk.uploads.cancel(upload_id)
        )

    def file(self, file_id: str, *, retries: int = 0) -> File:
        """Return what the service knows of a file."""
        from openai.types import FileObject

        answer = self._connection.call(
            FileObject, DOING["file"], lambda sdk: sdk.files.retrieve(file_id), retries=retries
        )
        return _file(answer)

    def content(self, file_id: str) -> bytes:
        """Return a small file whole."""
        return self._connection.call(
            bytes, DOING["content"], lambda sdk: sdk.files.content(file_id).content
        )

    def download(self, file_id: str, write: Callable[[Iterator[bytes]], Path]) -> Path:
        """Give the pieces of a file to write as they come."""

        def fetch(sdk: "OpenAI") -> Path:
            with sdk.files.with_streaming_response.content(file_id) as answer:
                return write(self._connection.cleared(answer.iter_bytes(_PIECE)))

        return self._connection.call(Path, DOING["download"], fetch)

    def create_job(self, arguments: Mapping[str, Any]) -> ServiceJob:
        """Create a job; never repeated by itself."""
        what = DOING["create_job"]
        # No retries: a create that is repeated may start a second paid job.
        made = self._job_call(what, lambda sdk: sdk.fine_tuning.jobs.create(**arguments))
        if not made.id:
            raise self._connection.not_compatible(what, made)
        return made

    def job(self, job_id: str) -> ServiceJob:
        """Return how a job stands."""
        return self._job_call(DOING["job"], lambda sdk: sdk.fine_tuning.jobs.retrieve(job_id))

    def jobs(self, stop: Callable[[ServiceJob], bool]) -> Listing[ServiceJob]:
        """Return the newest jobs, up to the page on which stop holds for one."""
        from openai.types.fine_tuning import FineTuningJob

        found = self._connection.list_bounded(
            FineTuningJob,
            DOING["jobs"],
            lambda sdk, more: sdk.fine_tuning.jobs.list(**more),
            stop=lambda one: stop(self._job(one)),
        )
        return Listing(tuple(map(self._job, found.items)), found.complete)

    def order(self, job_id: str, what: Order) -> ServiceJob:
        """Cancel, pause or resume a job and return how it stands then."""
        return self._job_call(DOING[what], lambda sdk: getattr(sdk.fine_tuning.jobs, what)(job_id))

    def events(self, job_id: str, is_known: Callable[[str], bool]) -> tuple[Event, ...]:
        """Return the newest events, up to the page with one whose id is known."""
        from openai.types.fine_tuning import FineTuningJobEvent

        found = self._connection.list_bounded(
            FineTuningJobEvent,
            DOING["events"],
            lambda sdk, more: sdk.fine_tuning.jobs.list_events(job_id, **more),
            max_pages=_EVENT_PAGES,
            stop=lambda event: is_known(event.id),
        )
        return tuple(map(_event, found.items))

    def checkpoints(self, job_id: str) -> tuple[Checkpoint, ...]:
        """Return the checkpoints of a job."""
        from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

        found = self._connection.list_bounded(
            FineTuningJobCheckpoint,
            DOING["checkpoints"],
            lambda sdk, more: sdk.fine_tuning.jobs.checkpoints.list(job_id, **more),
            max_pages=_CHECKPOINT_PAGES,
        )
        return tuple(map(_checkpoint, found.items))

    def _probe(self, name: str, fetch: "Callable[[OpenAI], object]") -> None:
        page = self._connection.call(object, DOING[name], fetch, retries=1)
        self._data(page, DOING[name])

    def _data(self, page: object, what: str) -> list[Any]:
        data = getattr(page, "data", None)
        if not isinstance(data, list):
            raise self._connection.not_compatible(what, page)
        return data

    def _id_of(self, answer: object) -> str:
        value = getattr(answer, "id", None)
        if not isinstance(value, str) or not value:
            raise self._connection.not_compatible("uploading", value)
        return value

    def _job_call(self, what: str, work: "Callable[[OpenAI], object]") -> ServiceJob:
        from openai.types.fine_tuning import FineTuningJob

        return self._job(self._connection.call(FineTuningJob, what, work))

    def _job(self, answer: Any) -> ServiceJob:
        raw = text(getattr(answer, "status", None))
        if getattr(answer, "paused", None) is True:
            # The protocol's types know no such word, so this computer says it beside the status.
            raw = "paused"
        error = getattr(answer, "error", None)
        # Healthy jobs carry an error object too, with nothing in it.
        code = text(getattr(error, "code", None))
        metadata = getattr(answer, "metadata", None)
        return ServiceJob(
            id=text(getattr(answer, "id", None)),
            status=state_of(raw, self._connection.target.status_map),
            raw_status=raw,
            checkpoint=text(getattr(answer, "fine_tuned_model", None)),
            training_file=text(getattr(answer, "training_file", None)),
            created=number(getattr(answer, "created_at", None)),
            finished=number(getattr(answer, "finished_at", None)),
            estimated_finish=number(getattr(answer, "estimated_finish", None)),
            trained_tokens=whole(getattr(answer, "trained_tokens", None)),
            result_files=_names(getattr(answer, "result_files", None)),
            error=text(getattr(error, "message", None)) or code,
            error_code=code,
            error_param=text(getattr(error, "param", None)),
            metadata=metadata if isinstance(metadata, Mapping) else {},
        )


def _file(answer: Any) -> File:
    return File(
        id=text(getattr(answer, "id", None)),
        name=text(getattr(answer, "filename", None)),
        size=whole(getattr(answer, "bytes", None)),
        status=str(getattr(answer, "status", None) or "").lower(),
        details=text(getattr(answer, "status_details", None)),
    )


def _event(answer: Any) -> Event:
    data = getattr(answer, "data", None)
    return Event(
        id=text(getattr(answer, "id", None)),
        created=number(getattr(answer, "created_at", None)) or 0.0,
        level=text(getattr(answer, "level", None)) or "info",
        message=text(getattr(answer, "message", None)),
        kind=text(getattr(answer, "type", None)) or "message",
        data=dict(data) if isinstance(data, Mapping) else {},
    )


def _checkpoint(answer: Any) -> Checkpoint:
    metrics = getattr(answer, "metrics", None)
    values = metrics if isinstance(metrics, dict) else getattr(metrics, "__dict__", {})
    return Checkpoint(
        id=text(getattr(answer, "id", None)),
        created=number(getattr(answer, "created_at", None)) or 0.0,
        name=text(getattr(answer, "fine_tuned_model_checkpoint", None)),
        step=whole(getattr(answer, "step_number", None)) or 0,
        metrics={k: v for k, v in values.items() if number(v) is not None},
        files=_names(getattr(answer, "result_files", None)),
    )


def _names(files: object) -> tuple[str, ...]:
    return tuple(f for f in files if isinstance(f, str)) if isinstance(files, list) else ()
