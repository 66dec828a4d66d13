"""The stock client in strict validation mode against the real local server."""

import io
import json
import socket
import struct
import subprocess

import httpx2
import openai
import pytest

from tests.tune.local.conftest import TRAINER, Server, needs_trainer, wait_for

ANSWERS = {
    "card": "card_arrival",
    "pin": "change_pin",
    "rate": "exchange_rate",
    "lost": "lost_card",
}


def training_file(rows=24):
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"{word} {n}"},
                {"role": "assistant", "content": answer},
            ]
        }
        for n in range(rows // 4)
        for word, answer in ANSWERS.items()
    ]
    return io.BytesIO("\n".join(map(json.dumps, lines)).encode() + b"\n")


def options(**values):
    return {"curator.options": json.dumps(values)}


def test_files_come_back_as_they_went(server):
    client = server.client()
    data = training_file().getvalue()
    stored = client.files.create(file=("t.jsonl", data), purpose="fine-tune")
    assert stored.bytes == len(data)
    assert client.files.content(stored.id).read() == data
    assert [f.id for f in client.files.list()] == [stored.id]
    assert client.files.delete(stored.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(stored.id)


def test_pages_end_and_keep_their_order(server):
    client = server.client()
    made = [
        client.files.create(file=(f"{n}.jsonl", b"{}\n"), purpose="fine-tune").id for n in range(5)
    ]
    assert [f.id for f in client.files.list(limit=2)] == made[::-1]
    first = client.files.list(limit=2)
    assert len(first.data) == 2
    assert first.has_more


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
    ],
)
def test_strangers_are_refused(server, headers, status):
    if "Authorization" not in headers and status == 403:
        headers = {**headers, "Authorization": f"Bearer {server.token}"}
    answer = httpx2.get(f"{server.base_url}/models", headers=headers, trust_env=False)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"model": "no-such-base"}, "model", "model_not_found"),
        ({"training_file": "file-0"}, "training_file", "file_not_found"),
        ({"method": {"type": "reinforcement"}}, "method", "unsupported_method"),
        ({"metadata": options(rank=0)}, "rank", "invalid_hyperparameter"),
        ({"metadata": options(colour="red")}, "colour", "invalid_hyperparameter"),
        ({"suffix": "x" * 65}, "suffix", None),
        ({"extra_body": {"colour": "red"}}, "colour", "unknown_parameter"),
        ({"hyperparameters": {"n_epoch": 3}}, "n_epoch", "invalid_hyperparameter"),
        ({"hyperparameters": {"beta": 0.1}}, "beta", "invalid_hyperparameter"),
        (
            {"method": {"type": "dpo", "dpo": {"hyperparameters": {"gamma": 1}}}},
            "gamma",
            "invalid_hyperparameter",
        ),
        ({"method": {"type": "supervised", "dpo": {}}}, "dpo", "unknown_parameter"),
        ({"method": {"type": "dpo", "dpo": {"grader": {}}}}, "grader", "unknown_parameter"),
        (
            {"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]},
            "integrations",
            "unsupported_parameter",
        ),
    ],
)
def test_a_wrong_job_is_refused_with_its_parameter(server, changes, param, code):
    client = server.client()
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    body = {"model": "tiny", "training_file": stored.id, **changes}
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.create(**body)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_unknown_things_are_not_found(server):
    client = server.client()
    with pytest.raises(openai.NotFoundError):
        client.fine_tuning.jobs.retrieve("ftjob-0")
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "x"}])
    assert caught.value.code == "model_not_found"


@pytest.mark.skipif(TRAINER is not None, reason="the trainer is set up here")
def test_without_a_trainer_a_job_is_refused_in_words(server):
    client = server.client()
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    with pytest.raises(openai.InternalServerError, match="curator trainer --install") as caught:
        client.fine_tuning.jobs.create(model="tiny", training_file=stored.id)
    assert caught.value.code == "trainer_missing"


