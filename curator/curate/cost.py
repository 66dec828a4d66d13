"""What training costs: an editable, dated price table, the epochs a service chooses, and last days.

Public pages contradict each other on prices, so every figure carries its date and source, and what
no table knows is None, never a guess.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from curator.dataset.errors import BrokenFile
from curator.dataset.resources import resource
from curator.dataset.small_files import read_object

_TARGET_EPOCHS: Final = 3
_FEW_EXAMPLES: Final = 100
_MANY_EXAMPLES: Final = 25_000
_MOST_EPOCHS: Final = 25
_FINE_TUNED: Final = re.compile(r"ft:(?P<base>[^:]+)(:.*)?")


class Offer(BaseModel):
    """One base model at one target: its price per million training tokens and its last days."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    target: str
    base: str
    pattern: str
    per_million: Decimal | None
    currency: str
    as_of: date
    source: str
    verified: bool
    create_until: date | None = None
    serve_until: date | None = None

    def is_for(self, target: str, base_model: str) -> bool:
        """Say whether this line of the table speaks of a base model at a target."""
        return self.target == target and re.fullmatch(self.pattern, base_model) is not None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a training run costs by the price table; as_of is the date of that price."""

    amount: Decimal
    currency: str
    per_million: Decimal
    as_of: date
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class LastDays:
    """When a base model takes its last jobs and when it stops to answer; None is not announced."""

    create: date | None
    serve: date | None


def load_prices(corrections: Path | None = None) -> tuple[Offer, ...]:
    """Return the price table, newest file first; a user's corrections file goes before all.

    Raises UnreadableInput where the corrections cannot be read.
    """
    mine = _read_offers(corrections) if corrections is not None and corrections.is_file() else ()
    return (*mine, *_shipped())


def strip_fine_tuned(base_model: str) -> str:
    """Return the base model's own name, for a checkpoint name such as ``ft:NAME:org::id`` too."""
    found = _FINE_TUNED.fullmatch(base_model.strip())
    return found["base"] if found else base_model.strip()


def find_offer(
    base_model: str, target: str = "openai", prices: Sequence[Offer] | None = None
) -> Offer | None:
    """Return the first line of the table that knows this base model at this target."""
    name = strip_fine_tuned(base_model)
    table = _shipped() if prices is None else prices
    return next((offer for offer in table if offer.is_for(target, name)), None)


def cost(
    tokens: int,
    epochs: int,
    base_model: str,
    *,
    target: str = "openai",
    prices: Sequence[Offer] | None = None,
) -> Cost | None:
    """Return what training on so many tokens for so many epochs costs; None where no price is known."""
    offer = find_offer(base_model, target, prices)
    if offer is None or offer.per_million is None:
        return None
    amount = offer.per_million * tokens * epochs / 1_000_000
    return Cost(
        amount, offer.currency, offer.per_million, offer.as_of, offer.source, offer.verified
    )


def last_days(
    base_model: str, target: str = "openai", prices: Sequence[Offer] | None = None
) -> LastDays | None:
    """Return the last days of a base model at a target; None where the table knows of none."""
    offer = find_offer(base_model, target, prices)
    if offer is None or (offer.create_until is None and offer.serve_until is None):
        return None
    return LastDays(offer.create_until, offer.serve_until)


def choose_epochs(rows: int) -> int:
    """Return the epochs "auto" means by the rule OpenAI published: 3, more for few rows, fewer for many."""
    if rows <= 0:
        return _TARGET_EPOCHS
    if rows * _TARGET_EPOCHS < _FEW_EXAMPLES:
        return min(_MOST_EPOCHS, _FEW_EXAMPLES // rows)
    if rows * _TARGET_EPOCHS > _MANY_EXAMPLES:
        return max(1, _MANY_EXAMPLES // rows)
    return _TARGET_EPOCHS


@cache
def _shipped() -> tuple[Offer, ...]:
    files = sorted(resource("prices").glob("*.json"), reverse=True)
    return tuple(offer for path in files for offer in _read_offers(path))


def _read_offers(path: Path) -> tuple[Offer, ...]:
    try:
        entries = read_object(path, {"offers": list})["offers"]
        return tuple(Offer.model_validate(entry) for entry in entries)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BrokenFile(path, f"one of its offers is wrong: {where}: {first['msg']}") from error
