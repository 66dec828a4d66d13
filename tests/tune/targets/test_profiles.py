"""Profiles are valid, an own copy wins, and a multiplier never lands where a rate is meant."""

import json
import os
import subprocess
import sys
from datetime import date

import pytest
from pydantic import ValidationError

from curator.cli.main import main
from curator.curate.cost import find_offer
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.resources import resource
from curator.tune.jobs.lifetimes import days_of, end_errors, end_warnings
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.shown_calls import curl_call, python_call
from curator.tune.services.client import Connection
from curator.tune.services.probing import probe
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import (
    Target,
    derive_target,
    find_target,
    is_own,
    load_targets,
    read_target,
    save_target,
    settings_folder,
    state_folder,
    unreadable_targets,
)
from tests.tune.protocol_server import KEY

SHIPPED = sorted(resource("targets").glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_profile_is_sound(path):
    target = read_target(path)
    assert target.id == path.stem
    for method in target.methods:
        settings = target.settings(method)
        names = [setting.name for setting in settings]
        assert len(names) == len(set(names))
        assert target.learning_rate.name in names
        for setting in settings:
            assert setting.help.endswith(".")
            assert setting.default != "auto" or setting.auto or setting.kind == "choice"
            if setting.kind in ("int", "float"):
                assert setting.minimum is not None
                assert setting.maximum is not None


def test_the_ends_of_openai_are_those_announced():
    end = find_target("openai").end_of_life
    assert end is not None
    assert (end.create.isoformat(), end.serve.isoformat()) == ("2027-01-06", "2027-01-14")
    assert all(find_offer(base) for base in find_target("openai").bases)


def test_nebius_takes_an_absolute_rate_in_the_multipliers_field():
    rate = find_target("nebius").learning_rate
    assert (rate.field, rate.kind, rate.name) == (
        "learning_rate_multiplier",
        "absolute",
        "learning_rate",
    )
    assert rate.maximum < 0.1


def test_this_computer_has_an_address_only_while_its_server_runs():
    assert not find_target("this-computer").is_complete
    state_folder().mkdir(parents=True)
    path = state_folder() / "local-server.json"
    address = {"base_url": "http://127.0.0.1:1234/v1"}
    for known in (address, {**address, "pid": os.getpid()}):
        path.write_text(json.dumps(known))
        assert find_target("this-computer").url == "http://127.0.0.1:1234/v1"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for stale in (json.dumps({**address, "pid": ended.pid}), "{broken", "[]"):
        path.write_text(stale)
        assert not find_target("this-computer").is_complete


def test_an_own_target_is_kept_wins_and_goes_again():
    mine = derive_target("custom", "my-server", "Mine", {"address": "http://localhost:8000/v1/"})
    assert mine.url == "http://localhost:8000/v1"
    pasted = {"address": "https://x.org/v1/chat/completions?api-version=1"}
    assert derive_target("custom", "other", "", pasted).url == "https://x.org/v1"
    assert mine.key_env == "CURATOR_MY_SERVER_KEY"
    path = save_target(mine)
    assert path.is_relative_to(settings_folder())
    assert find_target("my-server") == mine
    own = find_target("openai").model_copy(update={"label": "Ours"})
    path = save_target(own)
    assert find_target("openai").label == "Ours"
    assert is_own("openai")
    path.unlink()
    assert find_target("openai").label == "OpenAI"


def test_an_address_with_blanks_is_not_complete():
    azure = find_target("azure-v1")
    assert not azure.is_complete
    mine = derive_target("azure-v1", "azure-work", "", {"resource": "acme"})
    assert mine.url == "https://acme.openai.azure.com/openai/v1"
    assert mine.key_env == azure.key_env


@pytest.mark.parametrize(
    ("kind", "name", "address"),
    [
        ("custom", "Bad Name", {}),
        ("custom", "../x", {}),
        ("nothing", "x", {}),
        ("custom", "x", {"no": ""}),
    ],
)
def test_wrong_targets_are_refused(kind, name, address):
    with pytest.raises(WrongUse):
        derive_target(kind, name, "", address)


def test_a_broken_own_profile_is_named_and_takes_no_other_with_it(capsys):
    folder = settings_folder() / "targets"
    folder.mkdir(parents=True)
    body = json.loads(resource("targets", "openai.json").read_text("utf-8"))
    (folder / "mine.json").write_text(json.dumps({**body, "id": "mine", "surprise": 1}))
    (folder / "fw.json").write_text(json.dumps({**body, "id": "fw", "protocol": "fireworks"}))
    (folder / "half.json").write_text("{")
    assert {"mine", "fw", "half"}.isdisjoint(load_targets())
    for name, words in (("mine", "surprise"), ("fw", "no new managed"), ("half", "half.json")):
        with pytest.raises(UnreadableInput, match=words):
            find_target(name)
    assert set(unreadable_targets()) == {"mine", "fw", "half"}
    for more in ([], ["--json"]):
        assert main(["targets", "list", *more]) == 0
        shown = capsys.readouterr().out
        assert "surprise" in shown
        assert "openai" in shown


def test_a_service_that_ended_is_no_target_and_says_what_to_do():
    assert "fireworks" not in load_targets()
    with pytest.raises(WrongUse, match=r"no new managed.*export"):
        find_target("fireworks")


AZURE = [
    ("gpt-4.1-2025-04-14", "2026-10-14", "2027-04-14", "2027-10-14"),
    ("gpt-4.1-mini", "2026-10-14", "2027-04-14", "2027-10-14"),
    ("gpt-4o-2024-08-06", "2026-10-01", "2027-04-01", "2027-10-01"),
    ("gpt-4o-mini-2024-07-18", "2026-10-01", "2027-04-01", "2027-10-01"),
    ("gpt-4o-mini-2024-07-18.ft-0a1b", "2026-10-01", "2027-04-01", "2027-10-01"),
    ("o4-mini-2025-04-16", None, "2027-04-16", "2027-10-16"),
]


@pytest.mark.parametrize(("base", "retires", "trains", "serves"), AZURE)
@pytest.mark.parametrize("name", ["azure-v1", "azure-classic"])
def test_the_three_dates_of_azure(name, base, retires, trains, serves):
    found = find_target(name).lifetime_of(base).model_dump(mode="json", exclude={"pattern"})
    assert found == {"retires": retires, "trains": trains, "serves": serves}
    older = find_target(name).model_copy(update={"lifetimes": ()})
    assert older.lifetime_of(base) == find_target(name).lifetime_of(base)
    assert find_target(name).lifetime_of("gpt-oss-20b") is None


@pytest.mark.parametrize(
    ("day", "error", "words"),
    [
        (
            "2026-09-01",
            False,
            ["is retired at Azure", "answering on 2027-10-14", "until 2027-04-14"],
        ),
        ("2026-11-28", False, ["was retired at Azure", "only accounts that trained it before"]),
        ("2027-04-14", False, ["was retired at Azure"]),
        ("2027-04-15", True, ["answering on 2027-10-14"]),
        ("2027-10-15", True, ["was switched off on 2027-10-14"]),
    ],
)
def test_the_three_dates_of_azure_rule_a_start(day, error, words):
    recipe = make_recipe(find_target("azure-v1"), "gpt-4.1-mini-2025-04-14")
    days, today = days_of(recipe.target, recipe.base), date.fromisoformat(day)
    said = " ".join(end_warnings(recipe, days, today))
    assert [word in said for word in words] == [True] * len(words)
    assert bool(end_errors(recipe, days, today)) is error


def test_profiles_are_frozen_and_hold_no_key():
    target = find_target("openai")
    with pytest.raises(ValidationError):
        target.label = "x"
    assert "key" not in {name for name in Target.model_fields if name != "key_env"}


def test_an_unknown_target_lists_the_known():
    with pytest.raises(WrongUse, match=r"azure-classic, azure-v1, .*, this-computer"):
        find_target("none")


def test_azure_classic_carries_its_version_and_key_as_azure_wants(server):
    classic = read_target(resource("targets", "azure-classic.json"))
    assert classic.url.endswith(".openai.azure.com/openai")
    assert not classic.model_copy(update={"address": {"resource": "r"}}).is_complete
    here = classic.model_copy(
        update={"base_url": server.url, "address": {"version": "2025-04-01-preview"}}
    )
    assert here.is_complete
    with Connection(here, Key(KEY), read_s=5.0) as connection:
        assert probe(connection).works
    assert set(server.queries) >= {"api-version=2025-04-01-preview"}
    assert all("api-version=2025-04-01-preview" in query for query in server.queries)
    assert all(headers["api-key"] == KEY for headers in server.headers)
    assert not any("authorization" in headers for headers in server.headers)


def test_portkey_names_the_provider_behind_it(server):
    portkey = read_target(resource("targets", "portkey.json"))
    assert not portkey.is_complete
    here = portkey.model_copy(update={"base_url": server.url, "address": {"provider": "@desk"}})
    with Connection(here, Key(KEY), read_s=5.0) as connection:
        assert probe(connection).works
    assert all(headers["x-portkey-provider"] == "@desk" for headers in server.headers)


def test_the_call_to_script_carries_the_query_and_the_headers():
    here = read_target(resource("targets", "azure-classic.json")).model_copy(
        update={"address": {"resource": "r", "version": "2025-04-01-preview"}}
    )
    recipe = make_recipe(here, "gpt-4.1")
    assert "default_query={'api-version': '2025-04-01-preview'}" in python_call(
        recipe, has_validation=False
    )
    curl = curl_call(recipe, has_validation=False)
    assert curl.count("api-version=2025-04-01-preview") == 2
    assert '-H "api-key: $AZURE_OPENAI_API_KEY"' in curl
