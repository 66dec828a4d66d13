"""Together through its own SDK: jobs under /v1/fine-tunes, files whose bytes go to a signed address."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

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
from curator.tune.targets.addresses import root_of

if TYPE_CHECKING:
    import httpx
    from openai import OpenAI
    from together import Together

    from curator.tune.targets.profiles import Target

_ENDED: Final = ("completed", "error", "user_error", "cancelled")
_FILE_WORDS: Final = {"COMPLETED": "processed", "FAILED": "error", "INVALID_FORMAT": "error"}
_ADAPTER: Final = re.compile(r"(ft-[\w-]+)@(\d+)")
_LEVELS: Final = {
    "warning": "warn",
    "legacy_iwarning": "warn",
    "error": "error",
    "legacy_ierror": "error",
}
_PAGES: Final = 5
_NO_DELETE: Final = "models are deleted on the service's own page (Models), not through its SDK."


class TogetherClient:
    """The files, jobs, models and chat of Together, as OpenAI's client shows its own."""

    def __init__(self, sdk: "Together", chat: "OpenAI", http: "httpx.Client", label: str) -> None:
        self._sdk, self._chat, self._http, self._label = sdk, chat, http, label
        self.files = _Files(sdk, http)
        self.fine_tuning = SimpleNamespace(jobs=_Jobs(sdk, label))
        self.models = SimpleNamespace(list=self._bases, delete=self._no_delete)
        self.endpoints = SimpleNamespace(list_hardware=self._hardware)
        self.chat = chat.chat

    @classmethod
    def build(
        cls, target: "Target", secret: str, http: "httpx.Client", chat: "OpenAI"
    ) -> "TogetherClient":
        """Return a client of a target; raises ImportError where the SDK is not installed."""
        from together import Together

        sdk = Together(
            api_key=secret, base_url=root_of(target.url), max_retries=0, http_client=http
        )
        return cls(sdk, chat, http, target.label)

    def with_options(self, *, max_retries: int) -> "TogetherClient":
        """Return the same client with another number of repetitions."""
        return TogetherClient(
            self._sdk.with_options(max_retries=max_retries),
            self._chat.with_options(max_retries=max_retries),
            self._http,
            self._label,
        )

    def close(self) -> None:
        """Close every open line to the service."""
        self._http.close()
        self._chat.close()

    def _bases(self) -> Page:
        found = []
        page = self._sdk.models.list_supported(product="PRODUCT_FINE_TUNING", limit=100)
        for number, each in enumerate(page.iter_pages(), 1):
            found += [SimpleNamespace(id=model.name) for model in each.data]
            if number == _PAGES:
                break
        return Page(found)

    def _hardware(self, *, model: str) -> object:
        """Return where a model can be served; the service answers 404 for one that cannot be."""
        # The SDK's own call went with its version 3; the address stayed.
        return self._sdk.get("/v1/hardware", cast_to=object, options={"params": {"model": model}})

    def _no_delete(self, _name: str) -> object:
        raise refuse(self._label, _NO_DELETE)


class _Files:
    def __init__(self, sdk: "Together", http: "httpx.Client") -> None:
        self._sdk = sdk
        self.with_streaming_response = SimpleNamespace(content=self._stream)
        self._http = http

    def create(self, *, file: tuple[str, Any], purpose: str, timeout: float) -> Any:  # noqa: ARG002
        """Upload a watched file; its bytes go where the service says, without the key."""
        _, stream = file
        sent = self._sdk.files.upload(
            Path(stream.name),
            purpose="fine-tune",
            check=False,  # Curator's own checks are the stricter ones
            progress_callback=lambda told: stream.report(told.uploaded_bytes),
        )
        return _file(sent)

    def retrieve(self, file_id: str) -> Any:
        adapter = _ADAPTER.fullmatch(file_id)
        if adapter:
            name = f"{adapter[1]}-step-{adapter[2]}.tar.zst"
            return file_of(id=file_id, filename=name, bytes=None, status="processed")
        return _file(self._sdk.files.retrieve(file_id))

    def list(self, **_: object) -> Page:
        return Page([_file(one) for one in self._sdk.files.list().data])

    def content(self, file_id: str) -> Any:
        return SimpleNamespace(content=self._sdk.files.content(file_id).read())

    def _stream(self, file_id: str) -> AbstractContextManager[Any]:
        """Open an adapter or a file; adapters lie at another address, which gets no key."""
        adapter = _ADAPTER.fullmatch(file_id)
        path = "/v1/finetune/download" if adapter else f"/v1/files/{file_id}/content"
        wanted = {"ft_id": adapter[1], "checkpoint_step": adapter[2]} if adapter else {}
        address = str(self._sdk.base_url).rstrip("/") + path
        return download(self._http, address, params=wanted, headers=self._sdk.auth_headers)


