"""What a check of a project or file found, by rule and by target, with the keys of the terminal."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from curator.curate.dataset_checks import DatasetFinding
from curator.dataset.finding import Finding, Severity
from curator.dataset.json_values import Json
from curator.dataset.rule import load_rules
from curator.project.imports.rejects import spoken_of

_GRAVITY: Final[Mapping[Severity, int]] = {"error": 2, "warning": 1, "info": 0}

_FAMILIES: Final = "FSTVLPDJ"
"""The families of rules in the order in which they are checked."""


@dataclass(slots=True)
class TargetCount:
    """How many findings one target has, and how many conversations it would refuse.

    Conversations are counted by their own findings; those that only a comparison with others has are
    findings too, but none of theirs.
    """

    errors: int = 0
    warnings: int = 0
    infos: int = 0
    conversations_with_errors: int = 0
    conversations_with_warnings: int = 0


@dataclass(slots=True)
class RuleCount:
    """How grave a rule is at its gravest among the targets, and how often it was met."""

    severity: Severity
    count: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and whose it is; conversations names all where it is on several."""

    finding: Finding
    conversation: int | None
    source_line: int | None = None
    conversations: tuple[int, ...] = ()


@dataclass(slots=True)
class CheckReport:
    """The counts of a check, and the first findings.

    A finding that is on several conversations counts once for each. unit is what the numbers of a
    file's records count: "line", or "element" of an array.
    damaged names the conversations of a project whose stored text is damaged.
    """

    conversations: int = 0
    targets: dict[str, TargetCount] = field(default_factory=dict)
    rules: dict[str, RuleCount] = field(default_factory=dict)
    findings: list[Found] = field(default_factory=list)
    unit: str = "line"
    damaged: list[int] = field(default_factory=list)

    @property
    def across(self) -> dict[Severity, int]:
        """How many findings, by severity, come from looking at the conversations together."""
        known = load_rules()
        found: dict[Severity, int] = {}
        for rule, count in self.rules.items():
            if known[rule].scope == "dataset":
                found[count.severity] = found.get(count.severity, 0) + count.count
        return found

    @property
    def has_errors(self) -> bool:
        """Whether any target has an error."""
        return any(target.errors for target in self.targets.values())

    @property
    def has_warnings(self) -> bool:
        """Whether any target has a warning."""
        return any(target.warnings for target in self.targets.values())

    def to_json(self) -> dict[str, Json]:
        """Return the keys of the verb check; a turn is counted from 1, as messages say it."""
        return {
            "conversations": self.conversations,
            "targets": {
                name: {
                    "errors": count.errors,
                    "warnings": count.warnings,
                    "infos": count.infos,
                    "conversations_with_errors": count.conversations_with_errors,
                    "conversations_with_warnings": count.conversations_with_warnings,
                }
                for name, count in self.targets.items()
            },
            "rules": {
                rule: {"severity": count.severity, "count": count.count}
                for rule, count in sorted(self.rules.items())
            },
            "findings": [_row(found, self.unit) for found in self.findings],
            "unit": self.unit,
            "damaged": self.damaged,
        }


def _row(found: Found, unit: str) -> dict[str, Json]:
    place = found.finding.place
    return {
        "conversation": found.conversation,
        "source_line": found.source_line,
        "turn": None if place.message is None else place.message + 1,
        "rule": found.finding.rule,
        "severity": found.finding.severity,
        "message": spoken_of(found.finding.message, unit),
        "fix": found.finding.fix or None,
        "conversations": list(found.conversations),
    }


