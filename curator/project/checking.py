"""Checking a project or a bare file in bulk: which target accepts what, and every rule's findings."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from curator.curate.analysis.identity import Beginnings, Sameness
from curator.curate.checks import check_for_all, finding
from curator.curate.dataset_checks import DatasetFacts, Ints, check_dataset
from curator.dataset import Conversation, Finding
from curator.dataset.codes import DEFAULT_BASE_MODEL, DEFAULT_RULES_PROFILE, PROFILES
from curator.dataset.errors import Cancelled, WrongUse
from curator.dataset.json_values import loads
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.dataset.resources import resource
from curator.project.check_report import CheckReport, Found, RuleCount, Tally, TargetCount
from curator.project.dataset_facts import dataset_facts, has_images, tool_uses
from curator.project.imports.file_form import BareFile, FormFault
from curator.project.store import derive, finding_rows
from curator.project.store.reader import Reader, damaged_among
from curator.project.store.tables import living

DEFAULT_TARGET: Final = "openai"

_BATCH: Final = 2_000


def profiles_named(names: Iterable[str], own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the rules profile of each target; own adds targets a person set up. Raises WrongUse.

    A name is a target's, a rules profile's or its short form, such as openai for openai_sft.
    """
    return {name: _profile_named(name, own or {}) for name in names or (DEFAULT_TARGET,)}


def _profile_named(name: str, own: Mapping[str, str]) -> str:
    if name in own:
        return own[name]
    if name == DEFAULT_TARGET:
        return DEFAULT_RULES_PROFILE
    if name in PROFILES:
        return name
    shipped = {path.stem: path for path in sorted(resource("targets").glob("*.json"))}
    if name in shipped:
        return str(
            loads(shipped[name].read_text("utf-8")).get("rules_profile", DEFAULT_RULES_PROFILE)
        )
    known = dict.fromkeys((DEFAULT_TARGET, *PROFILES, *shipped, *own))
    raise WrongUse(f'There is no target "{name}"; choose from {", ".join(known)}.')


