"""What a person may choose for themselves; the dialog is made from this type."""

import json
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from PySide6.QtCore import QObject, Signal

from curator.app.preference_file import read_stored, write_stored


class Preferences(BaseModel):
    """Every preference with its title, its sentence and the group it is shown in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    author: str = Field(
        default="",
        title="Your name",
        description="Stands beside every change you make; empty is your login name.",
        json_schema_extra={"group": "You"},
    )
    theme: Literal["system", "light", "dark", "contrast"] = Field(
        default="system",
        title="Theme",
        description="Light or dark as the system is, or always one of them.",
        json_schema_extra={"group": "Look"},
    )
    compact_rows: bool = Field(
        default=False,
        title="Compact rows",
        description="Tables show more rows, a little closer together.",
        json_schema_extra={"group": "Look"},
    )
    advance: bool = Field(
        default=True,
        title="Go on after a decision",
        description="Accepting, rejecting or skipping brings the next conversation.",
        json_schema_extra={"group": "Labelling"},
    )
    epochs: int = Field(
        default=3,
        ge=1,
        le=50,
        title="Epochs for cost figures",
        description="How many times training reads the data, wherever a cost is shown.",
        json_schema_extra={"group": "Training"},
    )
    notify: bool = Field(
        default=True,
        title="Tell me when a job ends",
        description="By a desktop notification, while you work in another window.",
        json_schema_extra={"group": "Training"},
    )
    reopen: bool = Field(
        default=False,
        title="Open the last project at start",
        description="Otherwise the first page lets you choose.",
        json_schema_extra={"group": "Start"},
    )


GROUPS: Final = ("You", "Look", "Labelling", "Training", "Start")
"""The groups in the order of the dialog."""


def load() -> Preferences:
    """Return the preferences; a value that no longer fits falls back to its default alone."""
    stored = read_stored()
    try:
        return Preferences.model_validate(stored)
    except ValidationError as error:
        wrong = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
        return Preferences.model_validate({k: v for k, v in stored.items() if k not in wrong})


class PreferenceStore(QObject):
    """Holds the preferences in use, changes one at a time and keeps it at once."""

    changed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.values = load()

    def change(self, name: str, value: object) -> None:
        """Set one preference; raises ValueError where it does not fit."""
        merged: dict[str, Any] = {**self.values.model_dump(), name: value}
        self.values = Preferences.model_validate(merged)
        defaults = Preferences().model_dump()
        mine = json.loads(self.values.model_dump_json())
        kept = {k: v for k, v in read_stored().items() if k not in mine}
        write_stored(kept | {k: v for k, v in mine.items() if v != defaults[k]})
        self.changed.emit(name)
