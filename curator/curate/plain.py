"""The fast path of the kernel: a typed decode, and what the sequence of roles alone decides.

A plain line holds messages with role and content texts, and perhaps a weight of 0 or 1 on an
answer; anything else is left to the general path, which finds the same for plain lines, only slower.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from curator.curate.checks import plain_findings
from curator.curate.encodings import CountText
from curator.curate.tokens import TOKENS_PER_CONVERSATION, TOKENS_PER_MESSAGE
from curator.dataset import Finding


# Fields stand in alphabetical order, so that the encoded struct is the canonical form of the value.
class PlainMessage(Struct, forbid_unknown_fields=True, gc=False):
    """One message of a plain line."""

    content: str
    role: Literal["system", "user", "assistant"]
    weight: int | UnsetType = UNSET


class PlainLine(Struct, forbid_unknown_fields=True, gc=False):
    """A whole plain line."""

    messages: list[PlainMessage]


class RoleFacts(NamedTuple):
    """What a sequence of roles decides, whatever the texts say."""

    turns: int
    fixed_tokens: int
    answers: tuple[int, ...]
    asked: tuple[int, ...]
    titled: int
    has_prompt: bool
    has_system: bool
    findings: tuple[Finding, ...]
    errors: int
    warnings: int


decode_plain: Final = msgspec.json.Decoder(PlainLine).decode
encode_plain: Final = msgspec.json.Encoder().encode


def role_facts(roles: tuple[str, ...], profile: str, count: CountText) -> RoleFacts:
    """Return what these roles decide, by the very rule functions that check everything else."""
    answers = tuple(i for i, role in enumerate(roles) if role == "assistant")
    users = tuple(i for i, role in enumerate(roles) if role == "user")
    end = answers[-1] if answers else len(roles)
    findings = plain_findings(roles, profile)
    errors, warnings = severities(findings)
    return RoleFacts(
        turns=len(users),
        fixed_tokens=TOKENS_PER_CONVERSATION
        + sum(TOKENS_PER_MESSAGE + count(role) for role in roles),
        answers=answers,
        asked=tuple(i for i in users if i < end),
        titled=users[0] if users else 0,
        has_prompt=roles[0] == "system",
        has_system="system" in roles,
        findings=findings,
        errors=errors,
        warnings=warnings,
    )


def severities(findings: Sequence[Finding]) -> tuple[int, int]:
    """Return how many findings are errors and how many are warnings."""
    errors = sum(found.severity == "error" for found in findings)
    return errors, sum(found.severity == "warning" for found in findings)


def keys_stand_once(line: bytes, encoded: bytes) -> bool:
    """Return whether a plain line repeats no key, from its bytes and those of its canonical form.

    A repeated key brings its quotes with it, so both forms have the same number of quotes only
    where no key stands twice; where quotes may be written as escapes the answer is no.
    """
    return line.count(b'"') == encoded.count(b'"') and b"\\u0022" not in line


def weights_are_usual(messages: Sequence[PlainMessage]) -> bool:
    """Return whether the weights are 0 or 1, on answers only, and leave one to learn."""
    return all(
        m.weight is UNSET or (m.role == "assistant" and m.weight in (0, 1)) for m in messages
    ) and any(m.role == "assistant" and m.weight != 0 for m in messages)


def title_of(text: str) -> str:
    """Return the first words on one line, at most 80 characters, as Conversation.title does."""
    short = text[:120]
    # The only white space that is printable is the plain space.
    if short.isprintable() and "  " not in short:
        return short.strip()[:80]
    short = " ".join(short.split())
    if len(short) < 80 and len(text) > 120:
        short = " ".join(text[:400].split())
    return short[:80]
