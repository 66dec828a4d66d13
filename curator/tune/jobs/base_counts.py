"""Tokens, cuts and refusals of conversations by the tokenizer and template of a base on this computer."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import tee
from typing import Final

from curator.curate.analysis.tokens import resolve_base_model
from curator.curate.checks import finding
from curator.dataset import Finding
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.dataset.errors import WrongUse
from curator.dataset.progress import CancelledCall
from curator.dataset.rule import load_rules
from curator.tune.local.bases.bases import Base, BaseUnusable, find_base
from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.forecast import settled
from curator.tune.local.trainer.measuring import NotMeasurable, Row, measure

_WHOLE: Final = 131_072
"""Longer than anything is cut at: a count tells how long a conversation is, not what is left of it."""


@dataclass(frozen=True, slots=True)
class OwnCount:
    """A base of this computer and how much of a conversation a job on it reads when nothing is set."""

    base: Base
    options: TrainingOptions

    @property
    def limit(self) -> int:
        """How many tokens of a conversation are read."""
        return self.options.max_tokens

    def rows(self, lines: Iterable[str], cancelled: CancelledCall) -> Iterator[Row]:
        """Yield what each line holds, uncut; raises WrongUse where the base cannot be read here."""
        supervised = replace(self.options, max_tokens=_WHOLE, method="lora", objective="answers")
        try:
            yield from measure(self.base, supervised, lines, cancelled, any_kind=True)
        except (NotMeasurable, BaseUnusable) as error:
            raise WrongUse(f"The tokens of {self.base.name} cannot be counted: {error}.") from error

    def counted(
        self, rows: Iterable[tuple[int | None, int | None, str]], cancelled: CancelledCall
    ) -> Iterator[tuple[tuple[int | None, int | None, str], Row]]:
        """Yield every row (conversation, line, text) with what it holds."""
        given, texts = tee(rows)
        yield from zip(given, self.rows((text for _, _, text in texts), cancelled), strict=False)

    def findings(self, row: Row) -> tuple[Finding, ...]:
        """Return what a measured conversation means for a job: too long, nearly so, or refused."""
        if row.is_broken:
            return ()  # the rules on lines and messages say more of it
        if row.refused:
            return (finding("J09", base=self.base.name, reason=row.refused),)
        tokens, limit = f"{row.longest:,}", f"{self.limit:,}"
        if row.longest > self.limit:
            return (finding("L01", tokens=tokens, limit=limit),)
        percent = load_rules()["L02"].limit_for(DEFAULT_RULES_PROFILE)
        if self.limit * percent < row.longest * 100:
            return (finding("L02", tokens=tokens, limit=limit, percent=percent),)
        return ()


def own_count(name: str) -> OwnCount | None:
    """Return how a base of this computer counts; None for the base models of services."""
    if not name or resolve_base_model(name).known:
        return None
    try:
        return OwnCount(*settled(find_base(name).name, {}))
    except BaseUnusable:
        return None


@dataclass(frozen=True, slots=True)
class Frame:
    """How a base counts single messages: its vocabulary, and what its template writes around them.

    around is tokens for each role; opening is written before a conversation without a system prompt.
    """

    name: str
    limit: int
    opening: int
    around: Mapping[str, int]
    count: Callable[[str], int]


def frame_of(own: OwnCount, cancelled: CancelledCall) -> Frame | None:
    """Measure a base's frame by some short conversations; None where its template writes none alone.

    Takes a second or more; raises WrongUse where the base cannot be read here.
    """
    vocabulary = own.base.folder / "tokenizer.json"
    user, answer = _probe("user"), _probe("assistant")
    samples = (
        (user, answer),
        (user, user, answer),
        (user, answer, answer),
        (_probe("system"), user, answer),
        (user, answer, _probe("tool"), answer),
    )
    lines = [json.dumps({"messages": sample}) for sample in samples]
    rows = list(own.rows(lines, cancelled))
    if any(row.refused for row in rows) or not vocabulary.is_file():
        return None
    from fastokens import Tokenizer

    tokenizer = Tokenizer.from_json_str(vocabulary.read_text("utf-8"))

    def count(text: str) -> int:
        # An unpaired surrogate cannot be encoded; its replacement character is as long.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return len(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True).ids)

    both, users, answers, prompted, tooled = (row.tokens for row in rows)
    text = count(_PROBE)
    around = {"user": users - both - text, "assistant": answers - both - text}
    opening = both - around["user"] - around["assistant"] - 2 * text
    around["system"] = around["developer"] = prompted - (both - opening) - text
    around["tool"] = around["function"] = tooled - both - around["assistant"] - 2 * text
    return Frame(own.base.name, own.limit, opening, around, count)


_PROBE: Final = "tea"


def _probe(role: str) -> dict[str, str]:
    return {"role": role, "content": _PROBE}
