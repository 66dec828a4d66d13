"""The preferences as they lie on disk: only what differs from the defaults.

This module is apart from their types so that the window can be up before pydantic is loaded.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QStandardPaths

if TYPE_CHECKING:
    from curator.dataset.json_values import Json

_NAME: Final = "preferences.json"


def config_folder() -> Path:
    """Return the folder that holds what the app remembers about this person."""
    chosen = os.environ.get("CURATOR_CONFIG")
    if chosen:
        return Path(chosen)
    place = QStandardPaths.StandardLocation.GenericConfigLocation
    return Path(QStandardPaths.writableLocation(place)) / "curator"


def read_stored() -> "dict[str, Json]":
    """Return what is stored; a missing or broken file means nothing is."""
    try:
        text = (config_folder() / _NAME).read_text("utf-8")
    except (OSError, ValueError):
        return {}
    import json

    try:
        stored = json.loads(text)
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def write_stored(stored: "dict[str, Json]") -> None:
    """Replace what is stored in one step, so that it is never half written."""
    import json

    folder = config_folder()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{_NAME}.{os.getpid()}.tmp"
    draft.write_text(json.dumps(stored, indent=2, ensure_ascii=False) + "\n", "utf-8")
    draft.replace(folder / _NAME)
