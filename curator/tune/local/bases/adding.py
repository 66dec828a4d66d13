"""Adding a base of one's own: a folder as it lies, a GGUF file unpacked once, or an id of the hub."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import Cancelled, UnreadableInput, WrongUse
from curator.dataset.file_names import is_reserved
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.regular_files import open_regular
from curator.dataset.small_files import make_folder
from curator.tune.local.bases.base_folders import fault_of, size_of
from curator.tune.local.bases.bases import ORIGIN, PRACTICE, TINY, Base, broken_bases, known_bases
from curator.tune.local.bases.convert import put_beside
from curator.tune.local.bases.environment import TrainerUnavailable, code_folder, trainer_python
from curator.tune.local.job_folders import local_root, write_json
from curator.tune.redaction import clear_text, remember

_HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_MB: Final = 10**6
_OWN_FILES: Final = (".json", ".jsonl", ".safetensors", ".sqlite", ".token", ".partial", ".log")


def add(
    source: str,
    progress: ProgressCall,
    cancelled: CancelledCall,
    *,
    name: str = "",
    revision: str = "",
) -> Base:
    """Add a base by a folder, a GGUF file or a hub id; a failure leaves nothing behind.

    Raises UnreadableInput where the source cannot be a base, WrongUse where it is none of the three
    or its name is taken, TrainerUnavailable where the trainer is needed and not set up.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _register(path.resolve(), name or path.resolve().name)
    if path.is_file():
        return _unpack(path.resolve(), name or path.stem, progress, cancelled)
    if _HUB_ID.fullmatch(source):
        return _fetch(source, name or source, revision, progress, cancelled)
    raise WrongUse(
        f"{source} is no folder, no GGUF file and no hub id (OWNER/NAME), so no base can be added."
    )


def remove(name: str) -> Base:
    """Remove an added base; a folder that was added as it lies stays. Raises WrongUse."""
    place = _place(name)
    for base in known_bases():
        if base.name == name and (place / ORIGIN).is_file():
            shutil.rmtree(place)
            return base
    if any(Path(str(fault.path)).parent == place for fault in broken_bases()):
        shutil.rmtree(place)
        return Base(name, place, f"Folder {place}")
    raise WrongUse(f"There is no added base {name!r}; curator models lists them.")


def _register(folder: Path, name: str) -> Base:
    fault = fault_of(folder)
    if fault:
        raise UnreadableInput(fault, folder)
    place = _free_place(name)
    label = f"Folder {folder}"
    with _scratch(place) as fresh:
        write_json(
            fresh / ORIGIN,
            {"name": name, "label": label, "source": str(folder), "folder": str(folder)},
        )
        fresh.rename(place)
    return Base(name, folder, label, str(folder))


def _unpack(file: Path, name: str, progress: ProgressCall, cancelled: CancelledCall) -> Base:
    with open_regular(file) as stream:
        if stream.read(4) != b"GGUF":
            raise UnreadableInput(f"{file.name} is no GGUF file.", file)
    place = _free_place(name)
    with _scratch(place) as folder:
        for message in _child("convert", [str(file), str(folder)], cancelled):
            if "what" in message:
                progress(message["done"], message["total"], message["what"])
        fault = fault_of(folder, file.name)
        if fault:
            raise UnreadableInput(fault, file)
        # Beside the unpacked weights the file itself answers quicker; it takes no room twice.
        put_beside(file, folder)
        return _keep(folder, place, name, f"GGUF file {file.name}", str(file), "")


def _fetch(
    source: str, name: str, revision: str, progress: ProgressCall, cancelled: CancelledCall
) -> Base:
    place = _free_place(name)
    found, total = revision, 0
    with _scratch(place) as folder:
        watched = _Watch(folder, progress)
        for message in _child("hub", [source, str(folder), *filter(None, [revision])], cancelled):
            found = message.get("revision", found)
            total = message.get("total", total)
            watched.look(total)
        fault = fault_of(folder, source)
        if fault:
            raise UnreadableInput(fault, source)
        return _keep(folder, place, name, f"{source} from the hub", source, found)


