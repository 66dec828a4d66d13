"""Which conversations an export takes, into which split, and why the others are left out."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from curator.curate.analysis.identity import Sameness
from curator.curate.search.query import parse_query
from curator.curate.splits import leaks
from curator.dataset import Status
from curator.dataset.codes import SPLITS, STATUSES
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.dataset.rule import load_rules
from curator.formats.registry import WRITTEN, export_name
from curator.project.queries.filters import view
from curator.project.queries.index import Index
from curator.project.queries.sameness import read_sameness
from curator.project.store.finding_rows import errors_by_rule
from curator.project.store.reader import Reader
from curator.project.store.tables import number_table

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_COLUMNS: Final = (
    "id",
    "ifnull(status, 0)",
    "ifnull(flag, 0)",
    "ifnull(split, 0)",
    "removed IS NOT NULL",
    "errors",
    "warnings",
    "tokens",
    "trained_tokens",
    "tokens_exact",
)
_SHOWN: Final = 20
_TRAIN: Final = SPLITS.index("train")


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """What to export.

    statuses: accepted; open (accepted and pending); or auto: accepted, and pending too as long as
    nobody has accepted anything. unassigned: leave out what has no split, take it as train, or
    auto: as train as long as nothing has a split. skip_errors leaves faulty conversations out
    where they would otherwise stop the export.
    """

    format: str = "openai"
    statuses: Literal["auto", "accepted", "open"] = "auto"
    query: str = ""
    hold_out_flagged: bool = False
    unassigned: Literal["auto", "train", "leave"] = "auto"
    skip_errors: bool = False

    def __post_init__(self) -> None:
        for value, what, known in (
            (self.format, "export format", tuple(map(export_name, WRITTEN))),
            (self.statuses, "choice of statuses", ("auto", "accepted", "open")),
            (self.unassigned, "choice for unassigned conversations", ("auto", "train", "leave")),
        ):
            if value not in known:
                raise WrongUse(f'There is no {what} "{value}"; choose one of {", ".join(known)}.')

    def to_json(self) -> dict[str, Json]:
        """Return the settings as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Blocker:
    """A rule whose errors stop an export, and the conversations at fault (the first of them)."""

    rule: str
    title: str
    count: int
    conversations: tuple[int, ...]


DAMAGED: Final = "damaged in the project file"
"""Why a conversation is left out whose stored text is not what was stored."""


@dataclass(frozen=True)
class Selection:
    """What will be exported: ids in order, each with its split's code, and what is left out and why."""

    ids: Ints
    split: Ints
    left_out: dict[str, int]
    notes: tuple[str, ...]
    blockers: tuple[Blocker, ...]
    warnings: int
    tokens: Ints
    trained_tokens: Ints
    tokens_exact: bool

    def rows(self, split: str) -> int:
        """Return how many conversations go into a split."""
        return int((self.split == SPLITS.index(split)).sum())

    def without(
        self, ids: Collection[int], reason: str, note: Callable[[Sequence[int]], str]
    ) -> "Selection":
        """Return the selection less some conversations, with the reason and a note on them."""
        lost = np.isin(self.ids, np.fromiter(ids, np.int64))
        if not lost.any():
            return self
        return replace(
            self,
            ids=self.ids[~lost],
            split=self.split[~lost],
            left_out=self.left_out | {reason: int(lost.sum())},
            notes=(*self.notes, note(self.ids[lost].tolist())),
            tokens=self.tokens[~lost],
            trained_tokens=self.trained_tokens[~lost],
        )


def select(reader: Reader, settings: ExportSettings) -> Selection:
    """Say what an export with these settings would write; changes nothing."""
    table = _table(reader)
    left = _Leaving(table)
    notes: list[str] = []
    left.out("removed", table["removed"] > 0)
    if settings.query.strip():
        left.out("filtered", ~np.isin(table["id"], _matching(reader, settings.query)))
    _leave_by_status(left, settings, notes)
    if settings.hold_out_flagged:
        left.out("flagged", table["flag"] > 0)
    split = _assigned(left, settings, notes)
    faulty = table["errors"] > 0
    blockers = () if settings.skip_errors else tuple(_blockers(reader, left.ids(faulty)))
    if settings.skip_errors:
        left.out("errors", faulty)
    across = _across_splits(read_sameness(reader, table["id"]), np.where(left.stays, split, 0))
    if settings.skip_errors:
        left.out("prompt in another split", across)
    elif across.any():
        blockers = (*blockers, _blocker("D05", left.ids(across)))
    stays = left.stays
    return Selection(
        ids=table["id"][stays],
        split=split[stays],
        left_out=left.reasons,
        notes=tuple(notes),
        blockers=blockers,
        warnings=int(table["warnings"][stays].sum()),
        tokens=table["tokens"][stays],
        trained_tokens=table["trained_tokens"][stays],
        tokens_exact=bool((table["tokens_exact"][stays] > 0).all()),
    )


