"""The fast path of the kernel: plain lines are read together, and each sequence of roles is judged once.

A line with anything besides roles, texts and usual weights is left to the general path, which finds
the same for plain lines, only slower.
"""

from collections.abc import Sequence
from itertools import accumulate, compress, pairwise
from typing import Final, NamedTuple

import numpy as np
from msgspec import UNSET

from curator.curate.analysis import identity
from curator.curate.analysis.columns import NUMBERS, Column, Matrix, Rows
from curator.curate.analysis.encodings import CountText
from curator.curate.analysis.plain_lines import (
    NOT_PLAIN,
    PlainLine,
    PlainMessage,
    decode_plain,
    encode_plain_lines,
    is_plain,
    is_weighted,
    is_written_plainly,
)
from curator.curate.analysis.tokens import TOKENS_PER_CONVERSATION, TOKENS_PER_MESSAGE, Counter
from curator.curate.checks import (
    lines_to_read,
    odd_characters,
    plain_findings,
    plain_text_findings,
)
from curator.dataset import Conversation, Finding
from curator.dataset.codes import HAS_SYSTEM, HAS_WEIGHTS
from curator.dataset.conversation import SYSTEM_ROLES, TITLE_CHARACTERS, title_of


class RoleFacts(NamedTuple):
    """What a sequence of roles decides, whatever the texts say.

    columns are those of a row as far as roles decide them, and how many messages it has; trained has a
    byte for each message that says whether it is trained on, and shape is how the texts are read.
    """

    columns: tuple[int, ...]
    trained: bytes
    shape: identity.Shape
    titled: int
    has_prompt: bool
    findings: tuple[Finding, ...]


class Batch(NamedTuple):
    """Plain lines, read but not yet counted; messages and texts are those of all lines in a row.

    numbers tells which lines they are, starts where the messages of each begin and, at last, end;
    known is a row for each line: its columns as far as roles decide them.
    """

    numbers: list[int]
    messages: list[PlainMessage]
    texts: list[str]
    starts: list[int]
    facts: list[RoleFacts]
    known: Matrix
    encoded: bytes
    weighted: list[int]


_CONTENT, _PROMPT, _SYSTEM = (
    NUMBERS.index(f"{what}_hash") for what in ("content", "prompt", "system")
)
_TOKENS, _TRAINED = NUMBERS.index("tokens"), NUMBERS.index("trained_tokens")
_ERRORS, _FLAGS = NUMBERS.index("errors"), NUMBERS.index("flags")
_REMEMBERED: Final = 10_000
_UNWEIGHTED: Final = {UNSET}


class PlainPath:
    """Reads, counts and checks plain lines together, which is cheaper than one by one.

    Threads share one: what is remembered is only ever looked up by its key, so nothing that one
    thread adds or forgets changes what another is working with.
    """

    def __init__(self, counter: Counter, profile: str, limit: int | None) -> None:
        self._counter = counter
        self._profile = profile
        self._limit = limit
        self._roles: dict[tuple[str, ...], RoleFacts] = {}
        self._prompts: dict[str, tuple[int, int]] = {}

    def read(self, lines: Sequence[bytes]) -> Batch:
        """Return those lines that are plain; at the others the general way has to look."""
        numbers: list[int] = []
        parsed: list[PlainLine] = []
        for number, line in enumerate(lines):
            try:
                parsed.append(decode_plain(line))
            except NOT_PLAIN:
                continue
            numbers.append(number)
        batch = self._batch(numbers, parsed)
        if all_are_plain([lines[number] for number in numbers], batch):
            return batch
        kept = [is_plain(lines[n], line) for n, line in zip(numbers, parsed, strict=True)]
        return self._batch(list(compress(numbers, kept)), list(compress(parsed, kept)))

    def _batch(self, numbers: list[int], parsed: list[PlainLine]) -> Batch:
        messages = [message for line in parsed for message in line.messages]
        texts = [message.content for message in messages]
        roles = [message.role for message in messages]
        starts = list(accumulate([len(line.messages) for line in parsed], initial=0))
        weighted: list[int] = []
        if not {message.weight for message in messages} <= _UNWEIGHTED:
            weighted = [row for row, line in enumerate(parsed) if is_weighted(line)]
        keys = [tuple(roles[start:end]) for start, end in pairwise(starts)]
        shapes = list(set(keys))
        facts = [self._facts(key) for key in shapes]
        places = {key: place for place, key in enumerate(shapes)}
        order = [places[key] for key in keys]
        table = np.array([each.columns for each in facts] or [()], np.int64)
        return Batch(
            numbers,
            messages,
            texts,
            starts,
            [facts[place] for place in order],
            table[order],
            encode_plain_lines(parsed),
            weighted,
        )

    def _facts(self, roles: tuple[str, ...]) -> RoleFacts:
        """Return what some roles decide; few sequences of roles stand in most files."""
        facts = self._roles.get(roles)
        if facts is None:
            facts = role_facts(roles, self._profile, self._counter.count)
            if len(self._roles) > _REMEMBERED:
                self._roles = {}
            self._roles[roles] = facts
        return facts

    def rows(self, batch: Batch) -> Rows:
        """Return the rows of plain lines, as the general way would give them."""
        if not batch.numbers:
            return Rows(np.zeros((0, len(NUMBERS)), np.int64), [], [], {})
        texts, starts, facts, encoded = batch.texts, batch.starts, batch.facts, batch.encoded
        pieces = encoded.split(b"\n")[:-1]
        numbers = self._counted(batch)
        numbers[:, _CONTENT] = identity.hash_all(pieces)
        folded = identity.normalise_all(texts)
        read = [
            identity.read_plain(known.shape, folded[start:end])
            for known, (start, end) in zip(facts, pairwise(starts), strict=True)
        ]
        numbers[:, _PROMPT] = [each.prompt for each in read]
        titled = [texts[start + f.titled] for f, start in zip(facts, starts, strict=False)]
        findings = {row: f.findings for row, f in enumerate(facts) if f.findings}
        self._read_closely(batch, numbers, findings)
        return Rows(numbers, quick_titles(titled), [each.beginnings for each in read], findings)

    def _counted(self, batch: Batch) -> Matrix:
        """Return the columns of the rows with their tokens and system prompts, still without checks."""
        facts, starts = batch.facts, batch.starts
        numbers, many = batch.known[:, :-1].copy(), batch.known[:, -1]
        texts = batch.texts.copy()
        prompted = [row for row, f in enumerate(facts) if f.has_prompt]
        if prompted:
            prompts = np.array([self._prompt(texts[starts[row]]) for row in prompted], np.int64)
            numbers[prompted, _SYSTEM] = prompts[:, 0]
            numbers[prompted, _TOKENS] += prompts[:, 1]
            for row in prompted:
                texts[starts[row]] = ""
        counts = self._counter.count_clean(texts)
        trained = [f.trained for f in facts]
        for row in batch.weighted:
            trained[row] = trained_by_weight(batch.messages[starts[row] : starts[row + 1]])
            numbers[row, _FLAGS] |= HAS_WEIGHTS
        numbers[:, _TOKENS] += _sums(counts, many)
        numbers[:, _TRAINED] = _sums(counts * np.frombuffer(b"".join(trained), np.bool_), many)
        return numbers

    def _read_closely(
        self,
        batch: Batch,
        numbers: Matrix,
        findings: dict[int, tuple[Finding, ...]],
    ) -> None:
        """Put the findings of texts into the rows of those lines that may have any."""
        suspects = lines_to_read(batch.encoded)
        odd = sorted(odd_characters(batch.texts))
        suspects.update((np.searchsorted(batch.starts, odd, "right") - 1).tolist())
        if self._limit:
            suspects.update(np.flatnonzero(numbers[:, _TOKENS] * 2 >= self._limit).tolist())
        for row in suspects:
            messages = batch.messages[batch.starts[row] : batch.starts[row + 1]]
            fields = [{"role": m.role, "content": m.content} for m in messages]
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
            known = identity.hash_text(text), self._counter.count(text)
            if len(self._prompts) > _REMEMBERED:
                self._prompts = {}
            self._prompts[text] = known
        return known


