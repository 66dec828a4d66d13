"""Runs all checks of a conversation; a plain one is recognised first and costs little."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Final

from curator.curate.checks import (
    characters,
    definitions,
    files,
    images,
    keys,
    length,
    privacy,
    shape,
    tools,
    turns,
)
from curator.curate.checks.finder import needs_reading
from curator.curate.checks.subject import Subject, Trouble
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding, Place, Severity
from curator.dataset.json_values import Json
from curator.dataset.rule import load_rules

Check = tuple[str, Callable[[Subject], Iterable[Trouble]]]

FIRST: Final[tuple[Check, ...]] = (*files.CHECKS, *shape.CHECKS, *turns.CHECKS, *keys.CHECKS)
WITH_TOOLS: Final[tuple[Check, ...]] = (*tools.CHECKS, *definitions.CHECKS)
WITH_PARTS: Final[tuple[Check, ...]] = images.CHECKS
LAST: Final[tuple[Check, ...]] = (*length.CHECKS, *characters.CHECKS, *privacy.CHECKS)
CHECKS: Final = (*FIRST, *WITH_TOOLS, *WITH_PARTS, *LAST)

_DECISIVE_KEYS: Final = frozenset({"role", "content"})
"""With these keys alone the roles decide all findings; a weight has rules of its own."""


def check_conversation(
    conversation: Conversation,
    *,
    profile: str = DEFAULT_RULES_PROFILE,
    limit: int | None = None,
    tokens: int | None = None,
    raw: str | None = None,
) -> tuple[Finding, ...]:
    """Return what the rules find in one conversation, in the order of its messages.

    limit and tokens are the target's and the conversation's tokens (no length rule without them);
    raw is the line as it was read (no rule on repeated keys without it).
    """
    (found,) = check_for_all(conversation, (profile,), limit=limit, tokens=tokens, raw=raw)
    return found


def check_for_all(
    conversation: Conversation,
    profiles: Sequence[str],
    *,
    limit: int | None = None,
    tokens: int | None = None,
    raw: str | None = None,
) -> tuple[tuple[Finding, ...], ...]:
    """Return what check_conversation finds for each profile; a plain conversation is read only once."""
    roles = _plain_roles(conversation, raw)
    if roles is None:
        return tuple([_check(conversation, each, limit, tokens, raw) for each in profiles])
    plain = [(each, plain_findings(roles, each)) for each in profiles]
    if tokens is None or not limit or tokens * 2 < limit:
        return tuple([found for _, found in plain])
    subjects = [(Subject(Conversation({}), each, limit, tokens), found) for each, found in plain]
    # The rules on length look at the tokens only.
    return tuple([_in_order([*found, *_run(length.CHECKS[:2], s)]) for s, found in subjects])


def _plain_roles(conversation: Conversation, raw: str | None) -> tuple[str, ...] | None:
    """Return the roles where they decide all findings but those on length; None otherwise.

    Then every message is a role and a text, not blank, the texts need no reading and no key stands twice.
    """
    messages = conversation.fields.get("messages")
    if len(conversation.fields) != 1 or not isinstance(messages, list) or not messages:
        return None
    roles: list[str] = []
    texts: list[str] = []
    for message in messages:
        if not isinstance(message, dict) or message.keys() != _DECISIVE_KEYS:
            return None
        role, text = message["role"], message["content"]
        if type(role) is not str or type(text) is not str or not text or text.isspace():
            return None
        roles.append(role)
        texts.append(text)
    if needs_reading("\n".join(texts)) or (
        raw is not None and not files.keys_stand_once(raw, len(roles))
    ):
        return None
    return tuple(roles)


def plain_text_findings(
    conversation: Conversation, profile: str, limit: int | None, tokens: int | None
) -> tuple[Finding, ...]:
    """Return what check_conversation finds in messages of a role and a well-formed text, not blank.

    For such messages only the rules on length and on texts depend on more than the roles.
    """
    subject = Subject(conversation, profile, limit, tokens)
    roles = tuple(str(message["role"]) for message in subject.messages)
    found = [*plain_findings(roles, profile), *_run(LAST, subject)]
    return _in_order(found)


@lru_cache(maxsize=4096)
def plain_findings(
    roles: tuple[str, ...], profile: str = DEFAULT_RULES_PROFILE
) -> tuple[Finding, ...]:
    """Return what the rules say of messages of these roles whose contents are texts, not blank.

    Together with needs_reading being false for every text (and no repeated key, no length rule)
    this is all that check_conversation would find.
    """
    messages: Json = [{"role": role, "content": "x"} for role in roles]
    return _check(Conversation({"messages": messages}), profile, None, None, None)


def finding(
    rule_id: str,
    profile: str = DEFAULT_RULES_PROFILE,
    place: Place = Place(),  # noqa: B008 - a frozen value
    *,
    fixable: bool = True,
    **values: object,
) -> Finding:
    """Build a rule's finding with its own words; a rule that does not apply to the profile is info."""
    rule = load_rules()[rule_id]
    severity: Severity = rule.severity_for(profile) or "info"
    fix = rule.fix.id if rule.fix and fixable else ""
    return Finding(rule_id, severity, rule.sentence(**values), place, fix)


def _check(
    conversation: Conversation, profile: str, limit: int | None, tokens: int | None, raw: str | None
) -> tuple[Finding, ...]:
    subject = Subject(conversation, profile, limit, tokens, raw)
    found = _run(FIRST, subject)
    if subject.has_tools:
        found += _run(WITH_TOOLS, subject)
    if subject.has_parts:
        found += _run(WITH_PARTS, subject)
    found += _run(LAST, subject)
    if any(each.rule == "F08" for each in found):
        # A fix writes the line anew, and so would drop one of the two values.
        found = [replace(each, fix="") for each in found]
    return _in_order(found)


def _run(checks: Sequence[Check], subject: Subject) -> list[Finding]:
    applies = _severities(subject.profile)
    return [
        finding(rule_id, subject.profile, place, fixable=fixable, **values)
        for rule_id, find in checks
        if rule_id in applies
        for place, values, fixable in find(subject)
    ]


@cache
def _severities(profile: str) -> frozenset[str]:
    rules = load_rules().values()
    return frozenset(rule.id for rule in rules if rule.severity_for(profile) is not None)


def _in_order(found: list[Finding]) -> tuple[Finding, ...]:
    """Sort by message, whole-conversation findings first; findings of one message keep their order."""
    return tuple(sorted(found, key=lambda f: -1 if f.place.message is None else f.place.message))
