"""Recipes kept under a name, and recipes of past jobs: the same choices again, checked anew.

One JSON file each in the user's settings folder; a key is never part of one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from curator.dataset.errors import WrongUse
from curator.tune.jobs.recipe import Recipe, make_recipe
from curator.tune.jobs.table import Job
from curator.tune.named_files import NamedFiles, read_model
from curator.tune.targets.profiles import find_target, settings_folder

_FILES: Final = NamedFiles(lambda: settings_folder() / "recipes", "recipe")


class _Kept(BaseModel):
    """The choices of one recipe on disk."""

    model_config = ConfigDict(extra="forbid")

    target: str
    base: Annotated[str, Field(min_length=1)]
    method: str = ""
    settings: dict[str, Any] = {}
    suffix: str = ""
    seed: int | None = None
    grader: dict[str, Any] | None = None
    wandb: dict[str, Any] | None = None


def recipe_names() -> tuple[str, ...]:
    """Return the names of all kept recipes, sorted."""
    return _FILES.names()


def save_recipe(name: str, recipe: Recipe) -> Path:
    """Keep a recipe under a name, in place of an earlier one; raises WrongUse for a name that is none."""
    kept = _Kept(
        target=recipe.target.id,
        base=recipe.base,
        method=recipe.method,
        settings=dict(recipe.settings),
        suffix=recipe.suffix,
        seed=recipe.seed,
        grader=None if recipe.grader is None else dict(recipe.grader),
        wandb=None if recipe.wandb is None else dict(recipe.wandb),
    )
    return _FILES.write(name, kept.model_dump())


def load_recipe(name: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Return a kept recipe with some choices changed, all checked against today's target.

    Raises WrongUse where there is none of that name or the target no longer takes it, and
    UnreadableInput where the file is damaged.
    """
    kept = read_model(_FILES.find(name), _Kept)
    return _checked(f'The recipe "{name}"', kept.model_dump(), changes or {})


def remove_recipe(name: str) -> None:
    """Remove a kept recipe; raises WrongUse where there is none of that name."""
    _FILES.remove(name)


def recipe_of_job(job: Job, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Return the recipe a job was started with, to start it again; raises WrongUse as load_recipe does."""
    kept = {name: getattr(job, name) for name in _Kept.model_fields}
    return _checked(f"The job {job.job or job.token}", kept, changes or {})


def _checked(what: str, kept: dict[str, Any], changes: Mapping[str, Any]) -> Recipe:
    chosen = {**kept, **{name: value for name, value in changes.items() if value}}
    chosen["settings"] = {**kept["settings"], **changes.get("settings", {})}
    try:
        return make_recipe(
            find_target(chosen.pop("target")),
            chosen.pop("base"),
            **chosen,
        )
    except WrongUse as error:
        raise WrongUse(f"{what} cannot be used as it is: {error}") from error
