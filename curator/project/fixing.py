"""Fixes in bulk: the safe ones over a whole project, as edits that undo takes back."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from curator.curate.checks import holds_two_values
from curator.curate.fixes.fixing import SAFE_FIXES, fix_finding, fix_safe
from curator.curate.fixes.lost_values import merge_metadata
from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, Finding
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.edit import Patch
from curator.dataset.errors import Cancelled
from curator.dataset.json_values import Json
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.project.store.finding_rows import with_fixes
from curator.project.store.label_rows import annotation_values
from curator.project.store.reader import Reader

CHUNK: Final = 2_000
"""The most conversations in one edit, so that no step of a large fix takes long or much memory."""

TITLE: Final = "Fix safe findings"


@dataclass(frozen=True, slots=True)
class FixedConversation:
    """One fixed conversation, before and after, for a person to look at."""

    conversation: int
    before: str
    after: str
    moved: Mapping[str, Json]
    rules: tuple[str, ...]


@dataclass(slots=True)
class FixReport:
    """How many findings of each rule were fixed in how many conversations, and the first of them."""

    fixed: Counter[str] = field(default_factory=Counter)
    conversations: int = 0
    preview: list[FixedConversation] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        """Return the keys of the verb fix."""
        return {"fixed": dict(sorted(self.fixed.items())), "conversations": self.conversations}


def fix_project(
    project: Reader,
    rules: Collection[str] = (),
    *,
    author: str = "",
    dry_run: bool = False,
    preview: int = 20,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> tuple[list[Edit], FixReport]:
    """Work out the safe fixes (of these rules only, where given); nothing is changed here.

    Returns the edits to apply, one unless there are thousands of conversations; a dry run has none.
    """
    report = FixReport()
    edits: list[Edit] = []
    chunk: list[FixedConversation] = []
    for fixed in fix_all(project, rules, progress, cancelled):
        report.conversations += 1
        report.fixed.update(fixed.rules)
        if len(report.preview) < preview:
            report.preview.append(fixed)
        if not dry_run:
            chunk.append(fixed)
            if len(chunk) == CHUNK:
                edits.append(edit_of(project, chunk, author))
                chunk = []
    if chunk:
        edits.append(edit_of(project, chunk, author))
    return edits, report


def fix_all(
    reader: Reader,
    rules: Collection[str] = (),
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
) -> Iterator[FixedConversation]:
    """Yield every conversation that a safe fix changes."""
    profile = str(reader.setting("rules_profile") or DEFAULT_RULES_PROFILE)
    ids = fixable(reader, rules)
    for at, (id_, before) in enumerate(reader.iterate(ids)):
        if at % 200 == 0:
            if cancelled():
                raise Cancelled("Fixing was stopped; nothing was changed.")
            progress(at, len(ids), "Fixing")
        conversation = Conversation.parse(before)
        after, moved, fixed_rules = fix_safe(
            conversation, frozenset(rules) or None, profile=profile, raw=before
        )
        if fixed_rules:
            yield FixedConversation(id_, before, after.to_json(), moved, fixed_rules)
    progress(len(ids), len(ids), "Fixing")


def fixable(reader: Reader, rules: Collection[str] = ()) -> list[int]:
    """Return the conversations with a stored finding that has a safe fix."""
    return with_fixes(reader, SAFE_FIXES, rules)


def fix_one(reader: Reader, id_: int, finding: Finding, author: str = "") -> Edit | None:
    """Return the edit that fixes one finding, safely or not; None where it no longer fits."""
    before = reader.content(id_)
    if holds_two_values(before):
        return None
    conversation = Conversation.parse(before)
    fixed = fix_finding(conversation, finding)
    after = fixed.conversation.to_json()
    if after == before or (fixed.conversation is conversation and finding.fix != "keep_last_key"):
        return None
    one = FixedConversation(id_, before, after, fixed.moved, (finding.rule,))
    return edit_of(reader, [one], author)


def edit_of(reader: Reader, fixed: Collection[FixedConversation], author: str) -> Edit:
    """Return one edit of several fixes; what they moved out joins the metadata."""
    patches: list[Patch] = [ContentPatch(m.conversation, m.before, m.after) for m in fixed]
    moving = [m for m in fixed if m.moved]
    if moving:
        ids = [m.conversation for m in moving]
        befores = annotation_values(reader, ids, "metadata")
        afters = [merge_metadata(b, m.moved) for b, m in zip(befores, moving, strict=True)]
        patches.append(AnnotationPatch("metadata", tuple(ids), tuple(befores), tuple(afters)))
    rules = sorted({rule for m in fixed for rule in m.rules})
    title = TITLE if len(rules) > 1 else f"Fix {rules[0]}"
    return Edit(f"{title} ({len(fixed):,})" if len(fixed) > 1 else title, author, tuple(patches))