class _Watch:
    """How much of a download has come, seen from the folder it comes to."""

    def __init__(self, folder: Path, progress: ProgressCall) -> None:
        self._folder = folder
        self._progress = progress

    def look(self, total: int) -> None:
        """Report the megabytes that are there."""
        there = min(size_of(self._folder), total) if self._folder.exists() else 0
        self._progress(there // _MB, max(total // _MB, 1), "Fetching the base (MB)")


def _place(name: str) -> Path:
    return local_root() / "bases" / re.sub(r"[^\w.-]", "--", name)


def _free_place(name: str) -> Path:
    """Return where a base of this name is kept; raises WrongUse where it is taken or no name."""
    if not re.fullmatch(r"[\w][\w./-]{0,120}", name) or ".." in name or name.endswith("/"):
        raise WrongUse(f"{name!r} cannot be a base's name; choose one with --name.")
    if why := _not_ours(name):
        raise WrongUse(f"{name!r} cannot be a base's name: {why}. Choose one with --name.")
    place = _place(name)
    if any(base.name == name for base in known_bases()) or place.exists():
        raise WrongUse(f"There is a base {name!r} already; choose another name with --name.")
    return place


def _not_ours(name: str) -> str:
    """Say why a name, though well formed, is none for a base; empty where it is one."""
    if name.casefold() in (TINY, PRACTICE):
        return "a base of that name comes with the program"
    for part in (*name.split("/"), _place(name).name):
        if is_reserved(part):
            return f"some systems keep {part} for themselves or cannot write it"
        if part.casefold().endswith(_OWN_FILES):
            return f"{part} looks like a file that Curator keeps beside its bases"
    return ""


@contextlib.contextmanager
def _scratch(place: Path) -> Iterator[Path]:
    """Give a folder beside the final place that goes away unless it was kept."""
    make_folder(place.parent)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as whole:
        yield Path(whole) / "folder"


def _keep(folder: Path, place: Path, name: str, label: str, source: str, revision: str) -> Base:
    write_json(
        folder / ORIGIN,
        {"name": name, "label": label, "source": source, "revision": revision or None},
    )
    folder.rename(place)
    return Base(name, place, label, source, revision)


def _child(what: str, arguments: list[str], cancelled: CancelledCall) -> Iterator[dict[str, Any]]:
    """Run a part of the trainer and yield what it says; an empty word every now and then between."""
    trainer = trainer_python()
    if trainer is None:
        raise TrainerUnavailable("This needs the trainer: curator trainer --install sets it up.")
    if token := os.environ.get("HF_TOKEN"):
        remember(token)  # what the child complains of may hold it
    home = str(code_folder())
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    variables = {"PYTHONPATH": path, "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TQDM_DISABLE": "1"}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
        process = subprocess.Popen(
            [trainer, "-m", f"curator.tune.local.bases.{what}", *arguments],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        yield from _messages_of(process, cancelled)
        if process.returncode != 0:
            complaints.seek(0)
            message = clear_text(complaints.read().strip())
            raise TrainerUnavailable(f"It did not work: {message[-300:]}")


def _messages_of(
    process: "subprocess.Popen[str]", cancelled: CancelledCall
) -> Iterator[dict[str, Any]]:
    lines: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True)
    reader.start()
    seen = 0
    try:
        while reader.is_alive() or seen < len(lines):
            if cancelled():
                raise Cancelled("Adding the base was stopped; nothing was kept.")
            for line in lines[seen:]:
                seen += 1
                message: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
                if "error" in message:
                    raise UnreadableInput(message["error"])
                yield message
            yield {}
            time.sleep(0.1)
    finally:
        if reader.is_alive():
            process.terminate()
        reader.join()
        process.stdout.close()
        process.wait()
