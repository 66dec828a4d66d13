"""A job as a folder of its own, for a larger machine: data, settings, trainer and ways to start it.

``python -m curator.tune.local.bundle FOLDER --base BASE --training FILE [--validation FILE]
[--options JSON]``
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import CuratorError, WrongUse
from curator.dataset.regular_files import open_regular
from curator.dataset.resources import resource
from curator.dataset.small_files import make_folder
from curator.project.exports.atomic_folder import publishing
from curator.tune.local.bases import checkpoint_bases
from curator.tune.local.bases.bases import ORIGIN, TINY, Base, BaseUnusable, find_base
from curator.tune.local.bases.environment import TORCH, code_folder, trainer_python
from curator.tune.local.job_folders import write_json
from curator.tune.local.options import METADATA_KEY, BadOption, TrainingOptions, resolve

_CODE: Final = (
    "__init__.py",
    "dataset/*.py",
    "tune/__init__.py",
    "tune/local/__init__.py",
    "tune/local/crash_reasons.py",
    "tune/local/devices.py",
    "tune/local/job_folders.py",
    "tune/local/options.py",
    "tune/local/bases/*.py",
    "tune/local/weights/*.py",
    "tune/local/trainer/*.py",
)
"""The modules that the training worker imports, as patterns below the package.

The packages for replies and for the local server are not copied.
"""


def export(
    folder: Path,
    base: str,
    training: Path,
    options: TrainingOptions,
    validation: Path | None = None,
) -> Path:
    """Write a job into a new folder and return it; nothing outside the folder is needed to run it.

    It appears whole or not at all. Raises WrongUse where the folder is not empty or the base is not
    on this computer, UnreadableInput where a file cannot be read, ProjectError on an error of the disk.
    """
    if folder.exists() and any(folder.iterdir()):
        raise WrongUse(f"{folder} is not empty; a job needs a new folder.")
    try:
        found = find_base(base)
    except BaseUnusable as error:
        raise WrongUse(str(error)) from error
    _ensure_merged(found)
    with publishing(folder, "bundle") as staging:
        _fill(staging, found, training, options, validation)
    return folder


def _fill(
    folder: Path,
    found: Base,
    training: Path,
    options: TrainingOptions,
    validation: Path | None,
) -> None:
    _copy(training, folder / "train.jsonl")
    if validation is not None:
        _copy(validation, folder / "validation.jsonl")
    if found.name == TINY:
        # The tiny base is made where the job runs, from the shipped sample.
        shutil.copytree(resource("samples"), folder / "code" / "curator" / "resources" / "samples")
    else:
        shutil.copytree(
            found.folder,
            folder / "base",
            copy_function=_copy_regular,
            # What only this computer uses: weights for its chat, where the base came from, cached features.
            ignore=shutil.ignore_patterns("*.gguf", ORIGIN, checkpoint_bases.NOTE, "features"),
        )
    spec = {
        "base": "tiny" if found.name == TINY else "base",
        "base_folder": "base",
        "options": options.to_json(),
        "training_path": "train.jsonl",
        "validation_path": "validation.jsonl" if validation else None,
        "created_at": int(time.time()),
    }
    write_json(folder / "spec.json", spec)
    write_json(folder / "state.json", {"status": "queued", "created_at": spec["created_at"]})
    _add_trainer(folder, options)


def export_request(
    folder: Path, request: Mapping[str, Any], training: Path, validation: Path | None = None
) -> Path:
    """Write what the body of a create call asks for as a bundle; raises WrongUse where it is wrong."""
    base = str(request["model"])
    try:
        options = resolve(request, tiny=find_base(base).is_tiny)
    except BaseUnusable as error:
        raise WrongUse(str(error)) from error
    except BadOption as error:
        raise WrongUse(f"{error.param}: {error}") from error
    return export(folder, base, training, options, validation)


def _ensure_merged(base: Base) -> None:
    """Let the trainer merge the adapter of a checkpoint that is to be the base into weights of its own.

    Raises WrongUse where it cannot.
    """
    if not base.family or checkpoint_bases.has_weights(base.folder):
        return
    trainer = trainer_python()
    if trainer is None:
        raise WrongUse(
            f"To put {base.name} into a bundle its weights must be merged, which needs the trainer: "
            "curator trainer --install."
        )
    # Whoever loads a checkpoint as a base merges it first; the tokenizer is the smallest thing to load.
    code = "import sys; from curator.tune.local.bases import bases as b; b.load_tokenizer(b.find_base(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": str(code_folder()), "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(
        [trainer, "-c", code, base.name],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise WrongUse(f"{base.name} could not be merged: {answer.stderr.strip()[-300:]}")


def _add_trainer(folder: Path, options: TrainingOptions) -> None:
    home = code_folder() / "curator"
    for path in sorted(path for pattern in _CODE for path in home.glob(pattern)):
        _copy(path, folder / "code" / "curator" / path.relative_to(home))
    for path in resource("trainer", "bundle").iterdir():
        _copy(path, folder / path.name)
    (folder / "run.sh").chmod(0o755)
    needed = resource("trainer", "requirements.txt").read_text("utf-8")
    if options.method == "qlora":
        needed += resource("trainer", "qlora.txt").read_text("utf-8")
    (folder / "requirements.txt").write_text(f"torch=={TORCH}\n{needed}", "utf-8")


def _copy(source: Path, target: Path) -> None:
    make_folder(target.parent)
    with open_regular(source) as read, target.open("wb") as written:
        shutil.copyfileobj(read, written)


def _copy_regular(source: str, target: str) -> None:
    """Copy one file of a base; a device or a pipe among them would never end."""
    _copy(Path(source), Path(target))


def main(arguments: list[str] | None = None) -> int:
    """Write a bundle from the command line; the exit code is 2 where something is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", required=True)
    parser.add_argument("--training", type=Path, required=True)
    parser.add_argument("--validation", type=Path)
    parser.add_argument("--options", default="{}", help="a JSON object of training options")
    chosen = parser.parse_args(arguments)
    try:
        options = resolve({"metadata": {METADATA_KEY: chosen.options}}, tiny=chosen.base == "tiny")
        export(chosen.folder, chosen.base, chosen.training, options, chosen.validation)
    except (CuratorError, BadOption) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{chosen.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
