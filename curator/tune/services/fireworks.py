"""Fireworks through its own SDK: datasets, supervised and preference jobs, models of one account."""

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from curator.tune.addresses import root_of
from curator.tune.recipe import TOKEN_KEY
from curator.tune.services.shapes import (
    Page,
    checkpoint_of,
    download,
    event_of,
    file_of,
    job_of,
    own_checks,
    refuse,
    seconds,
    settings_of,
)

if TYPE_CHECKING:
    import httpx
    from fireworks import Fireworks
    from openai import OpenAI

    from curator.tune.targets import Target

_SFT: Final = "supervisedFineTuningJobs"
_DPO: Final = "dpoJobs"
_PREFIX: Final = "curator-"
_PLAIN_MOST: Final = 150_000_000
"""Bytes that the upload in one call takes; larger files go to a signed address."""

RESOURCES: Final = {_SFT: "supervised_fine_tuning_jobs", _DPO: "dpo_jobs"}
"""The SDK's name of each kind of job."""

_ACCOUNT: Final = re.compile(r"/accounts/([^/]+)")
_ENDED: Final = ("COMPLETED", "FAILED", "CANCELLED", "EXPIRED", "EARLY_STOPPED")
_DONE: Final = ("COMPLETED", "EARLY_STOPPED")
_PAGE: Final = 200
_PAGES: Final = 5
_PUBLIC: Final = "fireworks"


class FireworksClient:
    """The datasets, jobs, models and chat of one account, as OpenAI's client shows its own."""

    def __init__(self, sdk: "Fireworks", chat: "OpenAI", http: "httpx.Client", label: str) -> None:
        self._sdk, self._chat, self._http, self._label = sdk, chat, http, label
        self.files = _Files(sdk, http)
        self.fine_tuning = SimpleNamespace(jobs=_Jobs(sdk, label))
        self.models = _Models(sdk)
        self.chat = chat.chat

    @classmethod
    def build(
        cls, target: "Target", secret: str, http: "httpx.Client", chat: "OpenAI"
    ) -> "FireworksClient":
        """Return a client of a target; raises ImportError where the SDK is not installed."""
        from fireworks import Fireworks

        sdk = Fireworks(
            api_key=secret,
            account_id=account_of(target.url),
            base_url=root_of(target.url),
            max_retries=0,
            http_client=http,
        )
        return cls(sdk, chat, http, target.label)

    def with_options(self, *, max_retries: int) -> "FireworksClient":
        """Return the same client with another number of repetitions."""
        return FireworksClient(
            self._sdk.with_options(max_retries=max_retries),
            self._chat.with_options(max_retries=max_retries),
            self._http,
            self._label,
        )

    def close(self) -> None:
        """Close every open line to the service."""
        self._http.close()
        self._chat.close()


class _Models:
    def __init__(self, sdk: "Fireworks") -> None:
        self._sdk = sdk

    def list(self) -> Page:
        """Return the public models that can be tuned."""
        found = []
        page = self._sdk.models.list(account_id=_PUBLIC, page_size=_PAGE)
        for number, each in enumerate(page.iter_pages(), 1):
            found += [
                SimpleNamespace(id=m.name, shutdown_date=str(m.deprecation_date or ""))
                for m in each.models
                if m.tunable
            ]
            if number == _PAGES:
                break
        return Page(found)

    def delete(self, name: str) -> object:
        """Delete a fine-tuned model of the account."""
        return self._sdk.models.delete(_last(name))


