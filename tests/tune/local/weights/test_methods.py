"""Every way of training, through the stock client against the real server, on the tiny base."""

import io
import json
import re

import pytest

from tests.tune.local.conftest import needs_trainer, wait_for
from tests.tune.local.test_protocol import options, training_file

pytestmark = [needs_trainer, pytest.mark.slow]


def run(client, data, *, kind=None, validation=None, **values):
    stored = client.files.create(file=("t.jsonl", data), purpose="fine-tune")
    body = {"method": kind} if kind else {}
    if validation:
        body["validation_file"] = stored.id
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=stored.id, seed=3, metadata=options(**values), **body
    )
    return wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id),
        lambda j: j.status in ("succeeded", "failed") and (j.result_files or j.status == "failed"),
    )


def metrics(client, job, name):
    events = client.fine_tuning.jobs.list_events(job.id, limit=100).data
    return [e.data[name] for e in reversed(events) if e.type == "metrics"]


def lines(*records):
    return io.BytesIO("".join(json.dumps(r) + "\n" for r in records).encode())


def test_plain_text_is_learned_whole(server):
    client = server.client()
    text = "Refunds are paid to the card that was used. They take five working days."
    said = [{"role": "assistant", "content": text}]
    talk = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    data = lines({"messages": said}, {"messages": talk}, {"text": text * 30})
    done = run(client, data, method="pretrain", epochs=40, max_tokens=128)
    assert done.status == "succeeded", done.error
    losses = metrics(client, done, "train_loss")
    assert losses[-1] < 1 < 5 < losses[0]
    # The long text is read in pieces, not cut.
    assert done.trained_tokens > 40 * 3 * 128


def preferences(rows=12):
    return lines(
        *(
            {
                "input": {"messages": [{"role": "user", "content": f"where is parcel {n}?"}]},
                "preferred_output": [
                    {"role": "assistant", "content": f"Parcel {n} is on its way."}
                ],
                "non_preferred_output": [{"role": "assistant", "content": f"No idea, {n}."}],
            }
            for n in range(rows)
        )
    )


def test_preferences_are_learned(server):
    client = server.client()
    method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 12, "beta": 0.2}}}
    done = run(client, preferences(), kind=method, validation=True, batch_size=4)
    assert done.status == "succeeded", done.error
    assert (done.method.type, done.method.dpo.hyperparameters.beta) == ("dpo", 0.2)
    losses = metrics(client, done, "train_loss")
    # The adapter starts as nothing: both answers are as the reference has them, the loss is log 2.
    assert losses[0] == pytest.approx(0.6931, abs=1e-3)
    assert losses[-1] < 0.3
    assert metrics(client, done, "train_preference_accuracy")[-1] == 1
    assert metrics(client, done, "train_preference_margin")[-1] > 1
    table = client.files.content(done.result_files[0]).text.splitlines()
    assert "train_preference_accuracy" in table[0]
    assert table[-1].split(",")[5] == "1.0"


def test_a_preference_without_a_difference_is_refused(server):
    client = server.client()
    same = [{"role": "assistant", "content": "yes"}]
    data = lines(
        {
            "input": {"messages": [{"role": "user", "content": "x"}]},
            "preferred_output": same,
            "non_preferred_output": same,
        }
    )
    done = run(client, data, kind={"type": "dpo"})
    assert done.error.message == "Example 1: both answers are the same, so nothing is preferred."


@pytest.mark.parametrize("method", ["lora", "full"])
def test_words_get_tokens_of_their_own(server, method):
    client = server.client()
    talk = [
        {"role": "user", "content": "What is QuuxBank ZornPay?"},
        {"role": "assistant", "content": "QuuxBank ZornPay"},
    ]
    done = run(
        client,
        lines({"messages": talk}),
        method=method,
        epochs=50,
        learning_rate=0.02,
        added_tokens=["QuuxBank", "ZornPay"],
        rank=16,
    )
    assert done.status == "succeeded", done.error
    said = " ".join(e.message for e in client.fine_tuning.jobs.list_events(done.id, limit=100))
    assert re.search(r"2 words got a token of their own: \d+ tokens became \d+, \d+ saved", said)
    answer = client.chat.completions.create(
        model=done.fine_tuned_model,
        messages=talk[:1],
        temperature=0,
        logprobs=True,
        max_completion_tokens=8,
    )
    # The new word comes back as the one token it was given.
    assert answer.choices[0].logprobs.content[0].token == "QuuxBank"
    if method == "full":
        assert answer.choices[0].message.content == "QuuxBank ZornPay"
    if method == "lora":
        folder = server.state / "local" / "jobs" / done.id / "checkpoints"
        saved = max(folder.glob("*/adapter_model.safetensors"), key=lambda p: p.stat().st_mtime)
        rows = 2 * 64 * 4
        plain = 16 * 2 * (4 * 2 * 64 + 3 * (64 + 160)) * 4
        assert plain < saved.stat().st_size < plain + rows + 8000


def test_all_refused_lines_are_listed(server):
    client = server.client()
    wrong = [{"messages": [{"role": "user", "content": f"x{n}"}]} for n in range(30)]
    done = run(client, lines(*wrong))
    assert (done.status, done.error.code) == ("failed", "invalid_training_file")
    assert done.error.message.count("Example ") == 20
    assert "10 more" in done.error.message
    events = client.fine_tuning.jobs.list_events(done.id, limit=10).data
    (listed,) = [e.data["refused"] for e in events if e.data and "refused" in e.data]
    assert [entry["line"] for entry in listed] == list(range(1, 31))


def test_a_job_says_what_it_will_take_and_what_it_took(server):
    client = server.client()
    done = run(client, training_file(), epochs=2)
    said = [e.message for e in client.fine_tuning.jobs.list_events(done.id, limit=100)]
    assert any(re.search(r"About \d+ seconds? of one core and 0\.\d GB of memory", m) for m in said)
    assert any(re.match(r"Measured 0\.\d\d seconds? a step", m) for m in said)
    assert re.match(r"The job is done: \d+ seconds? of CPU, 0\.\d GB of memory at most", said[0])
