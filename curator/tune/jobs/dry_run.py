"""The dry run: rows, tokens, epochs, cost and everything worth knowing before money is spent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from curator.curate.analysis.tokens import count_conversation, counter, resolve_base_model
from curator.curate.cost import Cost, LastDays, Offer, choose_epochs, cost
from curator.dataset.counted import counted as how_many
from curator.dataset.errors import Cancelled, UnreadableInput
from curator.dataset.json_values import BadJson
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.record import Kind, Record
from curator.tune.jobs.graders import row_faults
from curator.tune.jobs.lifetimes import days_of, end_errors, end_warnings
from curator.tune.jobs.recipe import Recipe
from curator.tune.jobs.table import Job
from curator.tune.jobs.training_files import Exported
from curator.tune.services.port import State
from curator.tune.targets.addresses import host_of

if TYPE_CHECKING:
    from curator.tune.local.trainer.forecast import Forecast, RefusedRow

_USUAL_ROWS: Final = 50
_LARGE_FILE: Final = 4 * 1024 * 1024
_REPORT_EVERY: Final = 500
_MEMORY_JOBS: Final = 20
# Refused rows: so many stand in the sentence, and so many in the JSON.
_MOST_NAMED: Final = 3
_MOST_LISTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a start would do; errors stop it, warnings are said before it."""

    rows: int
    dropped: int
    cut: int
    tokens: int
    exact: bool
    epochs: int
    epochs_chosen: bool
    cost: Cost | None
    seconds: float | None
    host: str
    validation_rows: int
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    snapshot: str = ""
    memory: int | None = None
    trained_tokens: int | None = None
    seconds_from: Literal["jobs", "estimate", ""] = ""
    refused: "tuple[RefusedRow, ...]" = ()
    is_charged: bool = True
    """Whether somebody sends a bill; this computer does not."""

    @property
    def billed_tokens(self) -> int:
        """Tokens times epochs: what most services put on the bill."""
        return self.tokens * self.epochs

    def to_row(self) -> dict[str, Any]:
        """Return the keys the command line promises for a dry run."""
        price = self.cost
        return {
            "rows": self.rows,
            "dropped": self.dropped,
            "cut": self.cut,
            "tokens": self.tokens,
            "epochs": self.epochs,
            "cost": None if price is None else float(round(price.amount, 4)),
            "currency": None if price is None else price.currency,
            "prices_of": None if price is None else price.as_of.isoformat(),
            "seconds": self.seconds,
            "seconds_from": self.seconds_from,
            "memory": self.memory,
            "trained_tokens": self.trained_tokens,
            "refused": len(self.refused),
            "refused_rows": [
                {"file": row.file, "line": row.line, "reason": row.reason}
                for row in self.refused[:_MOST_LISTED]
            ],
            "warnings": [*self.errors, *self.warnings],
            "errors": list(self.errors),
            "billed_tokens": self.billed_tokens,
            "host": self.host,
            "charged": self.is_charged,
        }


@dataclass(frozen=True, slots=True)
class _Counted:
    rows: int
    tokens: int
    cut: int
    exact: bool
    limit: int
    longest: int
    trained: int | None = None
    refused: "tuple[RefusedRow, ...]" = ()
    note: str = ""


def dry_run(
    exported: Exported,
    recipe: Recipe,
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
    prices: Sequence[Offer] | None = None,
    past: Sequence[Job] = (),
    today: date | None = None,
) -> DryRun:
    """Look at everything a start would do, without asking any server."""
    day = today or datetime.now(UTC).date()
    is_local = recipe.target.protocol == "local"
    count = _count_here if is_local else _count
    counted = count(exported, recipe, progress, cancelled)
    here = _forecast(recipe, counted) if is_local else None
    chosen = recipe.epochs()
    epochs = chosen or recipe.target.auto_epochs or choose_epochs(counted.rows)
    if here is not None and here.epochs is not None:
        epochs = here.epochs
    price = cost(counted.tokens, epochs, recipe.base, target=recipe.target.prices, prices=prices)
    days = days_of(recipe.target, recipe.base, prices)
    changed = exported.changed(progress, cancelled)
    errors = _errors(exported, recipe, counted, days, day, changed)
    if counted.refused:
        errors.append(_refusal(counted.refused, recipe.base))
    if here is not None and here.fault:
        errors.append(here.fault)
    seconds, seconds_from = _seconds(counted.tokens * epochs, recipe, past, here)
    return DryRun(
        rows=counted.rows,
        dropped=exported.dropped,
        cut=counted.cut,
        tokens=counted.tokens,
        exact=counted.exact,
        epochs=epochs,
        epochs_chosen=chosen is not None,
        cost=price,
        seconds=seconds,
        host=host_of(recipe.target.url) if recipe.target.is_complete else recipe.target.label,
        validation_rows=exported.validation_rows,
        errors=tuple(errors),
        warnings=tuple(_warnings(exported, recipe, counted, price, days, day)),
        snapshot=exported.snapshot,
        memory=here.memory if here else None,
        trained_tokens=counted.trained,
        seconds_from=seconds_from,
        refused=counted.refused,
        is_charged=not is_local and (price is None or price.per_million != 0),
    )