class Tally:
    """Adds findings up to a report: for each target, for each rule, and the first ones themselves."""

    def __init__(
        self,
        targets: Mapping[str, str],
        rules: Collection[str] = (),
        limit: int = 1_000,
        more: Mapping[int, Sequence[Finding]] | None = None,
    ) -> None:
        """Take what is to be told; more is found elsewhere, by conversation or, in a file, by line."""
        self.targets = dict(targets)
        self.profiles = tuple(dict.fromkeys(self.targets.values()))
        self.rules = frozenset(rules)
        self.limit = limit
        self.more = more or {}
        self.report = CheckReport(targets={name: TargetCount() for name in self.targets})

    def take(
        self, found: Sequence[Sequence[Finding]], conversation: int | None, line: int | None
    ) -> None:
        """Add one conversation's findings, one sequence for each of profiles."""
        self.report.conversations += 1
        known = line if conversation is None else conversation
        more = self.more.get(known, ()) if known is not None else ()
        found = [[*each, *more] for each in found] if more else found
        if any(found):
            self._take(found, conversation, line)

    def take_line(self, finding: Finding, line: int) -> None:
        """Add what was found on a line of a file that is no conversation."""
        self.take_file([[finding]] * len(self.profiles), line)

    def take_file(self, found: Sequence[Sequence[Finding]], line: int | None) -> None:
        """Add what was found on the form of a file, one sequence for each of profiles; line may be none."""
        self._take(found, None, line, of_conversations=False)

    def _take(
        self,
        found: Sequence[Sequence[Finding]],
        conversation: int | None,
        line: int | None,
        *,
        of_conversations: bool = True,
    ) -> None:
        kept = [self._wanted(findings) for findings in found]
        self._count_targets(kept, of_conversations=of_conversations)
        for finding in _gravest(kept):
            self._count_rule(finding, 1)
            self._tell(Found(finding, conversation, line))

    def take_dataset(
        self, found: Sequence[Sequence[DatasetFinding]], *, known_ids: bool = True
    ) -> None:
        """Add what was found in the conversations taken together, one sequence for each of profiles.

        known_ids says that conversations are ids of a project; else they are lines of a file.
        """
        kept = [[e for e in each if self._is_wanted(e.finding)] for each in found]
        # One finding on several conversations is as many, here as in the counts of rules and in lists.
        many = [[e.finding for e in each for _ in e.conversations or (0,)] for each in kept]
        self._count_targets(many, of_conversations=False)
        gravest: dict[tuple[object, ...], DatasetFinding] = {}
        for each in (e for findings in kept for e in findings):
            place = (each.finding.rule, each.finding.message, each.conversations)
            known = gravest.get(place)
            if known is None or _is_graver(each.finding, known.finding):
                gravest[place] = each
        for finding, everyone in gravest.values():
            first = everyone[0] if everyone else None
            self._count_rule(finding, max(1, len(everyone)))
            self._tell(
                Found(finding, first, None, everyone)
                if known_ids
                else Found(finding, None, first, everyone)
            )

    def _is_wanted(self, finding: Finding) -> bool:
        return not self.rules or finding.rule in self.rules

    def _wanted(self, findings: Iterable[Finding]) -> list[Finding]:
        return [finding for finding in findings if self._is_wanted(finding)]

    def _count_targets(
        self, found: Sequence[Sequence[Finding]], *, of_conversations: bool = True
    ) -> None:
        for name, profile in self.targets.items():
            count = self.report.targets[name]
            severities = [f.severity for f in found[self.profiles.index(profile)]]
            errors = severities.count("error")
            warnings = severities.count("warning")
            count.errors += errors
            count.warnings += warnings
            count.infos += severities.count("info")
            count.conversations_with_errors += bool(errors) and of_conversations
            count.conversations_with_warnings += bool(warnings) and of_conversations

    def _count_rule(self, finding: Finding, times: int) -> None:
        count = self.report.rules.get(finding.rule)
        if count is None:
            count = self.report.rules[finding.rule] = RuleCount(finding.severity)
        if _GRAVITY[finding.severity] > _GRAVITY[count.severity]:
            count.severity = finding.severity
        count.count += times

    def _tell(self, found: Found) -> None:
        if len(self.report.findings) < self.limit:
            self.report.findings.append(found)


def _gravest(found: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Return each finding once, as grave as the gravest target sees it."""
    if len(found) == 1:
        return list(found[0])
    gravest: dict[tuple[object, ...], Finding] = {}
    for findings in found:
        seen: dict[tuple[object, ...], int] = {}
        for finding in findings:
            place = (finding.rule, finding.place, finding.message)
            seen[place] = seen.get(place, 0) + 1
            known = gravest.get((*place, seen[place]))
            if known is None or _is_graver(finding, known):
                gravest[(*place, seen[place])] = finding
    return list(gravest.values())


def _is_graver(finding: Finding, other: Finding) -> bool:
    return _GRAVITY[finding.severity] > _GRAVITY[other.severity]


def in_order_of_gravity(rules: Mapping[str, RuleCount]) -> list[str]:
    """Return the rules met, the gravest and most frequent first."""
    return sorted(
        rules,
        key=lambda rule: (
            -_GRAVITY[rules[rule].severity],
            -rules[rule].count,
            _FAMILIES.find(rule[0]),
            rule,
        ),
    )
