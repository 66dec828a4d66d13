"""The rows of each variant: chosen from one export of the project, so that all passed the same gate.

A folder is called after what it holds. Equal rows lie in one folder, and a job that trained from it is
found again by it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from curator.dataset.conversation import SYSTEM_ROLES
from curator.dataset.errors import Cancelled, GateFailed, WrongUse
from curator.dataset.invocation import command
from curator.dataset.json_values import Json
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.project.exports import manifest
from curator.project.exports.atomic_folder import CARD, MANIFEST, publishing
from curator.project.exports.exporting import export
from curator.project.exports.selection import ExportSettings
from curator.project.queries.selecting import matching_ids, understood
from curator.project.store.project import Project
from curator.tune.ablations.plan import Plan, Variant

_WHOLE: Final = "whole"
_NAME_LETTERS: Final = 16
_TRAINED: Final = ("train", "validation")


@dataclass(frozen=True, slots=True)
class Rows:
    """The lines of one part, and beside each its entry, which says whose it is."""

    lines: tuple[bytes, ...]
    entries: tuple[dict[str, Json], ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """The conversations in the order of the lines."""
        return tuple(int(entry["conversation"]) for entry in self.entries)

    def only(self, ids: Iterable[int]) -> "Rows":
        """Return the rows of some conversations, in order."""
        wanted = set(ids)
        kept = [pair for pair in zip(self.lines, self.entries, strict=True)
                if pair[1]["conversation"] in wanted]  # fmt: skip
        return Rows(tuple(line for line, _ in kept), tuple(entry for _, entry in kept))


@dataclass(frozen=True)
class Data:
    """The parts of the whole study; asked are the conversations whose questions are asked.

    left_out counts by reason the conversations the export left out, and notes are its sentences on them.
    """

    place: Path
    facts: dict[str, Json]
    train: Rows
    validation: Rows
    asked: tuple[int, ...]
    left_out: dict[str, int]
    notes: tuple[str, ...]


def read_data(
    project: Project, plan: Plan, progress: ProgressCall, cancelled: CancelledCall
) -> Data:
    """Export the project once and return its parts.

    Nothing that is asked is trained on. Raises GateFailed where errors stop the export, WrongUse where
    there is nothing to train on or to ask.
    """
    place = project.path.with_name(f"{project.path.stem}.ablations").absolute()
    folder = place / _WHOLE
    query = "" if not plan.where.strip() else _query(plan.where)
    settings = ExportSettings(query=query, skip_errors=plan.skip_errors)
    try:
        report = export(project, folder, settings, progress=progress, cancelled=cancelled)
    except GateFailed as error:
        said = str(error).replace("(--skip-errors)", '("skip_errors": true in the plan)')
        raise GateFailed(said) from error
    train, validation, test = (_read(folder, split) for split in (*_TRAINED, "test"))
    asked = test if plan.split == "test" else validation
    if not asked.lines or not train.lines:
        missing = plan.split if not asked.lines else "train"
        first = command("split", project.path)
        raise WrongUse(f"The project has no {missing} part to work with. Make one: {first}.")
    held = set(asked.ids)
    rest = [id_ for id_ in validation.ids if id_ not in held]
    return Data(
        place,
        manifest.read(folder),
        train,
        validation.only(rest),
        asked.ids,
        report.left_out,
        report.notes,
    )


def _query(text: str) -> str:
    """Return a query that is understood whole; raises WrongUse: half a filter is another study."""
    notes = understood(text).notes
    if notes:
        raise WrongUse(f"The query {text!r} was not understood. {' '.join(notes)}")
    return text


def _read(folder: Path, split: str) -> Rows:
    path = folder / f"{split}.jsonl"
    if not path.is_file():
        return Rows((), ())
    lines = path.read_bytes().split(b"\n")[:-1]
    entries = (folder / manifest.lines_name(path.name)).read_text("ascii").splitlines()
    return Rows(tuple(lines), tuple(json.loads(entry) for entry in entries))


def choose(
    project: Project,
    data: Data,
    variants: Sequence[Variant],
    seed: int,
    cancelled: CancelledCall,
) -> dict[str, Rows]:
    """Return the training rows of each variant by its name; the seed draws the random subsets.

    Subsets are beginnings of one order, so a smaller one is contained in every larger one. Raises
    WrongUse for a query that is not understood, or a variant without rows.
    """
    found: dict[str, Rows] = {}

    def matched(text: str) -> set[int]:
        if cancelled():
            raise Cancelled("The ablation was stopped before anything was trained.")
        query = understood(_query(text))
        return set(matching_ids(project, query, lambda *_: None, cancelled))

    for each in sorted(variants, key=lambda variant: bool(variant.same_size_as)):
        size = len(found[each.same_size_as].lines) if each.same_size_as else None
        ids = _chosen(data.train, each, matched, seed, size)
        if not ids:
            raise WrongUse(f'The variant "{each.name}" has no rows to train on. Change its filter.')
        rows = data.train.only(ids)
        found[each.name] = rows if each.system_prompts else _without_system(rows)
    return found


def _chosen(
    rows: Rows, variant: Variant, matched: Callable[[str], set[int]], seed: int, size: int | None
) -> list[int]:
    ids = list(rows.ids)
    if variant.where.strip():
        within = matched(variant.where)
        ids = [id_ for id_ in ids if id_ in within]
    if variant.without.strip():
        gone = matched(variant.without)
        ids = [id_ for id_ in ids if id_ not in gone]
    if size is None and variant.share is not None:
        size = max(1, round(len(ids) * variant.share / 100)) if ids else 0
    return ids if size is None else in_random_order(ids, seed)[:size]


def in_random_order(ids: Iterable[int], seed: int) -> list[int]:
    """Return ids in an order that only they and the seed decide."""
    ordered = sorted(ids)
    Random(seed).shuffle(ordered)
    return ordered


def _without_system(rows: Rows) -> Rows:
    return Rows(tuple(_bare(line) for line in rows.lines), rows.entries)


def _bare(line: bytes) -> bytes:
    """Return a line without its system and developer messages, the same bytes where it has none."""
    value = json.loads(line)
    messages = value.get("messages") or []
    kept = [m for m in messages if m.get("role") not in SYSTEM_ROLES]
    if len(kept) == len(messages):
        return line
    return json.dumps({**value, "messages": kept}, ensure_ascii=True).encode("ascii")


def write_folder(data: Data, rows: Rows, *, system_prompts: bool) -> Path:
    """Return the export folder of these rows, written now where it is not there yet."""
    validation = data.validation if system_prompts else _without_system(data.validation)
    parts = {"train": rows, "validation": validation}
    bodies = {split: b"".join(line + b"\n" for line in part.lines) for split, part in parts.items()}
    name = hashlib.sha256(b"\0".join(map(_digest, bodies.values()))).hexdigest()[:_NAME_LETTERS]
    folder = data.place / name
    if _is_there(folder, bodies):
        return folder
    facts = {key: value for key, value in data.facts.items() if "tokens" not in key}
    files: list[Json] = []
    with publishing(folder) as staging:
        for split, part in parts.items():
            if part.lines:
                files.append(_write(staging, split, bodies[split], part))
        card = b"Rows of one variant of an ablation.\n"
        (staging / CARD).write_bytes(card)
        facts |= {"files": files, "rows": sum(len(part.lines) for part in parts.values())}
        facts["card_sha256"] = hashlib.sha256(card).hexdigest()
        (staging / MANIFEST).write_bytes(manifest.written(facts))
    return folder


def _is_there(folder: Path, bodies: Mapping[str, bytes]) -> bool:
    """Tell whether a folder is whole: a disk may have lost what it was given last."""
    paths = {split: folder / f"{split}.jsonl" for split, body in bodies.items() if body}
    return (folder / MANIFEST).is_file() and all(
        path.is_file() and path.read_bytes() == bodies[split] for split, path in paths.items()
    )


def _write(staging: Path, split: str, body: bytes, part: Rows) -> dict[str, Json]:
    name = f"{split}.jsonl"
    (staging / name).write_bytes(body)
    numbered = ({**entry, "line": line} for line, entry in enumerate(part.entries, 1))
    entries = "".join(json.dumps(entry) + "\n" for entry in numbered).encode("ascii")
    (staging / manifest.lines_name(name)).write_bytes(entries)
    return {
        "path": name,
        "split": split,
        "rows": len(part.lines),
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "lines": manifest.lines_name(name),
        "lines_sha256": hashlib.sha256(entries).hexdigest(),
    }


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
