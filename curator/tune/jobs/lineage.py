"""Where a checkpoint comes from: which rows of which project, by which settings, known for ever.

A job keeps a packed copy of its export's manifest and of who stands in which line, so that the answer
does not depend on the export folder being there.
"""

import json
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import BrokenFile, UnreadableInput, WrongUse
from curator.dataset.small_files import read_object
from curator.project.exports.manifest import lines_name
from curator.tune.jobs.table import Job, JobTable
from curator.tune.jobs.training_files import Exported, open_export

_MANIFEST: Final = "manifest.json"
_VALIDATION: Final = re.compile(r"validation (data)?(file|set)|validation\.jsonl", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lineage:
    """All that made a checkpoint; conversations are ids of the project, in the order of the lines."""

    checkpoint: str
    step: int | None
    job: Job
    manifest: dict[str, Any]
    conversations: dict[str, list[int | None]]

    def to_row(self) -> dict[str, Any]:
        """Return the keys a script reads."""
        job = self.job
        return {
            "checkpoint": self.checkpoint,
            "step": self.step,
            "job": job.job or job.token,
            "target": job.target,
            "base": job.base,
            "method": job.method,
            "settings": dict(job.settings),
            "suffix": job.suffix,
            "seed": job.seed,
            "epochs": job.epochs,
            "grader": job.grader,
            "created": job.created,
            "finished": job.finished,
            "project": job.project,
            "export": job.export,
            "export_is_there": bool(job.export) and (Path(job.export) / _MANIFEST).is_file(),
            "snapshot": job.snapshot,
            "rows": {split: len(ids) for split, ids in self.conversations.items()},
            "conversations": self.conversations,
            "manifest": self.manifest,
        }


def pack(exported: Exported) -> bytes:
    """Return a packed copy of what an export says of itself: manifest, and conversations by line."""
    manifest: Any = {}
    path = exported.folder / _MANIFEST
    if path.exists():
        manifest = read_object(path)
    files = {"train": exported.train, "validation": exported.validation}
    rows = {
        split: _conversations(exported.folder / lines_name(file.name))
        for split, file in files.items()
        if file is not None
    }
    return zlib.compress(json.dumps({"manifest": manifest, "conversations": rows}).encode(), 6)


def lineage_of(table: JobTable, checkpoint: str) -> Lineage:
    """Return where a checkpoint (its name, or a job) comes from; raises WrongUse where that is unknown."""
    job = table.of_checkpoint(checkpoint)
    if job is None:
        try:
            job = table.get(checkpoint)
        except WrongUse:
            raise WrongUse(
                f'No job started from this computer made "{checkpoint}". "curator jobs list" shows '
                "the checkpoints of all."
            ) from None
        checkpoint = job.checkpoint or checkpoint
    packed = table.lineage(job.token)
    kept = _unpacked(table.path, packed) if packed else {}
    steps = {one.name: one.step for one in table.checkpoints(job.token)}
    return Lineage(
        checkpoint=checkpoint,
        step=steps.get(checkpoint),
        job=job,
        manifest=kept.get("manifest") or {},
        conversations=kept.get("conversations") or {},
    )


def lines_of(table: JobTable, job: Job) -> Callable[[int], int | None]:
    """Return what tells the conversation in a line (1-based) of the file that a job's error speaks of.

    What was kept at the start counts, so the answer is right also where the export was made again.
    """
    rows: dict[str, list[int | None]] = {}
    # A failed job is explained all the same where what names its lines is damaged.
    with suppress(UnreadableInput):
        packed = table.lineage(job.token) or _pack_again(job)
        rows = (_unpacked(table.path, packed).get("conversations") or {}) if packed else {}
    is_validation = "validation" in f"{job.error_param} {job.error_code}".lower() or bool(
        _VALIDATION.search(job.error)
    )
    lines = rows.get("validation" if is_validation else "train") or []

    def conversation_of(line: int) -> int | None:
        return lines[line - 1] if 0 < line <= len(lines) else None

    return conversation_of


def _pack_again(job: Job) -> bytes:
    """Return what a job that kept nothing trains on, where its very export still lies there.

    Raises UnreadableInput where the export is damaged.
    """
    exported = open_export(Path(job.export)) if job.export else None
    if exported is None or (job.snapshot and exported.snapshot != job.snapshot):
        return b""
    return pack(exported)


def _conversations(path: Path) -> list[int | None]:
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8") as entries:
            return [json.loads(entry)["conversation"] for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenFile(path, "it does not name the lines one by one", "Export again.") from error


def _unpacked(path: Path, packed: bytes) -> dict[str, Any]:
    try:
        kept = json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError, RecursionError) as error:
        raise BrokenFile(
            path,
            "what it knew of this checkpoint is damaged",
            "Keep the file: what else is known of jobs stands in it.",
        ) from error
    return kept if isinstance(kept, dict) else {}
