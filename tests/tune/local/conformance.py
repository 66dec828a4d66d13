"""Every endpoint of the local server against the stock client in strict validation mode.

python -m tests.tune.local.conformance prints the table; test_conformance.py runs the same checks.
"""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

import httpx2
import openai
import pytest

from tests.tune.local.conftest import Server, wait_for
from tests.tune.local.test_protocol import options, training_file

CHECKS = []
PIN = [{"role": "user", "content": "pin 2"}]


def check(endpoint, claim):
    """Add a check to the table."""

    def add(function):
        CHECKS.append((endpoint, claim, function))
        return function

    return add


class World:
    """A server with one finished job of the tiny base, its files and its checkpoint."""

    def __init__(self, state, *without):
        self.server = Server(state, without)
        self.server.start()
        self.client = self.server.client()
        self.file = self.client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
        made = self.create(
            suffix="desk",
            seed=3,
            validation_file=self.file.id,
            method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 40}}},
            metadata={"who": "conformance"},
        )
        self.created = made
        self.job = self.finished(made.id)
        self.tuned = self.job.fine_tuned_model

    def create(self, **values):
        body = {"model": "tiny", "training_file": self.file.id, **values}
        return self.client.fine_tuning.jobs.create(**body)

    def finished(self, identifier):
        return wait_for(
            lambda: self.client.fine_tuning.jobs.retrieve(identifier),
            lambda j: j.status == "failed" or (j.status == "succeeded" and j.result_files),
        )

    def chat(self, **values):
        body = {"model": self.tuned, "messages": PIN, "temperature": 0, **values}
        return self.client.chat.completions.create(**body)

    def post(self, path, body):
        headers = {"Authorization": f"Bearer {self.server.token}"}
        url = f"{self.server.base_url}{path}"
        return httpx2.post(url, json=body, headers=headers, trust_env=False)


@contextlib.contextmanager
def refused(kind, *, param=None, code=None):
    """Expect an error of the client's own kind with these fields."""
    with pytest.raises(kind) as caught:
        yield
    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.message


