"""Importing files: parts of a file go to worker processes, and their rows into the project in order.

Every part is one transaction, so a killed import keeps what it had, and importing the file again
adds the rest: of each distinct content only the copies that the project does not have yet get in.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curator.curate.analysis.columns import Column
from curator.curate.analysis.tokens import counter
from curator.dataset.counted import counted
from curator.dataset.errors import Cancelled, UnreadableInput
from curator.dataset.invocation import quoted
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.record import KINDS, Kind
from curator.dataset.regular_files import open_regular
from curator.formats.json_records import Source
from curator.formats.opening import BLOCK, prove
from curator.formats.records import KEPT, LONGEST
from curator.formats.registry import AUTO, format_named, sniff
from curator.project.imports.parts import Parts, ReadPart, pool
from curator.project.imports.reanalysis import reanalyse
from curator.project.imports.rejects import Rejects
from curator.project.imports.report import ImportReport, SourceReport, UnreadableFile
from curator.project.imports.worker import Terms
from curator.project.store.bulk import Bulk, import_hashes
from curator.project.store.derive import terms_of
from curator.project.store.project import Project

_FEW_BYTES: Final = 8 << 20
"""Below this, starting worker processes takes longer than the work."""


def import_files(
    project: Project,
    paths: Sequence[Path],
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
    executor: Executor | None = None,
    format: str = AUTO,  # noqa: A002 - the word of the command line
) -> ImportReport:
    """Import files into a project; raises UnreadableInput where not one of them can be read.

    Where others can, they get in, and the report names the ones that cannot. executor is where
    parts are analysed: worker processes of its own by default, in line for little.
    """
    report = ImportReport()
    sources = _looked_at(paths, report, format)
    sizes = [source.size for source in sources]
    workers: Executor | None = None
    with ExitStack() as stack:
        found = terms_of(project.setting("base_model"), project.setting("rules_profile"))
        terms = Terms(found.encoding, found.profile, found.limit, fast=executor is not None)
        if executor is None and sum(sizes) > _FEW_BYTES:
            executor = workers = pool(found.encoding)
            terms = terms._replace(fast=True)
            stack.callback(workers.shutdown, wait=False, cancel_futures=True)
        bulk = stack.enter_context(Bulk(project))
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
    if report.unreadable and not report.sources and not report.changes:
        raise UnreadableInput(
            " ".join(each.reason for each in report.unreadable), report.unreadable[0].file
        )
    return report


def _looked_at(paths: Sequence[Path], report: ImportReport, name: str) -> list[Source]:
    """Look at every file, its format named or found out; those that cannot be read go into the report."""
    sources = []
    for path in paths:
        try:
            sources.append(sniff(Path(path), name))
        except UnreadableInput as error:
            report.unreadable.append(UnreadableFile(str(path), str(error)))
    return sources


def _count_again(
    project: Project,
    encoding: str,
    report: ImportReport,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> None:
    """Count everything with tiktoken, because the fast engine counted a row wrongly."""
    counter(encoding).distrust()
    with ThreadPoolExecutor(1) as here:
        reanalyse(project, progress, cancelled, here)
    report.notes.append(
        "The fast token counter differed from tiktoken, so all conversations were counted again "
        "with tiktoken."
    )


def _step(progress: ProgressCall, before: int, total: int, name: str, done: int) -> None:
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
        cancelled: CancelledCall,
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
        rejects = Rejects(self._project.path, source.path, source.unit)
        counts = _Counts()
        try:
            self._read(source, rejects, counts, step, dismissed)
        except UnreadableInput as error:
            rejects.drop()
            self._give_up(source, counts, str(error))
            return
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
        counts: "_Counts",
        step: Callable[[int], None],
        dismissed: Executor | None,
    ) -> None:
        copies = _Copies(np.concatenate(self._known))
        step(0)
        for _ in prove(source.opening):
            self._stop_if_cancelled()
        parts = Parts(source, self._terms, self._executor)
        digest = hashlib.sha256(source.opening.raw_mark)
        is_digest = source.is_sliceable
        done = 0
        for read in parts:
            self._stop_if_cancelled()
            if read.part.miscounted:
                self.differs = True
                self._terms = self._terms._replace(trusted=False)
                parts.distrust()
            new = copies.new(read.analysis.columns["content_hash"])
            if new.any():
                self._store(read, new, counts, source)
            digest.update(read.data)
            is_digest = is_digest and len(read.data) == read.consumed
            counts.add(new, read)
            self._refuse(read, rejects)
            self._report.notes += [f"{source.path.name}: {each}" for each in read.chunk.remarks]
            done += read.consumed
            step(min(done, source.size))
        if dismissed is not None:
            dismissed.shutdown(wait=False)
        self._judge(source, counts, rejects)
        if not is_digest:
            digest = hashlib.sha256()
            with open_regular(source.path) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        self._note(source, counts, rejects.count, digest.hexdigest())

    def _stop_if_cancelled(self) -> None:
        if self._cancelled():
            raise Cancelled("The import was cancelled; what was imported so far stays.")

    def _judge(self, source: Source, counts: "_Counts", rejects: Rejects) -> None:
        """Raise UnreadableInput for a file of another kind; note what is out of the ordinary."""
        name = source.path.name
        if rejects.count > 1 and rejects.encoding:
            told = _other_encoding(source, rejects)
            if not counts.imported + counts.unchanged:
                raise UnreadableInput(told, source.path)
            self._report.notes.append(told)
        if counts.imported + counts.unchanged:
            known = format_named(source.format)
            if not known.is_stored:
                self._report.notes.append(
                    f"{name} was read as {known.title} and converted to OpenAI chat."
                )
            if counts.reinforcement:
                one = counts.reinforcement == 1
                self._report.notes.append(
                    f"{name}: {counts.reinforcement:,} {source.unit}{'' if one else 's'} "
                    f"{'is a reinforcement item' if one else 'are reinforcement items'}, which end "
                    "with a question and hold what a grader reads. They are kept for "
                    "reinforcement training; supervised training needs an answer in each."
                )
            return
        if rejects.count and not rejects.any_conversation:
            raise UnreadableInput(_what_it_holds(source, rejects), source.path)
        if not rejects.count:
            holds = "holds nothing but blank lines" if counts.blank else "is empty"
            self._report.notes.append(f"{name} {holds}; nothing was imported from it.")

    def _give_up(self, source: Source, counts: "_Counts", reason: str) -> None:
        """Note a file that could not be read, or not to its end."""
        if counts.source:
            self._bulk.finish_source(counts.source, state="cancelled")
            reason += f" What was read before stays ({counts.imported:,})."
        self._report.unreadable.append(UnreadableFile(str(source.path), reason))

    def _note(self, source: Source, counts: "_Counts", rejected: int, digest: str) -> None:
        """Close the source in the project and add it to the report."""
        noted = self._noted(source, counts)
        records = counts.imported + counts.unchanged + rejected
        self._bulk.finish_source(noted, records=records, rejected=rejected, digest=digest)
        self._report.sources.append(
            SourceReport(
                file=str(source.path),
                format=source.format,
                confidence=round(source.confidence, 2),
                records=records,
                imported=counts.imported,
                unchanged=counts.unchanged,
                rejected=rejected,
                blank=counts.blank,
            )
        )

    def _noted(self, source: Source, counts: "_Counts") -> int:
        """Return the project's number of a file, which has none before something of it gets in."""
        if not counts.source:
            counts.source = self._bulk.add_source(
                str(source.path), source.path.name, "", source.format
            )
        return counts.source

    def _store(
        self, read: ReadPart, new: npt.NDArray[np.bool_], counts: "_Counts", source: Source
    ) -> None:
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
        noted = self._noted(source, counts)
        self._bulk.add(segment, columns, source=noted, findings=findings)
        self._known.append(columns["import_hash"])

    def _refuse(self, read: ReadPart, rejects: Rejects) -> None:
        found = [
            (fault.number, b"", "F01", fault.reason, fault.line) for fault in read.chunk.faults
        ]
        places = read.chunk.places
        for refused, (at, length) in zip(read.analysis.rejected, read.part.rejected, strict=True):
            index = refused.line
            number = int(read.numbers[index])
            raw, reason = read.data[at : at + length], refused.reason
            if index in read.chunk.long:
                raw, reason = raw[:KEPT], _too_long(read.chunk.long[index])
            starts = places[index].line if places else number
            found.append((number, raw, refused.rule, reason, starts))
        for number, raw, rule, reason, starts in sorted(found, key=itemgetter(0)):
            rejects.add(raw, number, rule, reason, starts)


