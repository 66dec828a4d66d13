"""The job table: every job of every target and project, durable before anything is asked of a server.

It is a small SQLite file in the user's data folder and not part of a project: a job outlives the
window, and one account's jobs may come from many projects. Nothing in it is secret.
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import apsw

from curator.dataset.errors import ProjectError, WrongUse
from curator.dataset.small_files import make_folder
from curator.tune.services.port import Checkpoint, Event, State
from curator.tune.targets.profiles import state_folder

FINAL: Final = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.DISCARDED})
"""States after which nothing more happens."""

FOLLOWED: Final = frozenset(
    {State.VALIDATING, State.QUEUED, State.RUNNING, State.PAUSED, State.UNKNOWN}
)
"""States in which a server has the job, so that it can be followed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as we know it; token is ours and unique, job is the server's id once there is one."""

    token: str
    target: str
    base_url: str
    base: str
    method: str = "sft"
    settings: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    seed: int | None = None
    grader: Mapping[str, Any] | None = None
    wandb: Mapping[str, Any] | None = None
    export: str = ""
    project: str = ""
    snapshot: str = ""
    rows: int = 0
    tokens: int = 0
    epochs: int | None = None
    training_file: str = ""
    validation_file: str = ""
    job: str = ""
    status: State = State.PREPARING
    raw_status: str = ""
    checkpoint: str = ""
    created: float = 0.0
    finished: float | None = None
    estimated_finish: float | None = None
    trained_tokens: int | None = None
    result_files: tuple[str, ...] = ()
    error: str = ""
    error_code: str = ""
    error_param: str = ""
    deleted: float | None = None
    updated: float = 0.0

    @property
    def is_final(self) -> bool:
        """Whether the job has come to its end."""
        return self.status in FINAL

    @property
    def is_followed(self) -> bool:
        """Whether a server has the job and may still change it."""
        return self.job != "" and self.status in FOLLOWED

    def is_of(self, project: str) -> bool:
        """Whether it belongs to the project at a path; a job of no project is everybody's.

        A job started from a bare export folder knows only the file name its manifest gives.
        """
        if not self.project or not project:
            return True
        if Path(self.project).name == self.project:
            return self.project == Path(project).name
        return Path(self.project).resolve() == Path(project).resolve()

    def to_row(self) -> dict[str, Any]:
        """Return the keys the command line promises for one job."""
        return {
            "job": self.job or self.token,
            "target": self.target,
            "base": self.base,
            "status": str(self.status),
            "checkpoint": self.checkpoint or None,
            "created": self.created,
            "finished": self.finished,
            "error": self.error or None,
            "deleted": self.deleted,
        }


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS job (token TEXT PRIMARY KEY, created REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (
  token TEXT NOT NULL, id TEXT NOT NULL, created REAL NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (token, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint (
  token TEXT NOT NULL, id TEXT NOT NULL, created REAL NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (token, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload (
  base_url TEXT NOT NULL, sha256 TEXT NOT NULL, file TEXT NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (base_url, sha256)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lineage (token TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result (token TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


class JobTable:
    """All jobs on disk; every method may be called from any thread."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / "jobs.sqlite"
        self._lock = threading.RLock()
        try:
            make_folder(self.path.parent)
            self._db = apsw.Connection(str(self.path))
            self._db.set_busy_timeout(10_000)
            # FULL: the token must be on the disk before a paid job is asked for.
            start = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            self._db.execute(start + _SCHEMA).fetchall()
        except (OSError, apsw.Error) as error:
            raise ProjectError(
                f"The job table {self.path} cannot be opened: {error}. Set CURATOR_STATE to a "
                "folder you can write to.",
                self.path,
            ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the file for one change; another window's change waits, none is lost."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except apsw.Error as error:
                raise ProjectError(
                    f"The job table {self.path} cannot be written: {error}. Free some space or "
                    "set CURATOR_STATE to another folder.",
                    self.path,
                ) from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Hold the file for a look; what is damaged in it is one sentence."""
        with self._lock:
            try:
                yield
            except (apsw.Error, ValueError, KeyError, TypeError, RecursionError) as error:
                raise ProjectError(
                    f"The job table {self.path} is damaged ({type(error).__name__}). Move it "
                    "elsewhere: a new one is made, and jobs at services go on without it.",
                    self.path,
                ) from error

    def _write(self, sql: str, *values: Any) -> None:
        with self._writing():
            self._db.execute(sql, values)

    def _first(self, sql: str, *values: Any) -> Any:
        """Return the first value of the first row; None where there is no row."""
        with self._reading():
            row = self._db.execute(sql, values).fetchone()
        return row[0] if row else None

    def add(self, job: Job) -> Job:
        """Keep a new job and return it with its time of creation; on disk when this returns."""
        now = time.time()
        kept = replace(job, created=job.created or now, updated=now)
        self._write("INSERT INTO job VALUES (?, ?, ?)", kept.token, kept.created, _job_json(kept))
        return kept

    def update(self, token: str, **changes: Any) -> Job:
        """Change some fields of a job and return it; on disk when this returns."""
        with self._writing():
            changed = replace(self.get(token), **changes, updated=time.time())
            self._db.execute("UPDATE job SET body = ? WHERE token = ?", (_job_json(changed), token))
        return changed

    def get(self, name: str) -> Job:
        """Return a job by our token or the server's id; raises WrongUse where there is none."""
        found = self._first(
            f"SELECT body FROM job WHERE token = ? OR {_json_field('body', 'job')} = ? "
            "ORDER BY created DESC",
            name,
            name,
        )
        if found is None or not name:
            raise WrongUse(f'There is no job "{name}". "curator jobs list" shows all.')
        with self._reading():
            return _job_of(str(found))

    def all(self) -> tuple[Job, ...]:
        """Return every job, newest first."""
        with self._reading():
            rows = self._db.execute("SELECT body FROM job ORDER BY created DESC").fetchall()
            return tuple(job for (body,) in rows if (job := _job_or_none(str(body))) is not None)

    def damaged(self) -> tuple[str, ...]:
        """Return the tokens of the jobs whose rows are damaged, which all() leaves out."""
        with self._reading():
            rows = self._db.execute("SELECT token, body FROM job ORDER BY created DESC").fetchall()
            return tuple(str(token) for token, body in rows if _job_or_none(str(body)) is None)

    def forget(self, token: str) -> None:
        """Take a job out of the table; nothing happens at the server."""
        with self._writing():
            for table in ("job", "event", "checkpoint", "result", "lineage"):
                self._db.execute(f"DELETE FROM {table} WHERE token = ?", (token,))

    def add_events(self, token: str, events: Iterable[Event]) -> tuple[Event, ...]:
        """Keep events, merged by id, and return those that are new; of one that comes again the last counts."""
        new = []
        with self._writing():
            for event in events:
                if not self.has_event(token, event.id):
                    new.append(event)
                self._db.execute(
                    "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?)",
                    (token, event.id, event.created, _json(asdict(event))),
                )
        return tuple(new)

    def has_event(self, token: str, event_id: str) -> bool:
        """Say whether an event is known already."""
        sql = "SELECT 1 FROM event WHERE token = ? AND id = ?"
        return self._first(sql, token, event_id) is not None

    def events(self, token: str) -> tuple[Event, ...]:
        """Return a job's events, oldest first; those of one second stay in their order of arrival."""
        with self._reading():
            rows = self._db.execute(
                "SELECT body FROM event WHERE token = ? ORDER BY created, id", (token,)
            ).fetchall()
            return tuple(Event(**json.loads(str(body))) for (body,) in rows)

    def set_checkpoints(self, token: str, checkpoints: Iterable[Checkpoint]) -> None:
        """Keep what checkpoints a server names now; those it dropped stay known."""
        with self._writing():
            for one in checkpoints:
                body = asdict(one)
                del body["files"]  # their addresses do not last: the service is asked again
                self._db.execute(
                    "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?)",
                    (token, one.id, one.created, _json(body)),
                )

    def checkpoints(self, token: str) -> tuple[Checkpoint, ...]:
        """Return a job's checkpoints by step."""
        with self._reading():
            rows = self._db.execute("SELECT body FROM checkpoint WHERE token = ?", (token,))
            found = [Checkpoint(**json.loads(str(body))) for (body,) in rows.fetchall()]
        return tuple(sorted(found, key=lambda one: one.step))

    def keep_result(self, token: str, text: str) -> None:
        """Keep a job's result table (CSV text)."""
        self._write("INSERT OR REPLACE INTO result VALUES (?, ?)", token, text)

    def result(self, token: str) -> str:
        """Return a job's result table, empty where there is none."""
        return str(self._first("SELECT body FROM result WHERE token = ?", token) or "")

    def keep_lineage(self, token: str, body: bytes) -> None:
        """Keep what a job trains on, packed, for as long as the job is known."""
        self._write("INSERT OR REPLACE INTO lineage VALUES (?, ?)", token, body)

    def lineage(self, token: str) -> bytes:
        """Return what keep_lineage kept, empty where there is nothing."""
        return bytes(self._first("SELECT body FROM lineage WHERE token = ?", token) or b"")

    def of_checkpoint(self, name: str) -> Job | None:
        """Return the job that made a checkpoint (its last one or one on the way), None where none did."""
        with self._reading():
            row = self._db.execute(
                "SELECT job.body FROM job LEFT JOIN checkpoint USING (token) "
                f"WHERE {_json_field('job.body', 'checkpoint')} = ? "
                f"OR {_json_field('checkpoint.body', 'name')} = ? ORDER BY job.created DESC",
                (name, name),
            ).fetchone()
            return _job_of(str(row[0])) if row and name else None

    def remember_upload(self, base_url: str, sha256: str, file: str, size: int) -> None:
        """Remember which file of a server holds which content."""
        sql = "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?)"
        self._write(sql, base_url, sha256, file, size)

    def forget_upload(self, base_url: str, sha256: str) -> None:
        """Forget an uploaded file that the server no longer has."""
        self._write("DELETE FROM upload WHERE base_url = ? AND sha256 = ?", base_url, sha256)

    def find_upload(self, base_url: str, sha256: str) -> str:
        """Return the server's file of that content, empty where none is remembered."""
        sql = "SELECT file FROM upload WHERE base_url = ? AND sha256 = ?"
        return str(self._first(sql, base_url, sha256) or "")


_FIELDS: Final = frozenset(f.name for f in fields(Job))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)


def _job_json(job: Job) -> str:
    return _json(asdict(job))


def _json_field(column: str, key: str) -> str:
    """Return the SQL for a key of a stored object; NULL where a damaged row holds none."""
    return f"CASE WHEN json_valid({column}) THEN json_extract({column}, '$.{key}') END"


def _job_or_none(body: str) -> Job | None:
    """Return a job, None for a row that is damaged: the others are shown all the same."""
    try:
        return _job_of(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _job_of(body: str) -> Job:
    # Fields of a newer version are left aside, so that an older window still shows the job.
    kept = {name: value for name, value in json.loads(body).items() if name in _FIELDS}
    kept["status"] = State(kept["status"])
    kept["result_files"] = tuple(kept.get("result_files") or ())
    return Job(**kept)