class _Jobs:
    def __init__(self, sdk: "Together", label: str) -> None:
        self._sdk, self._label = sdk, label
        self.checkpoints = SimpleNamespace(list=self._checkpoints)

    def create(self, **arguments: Any) -> Any:
        with own_checks(self._label):
            return _job(self._sdk.fine_tuning.create(**job_arguments(arguments)))

    def retrieve(self, job_id: str) -> Any:
        return _job(self._sdk.fine_tuning.retrieve(job_id))

    def list(self, **_: object) -> Page:
        found = sorted(map(_job, self._sdk.fine_tuning.list().data), key=_born, reverse=True)
        return Page(found)

    def cancel(self, job_id: str) -> Any:
        self._sdk.fine_tuning.cancel(job_id)
        return self.retrieve(job_id)

    def pause(self, _job_id: str) -> Any:
        raise refuse(self._label, "a job cannot be paused there; it can be cancelled.")

    resume = pause

    def list_events(self, job_id: str, **_: object) -> Page:
        told = [_event(job_id, one) for one in self._sdk.fine_tuning.list_events(job_id).data]
        return Page(sorted([*told, *self._measures(job_id)], key=_born, reverse=True))

    def _measures(self, job_id: str) -> Iterator[Any]:
        for one in self._metrics(job_id):
            named = {name.replace("/", "_"): value for name, value in one.items()}
            step = named.get("train_global_step", named.get("eval_global_step"))
            when = named.get("timestamp", 0) / 1e9
            yield event_of(
                job_id, "", created_at=when, type="metrics", data={**named, "step": step}
            )

    def _metrics(self, job_id: str) -> Sequence[dict[str, float]]:
        from together import NotFoundError

        try:
            return self._sdk.fine_tuning.list_metrics(job_id).metrics or ()
        except NotFoundError:
            return ()  # a job that has not begun has none

    def _checkpoints(self, job_id: str, **_: object) -> Page:
        found = self._sdk.fine_tuning.list_checkpoints(job_id).data
        return Page(
            [
                checkpoint_of(
                    job_id,
                    one.step,
                    [f"{job_id}@{one.step}"],
                    created_at=seconds(one.created_at),
                    fine_tuned_model_checkpoint=one.object_name or one.path,
                )
                for one in found
            ]
        )


def job_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the SDK's create takes, from what OpenAI's would take.

    There is no place for our token: a job is found again by its training file and the time.
    """
    method, settings = settings_of(arguments["method"])
    validation = arguments.get("validation_file", "")
    if not validation:
        settings.pop("n_evals", None)
    if method == "sft":
        # Said outright: the SDK would warn of its own default.
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
    """Return the body the SDK makes of its arguments; without a rank the service takes its own adapter."""
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


def _file(found: Any) -> Any:
    report = getattr(found, "validation_report", None)
    word = getattr(found, "processing_status", None)
    return file_of(
        id=found.id,
        filename=getattr(found, "filename", None),
        bytes=getattr(found, "bytes", None),
        created_at=seconds(getattr(found, "created_at", None)),
        status=_FILE_WORDS.get(word, "uploaded") if word else "processed",
        status_details=getattr(report, "error", None),
    )


def _job(found: Any) -> Any:
    def told(name: str) -> Any:
        return getattr(found, name, None)

    ended = found.status in _ENDED
    progress = told("progress")
    left = progress.seconds_remaining if progress and progress.estimate_available else None
    name = told("x_model_output_name") if found.status == "completed" else None
    return job_of(
        id=found.id,
        status=found.status,
        model=told("model"),
        training_file=told("training_file"),
        created_at=seconds(told("created_at")),
        finished_at=seconds(told("updated_at")) if ended else None,
        estimated_finish=time.time() + left if left and not ended else None,
        fine_tuned_model=name or told("api_model_object_name") if ended else None,
        trained_tokens=told("token_count"),
        result_files=[],
        error=_reason(told("events")) if found.status in ("error", "user_error") else "",
    )


def _reason(events: Any) -> str:
    """Return the last thing a job said as an error; the job itself has no place for it."""
    said = [e.message for e in events or () if _LEVELS.get(str(e.level)) == "error"]
    return said[-1] if said else "The service gives no reason."


def _event(job_id: str, told: Any) -> Any:
    level = _LEVELS.get(str(told.level), "info")
    return event_of(job_id, told.message, created_at=seconds(told.created_at) or 0.0, level=level)


def _born(item: Any) -> float:
    return item.created_at or 0.0
