"""How this program is called on this machine, for the commands it prints: each can be pasted as it is."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

CALLED_AS: Final = "CURATOR_CALLED_AS"
"""The environment variable in which a starter script says how it was called; ``run`` follows it."""


def command(*words: object) -> str:
    """Return a verb with its arguments as one line for the shell of this system."""
    return _joined([*_program(), *map(str, words)])


def quoted(*words: object) -> str:
    """Return words as one line for the shell of this system."""
    return _joined([str(word) for word in words])


def _joined(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _program() -> list[str]:
    starter = os.environ.get(CALLED_AS)
    if starter:
        return [starter, "run"]
    found = shutil.which("curator")
    if found and _is_ours(Path(found)):
        return ["curator"]
    if getattr(sys, "frozen", False):
        return [sys.executable]
    beside = Path(sys.executable).with_name("curator")
    if beside.is_file():
        return [str(beside)]
    return [sys.executable, "-m", "curator"]


def _is_ours(found: Path) -> bool:
    """Whether a program called curator is this one: another package has one of that name."""
    ours = Path(sys.executable)
    return found.resolve() == ours.resolve() or found.absolute().parent == ours.absolute().parent
