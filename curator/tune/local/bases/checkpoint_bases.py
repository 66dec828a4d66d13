"""A checkpoint of this computer as the base of another job: supervised first, then preferences.

The adapter is merged once into weights of their own, in a folder of the checkpoint's name. So every
method can start from it, a preference job compares with exactly what the checkpoint answered, and the
result needs neither the checkpoint nor its job to be kept.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import make_folder
from curator.tune.local.job_folders import JobFolder, is_adapter, is_head, read_json, write_json
from curator.tune.local.weights import gguf_adapter, methods, vocabulary

NOTE: Final = "checkpoint.json"
"""The note in a merged folder: the checkpoint's name and folder, its base, and the first base of all."""

_NOTE: Final = {"name": str, "checkpoint": str, "base": str, "base_folder": str, "family": str}
_NAME: Final = re.compile(r"ft:.*:this-computer:.*:(?P<job>[0-9a-f]+)(?::ckpt-step-(?P<step>\d+))?")
_WEIGHTS: Final = "model.safetensors"
_NOT_COPIED: Final = (
    "*.safetensors",
    "*.safetensors.index.json",
    "*.gguf",
    "origin.json",
    "features",
)


class StartRefused(ValueError):
    """A job cannot start from this checkpoint; the text says why and from what it can."""


@dataclass(frozen=True, slots=True)
class Start:
    """A checkpoint to start from: the folder of its merged weights, its base and the first base of all."""

    name: str
    folder: Path
    base: str
    family: str


def family_of(name: str) -> str:
    """Return the first base behind a checkpoint's name, or the name itself where it is no checkpoint."""
    return name.removeprefix("ft:").split(":", 1)[0] if _NAME.fullmatch(name) else name


def find_start(name: str, root: Path) -> Start | None:
    """Return what a checkpoint's name stands for, None where it is no such name; raises StartRefused.

    Looks at names and notes only: the weights are merged by the worker that loads them first.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    merged = _merged_folder(root, match["job"], match["step"])
    if merged is None:
        job = JobFolder(root / "jobs" / f"ftjob-{match['job']}")
        checkpoint = _checkpoint(job, match["step"])
        if checkpoint is None:
            raise StartRefused(
                f"There is no checkpoint {name} on this computer; curator models lists them."
            )
        _refuse_what_holds_no_answers(name, checkpoint, job.spec["base"])
        merged = root / "merged" / f"{match['job']}-{checkpoint.name}"
        return Start(name, merged, job.spec["base"], family_of(name))
    note = read_json(merged / NOTE, _NOTE)
    return Start(name, merged, note["base"], note["family"])


def lay_out(start: Start, base_folder: Path, root: Path) -> None:
    """Make the folder of a start, without its weights: what describes its base, and the note."""
    if (start.folder / NOTE).is_file():
        return
    match = _NAME.fullmatch(start.name)
    assert match is not None  # find_start read the name
    checkpoint = _checkpoint(JobFolder(root / "jobs" / f"ftjob-{match['job']}"), match["step"])
    make_folder(start.folder.parent)
    with tempfile.TemporaryDirectory(dir=start.folder.parent, prefix=".new-") as scratch:
        fresh = Path(scratch) / "folder"
        shutil.copytree(base_folder, fresh, ignore=shutil.ignore_patterns(*_NOT_COPIED, NOTE))
        write_json(
            fresh / NOTE,
            {
                "name": start.name,
                "checkpoint": str(checkpoint),
                "base": start.base,
                "base_folder": str(base_folder),
                "family": start.family,
            },
        )
        if not start.folder.exists():
            fresh.rename(start.folder)


def has_weights(folder: Path) -> bool:
    """Tell whether a merged folder has its weights already."""
    return (folder / _WEIGHTS).is_file()


def sized_like(folder: Path) -> Path:
    """Return a folder whose weights have the size of this base's: its own, or those to be merged into."""
    if not (folder / NOTE).is_file() or has_weights(folder):
        return folder
    return sized_like(Path(read_json(folder / NOTE, _NOTE)["base_folder"]))


def merge(folder: Path, tokenizer: Any, weights: Any) -> None:
    """Write a start's weights: those of its base with what the checkpoint learned; runs in a worker.

    tokenizer and weights are the base's own, loaded in 32 bits; both are changed.
    """
    checkpoint = Path(read_json(folder / NOTE, _NOTE)["checkpoint"])
    words = vocabulary.teach(tokenizer, vocabulary.remembered(checkpoint))
    vocabulary.extend(tokenizer, weights, words)
    if is_adapter(checkpoint):
        weights = methods.load(weights, checkpoint).merge_and_unload()
    base_folder = Path(read_json(folder / NOTE, _NOTE)["base_folder"])
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        fresh = Path(scratch)
        weights.save_pretrained(fresh, safe_serialization=True, max_shard_size="1TB")
        if words:
            tokenizer.save_pretrained(fresh)
        elif gguf_adapter.obstacle(base_folder, fresh) == "":
            gguf_adapter.converted(base_folder, fresh)
        # The weights come last: they say that all is there.
        for path in sorted(fresh.iterdir(), key=lambda path: path.name == _WEIGHTS):
            path.replace(folder / path.name)


def remove_unused(root: Path, used: Iterable[str]) -> None:
    """Delete the merged weights that no job in used (names of bases) was started from."""
    kept = set(used)
    for note in (root / "merged").glob(f"*/{NOTE}"):
        try:
            is_used = read_json(note, _NOTE)["name"] in kept
        except BrokenFile:
            # A job that starts from it gets the error; what it was made from is still there.
            continue
        if not is_used:
            shutil.rmtree(note.parent)


def _merged_folder(root: Path, job: str, step: str | None) -> Path | None:
    """Return the laid out folder of a checkpoint; without a step that of the job's last one."""
    if step is None:
        state = root / "jobs" / f"ftjob-{job}" / "state.json"
        last = read_json(state).get("checkpoint") if state.is_file() else None
        folders = [root / "merged" / f"{job}-{last}"]
    else:
        folders = [root / "merged" / f"{job}-step-{step}"]
    return next((folder for folder in folders if (folder / NOTE).is_file()), None)


def _checkpoint(job: JobFolder, step: str | None) -> Path | None:
    """Return the folder of a job's checkpoint, the last one where no step is named."""
    if not (job.path / "state.json").is_file():
        return None
    name = f"step-{step}" if step is not None else job.state.get("checkpoint")
    folder = job.checkpoints_root / str(name)
    return folder if name and folder.is_dir() else None


def _refuse_what_holds_no_answers(name: str, checkpoint: Path, base: str) -> None:
    if is_head(checkpoint):
        raise StartRefused(f"{name} gives labels, not answers; start from its base, {base}.")
    if not is_adapter(checkpoint):
        return
    kind = read_json(checkpoint / "adapter_config.json").get("peft_type")
    if kind != "LORA":
        raise StartRefused(
            f"{name} is a soft prompt and changed no weights; start from its base, {base}."
        )
