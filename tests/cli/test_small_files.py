# ruff: noqa: F401, F811 - fixtures come by name
"""Small files of ours, broken in every way: one sentence with the path, and the other verbs go on."""

import json
import shutil
import time

import pytest

from tests.cli.sample_lines import questions, write
from tests.cli.test_offers import folder
from tests.cli.test_training import BASE

DEEP = "[" * 100_000 + "]" * 100_000

TRAIN = ("--target", "openai", "--base", BASE, "--dry-run")


def other_types(text):
    """Change every value of an object to one of another type."""
    value = json.loads(text)
    wrong = {key: 7 if isinstance(each, str | list | dict) else "x" for key, each in value.items()}
    return json.dumps(wrong)


def in_its_place(path, _):
    path.unlink()
    path.mkdir()


def as_bytes(make):
    return lambda path, text: path.write_bytes(make(text))


BREAKING = {
    "empty": as_bytes(lambda _: b""),
    "a list": as_bytes(lambda _: b"[]"),
    "null": as_bytes(lambda _: b"null"),
    "a number": as_bytes(lambda _: b"7"),
    "a word": as_bytes(lambda _: b'"word"'),
    "an empty object": as_bytes(lambda _: b"{}"),
    "nested too deeply": as_bytes(lambda _: DEEP.encode()),
    "an object nested too deeply": as_bytes(lambda _: b'{"name": ' + DEEP.encode() + b"}"),
    "UTF-16": as_bytes(lambda text: text.encode("utf-16")),
    "with a byte order mark": as_bytes(lambda text: text.encode("utf-8-sig")),
    "binary": as_bytes(lambda _: bytes(range(256)) * 40),
    "half of it": as_bytes(lambda text: text.encode()[: len(text) // 2]),
    "a folder": in_its_place,
    "huge": as_bytes(lambda _: b" " * (65 * 2**20)),
    "other types": as_bytes(lambda text: other_types(text).encode()),
    "a number of 5,000 digits": as_bytes(lambda _: b'{"name": ' + b"9" * 5000 + b"}"),
}

FILES = {
    "out/manifest.json": [["verify", "out"], ["train", "out", *TRAIN]],
    "out/train.manifest.jsonl": [],
    "config/recipes/desk.json": [["train", "out", "--recipe", "desk", "--dry-run"]],
    "config/targets/mine.json": [["targets", "test", "mine"]],
    "config/prices.json": [],
    "state/prompts/brief.json": [["ask", "--target", "mine", "--candidate", "prompt:brief", "Hi"]],
    "state/local/bases/desk/origin.json": [],
    "state/local/jobs/ftjob-1/spec.json": [],
    "state/local/jobs/ftjob-1/state.json": [],
    "state/local/jobs/ftjob-1/checkpoints.jsonl": [],
    "state/local/jobs/ftjob-1/events.jsonl": [],
    "state/local-server.json": [],
    "state/jobs.sqlite": [["jobs", "list"]],
    "grader.json": [],
    "plan.json": [["ablate", "a.curator", "--plan", "plan.json", "--dry-run"]],
}
"""The files, and the verbs that need each and so end with a sentence that names it (mostly)."""

VERBS = [
    ["verify", "out"], ["targets", "list"], ["models", "list"], ["prompts", "list"],
    ["jobs", "list"], ["jobs", "show", "ftjob-1"], ["serve", "--stop"], ["train", "out", *TRAIN],
]  # fmt: skip
"""What goes on whatever is broken, or says what is."""

BESIDES = {
    "state/local/bases/desk/origin.json": ["models", "remove", "desk"],
    "grader.json": ["train", "out", "--target", "openai", "--base", BASE, "--method", "rft",
                    "--grader", "grader.json", "--dry-run"],
    "out/train.manifest.jsonl": ["jobs", "lineage", "ftjob-1"],
}  # fmt: skip
"""One more verb that reads a file."""


@pytest.fixture
def place(curator, folder, tmp_path, monkeypatch):
    """A folder in which each of FILES is there and sound."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("CURATOR_MINE_KEY", "k")
    write(tmp_path / "f.jsonl", *questions(20))
    curator("new", "a.curator")
    curator("import", "a.curator", "f.jsonl")
    curator("export", "a.curator", "out")
    curator("targets", "add", "mine", "--address", "address=http://127.0.0.1:9/v1")
    curator("train", "out", *TRAIN, "--save-recipe", "desk")
    curator("prompts", "add", "brief", "--target", "mine", "--base", "b", "--system", "Hello.")
    curator("models", "add", folder, "--name", "desk")
    curator("jobs", "list")
    job = tmp_path / "state" / "local" / "jobs" / "ftjob-1"
    job.mkdir(parents=True)
    (job / "spec.json").write_text(json.dumps({"base": "tiny", "options": {"method": "lora"}}))
    (job / "state.json").write_text(json.dumps({"status": "succeeded", "checkpoint": "step-3"}))
    (job / "checkpoints.jsonl").write_text(json.dumps({"step_number": 3}) + "\n")
    (job / "events.jsonl").write_text('{"id": "e"}\n')
    (job / "checkpoints" / "step-3").mkdir(parents=True)
    known = {"base_url": "http://127.0.0.1:9/v1", "pid": 1, "born": 1.5}
    (tmp_path / "state" / "local-server.json").write_text(json.dumps(known))
    (tmp_path / "config" / "prices.json").write_text(json.dumps({"offers": []}))
    (tmp_path / "grader.json").write_text(json.dumps({"type": "string_check", "name": "g"}))
    plan = {"target": "mine", "base": "b", "variants": [{"name": "all"}]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_a_sentence_and_the_others_go_on(name, curator, place):
    path = place / name
    whole = path.read_bytes()
    for kind, break_it in BREAKING.items():
        text = whole.decode("latin-1") if name.endswith((".sqlite", ".jsonl")) else whole.decode()
        if kind == "other types" and name.endswith((".sqlite", ".jsonl")):
            continue
        for left in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(whole)
        break_it(path, text)
        # SQLite takes a file of a few bytes for one that is still empty.
        made_anew = name.endswith(".sqlite") and path.is_file() and path.stat().st_size < 100
        for verb in [*VERBS, *([BESIDES[name]] if name in BESIDES else [])]:
            code, told = curator(*verb)  # a traceback would end the test here
            assert code in (0, 1, 2), (kind, verb)
            if isinstance(told.get("error"), dict):
                assert told["error"]["message"].count("\n") == 0, (kind, verb)
        if kind not in ("with a byte order mark", "an empty object") and not made_anew:
            for verb in FILES[name]:
                code, told = curator(*verb)
                assert code in (1, 2), (kind, verb, told)
                assert name.rsplit("/", 1)[-1] in str(told), (kind, verb, told)
