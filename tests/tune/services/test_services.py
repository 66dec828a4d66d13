"""The services with an SDK of their own do the whole of a job, each against a real server on loopback."""

import json
import shlex
import sys

import pytest

from curator.dataset.errors import Cancelled, TargetError
from curator.tune.evaluation.chatting import Question, ask
from curator.tune.jobs.dry_run import dry_run
from curator.tune.jobs.following import follow, order
from curator.tune.jobs.loss_curve import points_of_events
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.remote_checks import with_answers
from curator.tune.jobs.results import delete_model, download_files
from curator.tune.jobs.shown_calls import curl_call, python_call
from curator.tune.jobs.starting import start_job
from curator.tune.jobs.training_files import open_export
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.port import State
from curator.tune.services.probing import probe
from curator.tune.targets.keys import Key
from tests.tune.conftest import FAST
from tests.tune.protocol_server import KEY, silence

pytest.importorskip("together", reason="needs Together's SDK: pip install together")

CREATE = {"together": ("POST", "/v1/fine-tunes")}


@pytest.fixture
def starter(service, table, train_file, quiet):
    """Start a job on the twelve rows, as the page would after its question."""
    _, target, connection = service

    def start(connection=connection, base="", method="", settings=None, **more):
        exported = open_export(train_file.parent)
        recipe = make_recipe(
            target, base or target.bases[0], method=method, settings=settings or {"n_epochs": 2},
            **{name: more.pop(name) for name in ("seed", "suffix") if name in more},
        )  # fmt: skip
        plan = dry_run(exported, recipe, **quiet)
        return start_job(connection, table, exported, recipe, plan, pace=FAST, **{**quiet, **more})

    return start


@pytest.fixture
def followed(service, table, quiet):
    _, _, connection = service

    def go(job):
        return follow(connection, table, job.token, wait=lambda *_: 0.0, **quiet)

    return go


def test_the_connection_test_is_free(service):
    server, _, connection = service
    found = probe(connection)
    assert found.works
    assert {method for method, _ in server.requests} == {"GET"}
    wanted = {"openai/gpt-oss-20b", "Qwen/Qwen3-8B"}
    assert {base.name for base in found.bases} == wanted


def test_a_job_is_uploaded_created_followed_and_ends(
    service, starter, followed, table, train_file, tmp_path, quiet
):
    server, target, connection = service
    job = starter(suffix="Bank it", seed=5)
    assert list(server.contents.values()) == [train_file.read_bytes()]
    assert server.count(*CREATE[target.id]) == 1
    job = followed(job)
    assert job.status is State.SUCCEEDED
    assert job.finished is not None
    assert job.checkpoint
    assert table.checkpoints(job.token)[-1].name
    got = download_files(connection, table, job.token, tmp_path / "got", **quiet)
    assert [b"the adapter" in path.read_bytes() for path in got] == [True]


def test_what_together_is_asked_for(request, together, table, train_file, quiet):
    target = request.getfixturevalue("together_target")
    exported = open_export(train_file.parent)
    settings = {"n_epochs": 4, "learning_rate": 3e-5, "lora_r": 16, "train_on_inputs": "no"}
    recipe = make_recipe(target, target.bases[0], settings=settings, suffix="bank", seed=5)
    with Connection(target, Key(KEY)) as connection:
        plan = dry_run(exported, recipe, **quiet)
        job = start_job(connection, table, exported, recipe, plan, pace=FAST, **quiet)
        body = together.bodies[0]
        wanted = {
            "training_file": job.training_file, "n_epochs": 4, "learning_rate": 3e-5,
            "suffix": "bank", "random_seed": 5, "batch_size": "max", "n_evals": 0,
        }  # fmt: skip
        assert {name: body[name] for name in wanted} == wanted
        assert body["training_type"]["lora_r"] == 16
        assert body["training_method"] == {"method": "sft", "train_on_inputs": False}
        job = follow(connection, table, job.token, wait=lambda *_: 0.0, **quiet)
    assert (job.checkpoint, job.trained_tokens) == ("me/gpt-oss-20b-bank", 1234)
    points = points_of_events(table.events(job.token))
    assert [(p.step, dict(p.values)) for p in points] == [
        (1, {"train_loss": 2.5}), (2, {"train_loss": 1.5, "valid_loss": 1.75}),
    ]  # fmt: skip
    levels = {event.message: event.level for event in table.events(job.token) if event.message}
    assert levels == {"Job started": "info", "Slow": "warn"}


