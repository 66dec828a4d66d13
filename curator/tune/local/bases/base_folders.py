"""Whether a folder can be a base: read from its files, without torch and without trusting them."""

import json
import struct
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import read_object

_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")
_LARGEST_HEADER: Final = 100 * 2**20


def fault_of(folder: Path, name: str = "") -> str:
    """Return why a folder cannot be a base, as a sentence; empty where nothing speaks against it.

    name is what the sentence calls it, without one the folder's own name.
    """
    if not folder.is_dir():
        return f"There is no folder {folder}."
    said = name or folder.name
    try:
        return (
            _config_fault(folder, said)
            or _weights_fault(folder, said)
            or _tokenizer_fault(folder, said)
        )
    except OSError as error:
        return f"{error.filename or folder} cannot be read: {error.strerror}."


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def end_tokens_of(folder: Path) -> tuple[int, ...]:
    """Return the tokens that end a reply by a base's own settings."""
    found: list[int] = []
    for name in ("generation_config.json", "config.json"):
        settings = _read(folder / name)
        ends = settings.get("eos_token_id") if isinstance(settings, dict) else None
        listed = ends if isinstance(ends, list) else [ends]
        found += [end for end in listed if isinstance(end, int)]
    return tuple(dict.fromkeys(found))


def _config_fault(folder: Path, name: str) -> str:
    if not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            return f"{name} holds an adapter; name the base it was trained on."
        return f"{name} has no config.json, so it is no base of the Hugging Face kind."
    config = _read(folder / "config.json")
    if not isinstance(config, dict):
        return f"config.json in {name} is broken; copy the folder again."
    if not config.get("model_type"):
        return f"config.json in {name} does not say what kind of network it is."
    return ""


def _weights_fault(folder: Path, name: str) -> str:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = sorted(path.name for kind in _PICKLES for path in folder.glob(kind))
        if pickles:
            return (
                f"{name} has its weights only as pickle ({pickles[0]}), which can run code "
                "when it is opened. Take a version with safetensors files."
            )
        return f"{name} has no weights: no safetensors file is in it."
    broken = next((path for path in files if not _is_whole(path)), None)
    if broken is not None:
        return f"{broken.name} in {name} is broken or cut short; copy it again."
    return _missing_part(folder, name)


def _missing_part(folder: Path, name: str) -> str:
    """Tell of a file that the index of a base in several parts names and that is not there."""
    place = folder / "model.safetensors.index.json"
    if not place.is_file():
        return ""
    index = _read(place)
    parts = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(parts, dict):
        return f"{place.name} in {name} is broken; copy it again."
    absent = sorted({str(part) for part in parts.values() if not (folder / str(part)).is_file()})
    return f"{name} is not whole: {absent[0]} is missing." if absent else ""


def _tokenizer_fault(folder: Path, name: str) -> str:
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        return f"{name} has no tokenizer (tokenizer.json)."
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return ""
    settings = _read(folder / "tokenizer_config.json")
    if not isinstance(settings, dict) or not settings.get("chat_template"):
        return (
            f"{name} has no chat template, so it cannot learn conversations. Take its chat "
            "or instruct version."
        )
    return ""


def _is_whole(path: Path) -> bool:
    """Tell whether a safetensors file is as long as its own header says."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(8)
        if len(start) < 8:
            return False
        (length,) = struct.unpack("<Q", start)
        if length > min(size - 8, _LARGEST_HEADER):
            return False
        try:
            header = json.loads(stream.read(length))
            ends = [e["data_offsets"][1] for n, e in header.items() if n != "__metadata__"]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return False
    return bool(ends) and 8 + length + max(ends) == size


def _read(path: Path) -> Any:
    """Return what a JSON file holds, None where it is none."""
    try:
        return read_object(path)
    except BrokenFile:
        return None
