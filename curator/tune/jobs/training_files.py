"""An export folder as a job sees it: the files, the rows left out, and who stands in which line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import BrokenFile, UnreadableInput
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.small_files import read_object
from curator.formats import openai_chat
from curator.formats.registry import format_named
from curator.project.exports.manifest import conversation_of
from curator.tune.jobs.uploads import hash_file

_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """One export on disk, ready to be trained on."""

    folder: Path
    train: Path
    validation: Path | None
    rows: int
    validation_rows: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    snapshot: str = ""
    project: str = ""
    hashes: Mapping[Path, str] = field(default_factory=dict)
    """The SHA-256 of each file of the export, test included, as the manifest says it."""

    @property
    def dropped(self) -> int:
        """How many conversations of the project are not in the export."""
        return sum(self.left_out.values())

    def changed(self, progress: ProgressCall, cancelled: CancelledCall) -> tuple[str, ...]:
        """Return the names of the files that are not what the manifest says, or are gone."""
        return tuple(
            path.name
            for path, sha256 in self.hashes.items()
            if not path.is_file() or hash_file(path, progress, cancelled) != sha256
        )

    def lines(self) -> Iterator[str]:
        """Read the training lines one by one; raises UnreadableInput that names a bad line."""
        with self.train.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    yield line.decode("utf-8").rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise UnreadableInput(
                        f"Line {number} of {self.train.name} is not UTF-8. Export again.",
                        self.train,
                        number,
                    ) from error

    def conversation_of(self, line: int) -> int | None:
        """Return the conversation that stands in a training line (1-based), None where that is unknown."""
        return conversation_of(self.folder, self.train.name, line)


def open_export(folder: Path) -> Exported:
    """Read what a folder offers; raises UnreadableInput where there is nothing to train on."""
    manifest = _read_manifest(folder)
    files = {str(f.get("split")): f for f in manifest.get("files", ()) if isinstance(f, dict)}
    train = _named(folder, files.get("train"), "train.jsonl")
    if train is None:
        raise UnreadableInput(
            f"{folder} holds no train.jsonl. Give the folder of an export that has a train part.",
            folder,
        )
    form = format_named(str(manifest.get("format") or openai_chat.NAME))
    if not form.is_stored:
        raise UnreadableInput(
            f"{folder} was exported as {form.title}, which no target of Curator trains from. "
            "Export again as OpenAI chat.",
            folder,
        )
    validation = _named(folder, files.get("validation"), "validation.jsonl")
    left_out = manifest.get("left_out")
    counts = left_out.items() if isinstance(left_out, dict) else ()
    return Exported(
        folder=folder,
        train=train,
        validation=validation,
        rows=_rows(files.get("train"), train),
        validation_rows=_rows(files.get("validation"), validation),
        left_out={str(k): v for k, v in counts if isinstance(v, int)},
        snapshot=str(files.get("train", {}).get("sha256", "")),
        project=str(manifest.get("project") or ""),
        hashes={folder / Path(f["path"]).name: f["sha256"] for f in files.values()},
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest; an empty one where there is none: rows that somebody else wrote."""
    path = folder / _MANIFEST
    if not path.exists():
        return {}
    manifest = read_object(path)
    files = manifest.get("files", [])
    if not isinstance(files, list) or not all(_is_entry(file) for file in files):
        raise BrokenFile(path, "it does not list the files of an export", "Export again.")
    return manifest


def _is_entry(file: object) -> bool:
    return (
        isinstance(file, dict)
        and isinstance(file.get("path"), str)
        and isinstance(file.get("rows"), int)
        and isinstance(file.get("sha256"), str)
    )


def _named(folder: Path, entry: Mapping[str, Any] | None, usual: str) -> Path | None:
    name = Path(str(entry["path"])).name if entry and entry.get("path") else usual
    path = folder / name
    return path if path.is_file() and path.stat().st_size else None


def _rows(entry: Mapping[str, Any] | None, path: Path | None) -> int:
    if entry and isinstance(entry.get("rows"), int):
        return int(entry["rows"])
    if path is None:
        return 0
    with path.open("rb") as stream:
        return sum(1 for line in stream if line.strip())