def test_preference_jobs(service, starter, followed, train_file):
    server, _, _ = service
    asked = '{"input":{"messages":[{"role":"user","content":"Hi"}]},'
    liked = '"preferred_output":[{"role":"assistant","content":"Hello"}],'
    not_liked = '"non_preferred_output":[{"role":"assistant","content":"What?"}]}'
    train_file.write_text(f"{asked}{liked}{not_liked}\n" * 12)
    job = followed(starter(method="dpo", settings={"dpo_beta": 0.2}))
    assert job.status is State.SUCCEEDED
    assert server.bodies[-1]["training_method"]["dpo_beta"] == 0.2


def test_a_lost_answer_makes_no_second_job(service, table, starter):
    server, target, _ = service

    async def do_then_say_nothing(_server, request, go):
        await go(request)
        return await silence(2.0)(_server, request, go)

    server.fault(*CREATE[target.id], do_then_say_nothing)
    with Connection(target, Key(KEY), read_s=0.4) as impatient:
        job = starter(impatient)
    assert len(server.jobs) == 1
    assert server.count(*CREATE[target.id]) == 1
    assert job.job.split("/")[-1] in server.jobs
    assert len(table.all()) == 1


def test_the_same_rows_are_uploaded_once(service, starter):
    server, _, _ = service
    starter()
    before = len(server.contents)
    starter()
    assert len(server.contents) == before
    assert len(server.jobs) == 2


def test_a_wrong_key_is_said_and_never_shown(service):
    server, target, _ = service
    with Connection(target, Key("fw-other-key-0123456789abcdef")) as connection:
        found = probe(connection)
    assert found.key_accepted is False
    assert "does not accept the API key" in found.sentences[0]
    assert "fw-other-key" not in str(found)
    assert server.count(*CREATE[target.id]) == 0


def test_a_failed_job_says_why(service, starter, followed):
    server, _, _ = service
    server.reason = "Loss is not a number."
    server.statuses = ("running", "error")
    job = followed(starter())
    assert (job.status, job.error) == (State.FAILED, "Loss is not a number.")


def test_a_refused_file_says_why_and_no_job_is_made(service, starter):
    server, target, _ = service
    server.invalid = server.reason = "dataset: line 3 has no answer"
    with pytest.raises(TargetError, match="line 3 has no answer"):
        starter()
    assert server.count(*CREATE[target.id]) == 0


def test_an_order_that_the_service_takes(service, starter, table):
    _, _, connection = service
    job = starter()
    with pytest.raises(CallFailed, match="cannot be paused there"):
        order(connection, table, job.token, "pause")
    assert order(connection, table, job.token, "cancel").status is State.CANCELLED


def test_the_model_can_be_asked(service):
    server, target, connection = service
    heard = []
    question = Question(target.bases[0], ({"role": "user", "content": "Hello?"},))
    reply = ask(connection, question, on_text=heard.append, cancelled=lambda: False)
    assert (reply.text, "".join(heard)) == ("Hello there", "Hello there")
    assert server.bodies[-1]["model"] == target.bases[0]


def test_deleting_the_model(service, starter, followed, table):
    _, _, connection = service
    job = followed(starter())
    with pytest.raises(CallFailed, match="the service's own page"):
        delete_model(connection, table, job.token)


def test_an_upload_can_be_cancelled(service, table, train_file, starter):
    train_file.write_text(train_file.read_text().replace("Hi", "Hi " * 100_000))
    server, target, _ = service
    seen = []

    def cancelled():
        return bool(seen)

    def progress(done, total, what):
        if what.startswith("Uploading") and done:
            seen.append(done)

    with pytest.raises(Cancelled):
        starter(progress=progress, cancelled=cancelled)
    assert server.count(*CREATE[target.id]) == 0
    assert [job.status for job in table.all()] == [State.CANCELLED]


def test_an_unknown_base_is_refused_before_anything_is_created(together, together_target, table,
                                                               train_file, quiet):  # fmt: skip
    exported = open_export(train_file.parent)
    recipe = make_recipe(together_target, "no/such-base")
    plan = dry_run(exported, recipe, **quiet)
    with (
        Connection(together_target, Key(KEY)) as connection,
        pytest.raises(TargetError, match="Model not found"),
    ):
        start_job(connection, table, exported, recipe, plan, pace=FAST, **quiet)
    assert together.count(*CREATE["together"]) == 0


