"""Small things a person keeps under a name: one JSON file each, written whole or not at all."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from curator.dataset.errors import BrokenFile, ProjectError, WrongUse
from curator.dataset.file_names import is_reserved
from curator.dataset.small_files import read_text, write_object

Model = TypeVar("Model", bound=BaseModel)

_NAME: Final = re.compile(r"[^\W_](?:[\w .-]{0,58}[\w)])?")


def read_model(path: Path, model: type[Model]) -> Model:
    """Return what a small file holds; raises BrokenFile that names the field at fault."""
    text = read_text(path)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BrokenFile(path, ": ".join(filter(None, (where, first["msg"])))) from error


def write_kept(path: Path, value: Mapping[str, Any]) -> None:
    """Write a small file whole or not at all; raises ProjectError where the disk refuses."""
    try:
        write_object(path, value)
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be written: {error.strerror or error}. What was there is as it was.",
            path,
        ) from error


class NamedFiles:
    """The files of one kind; the folder is asked for at every use, because settings may move it."""

    def __init__(self, folder: Callable[[], Path], what: str) -> None:
        self._folder = folder
        self._what = what

    def path(self, name: str) -> Path:
        """Return where a name is kept, whether or not it is; raises WrongUse for one that is none."""
        if not _NAME.fullmatch(name):
            raise WrongUse(
                f'"{name}" cannot name a {self._what}: use up to 60 letters, digits, spaces, dots '
                "and hyphens."
            )
        return self._folder() / f"{name}.json"

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted."""
        folder = self._folder()
        return tuple(sorted(path.stem for path in folder.glob("*.json"))) if folder.is_dir() else ()

    def find(self, name: str) -> Path:
        """Return the file of a name; raises WrongUse with the names there are where there is none."""
        path = self.path(name)
        if not path.exists():
            known = ", ".join(self.names()) or "none yet"
            raise WrongUse(f'There is no {self._what} "{name}". Kept: {known}.')
        return path

    def write(self, name: str, value: Mapping[str, Any]) -> Path:
        """Keep a value under a name, in place of an earlier one; raises ProjectError for a full disk."""
        path = self.path(name)
        if is_reserved(name):
            raise WrongUse(
                f'"{name}" cannot name a {self._what}: some systems keep that name for themselves.'
            )
        write_kept(path, value)
        return path

    def remove(self, name: str) -> None:
        """Remove what is kept under a name; raises WrongUse where there is nothing."""
        path = self.find(name)
        if path.is_dir():
            raise BrokenFile(path, "it is a folder", "Remove it by hand.")
        path.unlink()
