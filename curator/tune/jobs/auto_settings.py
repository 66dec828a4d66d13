"""What "auto" will be for each setting of a job, and which settings the chosen way of training uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from curator.curate.cost import choose_epochs
from curator.dataset.errors import CuratorError
from curator.tune.jobs.recipe import Recipe
from curator.tune.targets.profiles import Hyperparameter

_OWN_NAMES: Final = {"n_epochs": "epochs"}


@dataclass(frozen=True, slots=True)
class Autos:
    """The values that settings left at "auto" will take, as a person reads them, and the settings in use.

    A setting without a value is chosen by the service, which does not tell before. fault says why
    these choices cannot go together, empty where they can.
    """

    values: Mapping[str, str]
    used: frozenset[str]
    fault: str = ""


def autos(recipe: Recipe, rows: int) -> Autos:
    """Return what a recipe leaves open and will be; rows are those to train on, 0 where not known."""
    settings = recipe.target.settings(recipe.method)
    if recipe.target.protocol == "local":
        return _here(recipe)
    epochs = recipe.target.auto_epochs or (choose_epochs(rows) if rows else None)
    values = {} if epochs is None else {"n_epochs": str(epochs)}
    return Autos(values, frozenset(setting.name for setting in settings))


def _here(recipe: Recipe) -> Autos:
    """Resolve a recipe of this computer as its trainer will."""
    from curator.tune.local.bases.bases import BaseUnusable, find_base
    from curator.tune.local.devices import has_card
    from curator.tune.local.options import BadOption, resolve

    settings = recipe.target.settings(recipe.method)
    every = frozenset(setting.name for setting in settings)
    try:
        options = resolve(recipe.arguments("", "", ""), tiny=find_base(recipe.base).is_tiny)
    except (BaseUnusable, BadOption, CuratorError) as error:
        way = recipe.settings.get("method")
        return Autos({}, _used(settings, str(way)) if way else every, str(error))
    card = has_card()
    values: dict[str, str] = {}
    for setting in settings:
        name = setting.name
        value = getattr(options, _OWN_NAMES.get(name, name), None)
        if name == recipe.target.learning_rate.name:
            values[name] = f"1, a rate of {options.learning_rate:g}"
        elif name == "device":
            values[name] = "cuda" if card else "cpu"
        elif name == "precision":
            values[name] = "bf16 where the card has it" if card else "fp32"
        elif value is not None:
            values[name] = _in_words(value)
    return Autos(values, _used(settings, options.method))


def _used(settings: tuple[Hyperparameter, ...], way: str) -> frozenset[str]:
    return frozenset(s.name for s in settings if not s.ways or way in s.ways)


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