class _Files:
    """Datasets; and the files of a finished model, named models/ID/FILE."""

    def __init__(self, sdk: "Fireworks", http: "httpx.Client") -> None:
        self._sdk, self._http = sdk, http
        self.with_streaming_response = SimpleNamespace(content=self._stream)

    def create(self, *, file: tuple[str, Any], purpose: str, timeout: float) -> Any:  # noqa: ARG002
        """Make a dataset, send its bytes, and have the service look at them."""
        name, stream = file
        lines, size = _measured(Path(stream.name))
        dataset = f"{_PREFIX}{uuid.uuid4().hex[:20]}"
        self._sdk.datasets.create(
            dataset_id=dataset,
            dataset={"format": "CHAT", "example_count": str(lines), "user_uploaded": {}},
        )
        if size <= _PLAIN_MOST:
            self._sdk.datasets.upload(dataset, file=(name, stream), timeout=timeout)
        else:
            self._send_signed(dataset, name, stream, size, timeout)
            self._sdk.datasets.validate_upload(dataset, body={})
        account = self._sdk.account_id
        return file_of(
            id=f"accounts/{account}/datasets/{dataset}",
            filename=name,
            bytes=size,
            status="uploaded",
        )

    def _send_signed(self, dataset: str, name: str, stream: Any, size: int, timeout: float) -> None:
        signed = self._sdk.datasets.get_upload_endpoint(dataset, filename_to_size={name: str(size)})
        address = (signed.filename_to_signed_urls or {})[name]
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "x-goog-content-length-range": f"{size},{size}",
        }
        answer = self._http.put(address, content=stream, headers=headers, timeout=timeout)
        answer.raise_for_status()

    def retrieve(self, file_id: str) -> Any:
        if file_id.startswith("models/"):
            return file_of(id=file_id, filename=_last(file_id), bytes=None, status="processed")
        return _file(file_id, self._sdk.datasets.get(_last(file_id)))

    def list(self, **_: object) -> Page:
        page = self._sdk.datasets.list(page_size=1)
        return Page([_file(one.name or "", one) for one in page.datasets or ()])

    def content(self, file_id: str) -> Any:
        with self._stream(file_id) as answer:
            return SimpleNamespace(content=answer.read())

    def _stream(self, file_id: str) -> AbstractContextManager[Any]:
        """Open a file of a model at its signed address, which gets no key."""
        _, model, name = file_id.split("/", 2)
        found = self._sdk.models.get_download_endpoint(model).filename_to_signed_urls or {}
        return download(self._http, found[name])


class _Jobs:
    """Jobs of both kinds; an id carries its kind: dpoJobs/ID."""

    def __init__(self, sdk: "Fireworks", label: str) -> None:
        self._sdk, self._label = sdk, label
        self._kinds: dict[str, Any] = {kind: getattr(sdk, name) for kind, name in RESOURCES.items()}
        self.checkpoints = SimpleNamespace(list=self._checkpoints)

    def create(self, **arguments: Any) -> Any:
        kind, wanted = job_arguments(arguments, self._sdk.account_id or "")
        with own_checks(self._label):
            return self._job(kind, self._kinds[kind].create(**wanted))

    def retrieve(self, job_id: str) -> Any:
        kind, name = job_id.split("/", 1)
        return self._job(kind, self._kinds[kind].get(name))

    def list(self, **_: object) -> Page:
        found = [
            self._job(kind, one)
            for kind, jobs in self._kinds.items()
            for one in _items(jobs.list(page_size=_PAGE, order_by="create_time desc"))
        ]
        return Page(sorted(found, key=lambda job: job.created_at or 0.0, reverse=True))

    def cancel(self, job_id: str) -> Any:
        kind, name = job_id.split("/", 1)
        self._kinds[kind].cancel(name, body={})
        return self.retrieve(job_id)

    def resume(self, job_id: str) -> Any:
        kind, name = job_id.split("/", 1)
        return self._job(kind, self._kinds[kind].resume(name, body={}))

    def pause(self, _job_id: str) -> Any:
        raise refuse(self._label, "a job cannot be paused there; it can be cancelled.")

    def list_events(self, job_id: str, **_: object) -> Page:
        """Return how far the job is: the service tells a share, and the loss in a file of its own."""
        kind, name = job_id.split("/", 1)
        found = self._kinds[kind].get(name)
        told = []
        progress = getattr(found, "job_progress", None)
        if progress and progress.percent is not None:
            said = f"{progress.percent} % done, epoch {(progress.epoch or 0) + 1}"
            told.append(event_of(job_id, said, created_at=seconds(found.update_time) or 0.0))
        if found.status and found.status.message:
            told.append(event_of(job_id, found.status.message, created_at=0.0))
        return Page(told)

    def _checkpoints(self, job_id: str, **_: object) -> Page:
        job = self.retrieve(job_id)
        if not job.fine_tuned_model:
            return Page([])
        model = _last(job.fine_tuned_model)
        signed = self._sdk.models.get_download_endpoint(model).filename_to_signed_urls or {}
        files = [f"models/{model}/{name}" for name in signed]
        made = checkpoint_of(
            job_id,
            0,
            files,
            created_at=job.finished_at,
            fine_tuned_model_checkpoint=job.fine_tuned_model,
        )
        return Page([made])

    def _job(self, kind: str, found: Any) -> Any:
        state = str(found.state or "").removeprefix("JOB_STATE_")
        name = _last(found.name or "")
        config = getattr(found, "training_config", None) or found
        status = found.status
        model = config.output_model or f"accounts/{self._sdk.account_id}/models/{name}"
        return job_of(
            id=f"{kind}/{name}",
            status=state.lower(),
            model=config.base_model,
            training_file=found.dataset,
            created_at=seconds(found.create_time),
            finished_at=seconds(found.completed_time) if state in _ENDED else None,
            fine_tuned_model=model if state in _DONE else None,
            result_files=[],
            metadata={TOKEN_KEY: name.removeprefix(_PREFIX)} if name.startswith(_PREFIX) else {},
            error=(status.message if status else "") or "The service gives no reason."
            if state in ("FAILED", "EXPIRED")
            else "",
        )


