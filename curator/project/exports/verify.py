"""Checking an export again, perhaps long after: every file against its manifest and the strict rules."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from curator.dataset.counted import counted
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.json_values import Json
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.dataset.regular_files import open_regular, read_regular
from curator.formats import openai_chat
from curator.formats.registry import format_named
from curator.project.exports import manifest
from curator.project.exports.atomic_folder import CARD
from curator.project.exports.strict_check import check_file

_MOST_PROBLEMS = 1_000
_LONGEST_LINE = 1 << 20
"""Bytes of one entry of a file of lines; what is longer is none of ours and is read in pieces."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether an export is what its manifest says; problems are whole sentences."""

    files: int
    rows: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Json]:
        """Return the keys a script reads."""
        return {
            "ok": self.ok,
            "files": self.files,
            "rows": self.rows,
            "problems": list(self.problems),
        }


def verify(
    folder: Path | str,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> Verification:
    """Check an export; raises UnreadableInput where the folder is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UnreadableInput(f"{folder} is no folder.", folder)
    facts = manifest.read(folder)
    problems: list[str] = []
    rows = 0
    form = _format_of(folder, facts)
    for number, file in enumerate(facts["files"]):
        progress(number, len(facts["files"]), file["path"])
        rows += _verify_file(folder, file, form, problems, cancelled)
    problems += _unlisted(folder, facts)
    card = facts.get("card_sha256")
    if card is not None and _hash(folder / CARD) != card:
        problems.append(f"{CARD} is missing or was changed.")
    progress(len(facts["files"]), len(facts["files"]), "")
    return Verification(len(facts["files"]), rows, tuple(problems[:_MOST_PROBLEMS]))


def _format_of(folder: Path, facts: dict[str, Any]) -> str:
    """Return the format of an export's files; raises UnreadableInput for one that is not known here."""
    try:
        return format_named(str(facts.get("format") or openai_chat.NAME)).name
    except WrongUse as error:
        raise UnreadableInput(
            f"{folder} was written by another version of Curator; check it with that one.", folder
        ) from error


def _verify_file(
    folder: Path, file: dict[str, Any], form: str, problems: list[str], cancelled: CancelledCall
) -> int:
    name = file["path"]
    try:
        found = check_file(folder / name, cancelled, form)
    except (UnreadableInput, OSError) as error:
        problems.append(_absent(folder / name, error))
        return 0
    if found.rows != file["rows"]:
        problems.append(
            f"{name} has {counted(found.rows, 'line')}, not the {file['rows']:,} exported."
        )
    if found.bytes != file["bytes"]:
        problems.append(
            f"{name} has {counted(found.bytes, 'byte')}, not the {file['bytes']:,} exported."
        )
    if found.sha256 != file["sha256"]:
        problems.append(f"{name} was changed after the export: its SHA-256 differs.")
    problems += [f"{name}, line {p.line}: {p.rule} {p.message}" for p in found.problems]
    lines = file.get("lines")
    if isinstance(lines, str):
        _verify_lines(folder / Path(lines).name, file, problems)
    return found.rows


def _verify_lines(path: Path, file: dict[str, Any], problems: list[str]) -> None:
    """Check the file that says which conversation each line is."""
    digest, number, fault = sha256(), 0, ""
    try:
        with open_regular(path) as stream:
            while line := stream.readline(_LONGEST_LINE):
                digest.update(line)
                number += 1
                fault = fault or _fault(line, number, path.name, file["path"])
    except (UnreadableInput, OSError) as error:
        problems.append(_absent(path, error))
        return
    if digest.hexdigest() == file.get("lines_sha256"):
        return
    problems.append(f"{path.name} was changed after the export: its SHA-256 differs.")
    if number != file["rows"]:
        fault = fault or f"{path.name} does not name the lines of {file['path']} one by one."
    problems += [fault] if fault else []


def _fault(line: bytes, number: int, name: str, exported: str) -> str:
    """Say what is wrong with an entry of the file of lines; empty where nothing is."""
    try:
        told = json.loads(line)["line"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"{name} is damaged."
    return "" if told == number else f"{name} does not name the lines of {exported} one by one."


def _unlisted(folder: Path, facts: dict[str, Any]) -> list[str]:
    known = {file["path"] for file in facts["files"]}
    known |= {file.get("lines") or manifest.lines_name(file["path"]) for file in facts["files"]}
    there = sorted(path.name for path in folder.glob("*.jsonl"))
    return [f"{name} is no part of the export." for name in there if name not in known]


def _hash(path: Path) -> str | None:
    try:
        return sha256(read_regular(path)).hexdigest()
    except UnreadableInput:
        return None


def _absent(path: Path, error: Exception) -> str:
    """Say why a file of an export cannot be checked."""
    if not path.exists() and not path.is_symlink():
        return f"{path.name} is missing."
    return str(error) if isinstance(error, UnreadableInput) else f"{path.name} cannot be read."
