"""The last days of a base model: which dates count for a job, and what a person must know of them.

A person's own corrections of the price table go before what it says, and that before the target's profile.
"""

from collections.abc import Sequence
from datetime import date

from curator.curate.cost import LastDays, Offer, last_days
from curator.dataset.rule import load_rules
from curator.tune.jobs.recipe import Recipe
from curator.tune.targets.profiles import Target


def days_of(target: Target, base: str, prices: Sequence[Offer] | None = None) -> LastDays | None:
    """Return when a base takes its last jobs and when it stops to answer; None is not known."""
    announced = last_days(base, target.prices, prices)
    kept = target.lifetime_of(base)
    if kept is None:
        return announced
    create, serve = (announced.create, announced.serve) if announced else (None, None)
    return LastDays(create or kept.trains, serve or kept.serves)


def end_errors(recipe: Recipe, days: LastDays | None, day: date) -> tuple[str, ...]:
    """Return why a job cannot be started any more."""
    end = recipe.target.end_of_life
    closed = days.create if days else None
    if closed is not None and day > closed:
        return (f"{recipe.base} took its last jobs on {closed:%Y-%m-%d}. Choose another.",)
    if end is not None and day > end.create:
        return (
            f"{recipe.target.label} took its last jobs on {end.create:%Y-%m-%d}. Choose another "
            "target.",
        )
    return ()


def end_warnings(recipe: Recipe, days: LastDays | None, day: date) -> tuple[str, ...]:
    """Return what a person must know of last days before a start, in plain words."""
    end = recipe.target.end_of_life
    serve = days.serve if days and days.serve else (end.serve if end else None)
    create = days.create if days and days.create else (end.create if end else None)
    found = []
    if serve is not None and day > serve:
        found.append(f"{recipe.base} was switched off on {serve:%Y-%m-%d}.")
    elif serve is not None:
        left = (serve - day).days
        closing = f" New jobs are taken until {create:%Y-%m-%d}." if create else ""
        found.append(
            f"Whatever is trained from {recipe.base} stops answering on {serve:%Y-%m-%d}, in {left} "
            f"days.{closing}"
        )
    kept = recipe.target.lifetime_of(recipe.base)
    if kept is not None and kept.retires is not None and (create is None or day <= create):
        found.append(
            load_rules()["J06"].message.format(
                base=recipe.base,
                target=recipe.target.label,
                tense="is" if day <= kept.retires else "was",
                retires=kept.retires.isoformat(),
                trains=create.isoformat() if create else "further notice",
                serves=serve.isoformat() if serve else "further notice",
            )
        )
    if end is not None and end.note:
        found.append(end.note)
    return tuple(found)
