"""Where the local server answers, and with which token; known without loading the server itself."""

import os
import secrets
from pathlib import Path

from curator.tune.local.folders import read_json, state_folder
from curator.tune.local.processes import birth


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
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_urlsafe(32))
    return path.read_text("utf-8").strip()


def running() -> str | None:
    """Return the base address of the server that runs now, or None."""
    if not announcement().is_file():
        return None
    known = read_json(announcement())
    return str(known["base_url"]) if birth(known["pid"]) == known["born"] else None
