"""The fast path of the kernel: a typed decode, and what the sequence of roles alone decides.

A plain line holds messages with role and content texts, and perhaps a weight of 0 or 1 on an
answer; anything else is left to the general path, which finds the same for plain lines, only slower.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from curator.curate import identity
from curator.curate.analysis import HAS_SYSTEM, HAS_WEIGHTS, Row
from curator.curate.checks import plain_findings, plain_text_findings, which_need_reading
from curator.curate.encodings import CountText
from curator.curate.tokens import TOKENS_PER_CONVERSATION, TOKENS_PER_MESSAGE, Counter
from curator.dataset import Conversation, Finding
from curator.dataset.conversation import TITLE_CHARACTERS, title_of


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
    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    flags: int


class Plain(NamedTuple):
    """One plain line, read but not yet counted."""

    messages: list[PlainMessage]
    texts: list[str]
    encoded: bytes
    facts: RoleFacts
    is_weighted: bool


decode_plain: Final = msgspec.json.Decoder(PlainLine).decode
encode_plain: Final = msgspec.json.Encoder().encode
_content: Final = attrgetter("content")
_role: Final = attrgetter("role")
# The row's own constructor takes its fields one by one, which costs as much as a hash.
_new_row: Final = tuple.__new__
_REMEMBERED: Final = 10_000


class PlainPath:
    """Reads plain lines one by one, then counts and checks them together, which is cheaper."""

    def __init__(self, counter: Counter, profile: str, limit: int | None) -> None:
        self._counter = counter
        self._profile = profile
        self._limit = limit
        self._roles: dict[tuple[str, ...], RoleFacts] = {}
        self._prompts: dict[str, tuple[int, int]] = {}

    def read(self, line: bytes) -> Plain | None:
        """Return a plain line, or None where the general way has to look."""
        try:
            parsed = decode_plain(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        messages = parsed.messages
        texts = list(map(_content, messages))
        encoded = encode_plain(parsed)
        if not keys_stand_once(line, encoded, len(texts)):
            return None
        # A text that is empty once stripped is empty or nothing but white space.
        if not texts or not all(map(str.strip, texts)):
            return None
        is_weighted = b'"weight":' in encoded
        if is_weighted and not weights_are_usual(messages):
            return None
        roles = tuple(map(_role, messages))
        facts = self._roles.get(roles)
        if facts is None:
            facts = role_facts(roles, self._profile, self._counter.count)
            self._roles[roles] = facts
        return Plain(messages, texts, encoded, facts, is_weighted)

    def rows(self, plains: Sequence[Plain]) -> list[Row]:
        """Return the rows of plain lines, as the general way would give them."""
        for remembered in (self._prompts, self._roles):
            if len(remembered) > _REMEMBERED:
                remembered.clear()
        said = [text for p in plains for text in (p.texts[1:] if p.facts.has_prompt else p.texts)]
        counts = self._counter.count_clean(said)
        suspects = which_need_reading([plain.encoded for plain in plains])
        asked = identity.fold_many([" ".join([p.texts[i] for i in p.facts.asked]) for p in plains])
        prompts = identity.hash_texts(asked)
        rows, at = [], 0
        for number, plain in enumerate(plains):
            system, first = self._prompt(plain.texts[0]) if plain.facts.has_prompt else (0, [])
            end = at + len(plain.texts) - len(first)
            count = [*first, *counts[at:end]]
            rows.append(self._row(plain, count, system, prompts[number], number in suspects))
            at = end
        return rows

    def _prompt(self, text: str) -> tuple[int, list[int]]:
        """Return the hash and the tokens of a system prompt; one prompt stands in many lines."""
        known = self._prompts.get(text)
        if known is None:
            known = self._prompts[text] = identity.hash_text(text), self._counter.count(text)
        return known[0], [known[1]]

    def _row(
        self,
        plain: Plain,
        counts: list[int],
        system: int,
        prompt: int,
        suspect: bool,  # noqa: FBT001
    ) -> Row:
        messages, texts, encoded, facts, is_weighted = plain
        tokens = facts.fixed_tokens + sum(counts)
        answers = facts.answers
        if is_weighted:
            answers = tuple(i for i in answers if messages[i].weight != 0)
        findings, errors, warnings = facts.findings, facts.errors, facts.warnings
        if suspect or (self._limit and tokens * 2 >= self._limit):
            fields = [{"role": m.role, "content": m.content} for m in messages]
            conversation = Conversation({"messages": fields})
            findings = plain_text_findings(conversation, self._profile, self._limit, tokens)
            errors, warnings = severities(findings)
        return _new_row(
            Row,
            (
                identity.hash_bytes(encoded),
                prompt,
                system,
                len(texts),
                facts.turns,
                tokens,
                sum([counts[i] for i in answers]),
                1,
                errors,
                warnings,
                facts.flags | HAS_WEIGHTS if is_weighted else facts.flags,
                quick_title(texts[facts.titled]),
                findings,
            ),
        )


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
        findings=findings,
        errors=errors,
        warnings=warnings,
        flags=HAS_SYSTEM if "system" in roles else 0,
    )


def severities(findings: Sequence[Finding]) -> tuple[int, int]:
    """Return how many findings are errors and how many are warnings."""
    errors = sum(found.severity == "error" for found in findings)
    return errors, sum(found.severity == "warning" for found in findings)


def keys_stand_once(line: bytes, encoded: bytes, messages: int) -> bool:
    """Return whether a plain line repeats no key, from its bytes and those of its canonical form.

    A repeated key brings its quotes with it, so both forms have the same number of quotes only
    where no key stands twice; where quotes may be written as escapes the answer is no.
    """
    quotes = line.count(b'"')
    if b"\\" not in line and quotes == 2 + 8 * messages:
        # Nothing is escaped, so only keys and whole texts have quotes, eight for each message.
        return True
    return quotes == encoded.count(b'"') and b"\\u0022" not in line


def weights_are_usual(messages: Sequence[PlainMessage]) -> bool:
    """Return whether the weights are 0 or 1, on answers only, and leave one to learn."""
    return all(
        m.weight is UNSET or (m.role == "assistant" and m.weight in (0, 1)) for m in messages
    ) and any(m.role == "assistant" and m.weight != 0 for m in messages)


def quick_title(text: str) -> str:
    """Return what dataset.title_of does, faster for the usual text."""
    short = text[:120]
    # The only white space that is printable is the plain space.
    if short.isprintable() and "  " not in short:
        short = short.strip()
        return (
            short
            if len(short) <= TITLE_CHARACTERS
            else short[: TITLE_CHARACTERS - 1].rstrip() + "…"
        )
    return title_of(text)