def _forecast(recipe: Recipe, counted: "_Counted") -> "Forecast":
    """Return what a job on this computer will take."""
    from curator.tune.local.trainer.forecast import forecast

    request = recipe.arguments("train", "", "")
    return forecast(recipe.base, request, counted.longest, counted.tokens)


def _seconds(
    billed: int, recipe: Recipe, past: Sequence[Job], here: "Forecast | None"
) -> tuple[float | None, Literal["jobs", "estimate", ""]]:
    """Return how long the job will take, and whether earlier jobs or the sizes tell so."""
    seconds = estimate_seconds(billed, recipe, past)
    if seconds is not None:
        return seconds, "jobs"
    if here is not None and here.seconds is not None:
        return here.seconds, "estimate"
    return None, ""


def estimate_seconds(billed: int, recipe: Recipe, past: Sequence[Job]) -> float | None:
    """Return how long such a job took before at this target, None where none was seen to its end."""
    speeds = [
        (job.finished - job.created) / job.trained_tokens
        for job in past[:_MEMORY_JOBS]
        if job.status is State.SUCCEEDED
        and (job.target, job.base, job.method) == (recipe.target.id, recipe.base, recipe.method)
        and job.settings.get("method") == recipe.settings.get("method")
        and job.finished
        and job.trained_tokens
        and job.finished > job.created
    ]
    return round(billed * sorted(speeds)[len(speeds) // 2], 1) if speeds else None


def _count_here(
    exported: Exported, recipe: Recipe, progress: ProgressCall, cancelled: CancelledCall
) -> _Counted:
    """Count as the job on this computer will read the rows; an estimate where nothing here can."""
    from curator.tune.local.bases.bases import BaseUnusable
    from curator.tune.local.options import BadOption
    from curator.tune.local.trainer.forecast import count_file
    from curator.tune.local.trainer.measuring import NotMeasurable

    request = recipe.arguments("train", "", "")

    def report(rows: int) -> None:
        progress(rows, exported.rows, "Counting tokens")

    try:
        found = count_file(recipe.base, request, exported.train, report, cancelled)
        held_out = (
            count_file(recipe.base, request, exported.validation, report, cancelled).refused
            if exported.validation
            else ()
        )
    except (BaseUnusable, BadOption):
        return _count(exported, recipe, progress, cancelled)  # the forecast says the fault
    except NotMeasurable as error:
        note = f"The tokens, cuts and time are estimates: {error}."
        return replace(_count(exported, recipe, progress, cancelled), exact=False, note=note)
    return _Counted(
        found.rows,
        found.tokens,
        found.cut,
        exact=True,
        limit=found.limit,
        longest=found.longest,
        trained=found.trained,
        refused=(*found.refused, *held_out),
    )


def _count(
    exported: Exported, recipe: Recipe, progress: ProgressCall, cancelled: CancelledCall
) -> _Counted:
    facts = resolve_base_model(recipe.base)
    limit = recipe.target.max_tokens_per_example or facts.context_limit
    count = counter(facts.encoding)
    if exported.train.stat().st_size > _LARGE_FILE:
        count.accelerate()
    rows = tokens = cut = longest = 0
    exact = facts.known
    kind = Kind.PREFERENCE if recipe.method == "dpo" else Kind.CONVERSATION
    for line in exported.lines():
        if not line.strip():
            continue
        if rows % _REPORT_EVERY == 0:
            if cancelled():
                raise Cancelled("The dry run was cancelled.")
            progress(rows, exported.rows, "Counting tokens")
        rows += 1
        try:
            found = count_conversation(Record.parse(line, kind).counted, count)
        except BadJson as error:
            raise UnreadableInput(
                f"Line {rows} of {exported.train.name} cannot be trained on: {error.reason}.",
                exported.train,
                rows,
            ) from error
        exact = exact and found.exact
        cut += found.total > limit
        tokens += min(limit, found.total)
        longest = max(longest, min(limit, found.total))
    return _Counted(rows, tokens, cut, exact, limit, longest)


def _errors(
    exported: Exported,
    recipe: Recipe,
    counted: _Counted,
    days: LastDays | None,
    day: date,
    changed: Sequence[str],
) -> list[str]:
    target = recipe.target
    found = []
    if changed:
        was, it = ("were", "they were") if len(changed) > 1 else ("was", "it was")
        found.append(
            f"{' and '.join(changed)} {was} changed after {it} exported, so it would not be known later "
            "what was trained and measured on. Export again."
        )
    if target.min_lines is not None and counted.rows < target.min_lines:
        found.append(
            f"{target.label} needs at least {how_many(target.min_lines, 'training row')}, not "
            f"{counted.rows}."
        )
    if counted.rows == 0:
        found.append("There is nothing to train on: the training file has no rows.")
    if target.max_lines is not None and counted.rows > target.max_lines:
        found.append(
            f"{target.label} takes at most {how_many(target.max_lines, 'row')}, not {counted.rows:,}."
        )
    size = exported.train.stat().st_size
    if target.max_file_bytes is not None and size > target.max_file_bytes:
        found.append(
            f"{exported.train.name} has {how_many(size, 'byte')}; {target.label} takes at most "
            f"{target.max_file_bytes:,}."
        )
    if recipe.method == "rft" and exported.validation is None:
        found.append("Reinforcement training needs a validation part. Make a split that has one.")
    if recipe.grader is not None:
        found += row_faults(enumerate(exported.lines(), 1), recipe.grader)
    found += end_errors(recipe, days, day)
    return found


def _refusal(refused: "Sequence[RefusedRow]", base: str) -> str:
    """Say which rows cannot be trained on, why, and what can be done."""
    count = how_many(len(refused), "row")
    first = "; ".join(
        f"line {row.line} of {row.file}: {row.reason}" for row in refused[:_MOST_NAMED]
    )
    more = f"; and {len(refused) - _MOST_NAMED:,} more" if len(refused) > _MOST_NAMED else ""
    return (
        f"{count} cannot be trained on with {base}: {first}{more}. Change or leave out these rows, "
        "or take another base."
    )


def _warnings(
    exported: Exported,
    recipe: Recipe,
    counted: _Counted,
    price: Cost | None,
    days: LastDays | None,
    day: date,
) -> list[str]:
    target = recipe.target
    found = list(end_warnings(recipe, days, day))
    if counted.note:
        found.append(counted.note)
    if counted.cut:
        found.append(
            f"{how_many(counted.cut, 'row is', 'rows are')} longer than "
            f"{how_many(counted.limit, 'token')}: the end, usually the answer, will be cut off."
        )
    if (target.min_lines or 1) <= counted.rows < _USUAL_ROWS:
        found.append(
            f"{how_many(counted.rows, 'row is', 'rows are')} few: {_USUAL_ROWS} to 100 good ones are the usual start."
        )
    if exported.validation is None:
        found.append(
            "There is no validation part, so nothing will show when the training goes too far."
        )
    elif target.bills_validation is not False:
        found.append(f"{target.label} may bill the validation tokens too; they are not counted in.")
    facts = resolve_base_model(recipe.base)
    # A base on this computer brings its own tokenizer, and a row too long for it is told by the job.
    if not facts.known and target.protocol != "local":
        found.append(facts.note or f"{recipe.base} is not known: the tokens are an estimate.")
    if price is None:
        found.append(f"No price is known for {recipe.base} at {target.label}.")
    elif not price.verified and price.amount > Decimal(0):
        found.append(
            f"The price of {price.as_of} was not verified ({price.source}). Compare it with the "
            "service's price page."
        )
    return found
