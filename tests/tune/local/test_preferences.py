"""A preference job at its defaults is a small turn: the choice, not how to answer."""

import json

import pytest

from curator.tune.local.options import METADATA_KEY, resolve


def request(method, kind):
    return {"method": {"type": kind}, "metadata": {METADATA_KEY: json.dumps({"method": method})}}


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_a_preference_moves_an_adapter_far_less_than_answers_do(method):
    turn = resolve(request(method, "dpo"), tiny=False)
    answers = resolve(request(method, "supervised"), tiny=False)
    # Three epochs at 2e-4, a fifth of what answers take, took 4 of 33 exact replies away.
    way = turn.learning_rate * turn.epochs
    assert way < answers.learning_rate * answers.epochs / 50
    assert turn.epochs == 1


def test_what_is_chosen_goes_before_and_the_multiplier_counts_from_the_default():
    usual = resolve({"method": {"type": "dpo"}}, tiny=False)
    hyper = {"n_epochs": 4, "learning_rate_multiplier": 2}
    chosen = resolve({"method": {"type": "dpo", "dpo": {"hyperparameters": hyper}}}, tiny=False)
    assert chosen.epochs == 4
    assert chosen.learning_rate == pytest.approx(2 * usual.learning_rate)
