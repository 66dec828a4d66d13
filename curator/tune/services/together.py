"""Together through its own SDK: jobs under /v1/fine-tunes, files whose bytes go to a signed address."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from curator.tune.services.answers import (
    download,
    own_checks,
    refuse,
    seconds,
    settings_of,
    text,
    whole,
)
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
from curator.tune.services.sdk_client import http_options, need_sdk
from curator.tune.targets.addresses import root_of

if TYPE_CHECKING:
    from together import Together

    from curator.tune.services.client import Connection
    from curator.tune.targets.keys import Key
    from curator.tune.targets.profiles import Target

_T = TypeVar("_T")
_PIECE: Final = 1 << 16
_ENDED: Final = ("completed", "error", "user_error", "cancelled")
_FILE_WORDS: Final = {"COMPLETED": "processed", "FAILED": "error", "INVALID_FORMAT": "error"}
_ADAPTER: Final = re.compile(r"(ft-[\w-]+)@(\d+)")
_LEVELS: Final = {
    "warning": "warn",
    "legacy_iwarning": "warn",
    "error": "error",
    "legacy_ierror": "error",
}
# Of 100 models each. The SDK goes on to the next page by itself: without a limit a faulty server
# could keep it going.
_PAGES: Final = 5
_NO_DELETE: Final = "models are deleted on the service's own page (Models), not through its SDK."


class TogetherService:
    """The calls of Together. Lists come whole (models: five pages at most); a call is repeated only by retries."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._label = connection.target.label

    def models(self) -> tuple[Model, ...]:
        """Return the base models that can be fine-tuned."""

        def ask(sdk: "Together") -> tuple[Model, ...]:
            found: list[Model] = []
            page = sdk.models.list_supported(product="PRODUCT_FINE_TUNING", limit=100)
            for number, each in enumerate(page.iter_pages(), 1):
                found += [Model(model.name) for model in each.data if isinstance(model.name, str)]
                if number == _PAGES:
                    break
            return tuple(found)

        return self._call(tuple, DOING["models"], ask, retries=1)

    def delete_model(self, name: str) -> bool:  # noqa: ARG002 - the SDK cannot
        """Refuse: the SDK deletes no models."""
        raise refuse(self._label, _NO_DELETE)

    def find_hardware(self, model: str) -> None:
        """Ask where a model can be served; the service answers 404 for one that cannot be."""
        # The SDK's own call went with its version 3; the address stayed.
        options: Any = {"params": {"model": model}}
        self._call(
            object,
            DOING["find_hardware"],
            lambda sdk: sdk.get("/v1/hardware", cast_to=object, options=options),
        )

    def check_grader(self, grader: Mapping[str, Any]) -> None:  # noqa: ARG002 - no such method
        """Refuse: no method here is graded."""
        raise refuse(self._label, "it checks no graders.")

    def probe_jobs(self) -> None:
        """Ask for the jobs."""
        self._call(list, DOING["probe_jobs"], lambda sdk: sdk.fine_tuning.list().data, retries=1)

    def probe_files(self) -> None:
        """Ask for the files."""
        self._call(list, DOING["probe_files"], lambda sdk: sdk.files.list().data, retries=1)

    def upload(self, name: str, stream: WatchedFile) -> File:
        """Upload a watched file; its bytes go where the service says, without the key."""

        def send(sdk: "Together") -> File:
            return _file(
                sdk.files.upload(
                    Path(str(stream.name)),
                    purpose="fine-tune",
                    check=False,  # Curator's own checks are the stricter ones
                    progress_callback=lambda progress: stream.report(progress.uploaded_bytes),
                )
            )

        what = f"uploading {name}"
        sent = self._call(File, what, send)
        if not sent.id:
            raise self._connection.not_compatible("uploading", sent)
        return sent

    def start_parts(self, name: str, size: int) -> str:  # noqa: ARG002
        """Refuse: the SDK itself sends large files in parts."""
        raise refuse(self._label, f"{name} is not sent in parts.")

    def upload_part(self, upload_id: str, part: bytes) -> str:  # noqa: ARG002
        """Refuse: the SDK itself sends large files in parts."""
        raise refuse(self._label, f"{upload_id} is not sent in parts.")

    def join_parts(self, upload_id: str, parts: list[str], md5: str) -> str:  # noqa: ARG002
        """Refuse: the SDK itself sends large files in parts."""
        raise refuse(self._label, f"{upload_id} is not sent in parts.")

    def cancel_parts(self, upload_id: str) -> None:
        """Refuse: the SDK itself sends large files in parts."""
        raise refuse(self._label, f"{upload_id} is not sent in parts.")

    def file(self, file_id: str, *, retries: int = 0) -> File:
        """Return what the service knows of a file, or of the archive of an adapter."""
        adapter = _ADAPTER.fullmatch(file_id)
        if adapter:
            return File(file_id, f"{adapter[1]}-step-{adapter[2]}.tar.zst", status="processed")
        return self._call(
            File, DOING["file"], lambda sdk: _file(sdk.files.retrieve(file_id)), retries=retries
        )

    def content(self, file_id: str) -> bytes:
        """Return a small file whole."""
        return self._call(bytes, DOING["content"], lambda sdk: sdk.files.content(file_id).read())

    def download(self, file_id: str, write: Callable[[Iterator[bytes]], Path]) -> Path:
        """Give the pieces of an adapter or a file to write as they come.

        Adapters lie at another address, which gets no key.
        """
        adapter = _ADAPTER.fullmatch(file_id)
        path = "/v1/finetune/download" if adapter else f"/v1/files/{file_id}/content"
        wanted = {"ft_id": adapter[1], "checkpoint_step": adapter[2]} if adapter else {}

        def fetch(sdk: "Together") -> Path:
            address = str(sdk.base_url).rstrip("/") + path
            http = sdk._client  # the SDK has no public name for the client it was given
            with download(http, address, params=wanted, headers=sdk.auth_headers) as answer:
                return write(self._connection.cleared(answer.iter_bytes(_PIECE)))

        return self._call(Path, DOING["download"], fetch)

    def create_job(self, arguments: Mapping[str, Any]) -> ServiceJob:
        """Create a job from the arguments of OpenAI's protocol."""

        def create(sdk: "Together") -> object:
            with own_checks(self._label):
                return sdk.fine_tuning.create(**job_arguments(arguments))

        return self._call(ServiceJob, DOING["create_job"], lambda sdk: self._job(create(sdk)))

    def job(self, job_id: str) -> ServiceJob:
        """Return how a job stands."""
        return self._call(
            ServiceJob, DOING["job"], lambda sdk: self._job(sdk.fine_tuning.retrieve(job_id))
        )

    def jobs(self, stop: Callable[[ServiceJob], bool]) -> Listing[ServiceJob]:  # noqa: ARG002
        """Return all jobs, newest first; they are not paged."""
        found = self._call(
            list, DOING["jobs"], lambda sdk: list(map(self._job, sdk.fine_tuning.list().data))
        )
        newest = sorted(found, key=lambda job: job.created or 0.0, reverse=True)
        return Listing(tuple(newest), complete=True)

    def order(self, job_id: str, what: Order) -> ServiceJob:
        """Cancel a job; it cannot be paused here."""
        if what != "cancel":
            raise refuse(self._label, "a job cannot be paused there; it can be cancelled.")

        def cancel(sdk: "Together") -> ServiceJob:
            sdk.fine_tuning.cancel(job_id)
            return self._job(sdk.fine_tuning.retrieve(job_id))

        return self._call(ServiceJob, DOING["cancel"], cancel)

    def events(self, job_id: str, is_known: Callable[[str], bool]) -> tuple[Event, ...]:  # noqa: ARG002
        """Return all events and measurements, newest first; they are not paged."""

        def ask(sdk: "Together") -> list[Event]:
            messages = [
                _event(job_id, one) for one in sdk.fine_tuning.list_events(job_id).data or ()
            ]
            return [*messages, *_measures(sdk, job_id)]

        found = self._call(list, DOING["events"], ask)
        return tuple(sorted(found, key=lambda event: event.created, reverse=True))

    def checkpoints(self, job_id: str) -> tuple[Checkpoint, ...]:
        """Return the checkpoints of a job, each with its archive to download."""

        def ask(sdk: "Together") -> list[Checkpoint]:
            found = sdk.fine_tuning.list_checkpoints(job_id).data
            return [_checkpoint(job_id, one) for one in found]

        return tuple(self._call(list, DOING["checkpoints"], ask))

    def _call(
        self, result: type[_T], what: str, work: "Callable[[Together], object]", *, retries: int = 0
    ) -> _T:
        def run() -> object:
            return work(self._connection.client(_build).with_options(max_retries=retries))

        return self._connection.guarded(result, what, run)

    def _job(self, found: Any) -> ServiceJob:
        def value(name: str) -> Any:
            return getattr(found, name, None)

        raw = text(value("status"))
        ended = raw in _ENDED
        progress = value("progress")
        left = progress.seconds_remaining if progress and progress.estimate_available else None
        name = value("x_model_output_name") if raw == "completed" else None
        return ServiceJob(
            id=text(value("id")),
            status=state_of(raw, self._connection.target.status_map),
            raw_status=raw,
            checkpoint=text(name or value("api_model_object_name")) if ended else "",
            training_file=text(value("training_file")),
            created=seconds(value("created_at")),
            finished=seconds(value("updated_at")) if ended else None,
            estimated_finish=time.time() + left if left and not ended else None,
            trained_tokens=whole(value("token_count")),
            error=_reason(value("events")) if raw in ("error", "user_error") else "",
        )


