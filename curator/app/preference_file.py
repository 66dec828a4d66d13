"""The preferences as they lie on disk: only what differs from the defaults.

This module is apart from their types so that the window can be up before pydantic is loaded.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QStandardPaths

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import read_object, write_object

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
        return read_object(config_folder() / _NAME)
    except BrokenFile:
        return {}


def write_stored(stored: "dict[str, Json]") -> None:
    """Replace what is stored in one step, so that it is never half written; raises OSError.

    A broken file is kept aside: somebody may have written into it by hand.
    """
    place = config_folder() / _NAME
    if place.exists():
        try:
            read_object(place)
        except BrokenFile:
            place.replace(place.with_suffix(".broken.json"))
    write_object(place, stored)
