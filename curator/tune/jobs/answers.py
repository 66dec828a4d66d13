"""From a server's answers to our values; every field of theirs may be missing or odd."""

import math
from collections.abc import Mapping
from typing import Any, Final

from curator.tune.jobs.table import Checkpoint, Event, State
from curator.tune.targets.profiles import Target

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


def state_of(raw: str, target: Target) -> State:
    """Return our word for a server's status; a word nobody knows is "unknown", which is still working."""
    word = raw.strip().lower()
    return _STATES.get(target.status_map.get(word, word), State.UNKNOWN)


def job_changes(answer: Any, target: Target) -> dict[str, Any]:
    """Return what a server's job object says, as fields of our job."""
    raw = text(getattr(answer, "status", None))
    if getattr(answer, "paused", None) is True:
        # The protocol's types know no such word, so this computer says it beside the status.
        raw = "paused"
    error = getattr(answer, "error", None)
    # Healthy jobs carry an error object too, with nothing in it.
    said = text(getattr(error, "message", None))
    code = text(getattr(error, "code", None))
    files = getattr(answer, "result_files", None)
    changes = {
        "job": text(getattr(answer, "id", None)),
        "status": state_of(raw, target),
        "raw_status": raw,
        "checkpoint": text(getattr(answer, "fine_tuned_model", None)),
        "finished": number(getattr(answer, "finished_at", None)),
        "estimated_finish": number(getattr(answer, "estimated_finish", None)),
        "trained_tokens": whole(getattr(answer, "trained_tokens", None)),
        "result_files": tuple(f for f in files if isinstance(f, str))
        if isinstance(files, list)
        else (),
        "error": said or code,
        "error_code": code,
        "error_param": text(getattr(error, "param", None)),
    }
    # What a server leaves out does not unsay what it said before.
    kept = ("status", "error")
    return {name: value for name, value in changes.items() if name in kept or value not in ("", ())}


def event_of(answer: Any) -> Event:
    """Return a server's event object as our event."""
    data = getattr(answer, "data", None)
    return Event(
        id=text(getattr(answer, "id", None)),
        created=number(getattr(answer, "created_at", None)) or 0.0,
        level=text(getattr(answer, "level", None)) or "info",
        message=text(getattr(answer, "message", None)),
        kind=text(getattr(answer, "type", None)) or "message",
        data=dict(data) if isinstance(data, Mapping) else {},
    )


def checkpoint_of(answer: Any) -> Checkpoint:
    """Return a server's checkpoint object as our checkpoint."""
    metrics = getattr(answer, "metrics", None)
    values = metrics if isinstance(metrics, dict) else getattr(metrics, "__dict__", {})
    return Checkpoint(
        id=text(getattr(answer, "id", None)),
        created=number(getattr(answer, "created_at", None)) or 0.0,
        name=text(getattr(answer, "fine_tuned_model_checkpoint", None)),
        step=whole(getattr(answer, "step_number", None)) or 0,
        metrics={k: v for k, v in values.items() if number(v) is not None},
    )


def metadata_of(answer: Any) -> Mapping[str, Any]:
    """Return the metadata a server kept of a job, empty where it keeps none."""
    metadata = getattr(answer, "metadata", None)
    return metadata if isinstance(metadata, Mapping) else {}


def text(value: object) -> str:
    """Return a text, empty for anything else."""
    return value if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def whole(value: object) -> int | None:
    """Return a whole number, None for anything else."""
    found = number(value)
    return None if found is None else int(found)