class _Leaving:
    """Who still stays, and how many went for which reason; the first reason counts."""

    def __init__(self, table: dict[str, Ints]) -> None:
        self.table = table
        self.stays: Mask = np.ones(len(table["id"]), dtype=bool)
        self.reasons: dict[str, int] = {}

    def out(self, reason: str, mask: Mask) -> None:
        gone = int((self.stays & mask).sum())
        if gone:
            self.reasons[reason] = gone
        self.stays &= ~mask

    def ids(self, mask: Mask) -> Ints:
        return self.table["id"][self.stays & mask]


def _table(reader: Reader) -> dict[str, Ints]:
    table = number_table(reader, _COLUMNS, removed_too=True)
    names = ("id", "status", "flag", "split", "removed", *_COLUMNS[5:])
    return {name: table[:, at] for at, name in enumerate(names)}


def _matching(reader: Reader, text: str) -> Ints:
    from curator.project.queries.search import find_ids

    query = parse_query(text)
    if query.notes and query.is_empty:
        raise WrongUse(f"The filter {text!r} was not understood. {' '.join(query.notes)}")
    index = Index(reader.path)
    try:
        rows = view(index, query, hits=find_ids(reader, query) if query.needs_text else None)
        return np.asarray(index.ids[rows], dtype=np.int64)
    finally:
        index.close()


def _leave_by_status(left: _Leaving, settings: ExportSettings, notes: list[str]) -> None:
    status = left.table["status"]
    codes = {name: code for code, name in enumerate(STATUSES)}
    wants_pending = settings.statuses == "open"
    if settings.statuses == "auto" and not (status[left.stays] == codes[Status.ACCEPTED]).any():
        wants_pending = True
        if (status[left.stays] == codes[Status.PENDING]).any():
            notes.append("Nothing is accepted yet, so pending conversations are exported too.")
    for name in (Status.REJECTED, Status.SKIPPED):
        left.out(name.value, status == codes[name])
    if not wants_pending:
        left.out(Status.PENDING.value, status == codes[Status.PENDING])


def _assigned(left: _Leaving, settings: ExportSettings, notes: list[str]) -> Ints:
    split = left.table["split"]
    as_train = settings.unassigned == "train"
    if settings.unassigned == "auto" and not (split[left.stays] > 0).any():
        as_train = True
        if left.stays.any():
            notes.append("Nothing is split yet, so everything goes into train.")
    if as_train:
        return np.where(split == 0, _TRAIN, split)
    left.out("no split", split == 0)
    return split


def _across_splits(same: Sameness, split: Ints) -> Mask:
    """Mark the rows that also stand, or begin, in a split that is trained on more."""
    across: Mask = np.zeros(len(split), dtype=bool)
    for rows in leaks(same, split):
        across[rows[split[rows] > split[rows].min()]] = True
    return across


def _blockers(reader: Reader, ids: Ints) -> Iterator[Blocker]:
    if not len(ids):
        return
    by_rule: dict[str, list[int]] = {}
    wanted = set(ids.tolist())
    for rule, id_ in errors_by_rule(reader):
        if id_ in wanted:
            by_rule.setdefault(rule, []).append(id_)
    for rule, found in sorted(by_rule.items(), key=lambda item: -len(item[1])):
        yield _blocker(rule, np.array(found, dtype=np.int64))


def _blocker(rule: str, ids: Ints) -> Blocker:
    known = load_rules().get(rule)
    return Blocker(rule, known.title if known else rule, len(ids), tuple(ids[:_SHOWN].tolist()))