@check("POST /v1/files", "object, purpose; expires_after kept, its bounds and anchor refused")
def _(world):
    assert (world.file.object, world.file.purpose) == ("file", "fine-tune")
    kept = world.client.files.create(
        file=("t.jsonl", b"{}\n"),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert kept.expires_at == kept.created_at + 3600
    for seconds in (3599, 2_592_001):
        with refused(openai.BadRequestError, param="expires_after"):
            world.client.files.create(
                file=("t.jsonl", b"{}\n"),
                purpose="fine-tune",
                expires_after={"anchor": "created_at", "seconds": seconds},
            )
    with refused(openai.BadRequestError, param="purpose"):
        world.client.files.create(file=("t.jsonl", b"{}\n"), purpose="dreams")
    world.client.files.delete(kept.id)


@check("GET /v1/files", "newest first, order=asc, pages by after, purpose, a wrong after refused")
def _(world):
    more = [
        world.client.files.create(file=(f"{n}.jsonl", b"{}\n"), purpose="user_data")
        for n in range(3)
    ]
    ids = [f.id for f in more]
    assert [f.id for f in world.client.files.list(limit=2, purpose="user_data")] == ids[::-1]
    assert [f.id for f in world.client.files.list(purpose="user_data", order="asc")] == ids
    with refused(openai.BadRequestError, param="after"):
        world.client.files.list(after="file-0")
    for one in ids:
        world.client.files.delete(one)


@check("GET /v1/files/{id}", "object; 404 for an unknown one")
def _(world):
    assert world.client.files.retrieve(world.file.id).bytes == world.file.bytes
    with refused(openai.NotFoundError, param="id"):
        world.client.files.retrieve("file-0")


@check("GET /v1/files/{id}/content", "the very bytes; a result file is a table by steps")
def _(world):
    assert world.client.files.content(world.file.id).read() == training_file().getvalue()
    table = world.client.files.content(world.job.result_files[0]).text.splitlines()
    assert table[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"


@check("DELETE /v1/files/{id}", "deleted, then 404")
def _(world):
    gone = world.client.files.create(file=io.BytesIO(b"{}\n"), purpose="fine-tune")
    assert world.client.files.delete(gone.id).deleted
    with refused(openai.NotFoundError, param="id"):
        world.client.files.content(gone.id)


@check("POST /v1/fine_tuning/jobs", "auto becomes numbers; suffix 1 to 64; seed, metadata kept")
def _(world):
    made = world.created
    assert made.method.supervised.hyperparameters.n_epochs == 40
    assert isinstance(made.hyperparameters.batch_size, int)
    assert (made.seed, made.metadata) == (3, {"who": "conformance"})
    for suffix in ("", "x" * 65):
        with refused(openai.BadRequestError, param="suffix"):
            world.create(suffix=suffix)


@check("POST /v1/fine_tuning/jobs", "errors name code and param: base, file, method, options")
def _(world):
    with refused(openai.BadRequestError, param="model", code="model_not_found"):
        world.create(model="nobody")
    with refused(openai.BadRequestError, param="training_file", code="file_not_found"):
        world.create(training_file="file-0")
    with refused(openai.BadRequestError, param="method", code="unsupported_method"):
        world.create(method={"type": "reinforcement"})
    with refused(openai.BadRequestError, param="rank", code="invalid_hyperparameter"):
        world.create(metadata=options(rank=0))
    with refused(openai.BadRequestError, param="metadata"):
        world.create(metadata={"long": "x" * 513})


@check("GET /v1/fine_tuning/jobs", "newest first, pages, filter by metadata")
def _(world):
    found = world.client.fine_tuning.jobs.list(metadata={"who": "conformance"})
    assert [job.id for job in found] == [world.job.id]
    assert not world.client.fine_tuning.jobs.list(metadata={"who": "nobody"}).data
    assert world.job.id in [job.id for job in world.client.fine_tuning.jobs.list(limit=1)]


@check("GET /v1/fine_tuning/jobs/{id}", "all fields of a finished job; 404 names its code")
def _(world):
    job = world.job
    assert job.status == "succeeded"
    assert job.trained_tokens > 0
    assert job.finished_at >= job.created_at
    assert job.fine_tuned_model.startswith("ft:tiny:this-computer:desk:")
    with refused(openai.NotFoundError, param="id", code="fine_tune_not_found"):
        world.client.fine_tuning.jobs.retrieve("ftjob-0")


@check("GET .../jobs/{id}/events", "newest first, pages to the end, metrics with their step")
def _(world):
    events = list(world.client.fine_tuning.jobs.list_events(world.job.id, limit=7))
    assert len({event.id for event in events}) == len(events)
    steps = [event.data["step"] for event in events if event.type == "metrics"]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == 1


@check("GET .../jobs/{id}/checkpoints", "newest first, metrics; each can be asked by its name")
def _(world):
    kept = list(world.client.fine_tuning.jobs.checkpoints.list(world.job.id, limit=9))
    assert len(kept) == 40
    assert kept[0].metrics.full_valid_loss < kept[-1].metrics.full_valid_loss
    reply = world.chat(model=kept[-1].fine_tuned_model_checkpoint, max_completion_tokens=2)
    assert reply.usage.completion_tokens <= 2


@check("POST .../pause, /resume, /cancel", "empty bodies; a finished job refuses them")
def _(world):
    waiting = world.create(metadata=options(epochs=50))
    jobs = world.client.fine_tuning.jobs
    jobs.pause(waiting.id)
    # "paused" is no word of the client's strict types: the job is queued, and says why beside it.
    wait_for(lambda: jobs.retrieve(waiting.id), lambda j: j.status == "queued" and j.paused)
    assert not jobs.resume(waiting.id).paused
    jobs.cancel(waiting.id)
    wait_for(lambda: jobs.retrieve(waiting.id), lambda j: j.status == "cancelled")
    with refused(openai.BadRequestError, code="job_finished"):
        world.client.fine_tuning.jobs.cancel(world.job.id)


@check("a file that cannot be learned", "the job fails with code, message and param")
def _(world):
    bad = world.client.files.create(file=("b.jsonl", b'{"messages": []}\n'), purpose="fine-tune")
    failed = world.finished(world.create(training_file=bad.id).id)
    assert (failed.error.code, failed.error.param) == ("invalid_training_file", "training_file")
    assert failed.error.message.startswith("Example 1:")


@check("GET /v1/models", "bases and checkpoints")
def _(world):
    assert {"tiny", world.tuned} <= {model.id for model in world.client.models.list()}


@check("GET /v1/models/{id}", "colons and an escaped slash; 404 names its code")
def _(world):
    assert world.client.models.retrieve(world.tuned).id == world.tuned
    with refused(openai.NotFoundError, param="id", code="model_not_found"):
        world.client.models.retrieve("org/nobody:1")


@check("DELETE /v1/models/{id}", "a checkpoint goes; a base is refused")
def _(world):
    oldest = list(world.client.fine_tuning.jobs.checkpoints.list(world.job.id))[-1]
    name = oldest.fine_tuned_model_checkpoint
    assert world.client.models.delete(name).deleted
    with refused(openai.NotFoundError, param="model", code="model_not_found"):
        world.chat(model=name)
    with refused(openai.PermissionDeniedError, param="id"):
        world.client.models.delete("tiny")


@check("POST /v1/chat/completions", "n, seed: drawn replies repeat, and differ among themselves")
def _(world):
    drawn = {"model": "tiny", "n": 3, "temperature": 1.0, "max_completion_tokens": 6}
    first, again, other = (world.chat(seed=seed, **drawn) for seed in (5, 5, 6))
    said = [[choice.message.content for choice in r.choices] for r in (first, again, other)]
    assert said[0] == said[1] != said[2]
    assert len(set(said[0])) > 1
    assert [choice.index for choice in first.choices] == [0, 1, 2]
    assert first.usage == again.usage
    assert 3 <= first.usage.completion_tokens <= 18


@check("POST /v1/chat/completions", "stop: a text or up to four; nothing of it is said")
def _(world):
    assert world.chat().choices[0].message.content == "change_pin"
    for stop in ("ge_p", ["zzz", "ge_p"]):
        choice = world.chat(stop=stop).choices[0]
        assert (choice.message.content, choice.finish_reason) == ("chan", "stop")
    streamed = [c.choices[0].delta.content for c in world.chat(stop="ge_p", stream=True)]
    assert "".join(filter(None, streamed)) == "chan"


@check("POST /v1/chat/completions", "max_completion_tokens and max_tokens: finish_reason length")
def _(world):
    for name in ("max_completion_tokens", "max_tokens"):
        reply = world.chat(**{name: 1})
        assert (reply.choices[0].finish_reason, reply.usage.completion_tokens) == ("length", 1)
        assert reply.usage.total_tokens == reply.usage.prompt_tokens + 1


@check("POST /v1/chat/completions", "logprobs and top_logprobs, whole and streamed alike")
def _(world):
    whole = world.chat(logprobs=True, top_logprobs=3).choices[0].logprobs.content
    assert all(len(entry.top_logprobs) == 3 for entry in whole)
    assert all(entry.logprob == entry.top_logprobs[0].logprob for entry in whole)
    assert "".join(entry.token for entry in whole) == "change_pin"
    chunks = list(world.chat(logprobs=True, top_logprobs=3, stream=True))
    parts = [c.choices[0].logprobs.content for c in chunks if c.choices[0].logprobs]
    assert [e.token for part in parts for e in part] == [entry.token for entry in whole]
    with refused(openai.BadRequestError, param="top_logprobs", code="invalid_value"):
        world.chat(top_logprobs=3)


@check("POST /v1/chat/completions", "stream: role first, then text; usage at the end if asked")
def _(world):
    chunks = list(world.chat(stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == "change_pin"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == world.chat().usage
    assert not any(c.usage for c in world.chat(stream=True))
    several = list(world.chat(stream=True, n=2))
    assert {c.choices[0].index for c in several} == {0, 1}


@check("POST /v1/chat/completions", "wrong values are refused by name, before anything is loaded")
def _(world):
    for values in (
        {"temperature": 3},
        {"n": 0},
        {"max_tokens": 0},
        {"messages": []},
        {"messages": [{"role": "nobody", "content": "x"}]},
        {"stop": ["a", "b", "c", "d", "e"]},
        {"seed": "x"},
    ):
        with refused(openai.BadRequestError, param=next(iter(values)), code="invalid_value"):
            world.chat(**values)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    for values, code in (
        ({"frequency_penalty": 1}, "unsupported_parameter"),
        ({"tool_choice": "required"}, "unsupported_parameter"),
        ({"logit_bias": {"1": 5}}, "unsupported_parameter"),
        ({"messages": [{"role": "user", "content": [image]}]}, "unsupported_content"),
    ):
        with refused(openai.BadRequestError, param=next(iter(values)), code=code):
            world.chat(**values)
    with refused(openai.BadRequestError, param="top_k", code="unknown_parameter"):
        world.chat(extra_body={"top_k": 3})
    assert world.chat(top_p=1, presence_penalty=0).choices[0].message.content == "change_pin"
    with refused(openai.NotFoundError, param="model", code="model_not_found"):
        world.chat(model="nobody")


@check("POST /v1/chat/completions", "top_p: almost none of the chance leaves the likeliest token")
def _(world):
    plain = world.chat(model="tiny", max_completion_tokens=8).choices[0].message.content
    drawn = {"model": "tiny", "temperature": 2.0, "max_completion_tokens": 8}
    assert world.chat(top_p=1e-6, **drawn).choices[0].message.content == plain
    wide = {world.chat(seed=n, **drawn).choices[0].message.content for n in range(3)}
    assert len(wide) > 1


@check(
    "POST /v1/chat/completions", "no seed: two draws differ; the job object names the seed drawn"
)
def _(world):
    drawn = {"model": "tiny", "temperature": 2.0, "max_completion_tokens": 12}
    said = {world.chat(**drawn).choices[0].message.content for _ in range(4)}
    assert len(said) > 1
    jobs = [world.create() for _ in range(2)]
    for job in jobs:
        world.client.fine_tuning.jobs.cancel(job.id)
        assert world.client.fine_tuning.jobs.retrieve(job.id).seed == job.seed
    assert jobs[0].seed != jobs[1].seed


@check("POST /v1/chat/completions", "response_format: json_object and json_schema hold every reply")
def _(world):
    person = {
        "type": "object",
        "properties": {"open": {"type": "boolean"}, "kind": {"enum": ["a", "b"]}},
        "required": ["open", "kind"],
        "additionalProperties": False,
    }
    told = {"type": "json_schema", "json_schema": {"name": "it", "schema": person}}
    for values in ({"temperature": 0}, {"temperature": 2.0, "seed": 3}):
        for model in ("tiny", world.tuned):
            reply = world.chat(model=model, response_format=told, **values).choices[0]
            found = json.loads(reply.message.content)
            assert (type(found["open"]), found["kind"] in "ab", len(found)) == (bool, True, 2)
            assert reply.finish_reason == "stop"
            body = {"model": model, "response_format": {"type": "json_object"}, **values}
            reply = world.chat(max_completion_tokens=400, **body).choices[0]
            assert reply.message.content.lstrip().startswith("{")
            if reply.finish_reason == "stop":
                assert isinstance(json.loads(reply.message.content), dict)
    streamed = world.chat(response_format=told, stream=True)
    assert json.loads("".join(c.choices[0].delta.content or "" for c in streamed))["kind"] in "ab"
    for wrong in ({**person, "minProperties": 1}, {"type": "string", "pattern": "x"}):
        told = {"type": "json_schema", "json_schema": {"name": "it", "schema": wrong}}
        with refused(openai.BadRequestError, param="response_format", code="unsupported_parameter"):
            world.chat(response_format=told)


@check("POST /v1/completions", "bare prompts, several, n, stop, logprobs, streamed and whole alike")
def _(world):
    ask = world.client.completions.create
    prompt = "<|im_start|>user\npin 2<|im_end|>\n<|im_start|>assistant\n"
    plain = {"model": world.tuned, "prompt": prompt, "temperature": 0}
    reply = ask(**plain, max_tokens=20)
    assert (reply.object, reply.choices[0].text) == ("text_completion", "change_pin")
    assert reply.choices[0].finish_reason == "stop"
    short = ask(**plain, max_tokens=1, logprobs=2)
    assert (short.choices[0].finish_reason, short.usage.completion_tokens) == ("length", 1)
    assert len(short.choices[0].logprobs.top_logprobs[0]) == 2
    # The client's type of a chunk knows no null finish_reason, which the protocol sends.
    lenient = world.server.client(strict=False).completions.create
    more = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(lenient(**plain, max_tokens=20, **more))
    assert "".join(c.choices[0].text for c in chunks if c.choices) == "change_pin"
    assert chunks[-1].usage == reply.usage
    both = ask(**{**plain, "prompt": [prompt, "rate"]}, n=2, max_tokens=3)
    assert [choice.index for choice in both.choices] == [0, 1, 2, 3]
    assert both.choices[0].text == both.choices[1].text
    assert ask(**plain, stop="ge_p").choices[0].text == "chan"
    for values, code in (
        ({"prompt": [1, 2]}, "invalid_value"), ({"prompt": ""}, "invalid_value"),
        ({"echo": True}, "unsupported_parameter"), ({"suffix": "x"}, "unsupported_parameter"),
        ({"best_of": 3}, "unsupported_parameter"), ({"logprobs": 9}, "invalid_value"),
    ):  # fmt: skip
        with refused(openai.BadRequestError, param=next(iter(values)), code=code):
            ask(**{**plain, **values})


@check(
    "POST /v1/uploads, /parts, /complete, /cancel", "a file in parts, in the order that is named"
)
def _(world):
    data = training_file().getvalue()
    told = {"purpose": "fine-tune", "mime_type": "text/jsonl"}
    whole = world.client.uploads.upload_file_chunked(
        file=data, filename="t.jsonl", bytes=len(data), part_size=1000, **told
    )
    assert (whole.status, whole.file.bytes) == ("completed", len(data))
    assert world.client.files.content(whole.file.id).read() == data
    opened = world.client.uploads.create(filename="t.jsonl", bytes=9, **told)
    assert world.client.uploads.parts.create(opened.id, data=b"x").upload_id == opened.id
    with refused(openai.BadRequestError, param="part_ids"):
        world.client.uploads.complete(opened.id, part_ids=["part-0"])
    assert world.client.uploads.cancel(opened.id).status == "cancelled"
    with refused(openai.BadRequestError, code="upload_closed"):
        world.client.uploads.complete(opened.id, part_ids=[])
    world.client.files.delete(whole.file.id)


@check("any other path or method", "404 and 405 in the protocol's shape")
def _(world):
    with refused(openai.NotFoundError, code="unknown_url"):
        world.client.embeddings.create(model="tiny", input="x")
    with refused(openai.APIStatusError, code="method_not_allowed"):
        world.client.put("/files", cast_to=object)


@check("a prompt longer than the base reads", "400, whole and streamed; the next one is answered")
def _(world):
    long = [{"role": "user", "content": "word " * 3000}]
    for stream in (False, True):
        with refused(openai.BadRequestError):
            world.chat(messages=long, stream=stream)
    assert world.chat().choices[0].message.content == "change_pin"


@check("who may ask", "401 without the token, 403 from a web page or for another host")
def _(world):
    with refused(openai.AuthenticationError, code="invalid_api_key"):
        world.server.client(token="wrong").models.list()
    for name, value in (("Origin", "https://evil.example"), ("Host", "evil.example")):
        with refused(openai.PermissionDeniedError):
            world.client.models.list(extra_headers={name: value})


@check("bodies that are none", "400 in the protocol's shape, never 500")
def _(world):
    for path in ("/chat/completions", "/fine_tuning/jobs"):
        for body in ([], "x", {}, {"model": 1, "messages": {}, "training_file": 2}):
            answer = world.post(path, body)
            assert answer.status_code == 400
            assert answer.json()["error"]["message"]


def main():
    """Run all checks and print the table; the exit code is 1 where one fails."""
    failed = 0
    print("| endpoint | what holds | result |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        world = World(Path(scratch) / "state")
        try:
            for endpoint, claim, function in CHECKS:
                failures = (AssertionError, ValueError, openai.OpenAIError, pytest.fail.Exception)
                try:
                    function(world)
                    result = "passes"
                except failures as error:
                    failed += 1
                    result = f"FAILS: {type(error).__name__} {error}"[:200]
                print(f"| `{endpoint}` | {claim} | {result} |", flush=True)
        finally:
            world.server.stop()
    print(json.dumps({"checks": len(CHECKS), "failed": failed, "client": openai.__version__}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
