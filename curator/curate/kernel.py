"""The analysis kernel: raw lines in; columns, findings and rejected lines out; one pure function.

One edited row runs it in line, an import runs it in worker processes, and nothing else in the
program knows where it ran. Plain lines take the fast path of `plain`; all others are read the
general way, and both ways give the same rows.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Final

import msgspec

from curator.curate import identity
from curator.curate.analysis import Analysis, Rejected, Row, columns_of
from curator.curate.checks import (
    bytes_need_reading,
    check_conversation,
    explain_rejected,
    finding,
    plain_text_findings,
)
from curator.curate.plain import (
    PlainMessage,
    RoleFacts,
    decode_plain,
    encode_plain,
    keys_stand_once,
    role_facts,
    severities,
    title_of,
    weights_are_usual,
)
from curator.curate.tokens import count_conversation, counter
from curator.dataset import Conversation, Finding, Message
from curator.dataset.json_values import BadJson, Json, loads

KERNEL_VERSION: Final = 1
"""Changes when the kernel gives other columns for the same line."""

HAS_TOOLS: Final = 1
HAS_TOOL_CALLS: Final = 2
HAS_PARTS: Final = 4
HAS_SYSTEM: Final = 8
HAS_NAMES: Final = 16
HAS_WEIGHTS: Final = 32

WORTH_ACCELERATING: Final = 4_000_000
"""Bytes of lines after which loading fastokens (a second) costs less than counting with tiktoken."""

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# The row's own constructor takes its fields one by one, which costs as much as a hash.
_new_row: Final = tuple.__new__
_content: Final = attrgetter("content")
_role: Final = attrgetter("role")
_REMEMBERED: Final = 10_000


class Kernel:
    """Analyses lines under one encoding, rules profile and token limit, remembering what repeats."""

    def __init__(self, encoding: str, profile: str, limit: int | None) -> None:
        self.encoding = encoding
        self.profile = profile
        self.limit = limit
        self.counter = counter(encoding)
        self._seen = 0
        self._roles: dict[tuple[str, ...], RoleFacts] = {}
        self._systems: dict[str, tuple[int, int]] = {}

    def analyse(self, lines: Sequence[bytes]) -> Analysis:
        """Analyse a batch of lines."""
        self._seen += sum(map(len, lines))
        if self._seen > WORTH_ACCELERATING:
            self.counter.accelerate()
        for remembered in (self._systems, self._roles):
            if len(remembered) > _REMEMBERED:
                remembered.clear()
        rows: list[Row] = []
        extents: list[tuple[int, int, int]] = []
        rejected: list[Rejected] = []
        blank = 0
        for number, whole in enumerate(lines):
            line = whole.strip()
            if not line:
                blank += 1
                continue
            row = self._plain(line)
            if row is None:
                try:
                    row, line = self._general(line)
                except _Refused as refused:
                    rejected.append(Rejected(number, refused.rule, refused.reason))
                    continue
            rows.append(row)
            extents.append((number, 0 if line is whole else whole.index(line), len(line)))
        return columns_of(rows, extents, rejected, blank)

    def _plain(self, line: bytes) -> Row | None:
        """Return the row of a plain line, or None where the general way has to look."""
        try:
            parsed = decode_plain(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        messages = parsed.messages
        texts = list(map(_content, messages))
        encoded = encode_plain(parsed)
        # A text that is empty once stripped is empty or nothing but white space.
        if not texts or not all(map(str.strip, texts)) or not keys_stand_once(line, encoded):
            return None
        weighted = b'"weight":' in encoded
        if weighted and not weights_are_usual(messages):
            return None
        roles = tuple(map(_role, messages))
        facts = self._roles.get(roles)
        if facts is None:
            facts = self._roles[roles] = role_facts(roles, self.profile, self.counter.count)
        counts, system = self._count(texts, has_prompt=facts.has_prompt)
        tokens = facts.fixed_tokens + sum(counts)
        findings, errors, warnings = facts.findings, facts.errors, facts.warnings
        limit = self.limit
        if (limit and tokens * 2 >= limit) or bytes_need_reading(encoded):
            findings = self._check_plain(messages, tokens)
            errors, warnings = severities(findings)
        return _new_row(
            Row,
            (
                identity.hash_bytes(encoded),
                identity.hash_text(identity.fold_all([texts[i] for i in facts.asked])),
                system,
                len(texts),
                facts.turns,
                tokens,
                sum([counts[i] for i in facts.answers if messages[i].weight != 0]),
                1,
                errors,
                warnings,
                (HAS_SYSTEM if facts.has_system else 0) | (HAS_WEIGHTS if weighted else 0),
                title_of(texts[facts.titled]),
                findings,
            ),
        )

    def _count(self, texts: list[str], *, has_prompt: bool) -> tuple[list[int], int]:
        """Return the tokens of each text and the hash of the system prompt, which often repeats."""
        count = self.counter.count_clean
        if not has_prompt:
            return count(texts), 0
        prompt = texts[0]
        known = self._systems.get(prompt)
        if known is None:
            known = self._systems[prompt] = self.counter.count(prompt), identity.hash_text(prompt)
        return [known[0], *count(texts[1:])], known[1]

    def _check_plain(self, messages: Sequence[PlainMessage], tokens: int) -> tuple[Finding, ...]:
        fields = [{"role": m.role, "content": m.content} for m in messages]
        conversation = Conversation({"messages": fields})
        return plain_text_findings(conversation, self.profile, self.limit, tokens)

    def _general(self, line: bytes) -> tuple[Row, bytes]:
        """Return the row of any line that gets in and its bytes; raises _Refused for the others."""
        try:
            text = line.decode("utf-8").strip()
            value = loads(text)
            if gets_in(value):
                return self.row(Conversation(value), raw=text), text.encode()
        except (UnicodeDecodeError, BadJson):
            pass
        except RecursionError:
            reason = "it is nested too deeply. Delete the line."
            raise _Refused("F01", finding("F01", reason=reason).message) from None
        raise _Refused(*explain_rejected(line))

    def row(self, conversation: Conversation, raw: str | None = None) -> Row:
        """Return the columns of any conversation, the general way."""
        tokens = count_conversation(conversation, self.counter)
        messages = conversation.messages
        findings = check_conversation(
            conversation, profile=self.profile, limit=self.limit, tokens=tokens.total, raw=raw
        )
        return Row(
            identity.content_hash(conversation),
            identity.prompt_hash(conversation),
            identity.system_hash(conversation),
            len(messages),
            sum(message.role == "user" for message in messages),
            tokens.total,
            tokens.trained,
            int(tokens.exact),
            *severities(findings),
            flags_of(conversation),
            _LONE_SURROGATE.sub("\ufffd", conversation.title),
            findings,
        )


class _Refused(Exception):
    """A line cannot get in."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


