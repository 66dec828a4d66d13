"""The trainer's Python environment: torch and what it needs, apart from the window's packages.

On Linux the ordinary torch package brings gigabytes of CUDA libraries, so without an NVIDIA card only
the CPU build (a version that ends in +cpu) is taken: from whatever index and find-links pip is
configured with, or from the index named by CURATOR_TORCH_INDEX. CUDA is taken only where a card
answers, and its size is said first.

A checkout has one environment for all, its .venv: the trainer is installed into it. Everywhere else it
gets an environment of its own in the state folder.
"""

import atexit
import functools
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from curator.dataset.errors import Cancelled, CuratorError
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled
from curator.dataset.resources import resource
from curator.tune.local.devices import has_card
from curator.tune.local.job_folders import state_folder

TORCH: Final = "2.13.0"
QLORA_MB: Final = 45
CHECKOUT_STAMP: Final = "curator.stamp"
Build = Literal["cpu", "cuda", "default"]
_OPTIONS: Final = (
    "--disable-pip-version-check",
    # Without a network pip would try for more than a minute before it says so.
    "--retries=1",
    "--timeout=10",
)
_UNREACHABLE: Final = re.compile(
    r"Failed to establish a new connection|NameResolutionError|Temporary failure in name resolution"
    r"|Max retries exceeded|ConnectTimeout|ProxyError|Network is unreachable|Connection refused"
    # What pip says of every connection that broke, be it refused, reset or never answered.
    r"|after connection broken by"
)
_PYTHONS: Final = ("python3", *(f"python3.{minor}" for minor in (13, 12, 11, 14, 15)))
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
    """Return where the trainer's environment lies, or would lie."""
    own = state_folder() / "trainer"
    return Path(sys.prefix) if is_checkout() and not own.exists() else own


def code_folder() -> Path:
    """Return the folder from which another Python imports this package.

    A bundle holds no modules as files; its build puts their source into a folder of its own, apart
    from the bundle's libraries, which another Python must not load.
    """
    bundled = getattr(sys, "_MEIPASS", None)
    return Path(bundled) / "trainer-code" if bundled else Path(__file__).resolve().parents[4]


def is_checkout() -> bool:
    """Tell whether this Python is the .venv that ./dev made in a checkout; ./dev leaves the stamp."""
    return (Path(sys.prefix) / CHECKOUT_STAMP).is_file()


def trainer_python() -> str | None:
    """Return the Python that can train: CURATOR_TRAINER_PYTHON, this one, the set-up one, or None."""
    given = os.environ.get("CURATOR_TRAINER_PYTHON")
    own = _python_of(trainer_folder())
    # A bundle is a program, not a Python.
    this = None if getattr(sys, "frozen", False) else sys.executable
    for candidate in filter(None, (given, str(own) if own.exists() else None, this)):
        if _can_train(candidate):
            return candidate
    return None


def plan(build: Build | None = None) -> SetupPlan:
    """Decide which torch build fits this machine; raises TrainerUnavailable where none can be had.

    Asks pip which versions there are; nothing is fetched but the index's own pages.
    """
    wanted = build or _usual_build()
    if wanted != "cpu":
        return SetupPlan(wanted, TORCH, *_SIZE_MB[wanted])
    version = f"{TORCH}+cpu"
    if version not in _versions_of_torch():
        raise TrainerUnavailable(
            "No CPU build of torch can be had from the package indexes pip is configured with. "
            "Name PyTorch's own CPU index (pytorch.org, Get Started, CPU) in CURATOR_TORCH_INDEX and "
            "try again, or choose the CUDA build (about 3 GB) on purpose: curator trainer --install "
            "--build cuda."
        )
    return SetupPlan("cpu", version, *_SIZE_MB["cpu"])


