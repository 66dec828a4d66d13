"""The shown calls are real: the Python runs, the curl is one command, and the key is a name."""

import json
import re
import shlex
import shutil
import subprocess

import pytest

from curator.cli.main import build_parser
from curator.cli.training import _recipe
from curator.tune.jobs.recipe import TOKEN_KEY, make_recipe
from curator.tune.jobs.shown_calls import curl_call, python_call, verb_call
from curator.tune.targets.profiles import find_target, load_targets
from tests.tune.protocol_server import KEY


def test_the_python_call_starts_the_job(server, target, tmp_path, train_file, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(train_file.parent)
    server.plan.file_polls = 0
    recipe = make_recipe(target, "gpt-4.1-mini", settings={"n_epochs": 2}, seed=3, suffix="it's")
    text = python_call(recipe, has_validation=False)
    assert KEY not in text
    # A person would wait for the file; the server here is told not to mind.
    text = text.replace("job = ", "client.files.retrieve(train.id)\njob = ")
    exec(compile(text, "call", "exec"), {})
    assert len(server.jobs) == 1
    body = server.bodies[0]
    assert body["training_file"] in server.files
    assert body["method"]["supervised"]["hyperparameters"]["n_epochs"] == 2
    assert (body["suffix"], body["seed"]) == ("it's", 3)


def test_the_curl_call_is_the_same_job(target):
    recipe = make_recipe(target, "gpt-4.1-mini", settings={"n_epochs": 2}, suffix="it's")
    text = curl_call(recipe, has_validation=True)
    calls = text.strip().split("\n\n")
    assert len(calls) == 3
    assert calls[0].startswith("TRAIN=$(curl -sS ")
    assert calls[1].startswith("VALIDATION=$(curl -sS ")
    words = shlex.split(calls[-1])
    body = json.loads(words[words.index("-d") + 1])
    assert body == recipe.arguments("$TRAIN", "$VALIDATION", body["metadata"][TOKEN_KEY])
    assert "Authorization: Bearer $OPENAI_API_KEY" in words


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_lines_run_as_they_are(server, target, train_file, monkeypatch):
    """A shell runs the whole text; what the upload answered reaches the call that creates the job."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.plan.file_polls = 0
    recipe = make_recipe(target, "gpt-4.1-mini", settings={"n_epochs": 2}, suffix="it's")
    text = curl_call(recipe, has_validation=False, folder=train_file.parent)
    done = subprocess.run(["bash", "-ec", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert server.bodies[-1]["training_file"] in server.files
    assert server.bodies[-1]["suffix"] == "it's"


PLACEHOLDER = re.compile(r"FILE_ID|YOUR|<[a-z]|\{[a-z_]+\}|any-text|my-|example|\.\.\.")


@pytest.mark.parametrize("name", sorted(load_targets()))
def test_no_call_holds_a_placeholder(name, tmp_path):
    target = load_targets()[name]
    blanks = {field.name: "desk" for field in target.address_fields}
    target = target.model_copy(update={"address": blanks})
    if not target.is_complete and target.protocol != "local":
        pytest.skip("its address is not made of blanks")
    for method in target.methods:
        if method == "rft":
            continue
        recipe = make_recipe(target, (*target.bases, "base")[0], method=method)
        for text in (
            python_call(recipe, has_validation=True, folder=tmp_path),
            curl_call(recipe, has_validation=True, folder=tmp_path),
            verb_call(recipe, tmp_path),
        ):
            if target.protocol == "local" and text.startswith("TRAIN="):
                continue
            shown = text.replace(str(tmp_path), "")
            assert not PLACEHOLDER.findall(shown), shown
            assert "train" in text


def test_the_verb_gives_the_same_recipe(tmp_path, monkeypatch):
    """The line for a terminal is read back by the command line into the very recipe."""
    target = load_targets()["openai"]
    recipe = make_recipe(
        target,
        "gpt-4.1-mini",
        settings={"n_epochs": 2},
        suffix="it's",
        seed=3,
        wandb={"project": "p"},
    )
    words = shlex.split(verb_call(recipe, tmp_path / "a folder"))
    begin = words.index("train")
    read = _recipe(build_parser().parse_args(words[begin:]))
    assert read == recipe
    assert words[begin + 1] == str(tmp_path / "a folder")


@pytest.mark.parametrize("name", ["openai", "azure-v1", "nebius"])
@pytest.mark.parametrize("has_validation", [True, False])
def test_every_targets_call_is_valid_python(name, has_validation):
    target = load_targets()[name]
    recipe = make_recipe(target, target.bases[0])
    compile(python_call(recipe, has_validation=has_validation), "call", "exec")
    assert target.key_env in curl_call(recipe, has_validation=has_validation)


def test_other_ways_to_authorize():
    target = find_target("openai").model_copy(
        update={"auth": "api-key", "extra_headers": {"X": "y"}}
    )
    recipe = make_recipe(target, "b")
    assert "'api-key': os.environ['OPENAI_API_KEY']" in python_call(recipe, has_validation=False)
    assert '"api-key: $OPENAI_API_KEY"' in curl_call(recipe, has_validation=False)
    free = make_recipe(target.model_copy(update={"auth": "none"}), "b")
    assert "OPENAI_API_KEY" not in python_call(free, has_validation=False)
    assert "OPENAI_API_KEY" not in curl_call(free, has_validation=False)
