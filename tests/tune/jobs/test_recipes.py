"""Recipes kept under a name, and those of past jobs: the same choices, checked anew."""

import pytest

from curator.dataset.errors import UnreadableInput, WrongUse
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.recipes import (
    load_recipe,
    recipe_names,
    recipe_of_job,
    remove_recipe,
    save_recipe,
)
from curator.tune.jobs.table import Job
from curator.tune.targets.profiles import (
    derive_target,
    find_target,
    save_target,
    settings_folder,
)

GRADER = {"type": "string_check", "name": "g", "operation": "eq", "input": "a", "reference": "b"}


@pytest.fixture
def recipe():
    return make_recipe(
        find_target("openai"), "o4-mini", method="rft", settings={"n_epochs": 4}, suffix="desk",
        seed=0, grader=GRADER, wandb={"project": "p"},
    )  # fmt: skip


def test_a_recipe_comes_back_as_it_was(recipe):
    save_recipe("support desk", recipe)
    save_recipe("a", recipe)
    assert recipe_names() == ("a", "support desk")
    assert load_recipe("support desk") == recipe
    remove_recipe("a")
    assert recipe_names() == ("support desk",)


def test_a_later_recipe_takes_the_place_of_an_earlier_one(recipe):
    save_recipe("r", recipe)
    save_recipe("r", make_recipe(find_target("nebius"), "b"))
    assert load_recipe("r").target.id == "nebius"
    assert [path.name for path in (settings_folder() / "recipes").iterdir()] == ["r.json"]


def test_some_choices_can_be_changed(recipe):
    save_recipe("r", recipe)
    changed = load_recipe("r", {"base": "o5", "settings": {"batch_size": "2"}, "suffix": ""})
    assert (changed.base, changed.suffix) == ("o5", "desk")
    assert changed.settings == {"n_epochs": 4, "batch_size": 2}


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "x" * 61, " a", "a.json/"])
def test_a_name_that_is_no_file_is_refused(recipe, name):
    with pytest.raises(WrongUse, match="cannot name a recipe"):
        save_recipe(name, recipe)


def test_what_is_gone_or_damaged_is_told(recipe):
    with pytest.raises(WrongUse, match="none yet"):
        load_recipe("r")
    with pytest.raises(WrongUse, match='no recipe "r"'):
        remove_recipe("r")
    path = save_recipe("r", recipe)
    path.write_text('{"target": "openai"}')
    with pytest.raises(UnreadableInput, match="base"):
        load_recipe("r")


def test_a_recipe_for_a_target_that_is_gone_says_so():
    mine = derive_target("custom", "mine", "Mine", {"address": "http://127.0.0.1:9/v1"})
    path = save_target(mine)
    save_recipe("r", make_recipe(mine, "b"))
    path.unlink()
    with pytest.raises(
        WrongUse, match='recipe "r" cannot be used as it is: There is no target "mine"'
    ):
        load_recipe("r")


def test_a_setting_out_of_bounds_by_now_says_so(recipe):
    path = save_recipe("r", recipe)
    path.write_text(path.read_text().replace('"n_epochs": 4', '"n_epochs": 999'))
    with pytest.raises(WrongUse, match="between 1 and 50"):
        load_recipe("r")


def test_a_past_job_is_started_again(recipe):
    job = Job(
        "t", "openai", "https://api.openai.com/v1", "o4-mini", method="rft",
        settings={"n_epochs": 4}, suffix="desk", seed=0, grader=GRADER, wandb={"project": "p"},
    )  # fmt: skip
    assert recipe_of_job(job) == recipe
