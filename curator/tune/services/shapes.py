"""What services answer, in the shapes of OpenAI's protocol."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from curator.tune.services.client import CallFailed

if TYPE_CHECKING:
    import httpx
    from openai.types import FileObject
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
    from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

METHODS: Final = {"supervised": "sft", "dpo": "dpo"}


@dataclass(frozen=True, slots=True)
class Page:
    """A list that is told whole."""

    data: Sequence[Any]
    has_more: bool = False


def settings_of(method: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the method ("sft", "dpo") and its settings, without those left to the service."""
    name = str(method["type"])
    chosen = method[name]["hyperparameters"]
    return METHODS[name], {key: value for key, value in chosen.items() if value != "auto"}


def file_of(**known: Any) -> "FileObject":
    """Return an uploaded file."""
    from openai.types import FileObject

    return FileObject.construct(object="file", purpose="fine-tune", **known)


def job_of(*, error: str = "", **known: Any) -> "FineTuningJob":
    """Return a job; error is what the service says of a failure."""
    from openai.types.fine_tuning import FineTuningJob

    said = SimpleNamespace(message=error, code="", param="") if error else None
    return FineTuningJob.construct(object="fine_tuning.job", error=said, **known)


def event_of(job: str, message: str, **known: Any) -> "FineTuningJobEvent":
    """Return an event; its id is made of what it says, so that it is known again."""
    from openai.types.fine_tuning import FineTuningJobEvent

    told = f"{job}|{message}|{sorted(known.items(), key=str)}"
    name = hashlib.sha256(told.encode()).hexdigest()[:24]
    known = {"level": "info", "type": "message", "data": None, **known}
    return FineTuningJobEvent.construct(
        id=f"event-{name}", object="fine_tuning.job.event", message=message, **known
    )


def checkpoint_of(
    job: str, step: int, files: Sequence[str], **known: Any
) -> "FineTuningJobCheckpoint":
    """Return a checkpoint that offers files to download."""
    from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

    return FineTuningJobCheckpoint.construct(
        id=f"{job}@{step}",
        object="fine_tuning.job.checkpoint",
        fine_tuning_job_id=job,
        step_number=step,
        metrics=None,
        result_files=list(files),
        **known,
    )


def seconds(value: object) -> float | None:
    """Return a service's time as seconds since 1970; None for what is no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def refuse(label: str, reason: str) -> CallFailed:
    """Return the error for what a service or its SDK does not do; nothing was sent."""
    return CallFailed(f"{label}: {reason}", outcome="refused")


@contextmanager
def own_checks(label: str) -> Iterator[None]:
    """Turn an SDK's refusal before anything is sent into one sentence.

    Only a plain ValueError is one: a broken answer is a subclass, and a job may be behind it.
    """
    reason = ""
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        reason = str(error)
    if reason:
        raise refuse(label, reason if reason.endswith(".") else f"{reason}.")


@contextmanager
def download(
    http: "httpx.Client",
    address: str,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator["httpx.Response"]:
    """Open a download and follow it to where it lies; a key is dropped at another host."""
    with http.stream(
        "GET", address, params=params, headers=headers, follow_redirects=True
    ) as answer:
        if answer.status_code >= 400:
            reason = f"The download was refused ({answer.status_code})."
            raise CallFailed(reason, outcome="refused", status=answer.status_code)
        yield answer
