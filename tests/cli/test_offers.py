"""The verb models: what there is to start from, on this computer and elsewhere."""

import json
import struct

import pytest

from curator.dataset.resources import resource
from curator.tune.targets.profiles import read_target, save_target
from tests.tune.protocol_server import KEY, ProtocolServer

KEYS = {"id", "kind", "base", "size", "shutdown_date"}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "mine"
    made.mkdir()
    (made / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (made / "tokenizer.json").write_text("{}")
    (made / "chat_template.jinja").write_text("{{ messages }}")
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (made / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    return made


def test_bases_of_this_computer_are_listed_added_and_removed(curator, folder):
    code, told = curator("models")
    assert code == 0
    assert all(set(row) >= KEYS for row in told["models"])
    assert [(row["id"], row["kind"]) for row in told["models"]] == [("tiny", "base")]

    code, told = curator("models", "add", folder, "--name", "desk")
    assert code == 0, told
    assert [row["id"] for row in told["models"]] == ["desk"]
    assert told["models"][0]["size"] > 4
    names = [row["id"] for row in curator("models", "list")[1]["models"]]
    assert names == ["tiny", "desk"]

    assert curator("models", "remove", "desk")[1]["removed"] == "desk"
    assert folder.is_dir()
    code, told = curator("models", "remove", "desk")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_a_folder_that_is_no_base_is_refused(curator, folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    code, told = curator("models", "add", folder)
    assert code == 2
    assert "only as pickle" in told["error"]["message"]


def test_another_target_is_asked(curator, monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("HERE_KEY", KEY)
    with ProtocolServer() as running:
        custom = read_target(resource("targets", "custom.json"))
        address = {"address": running.url}
        save_target(
            custom.model_copy(update={"id": "here", "address": address, "key_env": "HERE_KEY"})
        )
        code, told = curator("models", "list", "--target", "here")
    assert code == 0, told
    assert told["models"]
    assert all(set(row) == KEYS for row in told["models"])
    assert {row["kind"] for row in told["models"]} <= {"base", "checkpoint"}
