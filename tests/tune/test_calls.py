"""The shown calls are real: the Python runs, the curl is one command, and the key is a name."""

import json
import shlex

import pytest

from curator.tune.calls import curl_call, python_call
from curator.tune.recipe import TOKEN_KEY, make_recipe
from curator.tune.targets import find_target, load_targets
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
    words = shlex.split(calls[-1])
    body = json.loads(words[words.index("-d") + 1])
    assert body == recipe.arguments(
        "FILE_ID_OF_TRAIN", "FILE_ID_OF_VALIDATION", body["metadata"][TOKEN_KEY]
    )
    assert "Authorization: Bearer $OPENAI_API_KEY" in words


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
