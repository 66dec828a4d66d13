"""What a job on this computer will take, said before its start; needs neither torch nor the server.

The rows are counted by the base's own tokenizer and template, in a process of their own. The worker
estimates again, and after some steps by its pace.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from curator.dataset.progress import CancelledCall
from curator.tune.local.bases.bases import Base, BaseUnusable, find_base
from curator.tune.local.bases.checkpoint_bases import sized_like
from curator.tune.local.devices import has_card
from curator.tune.local.options import BadOption, TrainingOptions, resolve
from curator.tune.local.trainer import estimates
from curator.tune.local.trainer.estimates import BaseFacts
from curator.tune.local.trainer.measuring import measure

_REPORT_EVERY: Final = 100

_TINY: Final = BaseFacts(parameters=110_000, layers=2, width=64, vocabulary=512)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a job takes: epochs, bytes of memory at most, seconds of one core; fault says why it cannot be."""

    epochs: int | None = None
    memory: int | None = None
    seconds: float | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be trained on: where it stands, and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What a job reads in an epoch, by the base's own tokenizer, template and limit."""

    rows: int
    tokens: int
    trained: int
    cut: int
    longest: int
    limit: int
    refused: tuple[RefusedRow, ...]


def settled(base: str, request: Mapping[str, Any]) -> tuple[Base, TrainingOptions]:
    """Return the base and the very options the job will have; raises BaseUnusable or BadOption.

    request holds the arguments of the call that would create the job.
    """
    found = find_base(base)
    return found, resolve(request, tiny=found.is_tiny).within(found.context)


def count_file(
    base: str,
    request: Mapping[str, Any],
    file: Path,
    progress: Callable[[int], None],
    cancelled: CancelledCall,
) -> Counted:
    """Count a training file as its job will read it.

    Raises NotMeasurable where nothing here reads the base's tokenizer, and what settled raises.
    """
    found, options = settled(base, request)
    seen = rows = tokens = trained = cut = longest = 0
    refused: list[RefusedRow] = []
    with file.open(encoding="utf-8", newline="\n", errors="surrogateescape") as stream:
        numbers: list[int] = []

        def lines() -> Iterator[str]:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    numbers.append(number)
                    yield line.rstrip("\n")

        for row in measure(found, options, lines(), cancelled):
            rows += 1
            if rows - seen == _REPORT_EVERY:
                seen = rows
                progress(rows)
            if row.refused:
                refused.append(RefusedRow(file.name, numbers[rows - 1], row.refused))
            tokens += row.tokens
            trained += row.trained
            cut += row.lost > 0
            longest = max(longest, row.longest)
    return Counted(rows, tokens, trained, cut, longest, options.max_tokens, tuple(refused))


def forecast(base: str, request: Mapping[str, Any], longest: int, tokens: int) -> Forecast:
    """Forecast a job: longest is the tokens of its longest row, tokens those of all rows once."""
    try:
        found, options = settled(base, request)
    except (BaseUnusable, BadOption) as error:
        return Forecast(fault=str(error))
    # On a card the driver alone knows what is free; the worker asks it before it begins.
    card = has_card()
    facts = _TINY if found.is_tiny else estimates.facts_of(sized_like(found.folder))
    facts = replace(facts, card=card, half=card)
    # A preference holds two answers in memory at once.
    length = min(longest, options.max_tokens) * (2 if options.objective == "preference" else 1)
    if options.method == "head":
        head = estimates.estimate_head(facts, length, tokens)
        return Forecast(options.epochs, head.memory, round(head.seconds, 1))
    needed = estimates.estimate(facts, options, length, tokens)
    if card:
        return Forecast(options.epochs, memory=needed.memory)
    fault = _fault(facts, options, length, needed.memory)
    return Forecast(options.epochs, needed.memory, round(needed.seconds, 1), fault)


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
