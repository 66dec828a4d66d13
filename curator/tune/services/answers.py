"""Reading what services answer: every field may be missing or odd."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from curator.tune.services.client import CallFailed

if TYPE_CHECKING:
    import httpx

METHODS: Final = {"supervised": "sft", "dpo": "dpo"}


def settings_of(method: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the method ("sft", "dpo") and its settings, without those left to the service."""
    name = str(method["type"])
    chosen = method[name]["hyperparameters"]
    return METHODS[name], {key: value for key, value in chosen.items() if value != "auto"}


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
