"""What the Check page shows, read and worked out without any widget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QCoreApplication

from curator.app.counted import counted
from curator.curate.difference import Span, compare_conversations, compare_texts, shown_text
from curator.curate.fixes.fixing import SAFE_FIXES
from curator.dataset import Conversation
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.finding import Finding
from curator.dataset.json_values import Json, dumps

if TYPE_CHECKING:
    from curator.dataset.progress import CancelledCall, ProgressCall
    from curator.project.check_report import CheckReport, Found, TargetCount
    from curator.project.store.reader import Reader

MOST_ROWS: Final = 2_000
"""A rule lists this many findings at most; fixing them brings the others up."""

MEASURED_UP_TO: Final = 5_000
"""With more conversations than this a base of this computer is not asked for its own count."""

AROUND: Final = 240
"""So many characters before and after a place are shown of a long text."""

TURN_CHARACTERS: Final = 240
MOST_TURNS: Final = 6

TARGETS: Final = {
    "OpenAI": DEFAULT_RULES_PROFILE,
    "Azure": "azure",
    "Nebius": "nebius",
    "Together": "together",
    "Bedrock": "bedrock",
    "Gemini": "gemini",
    "TRL": "trl",
}
"""The targets of the matrix and their rules profiles; names of services are not translated."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as a row: whose it is, the first words there, and all it is on where that is several."""

    finding: Finding
    conversation: int | None
    title: str
    conversations: tuple[int, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What the checks say for one target: counts by rule, and the first rows of each."""

    profile: str
    report: "CheckReport"
    rows: dict[str, list[Row]] = field(default_factory=dict)
    default_prompt: str = ""
    """The system prompt that conversations without one should get: the first saved, or the most used."""
    has_safe: bool = False
    """Whether any of the rows has a safe fix."""
    estimated: str = ""
    """Why tokens are estimates, where the base is one of this computer; empty where they are its own."""


@dataclass(frozen=True, slots=True)
class Change:
    """A key of a message (or of the line: None) that a fix changes, and both sides with their marks."""

    part: str
    message: int | None
    before: tuple[Span, ...]
    after: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with a stretch of it marked; kind says in which face it is shown."""

    before: str
    mark: str
    after: str
    kind: Literal["reading", "mono"] = "reading"


def read_findings(
    reader: "Reader", profile: str, progress: "ProgressCall", cancelled: "CancelledCall"
) -> Findings:
    """Check for one target; the rows are the first of each rule, with titles."""
    from curator.project.checking import check_project, found_by_rule

    stored = str(reader.setting("rules_profile") or DEFAULT_RULES_PROFILE)
    more, estimated = own_findings(reader, progress, cancelled)
    report = check_project(
        reader,
        {profile: profile},
        more=more,
        limit=MOST_ROWS * 20,
        progress=progress,
        cancelled=cancelled,
    )
    by_rule: dict[str, list[Found]] = {rule: [] for rule in report.rules}
    for found in report.findings:
        rows = by_rule[found.finding.rule]
        if len(rows) < MOST_ROWS:
            rows.append(found)
    for rule, rows in by_rule.items():
        if (
            more is None
            and profile == stored
            and len(rows) < min(report.rules[rule].count, MOST_ROWS)
        ):
            by_rule[rule] = found_by_rule(reader, rule, MOST_ROWS) or rows
    titled = {rule: _titled(reader, rows) for rule, rows in by_rule.items()}
    prompt = _default_prompt(reader) if "S15" in titled else ""
    has_safe = any(row.finding.fix in SAFE_FIXES for rows in titled.values() for row in rows)
    return Findings(profile, report, titled, prompt, has_safe, estimated)


def own_findings(
    reader: "Reader", progress: "ProgressCall", cancelled: "CancelledCall"
) -> tuple[dict[int, Sequence[Finding]] | None, str]:
    """Return what a base of this computer finds, by conversation, as the command line's check does.

    None where the stored counts stand: for the base models of services, and, with the reason, where
    the base cannot be read here, or where measuring so many anew after each change takes minutes.
    """
    from curator.dataset.errors import WrongUse
    from curator.project.store.tables import living
    from curator.tune.jobs.base_counts import own_count

    own = own_count(str(reader.setting("base_model") or ""))
    ids = living(reader).tolist()
    if own is None:
        return None, ""
    if len(ids) > MEASURED_UP_TO:
        words = QCoreApplication.translate(
            "check", "Token counts are estimates: {0} counts no more than {1} itself here."
        )
        return None, words.format(own.base.name, counted(MEASURED_UP_TO, "conversation"))
    rows = ((id_, None, raw) for id_, raw in reader.iterate(ids))
    found: dict[int, Sequence[Finding]] = {}
    try:
        for done, ((id_, _, _), row) in enumerate(own.counted(rows, cancelled), 1):
            if findings := own.findings(row):
                found[id_ or 0] = findings
            progress(done, len(ids), "Counting")
    except WrongUse as error:
        words = QCoreApplication.translate("check", "Token counts are estimates. {0}")
        return None, words.format(error)
    return found, ""


def _default_prompt(reader: "Reader") -> str:
    from curator.project.prompts import SAVED, used_prompts

    saved = [text for text in reader.setting(SAVED, []) or () if isinstance(text, str)]
    used = [prompt.text for prompt in used_prompts(reader)] if not saved else []
    return next(iter((*saved, *used)), "")


def _titled(reader: "Reader", found: Sequence["Found"]) -> list[Row]:
    """Return a row for each conversation that a finding is on, or one for a finding on none."""
    places = [
        (each, conversation)
        for each in found
        for conversation in each.conversations or (each.conversation,)
    ][:MOST_ROWS]
    titles = reader.titles([conversation or 0 for _, conversation in places])
    return [
        Row(each.finding, conversation, title, each.conversations)
        for (each, conversation), title in zip(places, titles, strict=True)
    ]


def read_matrix(
    reader: "Reader", progress: "ProgressCall", cancelled: "CancelledCall"
) -> dict[str, "TargetCount"]:
    """Check every conversation for every target of the matrix."""
    from curator.project.checking import check_project

    more, _ = own_findings(reader, progress, cancelled)
    report = check_project(
        reader, TARGETS, more=more, limit=0, progress=progress, cancelled=cancelled
    )
    return report.targets


def marked(conversation: Conversation, finding: Finding) -> Marked:
    """Return the text a finding is on, its place marked; the whole talk in short where it is on all."""
    from curator.curate.fixes.places import value_at

    place = finding.place
    messages = conversation.messages
    if place.message is None or place.message >= len(messages):
        return Marked(in_short(conversation), "", "")
    message = messages[place.message]
    value = value_at(message.fields, place.field) if place.field else None
    if isinstance(value, str) and place.start is not None and place.end is not None:
        start = max(0, place.start - AROUND)
        before = ("… " if start else "") + value[start : place.start]
        after = value[place.end : place.end + AROUND]
        after += " …" if place.end + AROUND < len(value) else ""
        return Marked(before, value[place.start : place.end], after)
    if place.field in ("", "content", "role"):
        return Marked(shortened(message.text or dumps(message.content)), "", "")
    return Marked(f"{place.field}: ", shortened(_written(value)), "", "mono")


def in_short(conversation: Conversation) -> str:
    """Return the beginnings of the first turns and of the last one."""
    turns = [
        f"{message.role or '?'}: {' '.join(shown_text(message).split())[:TURN_CHARACTERS]}"
        for message in conversation.messages
    ]
    left_out = len(turns) - MOST_TURNS
    if left_out > 0:
        turns = [*turns[: MOST_TURNS - 1], "…", turns[-1]]
    return "\n".join(turns)


def fixed_by(conversation: Conversation, finding: Finding, default_prompt: str) -> Conversation:
    """Return the conversation as a finding's fix leaves it."""
    from curator.curate.fixes.fixing import apply_fix
    from curator.curate.prompts import with_system_prompt

    if finding.fix == "insert_system_prompt":
        return with_system_prompt(conversation, default_prompt) if default_prompt else conversation
    return apply_fix(conversation, finding)


def changes_of(before: Conversation, after: Conversation) -> list[Change]:
    """Return what differs between a conversation and its fixed self, part by part."""
    changes: list[Change] = []
    if len(before.messages) == len(after.messages):
        for at, (old, new) in enumerate(zip(before.messages, after.messages, strict=True)):
            changes += _changed_keys(old.fields, new.fields, at)
    else:
        for pair in compare_conversations(before, after):
            if not pair.same:
                place = pair.right if pair.left is None else pair.left
                changes.append(Change("", place, pair.left_spans, pair.right_spans))
    return changes + _changed_keys(
        before.without("messages").fields, after.without("messages").fields, None
    )


def changes_of_lines(before: str, after: str) -> list[Change]:
    """Return what differs between two lines; where only their writing does, the lines themselves."""
    changes = changes_of(Conversation.parse(before), Conversation.parse(after))
    return changes or [Change("messages", None, *compare_texts(before, after))]


def _changed_keys(
    before: Mapping[str, Json], after: Mapping[str, Json], message: int | None
) -> list[Change]:
    changes: list[Change] = []
    for key in dict.fromkeys((*before, *after)):
        old, new = (_written(side[key]) if key in side else "" for side in (before, after))
        if old != new:
            changes.append(Change(key, message, *compare_texts(old, new)))
    return changes


def _written(value: Json) -> str:
    return dumps(value) if not isinstance(value, str) else value


def shortened(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= 2 * AROUND else f"{text[: 2 * AROUND]} …"
