"""Which process is still the one that was started: a number is used again, a time of birth is not."""

from pathlib import Path

import psutil


def birth(pid: int) -> str | None:
    """Return what tells a living process from a later one with its number; None where it has ended.

    Counted in ticks since the machine started: a clock that is set while a job runs changes nothing.
    """
    try:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return None
        return _ticks(pid) or repr(psutil.Process(pid).create_time())
    except (psutil.Error, OSError):
        return None


def _ticks(pid: int) -> str | None:
    """Return the start of this system and of the process in it, where the system says so (Linux)."""
    try:
        system = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        # The name in brackets may hold anything; the 22nd field is the 20th after it.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    return f"{system}.{fields[19]}"