def _too_long(size: int) -> str:
    return (
        f"This line is longer than {LONGEST >> 20} MB ({size >> 20:,} MB), so it was not read; only "
        "its beginning is kept. A quote or a bracket may be missing in it."
    )


def _other_encoding(source: Source, rejects: Rejects) -> str:
    name, number = source.path.name, counted(rejects.count, source.unit)
    if rejects.encoding == "WINDOWS-1252":
        looks, from_ = "look like Windows-1252 or Latin-1", "WINDOWS-1252"
    else:
        looks, from_ = "are in an older encoding of their language", "ENCODING"
    return (
        f"{number} of {name} are not UTF-8 and {looks}. Save the file as UTF-8, for example with "
        f"iconv -f {from_} -t UTF-8 {quoted(name)} > utf8.jsonl, and import that."
    )


def _what_it_holds(source: Source, rejects: Rejects) -> str:
    """Say in one sentence what a file is in which nothing looks like a conversation."""
    known = format_named(source.format)
    if not known.is_stored and rejects.rows:
        first = rejects.rows[0]
        return (
            f"{source.path.name} holds no conversations that can be read as {known.title}: "
            f"{source.unit} {first.line}: {first.reason}"
        )
    if rejects.rules.most_common(1)[0][0] not in ("S01", "F02"):
        return source.other_kind()
    first = next(row for row in rejects.rows if row.rule in ("S01", "F02"))
    _, _, way_out = first.reason.partition(". ")
    lacks = f"none of its {rejects.count:,} {source.unit}s has" if rejects.count > 1 else "it lacks"
    return f'{source.path.name} holds no conversations: {lacks} a "messages" list. {way_out}'


@dataclass(slots=True)
class _Counts:
    """What came of the rows of one file."""

    source: int = 0
    imported: int = 0
    unchanged: int = 0
    blank: int = 0
    reinforcement: int = 0

    def add(self, new: npt.NDArray[np.bool_], read: ReadPart) -> None:
        """Take in one part."""
        imported = int(new.sum())
        self.imported += imported
        self.unchanged += len(new) - imported
        self.blank += read.analysis.blank
        kinds = read.analysis.columns["kind"]
        self.reinforcement += int((kinds == KINDS.index(Kind.REINFORCEMENT)).sum())


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
    data = read.kept
    if int(length.sum()) * 10 >= len(data) * 9:
        return data, start
    pieces = [
        data[at : at + size] for at, size in zip(start.tolist(), length.tolist(), strict=True)
    ]
    ends = np.cumsum(length + 1)
    return b"\n".join(pieces), ends - length - 1
