import json

import pytest

from curator.cli.main import main
from curator.dataset.resources import resource
from curator.tune.targets.profiles import read_target, save_target
from tests.cli.sample_lines import questions, write
from tests.tune.protocol_server import KEY, ProtocolServer

BASE = "gpt-4.1-mini-2025-04-14"


@pytest.fixture
def server(monkeypatch):
    """A service on loopback, known as the target "here"."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with ProtocolServer() as running:
        custom = read_target(resource("targets", "custom.json"))
        save_target(
            custom.model_copy(
                update={"id": "here", "address": {"address": running.url}, "key_env": "HERE_KEY"}
            )
        )
        monkeypatch.setenv("HERE_KEY", KEY)
        yield running


@pytest.fixture
def export(curator, tmp_path):
    project, folder = tmp_path / "a.curator", tmp_path / "out"
    curator("new", project)
    curator("import", project, write(tmp_path / "f.jsonl", *questions(40)))
    curator("split", project)
    curator("export", project, folder)
    return folder


def test_dry_run_answers_with_the_keys_of_the_contract(curator, export):
    code, told = curator("train", export, "--target", "openai", "--base", BASE, "--dry-run")
    # After the last day of the service, that is what the dry run says.
    assert code == (1 if told["errors"] else 0)
    promised = "rows dropped cut tokens epochs cost currency prices_of seconds warnings"
    assert set(promised.split()) <= set(told)
    assert told["rows"] == 32
    assert told["currency"] == "USD"


def test_a_job_is_started_followed_and_listed(curator, export, server):
    code, told = curator("train", export, "--target", "here", "--base", BASE, "--follow")
    assert code == 0, told
    assert {"job", "target", "status", "checkpoint", "events", "trained_tokens"} <= set(told)
    assert told["status"] == "succeeded"
    assert told["checkpoint"]
    listed = curator("jobs", "list")[1]["jobs"]
    promised = "job target base status checkpoint created finished error"
    assert set(promised.split()) <= set(listed[0])
    assert listed[0]["job"] == told["job"]
    assert curator("jobs", "show", told["job"])[1]["status"] == "succeeded"


def test_a_job_is_cancelled(curator, export, server):
    told = curator("train", export, "--target", "here", "--base", BASE)[1]
    code, answer = curator("jobs", "cancel", told["job"])
    assert code == 0, answer
    assert answer["jobs"][0]["status"] in ("cancelled", "succeeded")


def test_a_project_is_exported_before_it_trains(curator, export):
    project = export.parent / "a.curator"
    told = curator("train", project, "--target", "openai", "--base", BASE, "--dry-run")[1]
    assert told["rows"] == 32
    assert (export.parent / "a.export" / "manifest.json").is_file()


def test_wrong_words_are_refused_before_anything_is_sent(curator, export):
    for words in (
        ("--target", "nowhere", "--base", BASE),
        ("--target", "openai", "--base", BASE, "--set", "n_epochs=-1"),
        ("--target", "openai", "--base", BASE, "--set", "n_epochs"),
        ("--target", "openai", "--base", BASE, "--method", "magic"),
    ):
        code, told = curator("train", export, *words, "--dry-run")
        assert (code, told["error"]["kind"]) == (2, "wrong_use"), words


def test_targets_are_listed_added_and_tested(curator, server):
    names = {each["name"] for each in curator("targets", "list")[1]["targets"]}
    assert {"openai", "nebius", "here"} <= names
    code, told = curator("targets", "add", "mine", "--address", "address=http://127.0.0.1:9/v1")
    assert code == 0
    assert told["targets"][0]["address"] == "http://127.0.0.1:9/v1"
    code, told = curator("targets", "test", "here")
    assert (code, told["capabilities"]["works"]) == (0, True)


def test_a_service_that_does_not_answer_is_exit_1(curator, monkeypatch):
    curator("targets", "add", "mine", "--address", "address=http://127.0.0.1:9/v1")
    monkeypatch.setenv("CURATOR_MINE_KEY", "k")
    code, told = curator("targets", "test", "mine")
    assert code == 1
    assert told["capabilities"]["reachable"] is False


def test_an_unknown_job_is_refused(curator):
    assert curator("jobs", "show", "ftjob-none")[0] == 2


@pytest.mark.slow
def test_a_bundle_is_written_and_nothing_is_started(curator, export, tmp_path):
    place = tmp_path / "job"
    local = ("--target", "this-computer", "--base", "tiny", "--bundle", place)
    code, told = curator("train", export, *local, "--set", "method=lora", "--set", "n_epochs=2")
    assert code == 0, told
    assert {"run.sh", "slurm.sbatch", "task.yaml", "spec.json"} <= set(told["files"])
    spec = json.loads((place / "spec.json").read_text())
    assert (spec["options"]["method"], spec["options"]["epochs"]) == ("lora", 2)
    assert (place / "train.jsonl").read_bytes() == (export / "train.jsonl").read_bytes()
    assert curator("jobs", "list")[1]["jobs"] == []
    code, told = curator("train", export, "--target", "openai", "--base", BASE, "--bundle", "x")
    assert code == 2
    assert "--target this-computer" in told["error"]["message"]


def test_an_empty_project_is_not_told_to_leave_errors_out(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    code, told = curator(
        "train", project, "--target", "this-computer", "--base", "tiny", "--dry-run"
    )
    assert code == 1
    assert "the project is empty" in told["error"]["message"]
    assert "--skip-errors" not in told["error"]["message"]


def test_a_command_in_a_warning_starts_with_what_works_here(tmp_path, capsys, monkeypatch):
    project = tmp_path / "a.curator"
    assert main(["new", str(project)]) == 0
    assert main(["import", str(project), str(write(tmp_path / "f.jsonl", *questions(12)))]) == 0
    monkeypatch.setattr("curator.cli.answer.command", lambda: "./dev run")
    capsys.readouterr()
    main(["train", str(project), "--target", "this-computer", "--base", "nope", "--dry-run"])
    assert "add one: ./dev run models add SOURCE" in capsys.readouterr().out
