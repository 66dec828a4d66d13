"""The plan of an ablation: a small JSON file of variants of data and of settings, and what they share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from curator.dataset.errors import BrokenFile, WrongUse
from curator.dataset.label import plain_name
from curator.tune.jobs.recipe import Recipe, make_recipe
from curator.tune.named_files import read_model
from curator.tune.targets.profiles import find_target

MOST_JOBS: Final = 500
_MOST: Final = 2**31 - 1
_ALL: Final = "all"

_Value = str | bool | int | float
_Values = dict[str, _Value | Annotated[list[_Value], Field(min_length=1)]]
_Share = Annotated[float, Field(gt=0, le=100, strict=True)]
_Text = Annotated[str, Field(min_length=1)]
_Seed = Annotated[int, Field(ge=0, le=_MOST, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Part):
    """What all jobs of a plan may take together: tokens (rows times epochs) and money."""

    tokens: int | None = Field(None, ge=1, strict=True)
    cost: float | None = Field(None, ge=0, allow_inf_nan=False, strict=True)


class Entry(_Part):
    """One entry of the list of variants; a list of shares or of a setting's values is several of them."""

    name: str = ""
    where: str = ""
    without: str = ""
    system_prompts: bool = True
    share: _Share | Annotated[list[_Share], Field(min_length=1)] | None = None
    same_size_as: str = ""
    method: str = ""
    settings: _Values = Field(default_factory=dict)


class Plan(_Part):
    """What a plan file holds."""

    target: _Text
    base: _Text
    method: str = ""
    settings: _Values = Field(default_factory=dict)
    where: str = ""
    skip_errors: bool = False
    split: Literal["test", "validation"] = "test"
    label_set: str = Field("", alias="set")
    score: list[str] = Field(default_factory=list)
    metric: str = ""
    limit: int | None = Field(None, ge=1, strict=True)
    max_tokens: int = Field(512, ge=1, le=10_000_000, strict=True)
    seeds: list[_Seed] = Field(default_factory=lambda: [7], min_length=1)
    budget: Budget = Field(default_factory=lambda: Budget())
    variants: list[Entry] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant: which rows it trains on and with which settings; share is in per cent.

    group is the name of the entry it comes from, so that the points of one learning curve are known.
    """

    name: str
    group: str
    where: str = ""
    without: str = ""
    system_prompts: bool = True
    share: float | None = None
    same_size_as: str = ""
    method: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_plan(path: Path) -> tuple[Plan, tuple[Variant, ...]]:
    """Return a plan and its variants in order.

    Raises BrokenFile that names the field at fault, WrongUse for what does not go together.
    """
    if not path.exists():
        raise WrongUse(f"There is no plan {path}. Write one as the help of this verb shows it.")
    plan = read_model(path, Plan)
    variants = tuple(each for entry in plan.variants for each in _expanded(plan, entry))
    names = [each.name for each in variants]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BrokenFile(path, f'two variants are called "{twice}"', "Give each its own name.")
    if len(set(plan.seeds)) < len(plan.seeds):
        raise BrokenFile(path, "a seed stands in it twice", "Name each seed once.")
    if len(variants) * len(plan.seeds) > MOST_JOBS:
        raise BrokenFile(
            path,
            f"it asks for {len(variants) * len(plan.seeds):,} jobs, more than {MOST_JOBS}",
            "Take fewer values or seeds.",
        )
    _check_sizes(path, variants)
    for each in variants:
        recipe_of(plan, each, plan.seeds[0])
    return plan, variants


def recipe_of(plan: Plan, variant: Variant, seed: int) -> Recipe:
    """Return the checked choices of one job; raises WrongUse that names the variant at fault."""
    target = find_target(plan.target)
    try:
        return make_recipe(
            target, plan.base, method=variant.method, settings=variant.settings, seed=seed
        )
    except WrongUse as error:
        raise WrongUse(f'The variant "{variant.name}" cannot be trained. {error}') from error


def _check_sizes(path: Path, variants: tuple[Variant, ...]) -> None:
    sized = {each.name: each for each in variants if not each.same_size_as}
    for each in variants:
        if each.same_size_as and each.same_size_as not in sized:
            raise BrokenFile(
                path,
                f'"{each.name}" is to have the size of "{each.same_size_as}", which is no variant '
                "with rows of its own",
                f"There are: {', '.join(sized)}.",
            )
        if each.same_size_as and each.share is not None:
            raise BrokenFile(
                path, f'"{each.name}" has a share and a size', "Leave one of them out."
            )


def _expanded(plan: Plan, entry: Entry) -> Iterator[Variant]:
    """Yield the variants of one entry: each share with each combination of listed values."""
    shares = entry.share if isinstance(entry.share, list) else [entry.share]
    values = {**plan.settings, **entry.settings}
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    for share in shares:
        for chosen in product(*lists.values()):
            picked = dict(zip(lists, chosen, strict=True))
            words = [f"{share:g} %"] if isinstance(entry.share, list) else []
            words += [f"{name} {value}" for name, value in picked.items()]
            group = plain_name(entry.name)
            name = " ".join(filter(None, (group, ", ".join(words)))) or _described(entry)
            yield Variant(
                name,
                group or name,
                entry.where,
                entry.without,
                entry.system_prompts,
                share,
                entry.same_size_as,
                entry.method or plan.method,
                {**values, **picked},
            )


def _described(entry: Entry) -> str:
    """Return a name for an entry that has none: what it does."""
    said = [
        entry.where,
        f"without {entry.without}" if entry.without else "",
        "" if entry.system_prompts else "no system prompts",
        f"{entry.share:g} %" if isinstance(entry.share, float) else "",
        f"size of {entry.same_size_as}" if entry.same_size_as else "",
        entry.method,
        *(f"{name} {value}" for name, value in entry.settings.items()),
    ]
    return ", ".join(filter(None, said)) or _ALL
