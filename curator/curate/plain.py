"""The fast path of the kernel: a typed decode, and what the sequence of roles alone decides.

A plain line holds messages with role and content texts, and perhaps a weight of 0 or 1 on an
answer; anything else is left to the general path, which finds the same for plain lines, only slower.
"""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType

from curator.curate import identity
from curator.curate.analysis import HAS_SYSTEM, HAS_WEIGHTS, NUMBERS, Column, Matrix, Rows
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
    """What a sequence of roles decides, whatever the texts say.

    columns are those of a row as far as roles decide them, and how many texts stand after the system
    prompt; trained says of each of these whether it is trained on.
    """

    number: int
    columns: tuple[int, ...]
    trained: tuple[int, ...]
    asked: tuple[int, ...]
    titled: int
    has_prompt: bool
    findings: tuple[Finding, ...]


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
_asked: Final = attrgetter("asked")
_CONTENT, _PROMPT, _SYSTEM = (
    NUMBERS.index(f"{what}_hash") for what in ("content", "prompt", "system")
)
_TOKENS, _TRAINED = NUMBERS.index("tokens"), NUMBERS.index("trained_tokens")
_ERRORS, _FLAGS = NUMBERS.index("errors"), NUMBERS.index("flags")
_REMEMBERED: Final = 10_000


class PlainPath:
    """Reads plain lines one by one, then counts and checks them together, which is cheaper."""

    def __init__(self, counter: Counter, profile: str, limit: int | None) -> None:
        self._counter = counter
        self._profile = profile
        self._limit = limit
        self._roles: dict[tuple[str, ...], RoleFacts] = {}
        self._table = np.zeros((0, len(NUMBERS) + 1), np.int64)
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
            facts = role_facts(len(self._roles), roles, self._profile, self._counter.count)
            self._roles[roles] = facts
        return Plain(messages, texts, encoded, facts, is_weighted)

    def rows(self, plains: Sequence[Plain]) -> Rows:
        """Return the rows of plain lines, as the general way would give them."""
        if not plains:
            return Rows(self._table[:0, :-1], [], {})
        texts = [plain.texts for plain in plains]
        facts = [plain.facts for plain in plains]
        numbers = self._counted(plains)
        numbers[:, _CONTENT] = [identity.hash_bytes(plain.encoded) for plain in plains]
        asked = [
            " ".join([said[i] for i in indices])
            for said, indices in zip(texts, map(_asked, facts), strict=True)
        ]
        numbers[:, _PROMPT] = identity.hash_folded(asked)
        titles = [quick_title(said[f.titled]) for said, f in zip(texts, facts, strict=True)]
        findings = {row: f.findings for row, f in enumerate(facts) if f.findings}
        self._read_closely(plains, numbers, findings)
        if len(self._prompts) > _REMEMBERED:
            self._prompts.clear()
        if len(self._roles) > _REMEMBERED:
            self._roles.clear()
            self._table = self._table[:0]
        return Rows(numbers, titles, findings)

    def _counted(self, plains: Sequence[Plain]) -> Matrix:
        """Return the columns of the rows with their tokens and system prompts, still without checks."""
        if len(self._table) != len(self._roles):
            self._table = np.array([f.columns for f in self._roles.values()], np.int64)
        found: Matrix = self._table[[plain.facts.number for plain in plains]]
        numbers, many = found[:, :-1], found[:, -1]
        said = [text for p in plains for text in (p.texts[1:] if p.facts.has_prompt else p.texts)]
        counts = self._counter.count_clean(said)
        is_trained = [weights_of(p) if p.is_weighted else p.facts.trained for p in plains]
        trained = np.fromiter(chain.from_iterable(is_trained), np.int64, len(counts))
        numbers[:, _TOKENS] += _sums(counts, many)
        numbers[:, _TRAINED] = _sums(counts * trained, many)
        numbers[:, _FLAGS] |= HAS_WEIGHTS * np.array([p.is_weighted for p in plains], np.int64)
        prompted = [row for row, plain in enumerate(plains) if plain.facts.has_prompt]
        if prompted:
            prompts = np.array([self._prompt(plains[row].texts[0]) for row in prompted], np.int64)
            numbers[prompted, _SYSTEM] = prompts[:, 0]
            numbers[prompted, _TOKENS] += prompts[:, 1]
        return numbers

    def _read_closely(
        self, plains: Sequence[Plain], numbers: Matrix, findings: dict[int, tuple[Finding, ...]]
    ) -> None:
        """Put the findings of texts into the rows of those lines that may have any."""
        suspects = which_need_reading([plain.encoded for plain in plains])
        if self._limit:
            suspects.update(np.flatnonzero(numbers[:, _TOKENS] * 2 >= self._limit).tolist())
        for row in suspects:
            fields = [{"role": m.role, "content": m.content} for m in plains[row].messages]
            found = plain_text_findings(
                Conversation({"messages": fields}),
                self._profile,
                self._limit,
                int(numbers[row, _TOKENS]),
            )
            findings[row] = found
            numbers[row, _ERRORS : _ERRORS + 2] = severities(found)

    def _prompt(self, text: str) -> tuple[int, int]:
        """Return the hash and the tokens of a system prompt; one prompt stands in many lines."""
        known = self._prompts.get(text)
        if known is None:
            known = self._prompts[text] = identity.hash_text(text), self._counter.count(text)
        return known


def _sums(values: Column, many: Column) -> Column:
    """Return the sum of each run of values; many says how long each run is."""
    whole = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    ends = np.cumsum(many)
    sums: Column = whole[ends] - whole[ends - many]
    return sums


def weights_of(plain: Plain) -> tuple[int, ...]:
    """Return of each text after the system prompt of a weighted line whether it is trained on."""
    messages = plain.messages[1:] if plain.facts.has_prompt else plain.messages
    return tuple(int(m.role == "assistant" and m.weight != 0) for m in messages)


def role_facts(number: int, roles: tuple[str, ...], profile: str, count: CountText) -> RoleFacts:
    """Return what these roles decide, by the very rule functions that check everything else."""
    users = tuple(i for i, role in enumerate(roles) if role == "user")
    answers = [i for i, role in enumerate(roles) if role == "assistant"]
    end = answers[-1] if answers else len(roles)
    findings = plain_findings(roles, profile)
    has_prompt = roles[0] == "system"
    known = {
        "n_messages": len(roles),
        "n_turns": len(users),
        "tokens": TOKENS_PER_CONVERSATION + sum(TOKENS_PER_MESSAGE + count(role) for role in roles),
        "tokens_exact": 1,
        "flags": HAS_SYSTEM if "system" in roles else 0,
        **dict(zip(("errors", "warnings"), severities(findings), strict=True)),
    }
    return RoleFacts(
        number=number,
        columns=(*(known.get(name, 0) for name in NUMBERS), len(roles) - has_prompt),
        trained=tuple(int(role == "assistant") for role in roles[has_prompt:]),
        asked=tuple(i for i in users if i < end),
        titled=users[0] if users else 0,
        has_prompt=has_prompt,
        findings=findings,
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
