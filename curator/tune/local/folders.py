"""What the local server and its workers know, as plain files: readable, crash-safe, no database."""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

FINISHED: Final = ("succeeded", "failed", "cancelled")


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


def write_json(path: Path, value: Mapping[str, Any], *, private: bool = False) -> None:
    """Replace a JSON file in one step, so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, ensure_ascii=False, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o600 if private else 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object written by write_json."""
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


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
        return read_json(self.path / "spec.json")

    @property
    def state(self) -> dict[str, Any]:
        """Where the job stands: status, pid, trained tokens, error, times."""
        return read_json(self.path / "state.json")

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

    def checkpoint(self, entry: Mapping[str, Any]) -> None:
        """Append one checkpoint record."""
        self._append("checkpoints.jsonl", entry)

    def events(self) -> list[dict[str, Any]]:
        """Return all events, oldest first; those a resumed job wrote again replace the earlier ones."""
        return _last_of_each_step(self._lines("events.jsonl"))

    def checkpoints(self) -> list[dict[str, Any]]:
        """Return all checkpoints, oldest first, each step once."""
        by_step = {entry["step_number"]: entry for entry in self._lines("checkpoints.jsonl")}
        return [by_step[step] for step in sorted(by_step)]

    def ask(self, wish: str) -> None:
        """Leave a wish (cancel, pause) that the worker meets at its next step; "" takes it back."""
        (self.path / "control").write_text(wish, "utf-8")

    def wish(self) -> str:
        """Return what was asked of the worker."""
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
        if not path.exists():
            return
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                # A worker killed in the middle of a write leaves half a line: the last one only.
                if line.endswith("\n"):
                    yield json.loads(line)


def _last_of_each_step(entries: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep, of the metrics events of one step, only the last: a resumed job repeats steps."""
    kept: dict[object, dict[str, Any]] = {}
    for entry in entries:
        key = ("step", entry["data"]["step"]) if entry["type"] == "metrics" else entry["id"]
        kept.pop(key, None)
        kept[key] = entry
    return list(kept.values())