def _build(target: "Target", key: "Key | None", read_s: float) -> "Together":
    need_sdk(target)
    import httpx
    from together import Together

    return Together(
        api_key=key.reveal() if key else "none",
        base_url=root_of(target.url),
        max_retries=0,
        http_client=httpx.Client(**http_options(target, read_s, httpx.Timeout)),
    )


def job_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the SDK's create takes, from what OpenAI's would take.

    Together keeps no metadata, so the token by which we find a job again cannot be sent: it is found
    by its training file and the time.
    """
    method, settings = settings_of(arguments["method"])
    validation = arguments.get("validation_file", "")
    if not validation:
        settings.pop("n_evals", None)
    if method == "sft":
        # Always given: without it the SDK prints a warning.
        chosen = {"yes": True, "no": False}
        settings["train_on_inputs"] = chosen.get(settings.get("train_on_inputs", ""), "auto")
    return {
        "model": arguments["model"],
        "training_file": arguments["training_file"],
        **({"validation_file": validation} if validation else {}),
        **({"suffix": arguments["suffix"]} if "suffix" in arguments else {}),
        **({"random_seed": arguments["seed"]} if "seed" in arguments else {}),
        "training_method": method,
        **settings,
    }


def request_body(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that the SDK will send, for the shown call.

    Without a rank no training_type is sent, and the service trains its default LoRA adapter. The SDK
    itself sets lora_alpha to twice the rank.
    """
    body = dict(wanted)
    method = {"method": body.pop("training_method")}
    if method["method"] == "dpo":
        method |= {"dpo_beta": body.pop("dpo_beta")} if "dpo_beta" in body else {}
    else:
        method["train_on_inputs"] = body.pop("train_on_inputs", "auto")
    lora, rank = body.pop("lora", True), body.pop("lora_r", None)
    dropout = body.pop("lora_dropout", 0)
    if not lora:
        body["training_type"] = {"type": "Full"}
    elif rank is not None:
        adapter = {"type": "Lora", "lora_r": rank, "lora_alpha": 2 * rank}
        body["training_type"] = {**adapter, "lora_dropout": dropout}
    return {**body, "batch_size": body.get("batch_size", "max"), "training_method": method}


