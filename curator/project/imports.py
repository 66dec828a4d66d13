"""Importing files: parts of a file go to worker processes, and their rows into the project in order.

Every part is one transaction, so a killed import keeps what it had, and importing the file again
adds the rest: of each distinct content only the copies that the project does not have yet get in.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curator.curate.analysis import Column
from curator.curate.tokens import counter
from curator.dataset.errors import Cancelled, WrongUse
from curator.dataset.json_values import Json
from curator.formats.openai_chat import NAME, Source, sniff
from curator.formats.registry import format_named
from curator.project.bulk import Bulk, import_hashes
from curator.project.changes import Changes
from curator.project.derive import terms_of
from curator.project.import_parts import Parts, ReadPart, pool
from curator.project.import_worker import Terms
from curator.project.reanalysis import reanalyse
from curator.project.rejects import LISTED, RejectedRow, Rejects
from curator.project.store import Project

Progress = Callable[[int, int, str], None]
Cancel = Callable[[], bool]

_FEW_BYTES: Final = 8 << 20
"""Below this, starting worker processes takes longer than the work."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What came of one file."""

    file: str
    format: str
    confidence: float
    records: int
    imported: int
    unchanged: int
    rejected: int
    blank: int


@dataclass(slots=True)
class ImportReport:
    """What came of an import; notes are sentences about anything out of the ordinary."""

    sources: list[SourceReport] = field(default_factory=list)
    rejected_rows: list[RejectedRow] = field(default_factory=list)
    rejects_files: list[Path] = field(default_factory=list)
    changes: list[Changes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def imported(self) -> int:
        """Conversations added."""
        return sum(source.imported for source in self.sources)

    @property
    def unchanged(self) -> int:
        """Conversations that were there already."""
        return sum(source.unchanged for source in self.sources)

    @property
    def rejected(self) -> int:
        """Lines that cannot be read as conversations."""
        return sum(source.rejected for source in self.sources)

    @property
    def rejects_file(self) -> Path | None:
        """The first file that refused lines were saved in."""
        return self.rejects_files[0] if self.rejects_files else None

    def to_json(self) -> dict[str, Json]:
        """Return the keys that the command line prints."""
        return {
            "imported": self.imported,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "rejects_file": str(self.rejects_file) if self.rejects_file else None,
            "rejects_files": [str(path) for path in self.rejects_files],
            "sources": [asdict(source) for source in self.sources],
            "rejected_rows": [row._asdict() for row in self.rejected_rows[:LISTED]],
            "notes": list(self.notes),
        }


def import_files(
    project: Project,
    paths: Sequence[Path],
    *,
    progress: Progress,
    cancelled: Cancel,
    executor: Executor | None = None,
    format: str = "auto",  # noqa: A002 - the word of the command line
) -> ImportReport:
    """Import files into a project; raises UnreadableInput before anything is written.

    executor is where parts are analysed: worker processes of its own by default, in line for little.
    """
    if format != "auto" and format_named(format) is None:
        raise WrongUse(f"There is no format {format}; use auto or {NAME}.")
    sources = [sniff(Path(path)) for path in paths]
    sizes = [source.size for source in sources]
    report = ImportReport()
    workers: Executor | None = None
    with ExitStack() as stack:
        found = terms_of(project.setting("base_model"), project.setting("rules_profile"))
        terms = Terms(found.encoding, found.profile, found.limit, fast=executor is not None)
        if executor is None and sum(sizes) > _FEW_BYTES:
            executor = workers = pool(found.encoding)
            terms = terms._replace(fast=True)
            stack.callback(workers.shutdown, wait=False, cancel_futures=True)
        bulk = stack.enter_context(project.bulk())
        work = _Import(project, bulk, report, terms, executor, cancelled)
        try:
            for number, source in enumerate(sources):
                before = sum(sizes[:number])
                work.run(
                    source,
                    partial(_step, progress, before, sum(sizes), source.path.name),
                    # Idle workers would hold their memory while a long journal step is written.
                    workers if number == len(sources) - 1 else None,
                )
        finally:
            report.changes = bulk.changes
    report.changes = bulk.changes
    if work.differs:
        _count_again(project, found.encoding, report, progress, cancelled)
    return report


def _count_again(
    project: Project, encoding: str, report: ImportReport, progress: Progress, cancelled: Cancel
) -> None:
    """Count everything with tiktoken, because the fast engine counted a row wrongly."""
    counter(encoding).distrust()
    with ThreadPoolExecutor(1) as here:
        reanalyse(project, progress, cancelled, here)
    report.notes.append(
        "The fast token counter differed from tiktoken, so all conversations were counted again "
        "with tiktoken."
    )


def _step(progress: Progress, before: int, total: int, name: str, done: int) -> None:
    progress(before + done, total, name)


class _Import:
    """Carries one import through its files."""

    def __init__(
        self,
        project: Project,
        bulk: Bulk,
        report: ImportReport,
        terms: Terms,
        executor: Executor | None,
        cancelled: Cancel,
    ) -> None:
        self._project = project
        self._bulk = bulk
        self._report = report
        self._terms = terms
        self._executor = executor
        self._cancelled = cancelled
        self.differs = False
        self._known: list[Column] = [import_hashes(project)]

    def run(self, source: Source, step: Callable[[int], None], dismissed: Executor | None) -> None:
        """Import one file; dismissed may stop as soon as all parts are analysed."""
        rejects = Rejects(self._project.path, source.path)
        try:
            self._read(source, rejects, step, dismissed)
        except BaseException:
            rejects.drop()
            raise
        kept = rejects.keep()
        if kept:
            self._report.rejects_files.append(kept)
        self._report.rejected_rows.extend(rejects.rows)

    def _read(
        self,
        source: Source,
        rejects: Rejects,
        step: Callable[[int], None],
        dismissed: Executor | None,
    ) -> None:
        noted = self._bulk.add_source(str(source.path), source.path.name, "", NAME)
        copies = _Copies(np.concatenate(self._known))
        parts = Parts(source, self._terms, self._executor)
        digest = hashlib.sha256(source.opening.raw_mark)
        counts = _Counts()
        done = 0
        step(0)
        for read in parts:
            if self._cancelled():
                raise Cancelled("The import was cancelled; what was imported so far stays.")
            if read.part.miscounted:
                self.differs = True
                self._terms = self._terms._replace(trusted=False)
                parts.distrust()
            new = copies.new(read.analysis.columns["content_hash"])
            if new.any():
                self._store(read, new, noted)
            if source.is_sliceable:
                digest.update(read.data)
            counts.add(new, read.analysis.blank)
            self._refuse(read, rejects)
            done += read.consumed
            step(min(done, source.size))
        if dismissed is not None:
            dismissed.shutdown(wait=False)
        if not source.is_sliceable:
            with source.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        self._note(source, noted, counts, rejects.count, digest.hexdigest())

    def _note(
        self, source: Source, noted: int, counts: "_Counts", rejected: int, digest: str
    ) -> None:
        """Close the source in the project and add it to the report."""
        records = counts.imported + counts.unchanged + rejected
        self._bulk.finish_source(noted, records=records, rejected=rejected, digest=digest)
        self._report.sources.append(
            SourceReport(
                file=str(source.path),
                format=NAME,
                confidence=round(source.confidence, 2),
                records=records,
                imported=counts.imported,
                unchanged=counts.unchanged,
                rejected=rejected,
                blank=counts.blank,
            )
        )

    def _store(self, read: ReadPart, new: npt.NDArray[np.bool_], source: int) -> None:
        analysis = read.analysis
        rows = np.flatnonzero(new)
        segment, start = _segment(read, rows)
        columns: dict[str, Any] = {name: column[rows] for name, column in analysis.columns.items()}
        columns["import_hash"] = columns["content_hash"]
        columns["start"] = start
        columns["length"] = analysis.length[rows]
        columns["source_line"] = read.numbers[analysis.line[rows]]
        columns["beginnings"] = [analysis.beginnings[row] for row in rows.tolist()]
        columns["title"] = [analysis.titles[row] for row in rows.tolist()]
        place = {row: at for at, row in enumerate(rows.tolist())}
        findings = [(place[row], found) for row, found in analysis.findings if row in place]
        self._bulk.add(segment, columns, source=source, findings=findings)
        self._known.append(columns["import_hash"])

    def _refuse(self, read: ReadPart, rejects: Rejects) -> None:
        for refused, (at, length) in zip(read.analysis.rejected, read.part.rejected, strict=True):
            raw = read.data[at : at + length]
            rejects.add(raw, int(read.numbers[refused.line]), refused.rule, refused.reason)


@dataclass(slots=True)
class _Counts:
    """What came of the rows of one file."""

    imported: int = 0
    unchanged: int = 0
    blank: int = 0

    def add(self, new: npt.NDArray[np.bool_], blank: int) -> None:
        """Take in one part."""
        imported = int(new.sum())
        self.imported += imported
        self.unchanged += len(new) - imported
        self.blank += blank


class _Copies:
    """Knows how many copies of each content the project had before a file."""

    def __init__(self, hashes: Column) -> None:
        self._known, self._left = np.unique(hashes, return_counts=True)

    def new(self, hashes: Column) -> npt.NDArray[np.bool_]:
        """Return which of these rows the project does not have yet; each copy it has counts once."""
        new = np.ones(len(hashes), np.bool_)
        if not len(self._known):
            return new
        places = np.minimum(np.searchsorted(self._known, hashes), len(self._known) - 1)
        for row in np.flatnonzero(self._known[places] == hashes).tolist():
            place = places[row]
            if self._left[place]:
                self._left[place] -= 1
                new[row] = False
        return new


def _segment(read: ReadPart, rows: npt.NDArray[np.intp]) -> tuple[bytes, Column]:
    """Return the bytes to store and each row's place in them: the part as it is, or its new rows only."""
    start, length = read.part.start[rows], read.analysis.length[rows]
    if int(length.sum()) * 10 >= len(read.data) * 9:
        return read.data, start
    data = read.data
    pieces = [
        data[at : at + size] for at, size in zip(start.tolist(), length.tolist(), strict=True)
    ]
    ends = np.cumsum(length + 1)
    return b"\n".join(pieces), ends - length - 1
