"""Settings are read, bounded and put into the field each service reads."""

import json

import pytest

from curator.dataset.errors import WrongUse
from curator.tune.jobs.recipe import TOKEN_KEY, make_recipe
from curator.tune.targets.profiles import find_target


def test_method_style_nests_the_settings():
    recipe = make_recipe(
        find_target("openai"), "gpt-4.1-mini", method="dpo",
        settings={"beta": "0.1", "n_epochs": "3", "learning_rate_multiplier": 1.8},
        suffix="bank", seed=7,
    )  # fmt: skip
    assert recipe.arguments("file-1", "file-2", "tok") == {
        "model": "gpt-4.1-mini",
        "training_file": "file-1",
        "validation_file": "file-2",
        "suffix": "bank",
        "seed": 7,
        "metadata": {TOKEN_KEY: "tok"},
        "method": {
            "type": "dpo",
            "dpo": {
                "hyperparameters": {
                    "n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 1.8, "beta": 0.1,
                }
            },
        },
    }  # fmt: skip


def test_legacy_style_and_the_absolute_rate_of_nebius():
    recipe = make_recipe(
        find_target("nebius"),
        "meta-llama/Llama-3.1-8B-Instruct",
        settings={"learning_rate": "3e-5"},
    )
    arguments = recipe.arguments("f", "", "t")
    assert arguments["hyperparameters"] == {
        "n_epochs": 3, "batch_size": 32, "learning_rate_multiplier": 3e-5, "lora": True,
        "packing": True, "warmup_ratio": 0.03, "weight_decay": 0,
    }  # fmt: skip
    assert "method" not in arguments
    assert "validation_file" not in arguments


def test_a_multiplier_never_lands_where_a_rate_is_meant():
    nebius, openai = find_target("nebius"), find_target("openai")
    with pytest.raises(WrongUse, match=r"the rate itself.*set learning_rate"):
        make_recipe(nebius, "b", settings={"learning_rate_multiplier": 1.8})
    with pytest.raises(WrongUse, match=r"must lie between 1e-07 and 0\.001"):
        make_recipe(nebius, "b", settings={"learning_rate": 1.8})
    with pytest.raises(WrongUse, match='cannot be "auto"'):
        make_recipe(nebius, "b", settings={"learning_rate": "auto"})
    with pytest.raises(WrongUse, match="a multiple of its own rate"):
        make_recipe(openai, "b", settings={"learning_rate": "2e-5"})
    with pytest.raises(WrongUse, match="between"):
        make_recipe(openai, "b", settings={"learning_rate_multiplier": "2e-5"})


def test_some_settings_go_into_the_body():
    recipe = make_recipe(
        find_target("azure-v1"),
        "gpt-4.1-mini-2025-04-14",
        settings={"trainingType": "globalStandard"},
    )
    arguments = recipe.arguments("f", "", "t")
    assert arguments["extra_body"] == {"trainingType": "globalStandard"}
    assert "trainingType" not in arguments["method"]["supervised"]["hyperparameters"]


def test_reinforcement_needs_and_sends_a_grader():
    target = find_target("openai")
    with pytest.raises(WrongUse, match="grader"):
        make_recipe(target, "b", method="rft")
    grader = {
        "type": "string_check",
        "name": "g",
        "operation": "eq",
        "input": "a",
        "reference": "b",
    }
    arguments = make_recipe(target, "b", method="rft", grader=grader).arguments("f", "v", "t")
    assert arguments["method"]["type"] == "reinforcement"
    assert arguments["method"]["reinforcement"]["grader"] == grader


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_epochs": 0}, "between 1 and 50"),
        ({"n_epochs": "51"}, "between 1 and 50"),
        ({"n_epochs": "2.5"}, "whole number"),
        ({"n_epochs": "many"}, '"many" is none'),
        ({"n_epochs": "nan"}, "between"),
        ({"n_epochs": "inf"}, "between"),
        ({"lora": 1}, 'no setting "lora"'),
    ],
)
def test_bounds_are_named(settings, words):
    with pytest.raises(WrongUse, match=words):
        make_recipe(find_target("openai"), "b", settings=settings)


@pytest.mark.parametrize(
    "more",
    [{"base": " "}, {"suffix": "x" * 65}, {"seed": -1}, {"seed": 2**31}, {"method": "magic"}],
)
def test_wrong_choices_are_refused(more):
    with pytest.raises(WrongUse):
        make_recipe(find_target("openai"), **{"base": "b", **more})


def test_words_for_true_and_false_are_read():
    recipe = make_recipe(find_target("nebius"), "b", settings={"lora": "no", "packing": True})
    assert (recipe.value("lora"), recipe.value("packing")) == (False, True)
    with pytest.raises(WrongUse, match="true or false"):
        make_recipe(find_target("nebius"), "b", settings={"lora": "maybe"})


def test_both_names_of_a_method_are_known():
    assert make_recipe(find_target("openai"), "b", method="supervised").method == "sft"


def test_options_of_this_computer_travel_as_metadata_where_chosen():
    target = find_target("this-computer")
    plain = make_recipe(target, "tiny").arguments("f", "", "t")
    assert plain["metadata"] == {TOKEN_KEY: "t"}
    chosen = make_recipe(
        target, "tiny", settings={"method": "full", "rank": "4", "dropout": "auto", "n_epochs": 5}
    ).arguments("f", "", "t")
    assert chosen["metadata"] == {TOKEN_KEY: "t", "curator.options": '{"method":"full","rank":4}'}
    inner = chosen["method"]["supervised"]["hyperparameters"]
    assert inner == {"n_epochs": 5, "batch_size": "auto", "learning_rate_multiplier": "auto"}


def test_options_of_this_computer_are_those_its_trainer_knows():
    options = pytest.importorskip("curator.tune.local.options")
    mine = {
        s.name: s for s in find_target("this-computer").settings("sft") if s.place == "metadata"
    }
    for name, setting in mine.items():
        for value in (setting.minimum, setting.maximum, *setting.choices):
            if value not in (None, "auto"):
                request = {
                    "metadata": {options.METADATA_KEY: json.dumps({name: _as(setting, value)})}
                }
                options.resolve(request, tiny=False)


def _as(setting, value):
    return int(value) if setting.kind == "int" else value
