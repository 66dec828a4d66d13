"""Small things a person keeps under a name: one JSON file each, written whole or not at all."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import WrongUse
from curator.dataset.file_names import is_reserved

_NAME: Final = re.compile(r"[^\W_](?:[\w .-]{0,58}[\w)])?")


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
        if not path.is_file():
            known = ", ".join(self.names()) or "none yet"
            raise WrongUse(f'There is no {self._what} "{name}". Kept: {known}.')
        return path

    def write(self, name: str, value: Mapping[str, Any]) -> Path:
        """Keep a value under a name, in place of an earlier one."""
        path = self.path(name)
        if is_reserved(name):
            raise WrongUse(
                f'"{name}" cannot name a {self._what}: some systems keep that name for themselves.'
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".partial")
        draft.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
        draft.replace(path)
        return path

    def remove(self, name: str) -> None:
        """Remove what is kept under a name; raises WrongUse where there is nothing."""
        self.find(name).unlink()
