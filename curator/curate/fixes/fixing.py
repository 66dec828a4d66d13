"""The fixes of findings: each makes a new conversation and tells what moved to the metadata.

A safe fix may run in bulk; the others need a look first. Every value of the line is still in it
after a fix, or moved to the metadata, or stands in the finding's own words; only a fix that is
there to write a text otherwise does just that.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from curator.curate.checks import check_conversation
from curator.curate.fixes import messages, texts, tools
from curator.curate.fixes.lost_values import lost_values, merge_metadata
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding
from curator.dataset.json_values import Json
from curator.dataset.rule import load_rules

FIXES: Final = {**messages.FIXES, **texts.FIXES, **tools.FIXES}
"""Every fix by the id that a finding's fix names."""

SAFE_FIXES: Final = frozenset(
    rule.fix.id
    for rule in load_rules().values()
    if rule.fix and rule.fix.safe and rule.fix.id in FIXES
)
"""The fixes that may run in bulk."""

_SHIFTING: Final = frozenset({"move_system_first", "convert_functions"})
"""Fixes after which the places of other findings no longer hold."""

_NEEDS_MESSAGES: Final = frozenset({"train_last_answer", "drop_tail", "convert_functions"})
"""The fixes of a whole line that read its messages."""

_OF_ANY_ENTRY: Final = frozenset({"delete_message", "replace_broken_characters"})
"""The fixes that fit an entry of the list that is no message."""

_REWORDING: Final = frozenset(
    {
        "mask_secret",
        "mask_personal",
        "break_control_token",
        "merge_messages",
        "remove_invisible",
        "undo_wrong_encoding",
        "train_last_answer",
        "allow_parallel_calls",
    }
)
"""The fixes that exist to write a text otherwise, or to set the value that the finding names."""

_ROUNDS: Final = 24


class Fixed(NamedTuple):
    """A fixed conversation, and the keys that now belong to its annotation's metadata."""

    conversation: Conversation
    moved: dict[str, Json]


def fix_finding(conversation: Conversation, finding: Finding) -> Fixed:
    """Fix what a finding names; the very same conversation comes back where the finding no longer fits."""
    moved: dict[str, Json] = {}
    fix = FIXES.get(finding.fix)
    if fix is None or not _fits(conversation, finding):
        return Fixed(conversation, moved)
    try:
        fixed = fix(conversation, finding, moved)
        if finding.fix not in _REWORDING and fixed is not conversation:
            moved |= lost_values(conversation, fixed, moved, finding)
    except (RecursionError, LookupError):
        # Nested nearly as deep as a reader goes, or an old finding whose place is gone.
        return Fixed(conversation, {})
    return Fixed(fixed, moved)


def apply_fix(conversation: Conversation, finding: Finding) -> Conversation:
    """Fix what a finding names; see fix_finding for what it moves out."""
    return fix_finding(conversation, finding).conversation


def fix_safe(
    conversation: Conversation,
    rules: Collection[str] | None = None,
    *,
    profile: str = DEFAULT_RULES_PROFILE,
    raw: str | None = None,
) -> tuple[Conversation, dict[str, Json], tuple[str, ...]]:
    """Apply every safe fix (of these rules only, where given) until none is left.

    Returns the conversation, what moved to the metadata, and the rule of each fix made.
    """
    moved: dict[str, Json] = {}
    rules_fixed: list[str] = []
    for _ in range(_ROUNDS):
        found = [
            finding
            for finding in check_conversation(conversation, profile=profile, raw=raw)
            if finding.fix in SAFE_FIXES and (rules is None or finding.rule in rules)
        ]
        settled = [finding for finding in found if finding.fix not in _SHIFTING]
        progress = False
        for finding in settled or found[:1]:
            fixed, more = fix_finding(conversation, finding)
            if fixed is not conversation or finding.fix == "keep_last_key":
                rules_fixed.append(finding.rule)
                progress = True
            conversation = fixed
            moved = merge_metadata(moved, more)
        raw = None
        if not progress:
            break
    return conversation, moved, tuple(rules_fixed)


def _fits(conversation: Conversation, finding: Finding) -> bool:
    """Say whether the message a finding names is still there."""
    listed = conversation.fields.get("messages")
    at = finding.place.message
    if not isinstance(listed, list):
        return at is None and finding.fix not in _NEEDS_MESSAGES
    if at is None:
        return True
    return at < len(listed) and (isinstance(listed[at], dict) or finding.fix in _OF_ANY_ENTRY)