def _file(found: Any) -> File:
    report = getattr(found, "validation_report", None)
    word = getattr(found, "processing_status", None)
    return File(
        id=text(found.id),
        name=text(getattr(found, "filename", None)),
        size=whole(getattr(found, "bytes", None)),
        status=_FILE_WORDS.get(word, "uploaded") if word else "processed",
        details=text(getattr(report, "error", None)),
    )


def _reason(events: Any) -> str:
    """Return the last thing a job said as an error; the job itself has no place for it."""
    errors = [e.message for e in events or () if _LEVELS.get(str(e.level)) == "error"]
    return text(errors[-1]) if errors else "The service gives no reason."


def _event(job_id: str, found: Any) -> Event:
    level = _LEVELS.get(str(found.level), "info")
    message, created = text(found.message), seconds(found.created_at) or 0.0
    name = _event_id(job_id, message, level=level, created_at=created)
    return Event(name, created, level, message)


def _measures(sdk: "Together", job_id: str) -> Iterator[Event]:
    from together import NotFoundError

    try:
        found = sdk.fine_tuning.list_metrics(job_id).metrics or ()
    except NotFoundError:
        return  # a job that has not begun has none
    for one in found:
        data: dict[str, Any] = {name.replace("/", "_"): value for name, value in one.items()}
        data["step"] = data.get("train_global_step", data.get("eval_global_step"))
        created = data.get("timestamp", 0) / 1e9
        name = _event_id(job_id, "", created_at=created, type="metrics", data=data)
        yield Event(name, created, "info", "", "metrics", data)


def _event_id(job_id: str, message: str, **known: Any) -> str:
    """Return an id made of what an event says, so that it is known again; the service gives none."""
    content = f"{job_id}|{message}|{sorted(known.items(), key=str)}"
    return f"event-{hashlib.sha256(content.encode()).hexdigest()[:24]}"


def _checkpoint(job_id: str, found: Any) -> Checkpoint:
    name = f"{job_id}@{found.step}"
    return Checkpoint(
        id=name,
        created=seconds(found.created_at) or 0.0,
        name=text(found.object_name or found.path),
        step=whole(found.step) or 0,
        files=(name,),
    )
