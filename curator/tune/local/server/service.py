"""The local server as a service of this user: is it there, start it, stop it."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Literal

import psutil

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import make_folder
from curator.tune.local.bases.environment import TrainerUnavailable, trainer_python
from curator.tune.local.job_folders import JobFolder, local_root
from curator.tune.local.replies import llama_engine
from curator.tune.local.server.announcement import announced, running

_PATIENCE_S: Final = 30.0
_AT_WORK: Final = frozenset({"queued", "starting", "running"})
_started: Final[list[subprocess.Popen[bytes]]] = []
"""Servers this process started: they outlive it on purpose, and are reaped where they end before it."""


def ensure_running() -> str:
    """Return the address of the local server, starting it where it is not running.

    It runs on by itself: jobs survive the window. Raises TrainerUnavailable where there is neither
    the trainer nor llama.cpp to reply, or where the server does not come up.
    """
    address = running()
    if address:
        return address
    trainer = trainer_python()
    if trainer is None and not llama_engine.is_here():
        raise TrainerUnavailable("Training on this computer needs its trainer; set it up first.")
    make_folder(local_root())
    log = local_root() / "server.log"
    home = str(Path(__file__).resolve().parents[4])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "curator.tune.local.server.serve"),
                *(("--trainer", trainer) if trainer else ()),
            ],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    _started.append(process)
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        address = running()
        if address:
            return address
        if process.poll() is not None:
            break
        time.sleep(0.1)
    words = log.read_bytes()[-300:].decode("utf-8", "replace").strip()
    raise TrainerUnavailable(f"The local server did not start: {words}")


def stop() -> bool:
    """Stop the local server; a running job goes on. False where none was running."""
    known = announced()
    if running() is None or known is None:
        return False
    process = psutil.Process(known["pid"])
    process.terminate()
    process.wait(timeout=10)
    _started[:] = [server for server in _started if server.poll() is None]
    return True


def is_training() -> bool:
    """Whether a job of this computer runs, or waits for the server to start it; broken ones do not."""
    for path in local_root().glob("jobs/*/state.json"):
        with contextlib.suppress(BrokenFile):
            if JobFolder(path.parent).state.get("status") in _AT_WORK:
                return True
    return False


def stop_where_idle() -> Literal["none", "busy", "stopped"]:
    """Stop the local server, and what answers there, unless a job needs it.

    Raises TrainerUnavailable where the server does not end when it is told to.
    """
    if running() is None:
        return "none"
    if is_training():
        return "busy"
    try:
        return "stopped" if stop() else "none"
    except psutil.NoSuchProcess:
        return "stopped"
    except (psutil.Error, OSError) as error:
        raise TrainerUnavailable(f"The local server did not stop: {error}.") from error
