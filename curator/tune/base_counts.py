"""Tokens, cuts and refusals of conversations by the tokenizer and template of a base on this computer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import tee
from typing import Final

from curator.curate.checks import finding
from curator.curate.tokens import resolve_base_model
from curator.dataset import Finding
from curator.dataset.errors import WrongUse
from curator.dataset.rule import load_rules
from curator.tune.local.bases import Base, BaseUnusable, find_base
from curator.tune.local.forecast import settled
from curator.tune.local.measuring import NotMeasurable, Row, measure
from curator.tune.local.options import TrainingOptions
from curator.tune.uploads import IsCancelled

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

    def rows(self, lines: Iterable[str], cancelled: IsCancelled) -> Iterator[Row]:
        """Yield what each line holds, uncut; raises WrongUse where the base cannot be read here."""
        supervised = replace(self.options, max_tokens=_WHOLE, method="lora", objective="answers")
        try:
            yield from measure(self.base, supervised, lines, cancelled, any_kind=True)
        except (NotMeasurable, BaseUnusable) as error:
            raise WrongUse(f"The tokens of {self.base.name} cannot be counted: {error}.") from error

    def counted(
        self, rows: Iterable[tuple[int | None, int | None, str]], cancelled: IsCancelled
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
        percent = load_rules()["L02"].limit_for("openai_sft")
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
