"""Bringing a training file to a server: with progress, in parts when large, and never twice."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from curator.dataset.counted import counted
from curator.dataset.errors import Cancelled, TargetError, WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.tune.jobs.table import JobTable
from curator.tune.services.adapters import service_of
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.port import Service, WatchedFile

_BLOCK: Final = 1 << 20
_TRIES: Final = 3
PART_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """How patiently things are waited for, in seconds; tests use a faster one."""

    file_polls: tuple[float, ...] = (2.0, 5.0, 10.0)
    file_patience: float = 1800.0
    lookups: tuple[float, ...] = (0.0, 2.0, 5.0, 10.0, 20.0)
    retry: float = 5.0
    retry_most: float = 300.0


USUAL_PACE: Final = Pace()


def hash_file(path: Path, progress: ProgressCall, cancelled: CancelledCall) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    total, done = path.stat().st_size, 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            _stop_if(cancelled)
            digest.update(block)
            done += len(block)
            progress(done, total, f"Reading {path.name}")
    return digest.hexdigest()


def ensure_uploaded(
    connection: Connection,
    table: JobTable,
    path: Path,
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
    part_bytes: int = PART_BYTES,
    pace: Pace = USUAL_PACE,
) -> str:
    """Return the server's id of this very content, uploading it only where the server has lost it."""
    target = connection.target
    size = path.stat().st_size
    if target.max_file_bytes is not None and size > target.max_file_bytes:
        raise WrongUse(
            f"{path.name} has {counted(size, 'byte')}; {target.label} takes at most "
            f"{target.max_file_bytes:,}. Export fewer conversations."
        )
    sha256 = hash_file(path, progress, cancelled)
    known = table.find_upload(target.url, sha256)
    if known and _still_there(connection, known, size):
        return known
    if known:
        table.forget_upload(target.url, sha256)
    large = target.uploads_api and size > target.plain_upload_bytes
    send = _send_parts if large else _send_plain
    file_id = send(connection, path, progress, cancelled, part_bytes, pace)
    table.remember_upload(target.url, sha256, file_id, size)
    return file_id


def wait_processed(
    connection: Connection,
    file_id: str,
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
    pace: Pace = USUAL_PACE,
) -> str:
    """Wait until a server has looked at a file and return the last status of it.

    A server that never says more than "uploaded" counts as ready after a while: a job fails on a bad file.
    """
    end = time.monotonic() + pace.file_patience
    waits = iter(pace.file_polls)
    wait = next(waits)
    while True:
        try:
            found = service_of(connection).file(file_id)
            status, details = found.status, found.details
        except CallFailed as error:
            if not error.may_be_asked_again or time.monotonic() + wait > end:
                raise
            status, details = "no answer", ""
        if status == "processed":
            return status
        if status in ("error", "deleted", "failed"):
            raise TargetError(
                f"{connection.target.label} refused the training file: {details or status}.",
                code="invalid_training_file",
                param="training_file",
            )
        if time.monotonic() + wait > end:
            return status
        progress(0, 0, f"The server looks at the file ({status or 'no status'})")
        pause(wait, cancelled)
        wait = next(waits, wait)


def pause(seconds: float, cancelled: CancelledCall) -> None:
    """Wait, but no longer than a tenth of a second after somebody cancels."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        _stop_if(cancelled)
        time.sleep(min(0.1, left))
    _stop_if(cancelled)


def _stop_if(cancelled: CancelledCall) -> None:
    if cancelled():
        raise Cancelled("The work was cancelled.")


def _send_plain(
    connection: Connection,
    path: Path,
    progress: ProgressCall,
    cancelled: CancelledCall,
    _part_bytes: int,
    pace: Pace,
) -> str:
    total = path.stat().st_size

    def send() -> str:
        with WatchedFile(
            path, lambda done: progress(done, total, f"Uploading {path.name}"), cancelled
        ) as stream:
            return service_of(connection).upload(path.name, stream).id

    return _with_retries(send, cancelled, pace)


def _send_parts(
    connection: Connection,
    path: Path,
    progress: ProgressCall,
    cancelled: CancelledCall,
    part_bytes: int,
    pace: Pace,
) -> str:
    service = service_of(connection)
    total, done = path.stat().st_size, 0
    upload_id = service.start_parts(path.name, total)
    parts: list[str] = []
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as stream:
            while part := stream.read(part_bytes):
                _stop_if(cancelled)
                digest.update(part)
                send = partial(service.upload_part, upload_id, part)
                parts.append(_with_retries(send, cancelled, pace))
                done += len(part)
                progress(done, total, f"Uploading {path.name}, part {len(parts)}")
        return service.join_parts(upload_id, parts, digest.hexdigest())
    except (Cancelled, TargetError):
        _give_up(service, upload_id)
        raise


def _give_up(service: Service, upload_id: str) -> None:
    """Tell the server that the parts are not wanted; it drops them by itself after an hour anyway."""
    try:
        service.cancel_parts(upload_id)
    except CallFailed:
        return


def _with_retries(send: Callable[[], str], cancelled: CancelledCall, pace: Pace) -> str:
    """Send again after passing trouble: a file sent twice costs nothing, unlike a job."""
    for attempt in range(_TRIES):
        try:
            return send()
        except CallFailed as error:
            _stop_if(cancelled)
            if attempt == _TRIES - 1 or not error.is_passing:
                raise
            wait = min(pace.retry_most, error.retry_after or pace.retry * 2**attempt)
        pause(wait, cancelled)
    raise AssertionError("every attempt returns or raises")


def _still_there(connection: Connection, file_id: str, size: int) -> bool:
    try:
        found = service_of(connection).file(file_id, retries=1)
    except CallFailed as error:
        if error.status in (404, 410, 400):
            return False
        raise
    return found.size in (None, size) and found.status not in ("error", "deleted")
