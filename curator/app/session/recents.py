"""The projects opened lately, newest first; one that is gone from the disk is left out."""

from pathlib import Path
from typing import Final, NamedTuple

from PySide6.QtCore import QSettings

_KEY: Final = "recent_projects"
MOST: Final = 8


class Recent(NamedTuple):
    """One project and when its file was last written, in seconds since 1970."""

    path: Path
    changed: float


def recent_projects() -> tuple[Recent, ...]:
    """Return the projects that are still there."""
    found = []
    for text in _stored():
        path = Path(text)
        try:
            written = path.stat().st_mtime
        except OSError:
            continue
        found.append(Recent(path, written))
    return tuple(found)


def remember_project(path: Path) -> None:
    """Put a project at the front of the list."""
    text = str(path.resolve())
    QSettings().setValue(_KEY, [text, *(p for p in _stored() if p != text)][:MOST])


def _stored() -> list[str]:
    value = QSettings().value(_KEY, [])
    if isinstance(value, str):
        return [value]
    return [str(entry) for entry in value] if isinstance(value, (list, tuple)) else []
