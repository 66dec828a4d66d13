"""What the local server and its workers know, as plain files: readable, crash-safe, no database."""

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import read_object, write_object, written_whole

_EVENT: Final = frozenset({"id", "type", "message", "level", "created_at", "data"})
FINISHED: Final = ("succeeded", "failed", "cancelled")
HEAD_FILE: Final = "head.safetensors"
"""The weights of a task head, in the folder of its checkpoint."""


def state_folder() -> Path:
    """Return the folder that outlives projects: jobs, the local server; CURATOR_STATE moves it."""
    given = os.environ.get("CURATOR_STATE")
    return Path(given) if given else Path(platformdirs.user_data_dir("curator", appauthor=False))


def local_root() -> Path:
    """Return the folder of the local trainer: its bases, files and jobs."""
    return state_folder() / "local"


def new_id(kind: str) -> str:
    """Return a fresh identifier such as ``ftjob-1f0c…``; ids sort by their time of birth."""
    return f"{kind}-{time.time_ns():016x}{secrets.token_hex(4)}"


read_json: Final = read_object
write_json: Final = write_object


def is_adapter(checkpoint: Path) -> bool:
    """Tell whether a checkpoint changes a base rather than being whole."""
    return (checkpoint / "adapter_config.json").is_file()


def is_head(checkpoint: Path) -> bool:
    """Tell whether a checkpoint's folder holds a task head."""
    return (checkpoint / HEAD_FILE).is_file()


@dataclass(frozen=True, slots=True)
class JobFolder:
    """One job: what was asked (spec), where it stands (state), what happened (events)."""

    path: Path

    @property
    def id(self) -> str:
        """The job's id, which is the folder's name."""
        return self.path.name

    @property
    def spec(self) -> dict[str, Any]:
        """What the client asked for; written once at creation."""
        return read_object(self.path / "spec.json", {"base": str, "options": dict})

    @property
    def state(self) -> dict[str, Any]:
        """Where the job stands: status, pid, trained tokens, error, times."""
        return read_object(self.path / "state.json", {"status": str})

    def fault(self) -> BrokenFile | None:
        """Return what is wrong with the job's own files, None where it can be worked with."""
        try:
            _ = self.spec, self.state
        except BrokenFile as error:
            return error
        return None

    @property
    def checkpoints_root(self) -> Path:
        """The folder that holds one folder per checkpoint, named ``step-N``."""
        return self.path / "checkpoints"

    @property
    def resume_root(self) -> Path:
        """The folder of the state a killed or paused job continues from."""
        return self.path / "resume"

    def file(self, path: str) -> Path:
        """Return where a file of the spec lies; a job that travels names it relative to its folder."""
        return self.path / path

    def update(self, **changes: Any) -> dict[str, Any]:
        """Change some keys of the state atomically and return the whole."""
        state = {**self.state, **changes}
        write_json(self.path / "state.json", state)
        return state

    def event(
        self,
        message: str,
        *,
        level: str = "info",
        data: Mapping[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Append one event; a metrics event carries data with its step, another may carry details.

        The event of a step is the same one whenever the step is done, so that a resumed job, which
        repeats steps, tells no reader of a step twice.
        """
        birth = f"-{self.id.removeprefix('ftjob-')}-step-{data['step']}" if data else ""
        entry = {
            "object": "fine_tuning.job.event",
            "id": f"ftevent{birth}" if birth else new_id("ftevent"),
            "created_at": int(time.time()),
            "level": level,
            "message": message,
            "type": "metrics" if data else "message",
            "data": dict(data or details or {}),
        }
        self._append("events.jsonl", entry)

    def fail(self, message: str, code: str | None, param: str | None) -> None:
        """Write down that the job failed and why; no process works at it any more."""
        self.event(message, level="error")
        self.update(
            status="failed",
            error={"message": message, "code": code, "param": param},
            finished_at=int(time.time()),
            pid=None,
        )

    def checkpoint(self, entry: Mapping[str, Any]) -> None:
        """Append one checkpoint record."""
        self._append("checkpoints.jsonl", entry)

    def events(self) -> list[dict[str, Any]]:
        """Return all events, oldest first; those a resumed job wrote again replace the earlier ones."""
        lines = self._lines("events.jsonl")
        return _last_of_each_step(line for line in lines if line.keys() >= _EVENT)

    def checkpoints(self) -> list[dict[str, Any]]:
        """Return all checkpoints, oldest first, each step once."""
        by_step = {
            entry["step_number"]: entry
            for entry in self._lines("checkpoints.jsonl")
            if isinstance(entry.get("step_number"), int)
        }
        return [by_step[step] for step in sorted(by_step)]

    def send(self, command: str) -> None:
        """Leave a command (cancel, pause) that the worker reads at its next step; "" takes it back."""
        with written_whole(self.path / "control") as stream:
            stream.write(command)

    def command(self) -> str:
        """Return the command that the worker was sent, empty where there is none."""
        try:
            return (self.path / "control").read_text("utf-8").strip()
        except FileNotFoundError:
            return ""

    def _append(self, name: str, entry: Mapping[str, Any]) -> None:
        with (self.path / name).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
            stream.flush()

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        path = self.path / name
        if not path.is_file():
            return
        with path.open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                # A worker killed in the middle of a write leaves half a line: the last one only.
                if line.endswith("\n") and (entry := _entry(line)) is not None:
                    yield entry


def _entry(line: str) -> dict[str, Any] | None:
    """Return what one line of a log says; None for a line that a fault of the disk has spoilt."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _last_of_each_step(entries: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep, of the metrics events of one step, only the last: a resumed job repeats steps."""
    kept: dict[object, dict[str, Any]] = {}
    for entry in entries:
        is_step = entry["type"] == "metrics" and isinstance(entry["data"], dict)
        key = ("step", entry["data"].get("step")) if is_step else str(entry["id"])
        kept.pop(key, None)
        kept[key] = entry
    return list(kept.values())