def account_of(url: str) -> str:
    """Return the account an address names, empty where it names none."""
    found = _ACCOUNT.search(url)
    return found[1] if found else ""


def job_arguments(arguments: Mapping[str, Any], account: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of job and what the SDK's create takes, from what OpenAI's would take.

    Our token names the job, so that the service itself refuses to make it a second time.
    """
    method, settings = settings_of(arguments["method"])
    token = str(arguments["metadata"][TOKEN_KEY])
    name = f"{_PREFIX}{token}"
    training = {
        "base_model": arguments["model"],
        **({"epochs": settings.pop("n_epochs")} if "n_epochs" in settings else {}),
    }
    suffix = re.sub(r"[^a-z0-9]+", "-", str(arguments.get("suffix", "")).lower()).strip("-")
    if suffix:
        training["output_model"] = f"accounts/{account}/models/{suffix[:40]}-{token[:8]}"
    shown = str(arguments.get("suffix") or name)
    wanted: dict[str, Any] = {"dataset": arguments["training_file"], "display_name": shown}
    if method == "dpo":
        beta = settings.pop("beta", None)
        loss = {"method": "DPO", **({"kl_beta": beta} if beta is not None else {})}
        return _DPO, {
            **wanted,
            "dpo_job_id": name,
            "training_config": {**training, **settings},
            "loss_config": loss,
        }
    validation = arguments.get("validation_file", "")
    return _SFT, {
        **wanted,
        "supervised_fine_tuning_job_id": name,
        **({"evaluation_dataset": validation} if validation else {}),
        **training,
        **settings,
    }


def request_body(kind: str, wanted: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return the query that names the job, the job's name, and the body as the address takes it."""
    body = dict(wanted)
    place = "dpo_job_id" if kind == _DPO else "supervised_fine_tuning_job_id"
    name = str(body.pop(place))
    return _camel(place), name, _with_camel(body)


def _with_camel(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _camel(name): _with_camel(inner) if isinstance(inner, Mapping) else inner
        for name, inner in value.items()
    }


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _items(page: Any) -> Iterator[Any]:
    for number, each in enumerate(page.iter_pages(), 1):
        yield from each._get_page_items()
        if number == _PAGES:
            return


def _file(file_id: str, found: Any) -> Any:
    status = getattr(found, "status", None)
    word, said = "processed" if found.state == "READY" else "uploaded", None
    if status is not None and status.code not in (None, "OK"):
        word, said = "error", status.message
    return file_of(id=file_id, filename=None, bytes=None, status=word, status_details=said)


def _measured(path: Path) -> tuple[int, int]:
    """Return how many lines and bytes a file has."""
    lines = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            lines += block.count(b"\n")
        return lines, stream.tell()


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]