def test_a_batch_the_sdk_refuses_is_one_sentence(together_target, table, train_file, quiet):
    exported = open_export(train_file.parent)
    recipe = make_recipe(together_target, together_target.bases[0], settings={"batch_size": 900})
    plan = dry_run(exported, recipe, **quiet)
    with (
        Connection(together_target, Key(KEY)) as connection,
        pytest.raises(TargetError, match=r"^Together: Requested batch size of 900"),
    ):
        start_job(connection, table, exported, recipe, plan, pace=FAST, **quiet)
    assert [job.status for job in table.all()] == [State.FAILED]


@pytest.mark.parametrize("name", ["together"])
def test_a_missing_package_is_named_with_the_way_to_get_it(request, name, monkeypatch):
    target = request.getfixturevalue(f"{name}_target")
    monkeypatch.setitem(sys.modules, name, None)
    with (
        Connection(target, Key(KEY)) as connection,
        pytest.raises(TargetError, match=rf'python -m pip install "{name}') as caught,
    ):
        connection.call(object, "listing", lambda sdk: sdk.models.list())
    assert caught.value.code == "sdk_missing"


@pytest.mark.parametrize("name", ["together"])
@pytest.mark.parametrize("has_validation", [True, False])
def test_the_shown_python_starts_the_job(request, name, has_validation, train_file, monkeypatch):
    server = request.getfixturevalue(name)
    target = request.getfixturevalue(f"{name}_target")
    monkeypatch.setenv(target.key_env, KEY)
    monkeypatch.chdir(train_file.parent)
    (train_file.parent / "validation.jsonl").write_bytes(train_file.read_bytes() * 2)
    recipe = make_recipe(target, target.bases[0], suffix="it's", settings={"n_epochs": 2})
    text = python_call(recipe, has_validation=has_validation)
    assert KEY not in text
    exec(compile(text, "call", "exec"), {})
    assert len(server.jobs) == 1
    assert len(server.contents) == 1 + has_validation
    body = server.bodies[-1]
    assert bool(body.get("validation_file")) is has_validation


@pytest.mark.parametrize("name", ["together"])
def test_the_shown_curl_is_what_the_sdk_sends(request, name, train_file, monkeypatch):
    server = request.getfixturevalue(name)
    target = request.getfixturevalue(f"{name}_target")
    monkeypatch.setenv(target.key_env, KEY)
    monkeypatch.chdir(train_file.parent)
    recipe = make_recipe(target, target.bases[0], settings={"n_epochs": 2})
    exec(compile(python_call(recipe, has_validation=False), "call", "exec"), {})
    sent = server.bodies[-1]
    words = shlex.split(curl_call(recipe, has_validation=False).strip().split("\n\n")[-1])
    shown = json.loads(words[words.index("-d") + 1])
    assert f"Authorization: Bearer ${target.key_env}" in words
    file = "training_file"
    assert {key: sent.get(key) for key in shown} == {**shown, file: sent[file]}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, None),
        (404, "cannot serve it"),
        (500, "could not be asked"),
        (401, "not accept the API key"),
    ],
)
def test_a_base_that_cannot_be_served_is_said_before_the_start(
    together, together_target, train_file, quiet, monkeypatch, status, words
):
    monkeypatch.setattr(
        "curator.tune.jobs.remote_checks.connect", lambda t, **_: Connection(t, Key(KEY))
    )
    together.hardware = status
    recipe = make_recipe(together_target, together_target.bases[0])
    plan = dry_run(open_export(train_file.parent), recipe, **quiet)
    found = with_answers(plan, recipe)
    said = [text for text in found.warnings if text not in plan.warnings]
    assert [words in text for text in said] == ([True] if words else [])
    assert (found.errors, {method for method, _ in together.requests}) == ((), {"GET"})


def test_without_a_key_it_is_said_that_nobody_could_ask(together_target, train_file, quiet):
    recipe = make_recipe(together_target, together_target.bases[0])
    found = with_answers(dry_run(open_export(train_file.parent), recipe, **quiet), recipe)
    assert "There is no API key for Together" in found.warnings[-1]
