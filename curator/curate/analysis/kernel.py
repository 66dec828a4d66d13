"""The analysis kernel: raw lines in; columns, findings and rejected lines out; one pure function.

One edited row runs it in line, an import runs it in worker processes, and nothing else in the
program knows where it ran. Plain lines take the fast path of `fast_lines`; all others are read the
general way, and both ways give the same rows.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from curator.curate.analysis import identity
from curator.curate.analysis.columns import (
    Analysis,
    Column,
    Extents,
    Rejected,
    Row,
    columns_of,
    joined,
)
from curator.curate.analysis.fast_lines import PlainPath, severities
from curator.curate.analysis.tokens import count_conversation, counter
from curator.curate.checks import check_conversation, explain_rejected, finding
from curator.dataset import Conversation, Message
from curator.dataset.codes import (
    HAS_NAMES,
    HAS_PARTS,
    HAS_SYSTEM,
    HAS_TOOL_CALLS,
    HAS_TOOLS,
    HAS_WEIGHTS,
)
from curator.dataset.conversation import SYSTEM_ROLES
from curator.dataset.json_values import LONE_SURROGATE, BadJson, Json, loads
from curator.dataset.record import KINDS, looks_like

WORTH_ACCELERATING: Final = 4_000_000
"""Bytes of lines after which loading fastokens (a second) costs less than counting with tiktoken."""

_TOGETHER: Final = 1 << 18
"""Bytes of lines looked at together: few enough to stay in the caches of a processor, and for one odd
line not to make all others be proved one by one."""


class Kernel:
    """Analyses lines under one encoding, rules profile and token limit, remembering what repeats."""

    def __init__(self, encoding: str, profile: str, limit: int | None) -> None:
        self.encoding = encoding
        self.profile = profile
        self.limit = limit
        self.counter = counter(encoding)
        self._seen = 0
        self._path = PlainPath(self.counter, profile, limit)

    def analyse(self, lines: Sequence[bytes]) -> Analysis:
        """Analyse a batch of lines."""
        ends = np.cumsum(_lengths(lines))
        self._seen += int(ends[-1]) if len(lines) else 0
        if self._seen > WORTH_ACCELERATING:
            self.counter.accelerate()
        cuts = (np.flatnonzero(np.diff(ends // _TOGETHER)) + 1).tolist()
        places = pairwise([0, *cuts, len(lines)])
        return joined([(start, self._together(lines[start:end])) for start, end in places])

    def _together(self, lines: Sequence[bytes]) -> Analysis:
        pieces = [line.strip() for line in lines]
        batch = self._path.read(pieces)
        is_row = np.zeros(len(lines), np.bool_)
        is_row[batch.numbers] = True
        general: dict[int, Row] = {}
        rejected: list[Rejected] = []
        blank = 0
        for number in np.flatnonzero(~is_row).tolist():
            if not pieces[number]:
                blank += 1
                continue
            try:
                general[number], pieces[number] = self._general(pieces[number])
            except _Refused as refused:
                rejected.append(Rejected(number, refused.rule, refused.reason))
        is_row[list(general)] = True
        line = np.flatnonzero(is_row)
        places = np.searchsorted(line, list(general)).tolist()
        others = dict(zip(places, general.values(), strict=True))
        rows = self._path.rows(batch).with_others(others)
        length = _lengths(pieces)
        left = np.zeros(len(lines), np.int64)
        for number in np.flatnonzero(is_row & (length != _lengths(lines))).tolist():
            left[number] = lines[number].index(pieces[number])
        return columns_of(rows, Extents(line, left[line], length[line]), rejected, blank)

    def distrust(self) -> None:
        """Count with tiktoken from here on, and forget what the other engine counted."""
        self.counter.distrust()
        self._path = PlainPath(self.counter, self.profile, self.limit)

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
            reason = "it is nested too deeply for any reader. Write it flatter."
            raise _Refused("F01", finding("F01", reason=reason).message) from None
        raise _Refused(*explain_rejected(line))

    def plain_row(self, line: str) -> Row | None:
        """Return the columns of a plain line, or None where the general way has to look."""
        batch = self._path.read([line.strip().encode("utf-8", "surrogatepass")])
        return self._path.rows(batch).row(0) if batch.numbers else None

    def row(self, conversation: Conversation, raw: str | None = None) -> Row:
        """Return the columns of any conversation, the general way."""
        tokens = count_conversation(conversation, self.counter)
        messages = conversation.messages
        read = identity.read(conversation)
        findings = check_conversation(
            conversation, profile=self.profile, limit=self.limit, tokens=tokens.total, raw=raw
        )
        ambiguous = raw is not None and any(each.rule == "F08" for each in findings)
        return Row(
            identity.content_hash_of(raw)
            if raw and ambiguous
            else identity.content_hash(conversation),
            read.prompt,
            identity.system_hash(conversation),
            len(messages),
            sum(message.role == "user" for message in messages),
            tokens.total,
            tokens.trained,
            int(tokens.exact),
            *severities(findings),
            flags_of(conversation),
            KINDS.index(looks_like(conversation.fields)),
            LONE_SURROGATE.sub("\ufffd", conversation.title),
            read.beginnings,
            findings,
        )


def _lengths(pieces: Sequence[bytes]) -> Column:
    return np.fromiter(map(len, pieces), np.int64, len(pieces))


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
    bits |= HAS_SYSTEM if message.role in SYSTEM_ROLES else 0
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
    conversation: Conversation,
    *,
    encoding: str,
    profile: str,
    limit: int | None,
    raw: str | None = None,
) -> Row:
    """Return the derived columns and findings of one conversation, as an import of raw would."""
    made = kernel(encoding, profile, limit)
    plain = made.plain_row(raw) if raw is not None else None
    return plain if plain is not None else made.row(conversation, raw=raw)