def gets_in(value: Json) -> bool:
    """Return whether a JSON value can be kept as a conversation: an object with messages."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("messages"), list)
        and bool(value["messages"])
    )


def flags_of(conversation: Conversation) -> int:
    """Return the bits that say what a conversation holds besides plain turns."""
    fields, messages = conversation.fields, conversation.messages
    bits = HAS_TOOLS if fields.get("tools") or fields.get("functions") else 0
    for message in messages:
        bits |= _message_flags(message)
    return bits


def _message_flags(message: Message) -> int:
    fields = message.fields
    bits = HAS_TOOL_CALLS if fields.get("tool_calls") or fields.get("function_call") else 0
    bits |= HAS_PARTS if isinstance(message.content, list) else 0
    bits |= HAS_SYSTEM if message.role in ("system", "developer") else 0
    bits |= HAS_NAMES if "name" in fields else 0
    return bits | (HAS_WEIGHTS if "weight" in fields else 0)


@lru_cache(maxsize=8)
def kernel(encoding: str, profile: str, limit: int | None) -> Kernel:
    """Return the kernel of these terms that this process shares."""
    return Kernel(encoding, profile, limit)


def analyse(
    lines: Sequence[bytes], *, encoding: str, rules_profile: str, limit: int | None
) -> Analysis:
    """Analyse a batch of raw lines."""
    return kernel(encoding, rules_profile, limit).analyse(lines)


def analyse_conversation(
    conversation: Conversation, *, encoding: str, profile: str, limit: int | None
) -> Row:
    """Return the derived columns and findings of one conversation, as an import would."""
    return kernel(encoding, profile, limit).row(conversation)