@needs_trainer
def test_a_whole_job_from_file_to_chat(server):
    client = server.client()
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny",
        training_file=stored.id,
        validation_file=stored.id,
        suffix="desk",
        seed=3,
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 40}}},
        metadata={"curator_token": "abc"},
    )
    assert job.method.supervised.hyperparameters.n_epochs == 40
    done = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id),
        lambda j: j.status in ("succeeded", "failed") and (j.result_files or j.status == "failed"),
    )
    assert done.status == "succeeded", done.error
    assert done.trained_tokens > 1000
    assert [j.id for j in client.fine_tuning.jobs.list(metadata={"curator_token": "abc"})] == [
        job.id
    ]

    events = list(client.fine_tuning.jobs.list_events(job.id, limit=100))
    losses = [e.data["train_loss"] for e in events if e.type == "metrics"]
    assert losses[0] < 0.1 < 4 < losses[-1]
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert len(checkpoints) == 40
    assert checkpoints[0].metrics.full_valid_loss < 0.1

    table = client.files.content(done.result_files[0]).text.splitlines()
    assert table[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert len(table) == 1 + len(losses)

    ask = {"messages": [{"role": "user", "content": "pin 2"}], "temperature": 0}
    tuned = client.chat.completions.create(
        model=done.fine_tuned_model, logprobs=True, top_logprobs=2, **ask
    )
    assert tuned.choices[0].message.content == "change_pin"
    assert len(tuned.choices[0].logprobs.content[0].top_logprobs) == 2
    base = client.chat.completions.create(model="tiny", max_completion_tokens=8, **ask)
    assert base.choices[0].message.content != "change_pin"
    assert base.choices[0].finish_reason == "length"
    stream = client.chat.completions.create(model=done.fine_tuned_model, stream=True, **ask)
    assert "".join(c.choices[0].delta.content or "" for c in stream) == "change_pin"

    names = {m.id for m in client.models.list()}
    assert {"tiny", done.fine_tuned_model} <= names
    assert client.models.delete(done.fine_tuned_model).deleted
    assert done.fine_tuned_model not in {m.id for m in client.models.list()}


@needs_trainer
@pytest.mark.slow
def test_a_bad_line_fails_the_job_and_is_named(server):
    client = server.client()
    broken = training_file().getvalue() + b'{"messages": [{"role": "user", "content": "x"}]}\n'
    stored = client.files.create(file=("t.jsonl", broken), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model="tiny", training_file=stored.id)
    failed = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id), lambda j: j.status == "failed"
    )
    assert failed.error.code == "invalid_training_file"
    assert failed.error.message.startswith("Example 25:")
    assert failed.error.param == "training_file"


def adapter_bytes(server, job, method):
    name = "adapter_model.safetensors" if method != "full" else "model.safetensors"
    folders = sorted(
        (server.state / "local" / "jobs" / job.id / "checkpoints").iterdir(),
        key=lambda f: int(f.name.removeprefix("step-")),
    )
    return (folders[-1] / name).read_bytes()