def install(chosen: SetupPlan, progress: ProgressCall, cancelled: CancelledCall) -> str:
    """Set the trainer up and return its Python; a cancelled set-up leaves no environment behind."""
    if is_checkout() and not (state_folder() / "trainer").exists():
        _fill(Path(sys.executable), chosen, progress, cancelled)
        return sys.executable
    folder = trainer_folder()
    fresh = folder.with_name("trainer.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        progress(0, 3, "Making a Python environment")
        _make_environment(fresh)
        _fill(_python_of(fresh), chosen, progress, cancelled)
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
    return str(_python_of(folder))


def remove() -> Path | None:
    """Delete the trainer's own environment and return where it lay; None where there was none.

    Bases, jobs and checkpoints stay. In a checkout the packages lie in .venv, which is not touched.
    """
    folder = state_folder() / "trainer"
    if not folder.exists():
        return None
    shutil.rmtree(folder)
    return folder


def _fill(
    python: Path, chosen: SetupPlan, progress: ProgressCall, cancelled: CancelledCall
) -> None:
    """Install torch, the trainer's packages and, where it works, llama.cpp into an environment."""
    requirements = ["-r", str(resource("trainer", "requirements.txt")), f"torch=={chosen.torch}"]
    steps = (("torch", [f"torch=={chosen.torch}"]), ("the trainer's packages", requirements))
    for done, (what, packages) in enumerate(steps, 1):
        progress(done, 3, f"Installing {what} (about {chosen.download_mb} MB in all)")
        _pip(python, ["install", *packages], cancelled)
    progress(2, 3, _add_chat(python, cancelled))
    progress(3, 3, "The trainer is ready")


def _add_chat(python: Path, cancelled: CancelledCall) -> str:
    """Add what replies without torch need and return a sentence on whether it works here.

    Not every system has a wheel of it, and a wheel that installs may miss a library of the system, so
    it is imported once.
    """
    slower = "Replies will come through torch, which is slower"
    try:
        _pip(python, ["install", "-r", str(resource("trainer", "chat.txt"))], cancelled)
    except TrainerUnavailable as error:
        return f"{slower}: {error}"
    tried = subprocess.run(
        [python, "-c", "import xllamacpp"], check=False, capture_output=True, text=True
    )
    if tried.returncode != 0:
        why = (tried.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return f"{slower}: llama.cpp was installed but does not load ({why})."
    return "Replies will come through llama.cpp"


def add_qlora(progress: ProgressCall, cancelled: CancelledCall) -> str:
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


def _versions_of_torch() -> tuple[str, ...]:
    """Return the versions of torch that pip could install here, those of local builds included.

    Only pages of the index are read. The obvious question, a dry run of the installation, makes an
    older pip fetch the package and all of CUDA first. Raises TrainerUnavailable where pip has no answer.
    """
    answer = subprocess.run(
        [str(python_with_pip()), "-m", "pip", "index", "versions", "torch", *_OPTIONS, *_index()],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in answer.stdout.splitlines():
        if line.startswith("Available versions:"):
            return tuple(part.strip() for part in line.partition(":")[2].split(","))
    raise TrainerUnavailable(_reason(answer.stderr.splitlines()))


@functools.cache
def python_with_pip() -> Path:
    """Return a Python that has pip: this one, or that of a throw-away environment.

    The environments that uv makes have no pip, and a bundle is no Python at all.
    """
    if not getattr(sys, "frozen", False) and importlib.util.find_spec("pip"):
        return Path(sys.executable)
    folder = Path(tempfile.mkdtemp(prefix="curator-pip-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _make_environment(folder / "venv")
    return _python_of(folder / "venv")


def _make_environment(folder: Path) -> None:
    """Make an empty environment with pip; raises TrainerUnavailable where no Python can."""
    if not getattr(sys, "frozen", False):
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
        return
    probe = "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 16))"
    for name in _PYTHONS:
        found = shutil.which(name)
        if found is None or _run_quietly([found, "-c", probe]) != 0:
            continue
        if _run_quietly([found, "-m", "venv", str(folder)]) == 0:
            return
        shutil.rmtree(folder, ignore_errors=True)
    raise TrainerUnavailable(
        "This package of Curator brings no Python for the trainer, and none that fits was found. "
        "Install Python 3.11 to 3.15 with venv (Debian and Ubuntu: python3 and python3-venv) and try "
        "again, or name the Python of an environment that has torch, transformers and peft in "
        "CURATOR_TRAINER_PYTHON."
    )


def _run_quietly(command: list[str]) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode


def _index() -> list[str]:
    given = os.environ.get("CURATOR_TORCH_INDEX")
    return ["--extra-index-url", given] if given else []


def _pip(python: Path, arguments: list[str], cancelled: CancelledCall) -> None:
    said: list[str] = []
    with subprocess.Popen(
        [str(python), "-m", "pip", *arguments, *_OPTIONS, *_index()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said = [*said[-40:], line.strip()]
            if cancelled():
                process.terminate()
                process.wait()
                raise Cancelled(
                    "The set-up of the trainer was stopped; install again to finish it."
                )
    if process.returncode != 0:
        raise TrainerUnavailable(_reason(said))


def _reason(said: Sequence[str]) -> str:
    """Return one sentence on why pip failed, from what it said."""
    text = "\n".join(said)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            "The certificate of the package index is not accepted. Name the file of your network's "
            "certificates in PIP_CERT, then try again."
        )
    if _UNREACHABLE.search(text):
        return (
            "The package index cannot be reached. Check the network (and the proxy, where there is "
            "one), then try again."
        )
    if "No space left on device" in text:
        return "The disk is full. Free about 1.5 GB and try again."
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing:
        return f"The package indexes pip is configured with have no {missing[1]} for this Python."
    errors = [line.strip() for line in said if line.strip().startswith("ERROR:")]
    last = errors[-1].removeprefix("ERROR:").strip() if errors else (said or ["no reason"])[-1]
    return f"pip could not install the trainer: {last}"


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
    """Install the trainer's packages into the running environment: for ./dev, in a checkout."""
    try:
        chosen = plan()
        sys.stdout.write(f"torch {chosen.torch}: about {chosen.download_mb} MB\n")
        sys.stdout.flush()
        _fill(Path(sys.executable), chosen, _say, never_cancelled)
    except TrainerUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _say(_done: int, _of: int, words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
