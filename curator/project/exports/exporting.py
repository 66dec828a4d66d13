"""The export: chosen conversations as training files, proved by re-reading, published whole or not at all."""

import os
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from curator.dataset.codes import SPLITS
from curator.dataset.counted import counted, first_of
from curator.dataset.errors import GateFailed
from curator.dataset.json_values import Json
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.formats import openai_chat
from curator.formats.registry import format_named
from curator.project.exports import dataset_card, manifest
from curator.project.exports.atomic_folder import CARD, MANIFEST, publishing
from curator.project.exports.check_ahead import CheckAhead
from curator.project.exports.lines import Part, parts
from curator.project.exports.manifest import ExportedFile
from curator.project.exports.rewriting import Rewriting
from curator.project.exports.selection import DAMAGED, ExportSettings, Selection, select
from curator.project.exports.strict_check import FileCheck
from curator.project.store.patches import now_ms
from curator.project.store.project import Project
from curator.project.store.reader import Reader
from curator.project.store.runs import EXPORT, changed_since, last_run, note_run
from curator.project.store.stored_texts import damage_told

_BLOCK: Final = 1 << 20
_TOGETHER: Final = 1 << 16
_SYNC_EVERY: Final = 1 << 25
_SHOWN: Final = 10
_BYTES_OF_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written and what was left out."""

    folder: Path
    files: tuple[ExportedFile, ...]
    left_out: dict[str, int]
    notes: tuple[str, ...]
    warnings: int
    losses: dict[str, int] = field(default_factory=dict)
    read_at: int = 0
    """When the conversations were read, unix milliseconds."""
    format: str = openai_chat.NAME

    @property
    def manifest(self) -> Path:
        """Where the manifest lies."""
        return self.folder / MANIFEST

    @property
    def rows(self) -> int:
        """The number of exported conversations."""
        return sum(file.rows for file in self.files)

    def to_json(self) -> dict[str, Json]:
        """Return the keys a script reads."""
        return {
            "files": [
                {
                    "path": str(self.folder / file.path),
                    "split": file.split,
                    "rows": file.rows,
                    "bytes": file.bytes,
                    "sha256": file.sha256,
                }
                for file in self.files
            ],
            "left_out": self.left_out,
            "manifest": str(self.manifest),
            "losses": self.losses,
            "format": self.format,
            "notes": list(self.notes),
            "warnings": self.warnings,
        }


def export(
    reader: Reader,
    folder: Path | str,
    settings: ExportSettings | None = None,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> ExportReport:
    """Write the training files of a project into a folder; nothing partial is ever seen there.

    Raises GateFailed where errors stand in the way, ProjectError where the disk refuses.
    """
    settings = settings or ExportSettings()
    folder = Path(folder)
    # An own connection: one snapshot from the choice to the last line, whatever is edited meanwhile.
    read_at = now_ms()
    with reader.reader() as own, own.snapshot():
        selection = select(own, settings)
        check_gate(selection)
        with publishing(folder) as staging:
            form = Rewriting(format_named(settings.format))
            files, selection = _write(own, staging, selection, form, progress, cancelled)
            _finish(own, staging, settings, selection, files, form.losses)
    return ExportReport(
        folder,
        files,
        selection.left_out,
        selection.notes,
        selection.warnings,
        dict(form.losses),
        read_at,
        form.name,
    )


def check_gate(selection: Selection) -> None:
    """Raise GateFailed where a selection has errors, or nothing in it."""
    if selection.blockers:
        count = sum(blocker.count for blocker in selection.blockers)
        listed = "\n".join(
            f"  {b.rule} {b.title}: {b.count:,} (conversation {first_of(b.conversations, 5)})"
            for b in selection.blockers[:_SHOWN]
        )
        raise GateFailed(
            f"{counted(count, 'error stops', 'errors stop')} the export:\n{listed}\n"
            "Fix them on the Check page, or leave the conversations with errors out (--skip-errors)."
        )
    if not len(selection.ids):
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in selection.left_out.items())
        raise GateFailed(
            f"There is nothing to export: {reasons or 'the project is empty'}. "
            "Accept conversations or choose other settings."
        )


def remember(project: Project, report: ExportReport) -> None:
    """Note an export in the project, so that the last one can be shown and trained on."""
    facts = report.to_json() | {"folder": str(report.folder.absolute())}
    with project.writing() as connection:
        note_run(connection, EXPORT, facts, read_at=report.read_at)


def last_export(reader: Reader) -> dict[str, Json] | None:
    """Return what remember noted last, with the folder it lies in; None before the first.

    "is_old" says whether something was edited or imported since its conversations were read.
    """
    with reader.reading() as connection:
        last = last_run(connection, EXPORT)
        if last is None:
            return None
        facts, at = last
        return facts | {"is_old": changed_since(connection, at)}


def is_trainable(facts: Mapping[str, Json]) -> bool:
    """Say whether jobs train from an export: only OpenAI chat is what every target takes."""
    return format_named(str(facts.get("format", openai_chat.NAME))).is_stored


def _write(
    reader: Reader,
    staging: Path,
    selection: Selection,
    form: Rewriting,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> tuple[tuple[ExportedFile, ...], Selection]:
    codes = [code for code in range(1, len(SPLITS)) if (selection.split == code).any()]
    outputs = {code: _Output(staging, SPLITS[code]) for code in codes}
    total = len(selection.ids)
    syncing: list[Future[None]] = []
    expected = int(selection.tokens.sum()) * _BYTES_OF_TOKEN
    with (
        CheckAhead(expected, form.name) as ahead,
        ThreadPoolExecutor(1, thread_name_prefix="curator-sync") as disk,
    ):
        try:
            written = 0
            for batch in parts(reader, selection, cancelled):
                for part in batch:
                    outputs[part.code].write(form.rewritten(part))
                    written += len(part.ids)
                for output in outputs.values():
                    output.flush()
                    ahead.hand_out(staging / output.name, output.size)
                    if output.is_sync_due():
                        syncing.append(disk.submit(_sync, output.file))
                progress(written, 2 * total, "Writing")
            selection = form.only_held(selection.without(reader.damaged, DAMAGED, damage_told))
            check_gate(selection)
            for code in [code for code, output in outputs.items() if not output.rows]:
                outputs.pop(code).discard()
            # The disk writes while the files are read again: both wait for different things.
            syncing += [output.end(disk) for output in outputs.values()]
            checks = _check(staging, outputs, ahead, progress, cancelled)
            for waiting in syncing:
                waiting.result()
        finally:
            for output in outputs.values():
                output.close()
    files = [output.facts(selection, code, checks[code]) for code, output in outputs.items()]
    return tuple(files), selection


def _check(
    staging: Path,
    outputs: dict[int, "_Output"],
    ahead: CheckAhead,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> dict[int, FileCheck]:
    checks: dict[int, FileCheck] = {}
    done = 0
    total = sum(output.rows for output in outputs.values())
    for code, output in outputs.items():
        progress(total + done, 2 * total, "Checking what was written")
        found = ahead.result(staging / output.name, cancelled)
        if found.problems:
            raise GateFailed(_problems_text(staging, output.name, found))
        if (found.sha256, found.bytes, found.rows) != (output.digest(), output.size, output.rows):
            raise GateFailed(
                f"{output.name} does not read back as it was written, so the disk is not to be "
                "trusted. Nothing was exported; choose another disk."
            )
        checks[code] = found
        done += found.rows
    progress(2 * total, 2 * total, "Checking what was written")
    return checks


def _problems_text(staging: Path, name: str, found: FileCheck) -> str:
    lines = []
    for problem in found.problems[:_SHOWN]:
        id_ = manifest.conversation_of(staging, name, problem.line)
        lines.append(f"  conversation {id_}: {problem.rule} {problem.message}")
    listed = "\n".join(lines)
    return (
        f"{counted(len(found.problems), 'line')} of {name} with errors that the project does not "
        f"know of yet:\n{listed}\nNothing was exported. Run the checks again, fix them, then export."
    )


def _finish(
    reader: Reader,
    staging: Path,
    settings: ExportSettings,
    selection: Selection,
    files: tuple[ExportedFile, ...],
    losses: Mapping[str, int],
) -> None:
    facts = manifest.build(reader, settings, selection, files, losses)
    card = dataset_card.dataset_card(reader, facts, files).encode("utf-8")
    facts["card_sha256"] = sha256(card).hexdigest()
    _write_durably(staging / CARD, card)
    _write_durably(staging / MANIFEST, manifest.written(facts))


def _write_durably(path: Path, raw: bytes) -> None:
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


class _Output:
    """One training file and the file beside it that says which conversation each line is."""

    def __init__(self, staging: Path, split: str) -> None:
        self.split = split
        self.name = f"{split}.jsonl"
        self.file: BinaryIO = (staging / self.name).open("wb", buffering=0)
        self._entries: BinaryIO = (staging / manifest.lines_name(self.name)).open("wb", buffering=0)
        self._hash, self._entries_hash = sha256(), sha256()
        self.size = self.rows = self._unsynced = 0
        self._waiting: list[bytes | memoryview] = []
        self._waiting_bytes = 0
        self._entries_waiting: list[str] = []

    def write(self, part: Part) -> None:
        """Write some lines; the last of them may wait until flush."""
        if not part.ids:
            return
        if len(part.raw) < _TOGETHER:
            self._waiting.append(part.raw)
            self._waiting_bytes += len(part.raw)
            self._waiting.append(b"\n")
            if self._waiting_bytes >= _BLOCK:
                self.flush()
        else:
            # Long enough to go to the disk from where it is, without being copied.
            self.flush()
            self._put(part.raw)
            self._waiting.append(b"\n")
        entries = manifest.line_entries(self.rows + 1, part.ids, part.places)
        self._entries_waiting.append(entries)
        self.rows += len(part.ids)

    def flush(self) -> None:
        """Write what waits, so that the file ends with a whole line."""
        raw, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
        self._put(raw)
        entries, self._entries_waiting = "".join(self._entries_waiting).encode("ascii"), []
        _write_all(self._entries, entries)
        self._entries_hash.update(entries)

    def _put(self, raw: bytes | memoryview) -> None:
        _write_all(self.file, raw)
        self._hash.update(raw)
        self.size += len(raw)
        self._unsynced += len(raw)

    def is_sync_due(self) -> bool:
        if self._unsynced < _SYNC_EVERY:
            return False
        self._unsynced = 0
        return True

    def end(self, disk: ThreadPoolExecutor) -> "Future[None]":
        return disk.submit(_sync, self.file, self._entries)

    def close(self) -> None:
        self.file.close()
        self._entries.close()

    def discard(self) -> None:
        """Take both files away: all that was to stand in them is damaged."""
        self.close()
        for file in (self.file, self._entries):
            Path(file.name).unlink()

    def digest(self) -> str:
        return self._hash.hexdigest()

    def facts(self, selection: Selection, code: int, check: FileCheck) -> ExportedFile:
        mine = selection.split == code
        return ExportedFile(
            path=self.name,
            split=self.split,
            rows=check.rows,
            bytes=check.bytes,
            sha256=check.sha256,
            tokens=int(selection.tokens[mine].sum()),
            trained_tokens=int(selection.trained_tokens[mine].sum()),
            lines=manifest.lines_name(self.name),
            lines_sha256=self._entries_hash.hexdigest(),
        )


def _write_all(file: BinaryIO, raw: bytes | memoryview) -> None:
    view = memoryview(raw)
    while view:
        view = view[file.write(view) :]


def _sync(*files: BinaryIO) -> None:
    for file in files:
        if sys.platform == "linux":
            os.fdatasync(file.fileno())
        else:
            os.fsync(file.fileno())
