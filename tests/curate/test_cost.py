"""Prices carry their date; epochs follow the published rule; what nobody knows stays unknown."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.cost import (
    choose_epochs,
    cost,
    find_offer,
    last_days,
    load_prices,
    strip_fine_tuned,
)
from curator.dataset.errors import UnreadableInput


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [
        (1, 25),
        (5, 20),
        (10, 10),
        (20, 5),
        (25, 4),
        (33, 3),
        (34, 3),
        (8_333, 3),
        (8_334, 2),
        (12_500, 2),
        (12_501, 1),
        (1_000_000, 1),
        (0, 3),
    ],
)
def test_auto_epochs_are_those_of_the_published_script(rows, epochs):
    assert choose_epochs(rows) == epochs


@given(st.integers(1, 10**7))
def test_auto_epochs_stay_in_bounds(rows):
    assert 1 <= choose_epochs(rows) <= 25
    assert choose_epochs(rows) >= choose_epochs(rows + 1)


def test_cost_is_price_times_tokens_times_epochs_and_dated():
    found = cost(2_000_000, 3, "gpt-4o-mini-2024-07-18")
    assert found is not None
    assert (found.amount, found.currency) == (Decimal("18"), "USD")
    assert found.as_of == date(2026, 11, 21)
    assert found.source


@pytest.mark.parametrize(
    ("name", "per_million"),
    [
        ("gpt-4.1-mini", "5"),
        ("gpt-4.1", "25"),
        ("gpt-4o", "25"),
        ("gpt-4o-mini", "3"),
        ("ft:gpt-4.1-mini-2025-04-14:acme::abc:ckpt-step-20", "5"),
    ],
)
def test_a_name_finds_its_own_price_and_no_neighbours(name, per_million):
    found = cost(1_000_000, 1, name)
    assert found is not None
    assert found.per_million == Decimal(per_million)


@pytest.mark.parametrize("name", ["gpt-9", "", "ft:", "gpt-4.1-mini-2099-01-01", "ft:o4-mini:x"])
def test_an_unknown_price_is_none(name):
    assert cost(1_000, 1, name) is None


def test_prices_belong_to_their_target():
    llama = "meta-llama/Llama-3.1-8B-Instruct"
    assert cost(1_000_000, 1, llama) is None
    found = cost(1_000_000, 1, llama, target="nebius")
    assert found is not None
    assert found.amount == Decimal("0.4")
    assert cost(10, 1, "anything", target="this-computer").amount == 0


def test_last_days_of_the_remaining_and_of_the_gone():
    days = last_days("gpt-4.1-mini")
    assert days is not None
    assert (days.create, days.serve) == (date(2027, 1, 6), date(2027, 1, 14))
    gone = last_days("gpt-3.5-turbo-0125")
    assert gone is not None
    assert gone.serve == date(2026, 10, 23)
    assert last_days("meta-llama/Llama-3.1-8B-Instruct", "nebius") is None


def test_a_users_corrections_go_before_the_shipped_table(tmp_path):
    path = tmp_path / "prices.json"
    offer = json.loads(find_offer("gpt-4.1-mini").model_dump_json())
    path.write_text(json.dumps({"offers": [{**offer, "per_million": "7.5"}]}), "utf-8")
    found = cost(1_000_000, 1, "gpt-4.1-mini", prices=load_prices(path))
    assert found is not None
    assert found.amount == Decimal("7.5")
    assert load_prices(tmp_path / "none.json") == load_prices()


def test_a_broken_corrections_file_is_named(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text('{"offers": [{"target": 1}]}', "utf-8")
    with pytest.raises(UnreadableInput, match="one of its offers is wrong") as caught:
        load_prices(path)
    assert caught.value.path == str(path)


@given(st.text(max_size=40))
def test_stripping_a_checkpoint_name_never_raises(name):
    assert strip_fine_tuned(strip_fine_tuned(name)) == strip_fine_tuned(name) or name.startswith(
        "ft:"
    )
