"""What a job on this computer will take, said before its start; needs neither torch nor the server.

The worker estimates again with the base's own tokenizer, and after some steps by its pace.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from curator.tune.local import estimates
from curator.tune.local.bases import BaseUnusable, find_base
from curator.tune.local.checkpoint_bases import sized_like
from curator.tune.local.devices import has_card
from curator.tune.local.estimates import BaseFacts
from curator.tune.local.options import BadOption, TrainingOptions, resolve

_TINY: Final = BaseFacts(parameters=110_000, layers=2, width=64, vocabulary=512)
_TINY_TOKENS: Final = 3
"""The tiny base has so small a vocabulary that a text takes about three times the tokens."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Bytes of memory at most and seconds of one core; fault says why it cannot be, empty if it can."""

    memory: int | None = None
    seconds: float | None = None
    fault: str = ""


def forecast(base: str, request: Mapping[str, Any], longest: int, tokens: int) -> Forecast:
    """Forecast a job: longest is the tokens of its longest row, tokens those of all rows once.

    request holds the arguments of the call that would create the job.
    """
    try:
        found = find_base(base)
        options = resolve(request, tiny=found.is_tiny)
    except (BaseUnusable, BadOption) as error:
        return Forecast(fault=str(error))
    scale = _TINY_TOKENS if found.is_tiny else 1
    # On a card the driver alone knows what is free; the worker asks it before it begins.
    card = has_card()
    facts = _TINY if found.is_tiny else estimates.facts_of(sized_like(found.folder))
    facts = replace(facts, card=card, half=card)
    length = min(longest * scale, options.max_tokens)
    if options.method == "head":
        head = estimates.estimate_head(facts, length, tokens * scale)
        return Forecast(head.memory, round(head.seconds, 1))
    needed = estimates.estimate(facts, options, length, tokens * scale)
    if card:
        return Forecast(memory=needed.memory)
    fault = _fault(facts, options, length, needed.memory)
    return Forecast(needed.memory, round(needed.seconds, 1), fault)


def _fault(facts: BaseFacts, options: TrainingOptions, length: int, needed: int) -> str:
    free = estimates.free_memory()
    if needed <= estimates.SHARE * free:
        return ""
    fitting = estimates.smaller_that_fits(facts, options, length, free)
    advice = (
        f"It would fit with {estimates.in_words(fitting)}."
        if fitting
        else "No setting makes it fit; take a smaller base or shorter conversations."
    )
    return (
        f"This job needs about {needed / 2**30:.1f} GB of memory, more than 80 % of the "
        f"{free / 2**30:.1f} GB that are free. {advice}"
    )