def _sums(values: Column, many: Column) -> Column:
    """Return the sum of each run of values; many says how long each run is."""
    whole = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    ends = np.cumsum(many)
    sums: Column = whole[ends] - whole[ends - many]
    return sums


def trained_by_weight(messages: Sequence[PlainMessage]) -> bytes:
    """Return a byte for each message of a weighted line that says whether it is trained on."""
    return bytes([m.role == "assistant" and m.weight != 0 for m in messages])


def role_facts(roles: tuple[str, ...], profile: str, count: CountText) -> RoleFacts:
    """Return what these roles decide, by the very rule functions that check everything else."""
    users = tuple(i for i, role in enumerate(roles) if role == "user")
    findings = plain_findings(roles, profile)
    has_prompt = roles[0] in SYSTEM_ROLES
    known = {
        "n_messages": len(roles),
        "n_turns": len(users),
        "tokens": TOKENS_PER_CONVERSATION + sum(TOKENS_PER_MESSAGE + count(role) for role in roles),
        "tokens_exact": 1,
        "flags": HAS_SYSTEM if not set(SYSTEM_ROLES).isdisjoint(roles) else 0,
        **dict(zip(("errors", "warnings"), severities(findings), strict=True)),
    }
    return RoleFacts(
        columns=(*(known.get(name, 0) for name in NUMBERS), len(roles)),
        trained=bytes([role == "assistant" for role in roles]),
        shape=identity.shape_of(roles),
        titled=users[0] if users else 0,
        has_prompt=has_prompt,
        findings=findings,
    )


def severities(findings: Sequence[Finding]) -> tuple[int, int]:
    """Return how many findings are errors and how many are warnings."""
    errors = sum(found.severity == "error" for found in findings)
    return errors, sum(found.severity == "warning" for found in findings)


def all_are_plain(lines: Sequence[bytes], batch: Batch) -> bool:
    """Return whether one look at all lines proves every one plain; false proves nothing."""
    return (
        not batch.weighted
        # A text that is empty once stripped is empty or nothing but white space.
        and all(map(str.strip, batch.texts))
        and is_written_plainly(lines, batch.encoded)
    )


def quick_titles(texts: Sequence[str]) -> list[str]:
    """Return what dataset.title_of does of each text, faster for the usual ones."""
    titles = []
    for text in texts:
        short = text[:120]
        # The only white space that is printable is the plain space.
        if not short.isprintable() or "  " in short:
            titles.append(title_of(text))
            continue
        short = short.strip()
        if len(short) > TITLE_CHARACTERS:
            short = short[: TITLE_CHARACTERS - 1].rstrip() + "…"
        titles.append(short)
    return titles