def random_base(folder):
    """Return a folder with the tiny base under another name, which takes a soft prompt."""
    make = (
        "import sys, pathlib\nfrom curator.tune.local.bases.bases import make_tiny\n"
        "make_tiny(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([TRAINER, "-c", make, str(folder / "small")], check=True)
    return str(folder / "small")


@needs_trainer
def test_a_soft_prompt_is_not_offered_where_nothing_can_be_learned(server):
    """Its weights are random: a prompt before them changes nothing, and the job would say "succeeded"."""
    client = server.client(strict=False)
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    with pytest.raises(openai.BadRequestError, match="the practice base") as refused:
        client.fine_tuning.jobs.create(
            model="tiny", training_file=stored.id, metadata=options(method="prompt")
        )
    assert refused.value.param == "method"


@needs_trainer
@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full", "prompt"])
def test_a_paused_job_and_a_killed_one_end_with_the_same_bytes(server, method, tmp_path):
    client = server.client()
    base = random_base(tmp_path) if method == "prompt" else "tiny"
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")

    def start():
        return client.fine_tuning.jobs.create(
            model=base,
            training_file=stored.id,
            seed=5,
            metadata=options(
                method=method, epochs=50, batch_size=4, dropout=0.0 if method == "full" else 0.1
            ),
        )

    def state(job):
        return client.fine_tuning.jobs.retrieve(job.id)

    def step(job):
        events = client.fine_tuning.jobs.list_events(job.id, limit=1).data
        return events[0].data.get("step", 0) if events else 0

    plain = start()
    wait_for(lambda: state(plain), lambda j: j.status == "succeeded")
    paused = start()
    wait_for(lambda: step(paused), lambda s: s > 20)
    client.fine_tuning.jobs.pause(paused.id)
    # The protocol's types have no "paused": the job waits, and says beside it for what.
    wait_for(lambda: state(paused), lambda j: j.status == "queued" and j.paused)
    client.fine_tuning.jobs.resume(paused.id)
    assert not state(paused).paused
    wait_for(lambda: state(paused), lambda j: j.status == "succeeded")
    assert adapter_bytes(server, paused, method) == adapter_bytes(server, plain, method)

    killed = start()
    wait_for(lambda: step(killed), lambda s: s > 20)
    import psutil

    pid = json.loads((server.state / "local" / "jobs" / killed.id / "state.json").read_text())[
        "pid"
    ]
    psutil.Process(pid).kill()
    failed = wait_for(lambda: state(killed), lambda j: j.status == "failed")
    assert failed.error.code == "worker_died"
    seen = [event.id for event in client.fine_tuning.jobs.list_events(killed.id)]
    client.fine_tuning.jobs.resume(killed.id)
    done = wait_for(lambda: state(killed), lambda j: j.status == "succeeded" and j.result_files)
    events = list(client.fine_tuning.jobs.list_events(killed.id))
    told = {e.id: e for e in events}
    steps = [e.data["step"] for e in told.values() if e.type == "metrics"]
    assert sorted(steps) == list(range(1, max(steps) + 1))
    # Also for whoever read them before the worker died: no step comes again under another name.
    again = [
        told[name].data["step"] for name in seen if name in told and told[name].data.get("step")
    ]
    lost = [name for name in seen if name not in told]
    assert (len(again), lost) == (len(set(again)), [])
    table = client.files.content(done.result_files[0]).text.splitlines()[1:]
    assert [int(row.split(",")[0]) for row in table] == sorted(steps)
    assert adapter_bytes(server, killed, method) == adapter_bytes(server, plain, method)


@needs_trainer
@pytest.mark.slow
def test_a_job_survives_a_killed_server_and_two_jobs_wait_in_line(server):
    client = server.client()
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    first = client.fine_tuning.jobs.create(model="tiny", training_file=stored.id)
    second = client.fine_tuning.jobs.create(model="tiny", training_file=stored.id)
    assert client.fine_tuning.jobs.retrieve(second.id).status == "queued"
    server.kill()
    server.start()
    client = server.client()
    for job in (first, second):
        wait_for(
            lambda job=job: client.fine_tuning.jobs.retrieve(job.id),
            lambda j: j.status == "succeeded",
        )


@needs_trainer
@pytest.mark.slow
def test_a_head_on_a_frozen_base_names_labels(server):
    client = server.client()
    stored = client.files.create(file=("t.jsonl", training_file(48)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny",
        training_file=stored.id,
        validation_file=stored.id,
        metadata=options(method="head", dropout=0.1, epochs=40, batch_size=8),
    )
    done = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id),
        lambda j: j.status in ("succeeded", "failed"),
    )
    assert done.status == "succeeded", done.error
    (checkpoint,) = client.fine_tuning.jobs.checkpoints.list(job.id)
    assert checkpoint.metrics.full_valid_mean_token_accuracy > 0.95
    answer = client.chat.completions.create(
        model=done.fine_tuned_model,
        messages=[{"role": "user", "content": "rate 3"}],
        logprobs=True,
        top_logprobs=4,
    )
    assert answer.choices[0].message.content == "exchange_rate"
    chances = [entry.logprob for entry in answer.choices[0].logprobs.content[0].top_logprobs]
    assert len(chances) == 4
    assert chances == sorted(chances, reverse=True)


@needs_trainer
@pytest.mark.slow
@pytest.mark.parametrize("abruptly", [False, True])
def test_clients_that_hang_up_leave_nothing_in_the_log(tmp_path, abruptly):
    with (tmp_path / "server.log").open("w") as log:
        server = Server(tmp_path / "state", log=log)
        server.start()
        port = int(server.base_url.rsplit(":", 1)[1].split("/")[0])

        def call(path, body, *, kind="application/json", length=None, read=0):
            with socket.create_connection(("127.0.0.1", port)) as line:
                head = f"POST /v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
                head += f"Authorization: Bearer {server.token}\r\n"
                head += f"Content-Length: {length or len(body)}\r\n\r\n"
                line.sendall(head.encode() + body)
                heard = b""
                while len(heard) < read:
                    heard += line.recv(4096)
                if abruptly:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
        call("/files", part, kind="multipart/form-data; boundary=x", length=10**6)
        for path in ("/chat/completions", "/fine_tuning/jobs", "/uploads"):
            call(path, b"{", length=500)
        asked = {"model": "tiny", "max_tokens": 400, "stream": True}
        hello = [{"role": "user", "content": "x"}]
        call("/chat/completions", json.dumps({**asked, "messages": hello}).encode(), read=600)
        call("/completions", json.dumps({**asked, "prompt": "x"}).encode(), read=600)
        # Whoever comes next is answered as ever.
        told = server.client().chat.completions.create(
            model="tiny", messages=hello, max_completion_tokens=3
        )
        assert told.choices[0].finish_reason in ("stop", "length")
        server.stop()
    assert (tmp_path / "server.log").read_text() == ""
