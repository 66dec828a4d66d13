"""Where the local server answers, and with which token; known without loading the server itself."""

import secrets
from pathlib import Path
from typing import Any

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import read_object, read_text, written_whole
from curator.tune.local.job_folders import state_folder
from curator.tune.local.server.processes import birth


def announcement() -> Path:
    """Return the file that says where the running server answers."""
    return state_folder() / "local-server.json"


def token_file() -> Path:
    """Return the file (mode 600) that holds the server's token."""
    return state_folder() / "local-server.token"


def token() -> str:
    """Return the server's token, made once for each user."""
    path = token_file()
    if not path.is_file():
        with written_whole(path, private=True) as stream:
            stream.write(secrets.token_urlsafe(32))
    return read_text(path).strip()


def running() -> str | None:
    """Return the base address of the server that runs now, or None."""
    if not announcement().is_file():
        return None
    known = announced()
    return str(known["base_url"]) if known and birth(known["pid"]) == known["born"] else None


def announced() -> dict[str, Any] | None:
    """Return what the running server wrote down: base_url, pid, born; None where nothing can be read.

    A broken note is none: the next server that starts writes it anew.
    """
    try:
        return read_object(announcement(), {"base_url": str, "pid": int, "born": (int, float, str)})
    except BrokenFile:
        return None
