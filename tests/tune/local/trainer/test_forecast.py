"""What a job here will take, said by the dry run: no torch, no server, and a way out where it is too much."""

import json
import struct

import pytest

from curator.tune.jobs.dry_run import dry_run
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.training_files import open_export
from curator.tune.local.trainer import estimates
from curator.tune.local.trainer.forecast import forecast
from curator.tune.targets.profiles import find_target
from tests.tune.conftest import clean_surroundings, quiet, train_file  # noqa: F401 - fixtures


@pytest.fixture
def base(tmp_path):
    """The folder of a base of 135 million parameters, as far as a forecast reads it."""
    folder = tmp_path / "base"
    folder.mkdir()
    config = {"num_hidden_layers": 30, "hidden_size": 576, "vocab_size": 49_152,
              "model_type": "llama", "architectures": ["LlamaForCausalLM"]}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "x"}))
    header = json.dumps({"w": {"dtype": "F32", "shape": [135_000_000], "data_offsets": [0, 0]}})
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode())
    return folder


@pytest.fixture(autouse=True)
def no_card(monkeypatch):
    monkeypatch.setattr("curator.tune.local.trainer.forecast.has_card", lambda: False)


def test_more_epochs_take_longer_and_larger_batches_more_memory(base):
    once = forecast(str(base), {"hyperparameters": {"n_epochs": 1}}, 200, 10_000)
    thrice = forecast(str(base), {"hyperparameters": {"n_epochs": 3}}, 200, 10_000)
    wide = forecast(str(base), {"hyperparameters": {"n_epochs": 1, "batch_size": 16}}, 200, 10_000)
    assert not once.fault
    assert thrice.seconds == pytest.approx(3 * once.seconds, rel=0.01)
    assert wide.memory > once.memory


def test_what_does_not_fit_is_a_fault_with_a_setting_that_does(base, monkeypatch):
    monkeypatch.setenv(estimates.MEMORY_KEY, "3000")
    found = forecast(str(base), {"hyperparameters": {"batch_size": 64}}, 900, 10_000)
    assert "more than 80 %" in found.fault
    assert "It would fit with batch_size" in found.fault


def test_a_head_reads_the_base_once_and_needs_little(base, monkeypatch):
    monkeypatch.setenv(estimates.MEMORY_KEY, "3000")
    request = {"metadata": {"curator.options": json.dumps({"method": "head"})}}
    found = forecast(str(base), request, 200, 10_000)
    assert not found.fault
    assert found.memory < 2**31
    assert found.seconds < forecast(str(base), {}, 100, 10_000).seconds


def test_a_base_that_is_not_there_is_a_fault():
    assert "no base" in forecast("nothing-of-this-name", {}, 10, 10).fault


def test_the_dry_run_says_it_all(train_file, quiet, monkeypatch):  # noqa: F811
    recipe = make_recipe(find_target("this-computer"), "tiny")
    found = dry_run(open_export(train_file.parent), recipe, **quiet)
    assert not found.errors
    assert found.memory > 0
    assert found.seconds > 0
    assert found.to_row()["memory"] == found.memory
    monkeypatch.setenv(estimates.MEMORY_KEY, "100")
    assert "GB of memory" in dry_run(open_export(train_file.parent), recipe, **quiet).errors[0]