def check_project(
    reader: Reader,
    targets: Mapping[str, str] | None = None,
    rules: Collection[str] = (),
    *,
    more: Mapping[int, Sequence[Finding]] | None = None,
    limit: int = 1_000,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> CheckReport:
    """Check all conversations that are not removed, for targets given as name to rules profile.

    limit is how many findings the report tells; its counts are complete in any case. more is what a
    base's own tokenizer and template find, by conversation: it stands in place of the usual count.
    """
    check_rules(rules)
    targets = targets or profiles_named(())
    stored = str(reader.setting("rules_profile") or DEFAULT_RULES_PROFILE)
    tally = Tally(targets, rules, limit, more)
    if tally.profiles == (stored,) and more is None:
        _take_stored(reader, tally)
    else:
        _take_anew(reader, tally, progress, cancelled, measured=more is not None)
    damaged = damaged_among(reader, living(reader).tolist(), progress, cancelled)
    tally.report.damaged = damaged
    facts = dataset_facts(reader)
    tally.take_dataset([check_dataset(facts, profile) for profile in tally.profiles])
    return tally.report


def check_file(
    file: BareFile,
    targets: Mapping[str, str] | None = None,
    rules: Collection[str] = (),
    *,
    base_model: str = DEFAULT_BASE_MODEL,
    more: Mapping[int, Sequence[Finding]] | None = None,
    limit: int = 1_000,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> CheckReport:
    """Check a file without any project, its form as strictly as a service does.

    more is what a base's own tokenizer and template find, by line.
    """
    from curator.curate.analysis.kernel import analyse

    check_rules(rules)
    tally = Tally(targets or profiles_named(()), rules, limit, more)
    terms = derive.terms_of(base_model, tally.profiles[0])
    tally.report.unit = file.source.unit
    if more is not None:
        terms = replace(terms, limit=None)
    total = _FileColumns()
    _take_form(tally, [file.faults(profile) for profile in tally.profiles])
    for batch in _batches(file.records()):
        if cancelled():
            raise Cancelled(f"The check of {file.source.path.name} was stopped.")
        raws = [raw for _, raw in batch]
        found = analyse(
            raws, encoding=terms.encoding, rules_profile=terms.profile, limit=terms.limit
        )
        total.take(found, batch)
        _take_lines(tally, batch, found, terms.limit)
        progress(batch[-1][0], 0, "Checking")
    _take_form(tally, [file.gaps()] * len(tally.profiles))
    facts = total.facts()
    tally.take_dataset(
        [check_dataset(facts, profile) for profile in tally.profiles], known_ids=False
    )
    return tally.report


def _take_form(tally: Tally, faults: Sequence[Sequence[FormFault]]) -> None:
    """Add what is wrong with a file as a whole, one sequence for each of the tally's profiles."""
    for rule, number in dict.fromkeys((e.rule, e.number) for found in faults for e in found):
        tally.take_file(
            [
                [
                    finding(rule, profile, **each.words)
                    for each in found
                    if (each.rule, each.number) == (rule, number)
                ]
                for profile, found in zip(tally.profiles, faults, strict=True)
            ],
            number,
        )


def check_rules(rules: Collection[str]) -> None:
    """Raise WrongUse that names the first rule that there is not."""
    from curator.dataset.rule import load_rules

    for rule in rules:
        if rule not in load_rules():
            raise WrongUse(f'There is no rule "{rule}"; they are named like S05 or D03.')


def _take_stored(reader: Reader, tally: Tally) -> None:
    """Add up the findings that import and edits left in the project."""
    report = tally.report
    counts = TargetCount()
    report.conversations = len(living(reader))
    for rule, severity, count in finding_rows.counts_by_rule(reader, tally.rules):
        report.rules.setdefault(rule, RuleCount(severity)).count += count
        name = {"error": "errors", "warning": "warnings"}.get(severity, "infos")
        setattr(counts, name, getattr(counts, name) + count)
    counts.conversations_with_errors = finding_rows.conversations_with(reader, "error", tally.rules)
    counts.conversations_with_warnings = finding_rows.conversations_with(
        reader, "warning", tally.rules
    )
    listed = finding_rows.living_findings(reader, tally.rules, tally.limit)
    report.findings = [Found(*each) for each in listed]
    for name in report.targets:
        report.targets[name] = replace(counts)


def found_by_rule(reader: Reader, rule: str, limit: int = 5_000) -> list[Found]:
    """Return the stored findings of one rule, in the order of their conversations."""
    return [Found(*each) for each in finding_rows.living_findings(reader, (rule,), limit)]


def _take_anew(
    reader: Reader,
    tally: Tally,
    progress: ProgressCall,
    cancelled: CancelledCall,
    *,
    measured: bool,
) -> None:
    """Check every conversation under each profile, with the tokens that are stored."""
    with reader.snapshot():
        ids = living(reader)
        everyone = reader.ids()
        rows = np.searchsorted(everyone, ids)
        tokens = reader.column("tokens")[rows].tolist()
        lines = reader.column("source_line")[rows].tolist()
        numbers = dict(zip(ids.tolist(), zip(tokens, lines, strict=True), strict=True))
        terms = derive.terms_of(reader.setting("base_model"), None)
        limit = None if measured else terms.limit
        for at, (id_, raw) in enumerate(reader.iterate(ids.tolist())):
            if at % _BATCH == 0:
                if cancelled():
                    raise Cancelled("The check was stopped; nothing was changed.")
                progress(at, len(ids), "Checking")
            # By id: damaged conversations are not among what is read.
            count, line = numbers[id_]
            found = check_for_all(
                Conversation.parse(raw), tally.profiles, limit=limit, tokens=count, raw=raw
            )
            tally.take(found, id_, line or None)
    progress(len(ids), len(ids), "Checking")


def _batches(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line[1])
        if len(batch) >= _BATCH or size > 4_000_000:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _take_lines(
    tally: Tally, batch: Sequence[tuple[int, bytes]], found: Any, limit: int | None
) -> None:
    """Add one batch in the order of its lines: rows with the kernel's findings, and refused lines."""
    by_row: dict[int, list[Finding]] = {}
    for row, each in found.findings:
        by_row.setdefault(row, []).append(each)
    rows = {at: row for row, at in enumerate(found.line.tolist())}
    refused = {each.line: each for each in found.rejected}
    tokens = found.columns["tokens"].tolist()
    for at, (number, raw) in enumerate(batch):
        if not raw.strip():
            tally.take_line(finding("F06", tally.profiles[0], line=number), number)
        elif at in refused:
            fault = Finding(refused[at].rule, "error", refused[at].reason)
            tally.take([[fault]] * len(tally.profiles), None, number)
        elif at in rows:
            row = rows[at]
            every: Sequence[Sequence[Finding]] = [by_row.get(row, [])]
            if len(tally.profiles) > 1:
                text = raw.decode("utf-8").strip()
                every = check_for_all(
                    Conversation.parse(text),
                    tally.profiles,
                    limit=limit,
                    tokens=tokens[row],
                    raw=text,
                )
            tally.take(every, None, number)


class _FileColumns:
    """The columns of a file's rows, gathered batch by batch; a row's name is its line."""

    _NAMES: Final = ("content_hash", "prompt_hash", "system_hash", "trained_tokens")

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in (*self._NAMES, "ids")}
        self._beginnings: list[bytes] = []
        self._with_images: list[int] = []
        self._uses: dict[str, dict[str, list[int]]] = {}

    def take(self, found: Any, batch: Sequence[tuple[int, bytes]]) -> None:
        """Add one analysed batch."""
        numbers = [batch[at][0] for at in found.line.tolist()]
        for name in self._NAMES:
            self._columns[name].append(found.columns[name])
        self._beginnings += found.beginnings
        self._columns["ids"].append(np.array(numbers, np.int64))
        for row in np.flatnonzero(found.columns["flags"] & 5).tolist():
            conversation = Conversation.parse(batch[found.line[row]][1].decode("utf-8").strip())
            if has_images(conversation):
                self._with_images.append(numbers[row])
            for name, definition in tool_uses(conversation):
                forms = self._uses.setdefault(name, {})
                forms.setdefault(definition, []).append(numbers[row])

    def facts(self) -> DatasetFacts:
        """Return all columns."""
        ids = self._joined("ids")
        return DatasetFacts(
            ids=ids,
            same=Sameness(
                self._joined("content_hash"),
                self._joined("prompt_hash"),
                Beginnings.unpack(self._beginnings),
            ),
            system_hash=self._joined("system_hash"),
            trained_tokens=self._joined("trained_tokens"),
            split=np.zeros(len(ids), np.int8),
            has_images=np.isin(ids, np.array(self._with_images, np.int64)),
            tools={n: [tuple(users) for users in f.values()] for n, f in self._uses.items()},
        )

    def _joined(self, name: str) -> Ints:
        return np.concatenate([np.empty(0, np.int64), *self._columns[name]])
