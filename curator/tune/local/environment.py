"""The trainer's own Python environment: torch and what it needs, apart from the window's packages.

On Linux the ordinary torch package brings gigabytes of CUDA libraries, so without an NVIDIA card the
CPU build is asked for first: from whatever index and find-links pip is configured with, or from the
index named by CURATOR_TORCH_INDEX. CUDA is taken only where a card answers, and its size is said
first.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from curator.dataset.errors import Cancelled, CuratorError
from curator.dataset.resources import resource
from curator.tune.local.devices import has_card
from curator.tune.local.folders import state_folder

TORCH: Final = "2.13.0"
QLORA_MB: Final = 45
Build = Literal["cpu", "cuda", "default"]
Progress = Callable[[int, int, str], None]
IsCancelled = Callable[[], bool]

_SIZE_MB: Final[dict[Build, tuple[int, int]]] = {
    "cpu": (300, 1250),
    "cuda": (3000, 7500),
    "default": (250, 1100),
}


class TrainerUnavailable(CuratorError):
    """The trainer cannot be set up; the text offers the choices."""

    kind = "trainer"


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """What a set-up would do: which torch build, and about how much it downloads and keeps (MB)."""

    build: Build
    torch: str
    download_mb: int
    disk_mb: int


def trainer_folder() -> Path:
    """Return where the trainer's environment lies."""
    return state_folder() / "trainer"


def trainer_python() -> str | None:
    """Return the Python that can train: CURATOR_TRAINER_PYTHON, this one, the set-up one, or None."""
    given = os.environ.get("CURATOR_TRAINER_PYTHON")
    own = _python_of(trainer_folder())
    for candidate in filter(None, (given, str(own) if own.exists() else None, sys.executable)):
        if _can_train(candidate):
            return candidate
    return None


def plan(build: Build | None = None) -> SetupPlan:
    """Decide which torch build fits this machine; raises TrainerUnavailable where none can be had.

    Asks pip what it would install and installs nothing.
    """
    wanted = build or _usual_build()
    if wanted == "cpu":
        version = next((v for v in (f"{TORCH}+cpu", TORCH) if _is_plain(v)), None)
        if version is None:
            raise TrainerUnavailable(
                "No CPU build of torch can be had from the package indexes pip is configured with. "
                "Name PyTorch's own CPU index (pytorch.org, Get Started, CPU) in CURATOR_TORCH_INDEX "
                "and try again, or choose the CUDA build (about 3 GB) on purpose."
            )
        return SetupPlan("cpu", version, *_SIZE_MB["cpu"])
    return SetupPlan(wanted, TORCH, *_SIZE_MB[wanted])


def install(chosen: SetupPlan, progress: Progress, cancelled: IsCancelled) -> str:
    """Make the trainer's environment and return its Python; a cancelled set-up leaves nothing behind."""
    folder = trainer_folder()
    fresh = folder.with_name("trainer.new")
    shutil.rmtree(fresh, ignore_errors=True)
    steps = (
        ("torch", [f"torch=={chosen.torch}"]),
        (
            "the trainer's packages",
            ["-r", str(resource("trainer", "requirements.txt")), f"torch=={chosen.torch}"],
        ),
    )
    try:
        progress(0, 3, "Making a Python environment")
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(fresh)
        for done, (what, packages) in enumerate(steps, 1):
            progress(done, 3, f"Installing {what} (about {chosen.download_mb} MB in all)")
            _pip(_python_of(fresh), ["install", *packages], cancelled)
        progress(2, 3, _add_chat(_python_of(fresh), cancelled))
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    if chosen.build == "cuda" and not _knows_cards(_python_of(folder)):
        raise TrainerUnavailable(
            "The trainer was installed, but the package indexes pip is configured with gave a torch "
            "without CUDA: it trains on the processor. Name an index that has the CUDA build in "
            "CURATOR_TORCH_INDEX and install again."
        )
    progress(3, 3, "The trainer is ready")
    return str(_python_of(folder))


def _add_chat(python: Path, cancelled: IsCancelled) -> str:
    """Add what replies without torch need and return a sentence: not every system has a wheel of it."""
    try:
        _pip(python, ["install", "-r", str(resource("trainer", "chat.txt"))], cancelled)
    except TrainerUnavailable as error:
        return f"Replies will come through torch, which is slower: {error}"
    return "Replies will come through llama.cpp"


def add_qlora(progress: Progress, cancelled: IsCancelled) -> str:
    """Add to the trainer what 4-bit weights need and return its Python.

    Raises TrainerUnavailable where the trainer is not set up.
    """
    python = trainer_python()
    if python is None:
        raise TrainerUnavailable("qlora needs the trainer first: curator trainer --install.")
    progress(0, 1, f"Installing bitsandbytes (about {QLORA_MB} MB)")
    _pip(Path(python), ["install", "-r", str(resource("trainer", "qlora.txt"))], cancelled)
    progress(1, 1, "qlora is ready")
    return python


def _knows_cards(python: Path) -> bool:
    probe = "import sys, torch; sys.exit(torch.version.cuda is None)"
    return subprocess.run([python, "-c", probe], check=False, capture_output=True).returncode == 0


def _usual_build() -> Build:
    if platform.system() != "Linux":
        return "default"  # macOS and Windows wheels bring no CUDA
    return "cuda" if has_card() else "cpu"


def _is_plain(version: str) -> bool:
    """Tell whether pip would install this torch without any NVIDIA package."""
    command = [
        "install",
        "--dry-run",
        "--quiet",
        "--ignore-installed",
        "--report",
        "-",
        f"torch=={version}",
    ]
    answer = subprocess.run(
        [sys.executable, "-m", "pip", *command, *_index()],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        return False
    names = [item["metadata"]["name"].lower() for item in json.loads(answer.stdout)["install"]]
    return not any(name.startswith(("nvidia", "cuda", "triton")) for name in names)


def _index() -> list[str]:
    given = os.environ.get("CURATOR_TORCH_INDEX")
    return ["--extra-index-url", given] if given else []


def _pip(python: Path, arguments: list[str], cancelled: IsCancelled) -> None:
    process = subprocess.Popen(
        [str(python), "-m", "pip", "--disable-pip-version-check", *arguments, *_index()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said = [*said[-8:], line.strip()]
        if cancelled():
            process.terminate()
            process.wait()
            raise Cancelled("The set-up of the trainer was stopped; nothing was left behind.")
    if process.wait() != 0:
        raise TrainerUnavailable("pip could not install the trainer: " + " ".join(said[-3:]))


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _can_train(python: str) -> bool:
    probe = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('torch', 'transformers', 'peft'))))"
    try:
        return (
            subprocess.run([python, "-c", probe], check=False, capture_output=True).returncode == 0
        )
    except OSError:
        return False


def main() -> int:
    """Install the trainer's packages into the running environment (for tests and CI)."""
    try:
        chosen = plan()
        sys.stdout.write(f"torch {chosen.torch}: about {chosen.download_mb} MB\n")
        requirements = str(resource("trainer", "requirements.txt"))
        packages = [f"torch=={chosen.torch}", "-r", requirements]
        _pip(
            Path(sys.executable), ["install", "-q", "--root-user-action=ignore", *packages], _never
        )
        sys.stdout.write(f"{_add_chat(Path(sys.executable), _never)}\n")
    except TrainerUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _never() -> bool:
    return False


if __name__ == "__main__":
    sys.exit(main())
