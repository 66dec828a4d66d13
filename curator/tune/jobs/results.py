"""What a finished job left at its server: its model, which can be deleted, and files to download."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from curator.dataset.errors import Cancelled, ProjectError, WrongUse
from curator.dataset.file_names import is_reserved
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.small_files import make_folder
from curator.tune.jobs.following import served_checkpoints
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.adapters import service_of
from curator.tune.services.client import CallFailed, Connection

_UNSAFE: Final = re.compile(r"[^\w.-]+")
_NAME_MOST: Final = 100


def delete_model(connection: Connection, table: JobTable, token: str) -> Job:
    """Delete the fine-tuned model of a job at its server; what is known of the job stays.

    Raises WrongUse where there is no model, CallFailed where the server refuses.
    """
    job = table.get(token)
    if not job.checkpoint:
        raise WrongUse("This job has no fine-tuned model that could be deleted.")
    if job.deleted:
        raise WrongUse(f"{job.checkpoint} was deleted already.")
    try:
        deleted = service_of(connection).delete_model(job.checkpoint)
    except CallFailed as error:
        if error.status != 404:
            raise
    else:
        if not deleted:
            raise CallFailed(f"The server did not delete {job.checkpoint}.", outcome="refused")
    return table.update(token, deleted=time.time())


def download_files(
    connection: Connection,
    table: JobTable,
    token: str,
    folder: Path,
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> tuple[Path, ...]:
    """Download every file a server offers of a job: results, and adapters where it gives them away.

    Each file appears under its name when it is whole. Raises WrongUse where there are none.
    """
    job = table.get(token)
    if not job.job:
        raise WrongUse("The server has not named this job yet, so it has no files.")
    ids = tuple(dict.fromkeys((*job.result_files, *_files_of_checkpoints(connection, job))))
    if not ids:
        raise WrongUse("The server offers no files of this job.")
    try:
        make_folder(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return tuple(_download(connection, name, folder, progress, cancelled) for name in ids)


def _files_of_checkpoints(connection: Connection, job: Job) -> Iterator[str]:
    """Yield the files that checkpoints name; some servers give the adapters away like this."""
    for one in served_checkpoints(connection, job):
        yield from one.files


def _download(
    connection: Connection,
    file_id: str,
    folder: Path,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> Path:
    service = service_of(connection)
    facts = service.file(file_id, retries=1)
    name = _UNSAFE.sub("_", Path(facts.name).name).strip(".")
    name = name[-_NAME_MOST:] or _UNSAFE.sub("_", file_id)[-_NAME_MOST:]
    path = folder / name
    if path.exists() or is_reserved(name):
        path = folder / f"{_UNSAFE.sub('_', file_id)}-{path.name}"
    size = facts.size or 0
    draft = path.with_name(f".{path.name}.partial")

    def write(pieces: Iterator[bytes]) -> Path:
        done = 0
        try:
            with draft.open("wb") as out:
                for piece in pieces:
                    if cancelled():
                        raise Cancelled("The download was cancelled; whole files stay.")
                    out.write(piece)
                    done += len(piece)
                    progress(done, size, path.name)
            return draft.replace(path)
        except OSError as error:
            raise _unwritable(folder, error) from error

    try:
        return service.download(file_id, write)
    finally:
        draft.unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> ProjectError:
    reason = error.strerror or str(error)
    return ProjectError(
        f"The files cannot be written to {folder}: {reason}. Choose another folder.", folder
    )
