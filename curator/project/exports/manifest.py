"""The manifest of an export: what is in every file, where each line came from, and how it was made."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import curator
from curator.curate.analysis.tokens import resolve_base_model
from curator.dataset.codes import DEFAULT_BASE_MODEL, DEFAULT_RULES_PROFILE
from curator.dataset.errors import BrokenFile, UnreadableInput
from curator.dataset.json_values import Json
from curator.dataset.regular_files import open_regular
from curator.dataset.rule import rule_pack_version
from curator.dataset.small_files import read_object
from curator.project.exports.atomic_folder import MANIFEST
from curator.project.exports.selection import ExportSettings, Selection
from curator.project.splits import PLAN
from curator.project.store.reader import Reader
from curator.project.store.values import storable

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of an export in numbers."""

    path: str
    split: str
    rows: int
    bytes: int
    sha256: str
    tokens: int
    trained_tokens: int
    lines: str
    lines_sha256: str


def lines_name(file: str) -> str:
    """Return the name of the file that says which conversation each line is."""
    return f"{file.removesuffix('.jsonl')}.manifest.jsonl"


def build(
    reader: Reader,
    settings: ExportSettings,
    selection: Selection,
    files: Sequence[ExportedFile],
    losses: Mapping[str, int],
) -> dict[str, Json]:
    """Return the manifest; equal projects and settings give an equal one, so it holds no time or place."""
    base = str(reader.setting("base_model") or DEFAULT_BASE_MODEL)
    plan = reader.setting(PLAN)
    return {
        "curator_export": VERSION,
        "app_version": curator.__version__,
        "project": storable(reader.path.name),
        "format": settings.format,
        "files": [asdict(file) for file in files],
        "rows": sum(file.rows for file in files),
        "tokens": sum(file.tokens for file in files),
        "trained_tokens": sum(file.trained_tokens for file in files),
        "tokens_exact": selection.tokens_exact,
        "warnings": selection.warnings,
        "left_out": selection.left_out,
        "losses": dict(losses),
        "notes": list(selection.notes),
        "seed": plan["seed"] if plan else None,
        "split_plan": plan,
        "settings": settings.to_json(),
        "base_model": base,
        "encoding": resolve_base_model(base).encoding,
        "rule_pack": rule_pack_version(),
        "rules_profile": str(reader.setting("rules_profile") or DEFAULT_RULES_PROFILE),
    }


def written(facts: Mapping[str, Json]) -> bytes:
    """Return the manifest as the bytes of its file."""
    return (json.dumps(facts, indent=2, ensure_ascii=True) + "\n").encode("ascii")


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of an export; raises UnreadableInput where there is none or it is damaged."""
    path = folder / MANIFEST
    if not path.exists():
        raise UnreadableInput(f"{folder} has no {MANIFEST}, so it is no export of Curator.", path)
    manifest = read_object(path)
    if not _is_sound(manifest.get("files")):
        raise BrokenFile(path, "it does not list the files of an export", "Export again.")
    if manifest.get("curator_export") != VERSION:
        raise UnreadableInput(
            f"{path} was written by another version of Curator; check the folder with that one.",
            path,
        )
    return manifest


def conversation_of(folder: Path, file: str, line: int) -> int | None:
    """Return which conversation a line (1-based) of an exported file is; None where it is not known."""
    try:
        with open_regular(folder / lines_name(file)) as entries:
            for number, entry in enumerate(entries, 1):
                if number == line:
                    found = json.loads(entry)["conversation"]
                    return found if isinstance(found, int) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, UnreadableInput):
        return None
    return None


def line_entries(first: int, ids: Iterable[int], places: Iterable[tuple[str, int | None]]) -> str:
    """Return the entries that say, line by line, which conversation it is and where that came from.

    A place is a source's name as JSON, empty for a conversation written by hand, and a line of it.
    """
    return "".join(
        f'{{"line":{line},"conversation":{id_},"source":{name},"source_line":{number}}}\n'
        if name
        else f'{{"line":{line},"conversation":{id_}}}\n'
        for line, (id_, (name, number)) in enumerate(zip(ids, places, strict=True), first)
    )


def _is_sound(files: object) -> bool:
    return isinstance(files, list) and all(
        isinstance(file, dict)
        and isinstance(file.get("path"), str)
        and Path(file["path"]).name == file["path"]
        and isinstance(file.get("rows"), int)
        and isinstance(file.get("bytes"), int)
        and isinstance(file.get("sha256"), str)
        for file in files
    )
