"""A job that starts from a checkpoint of this computer begins with what the checkpoint had learned."""

import json

import pytest

from curator.tune.local.bases.bases import BaseUnusable, find_base
from curator.tune.local.bases.checkpoint_bases import family_of
from tests.tune.local.conftest import needs_trainer, wait_for
from tests.tune.local.test_protocol import options
from tests.tune.local.weights.test_methods import lines, metrics

pytestmark = needs_trainer

QUESTIONS = [f"where is parcel {n}?" for n in range(8)]
REPLY = "It is on its way."


def train(client, base, data, *, kind="supervised", **values):
    stored = client.files.create(file=("t.jsonl", data), purpose="fine-tune")
    made = client.fine_tuning.jobs.create(
        model=base, training_file=stored.id, seed=3, metadata=options(**values),
        method={"type": kind}, suffix="parcels",
    )  # fmt: skip
    job = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(made.id),
        lambda j: j.status in ("succeeded", "failed"),
        seconds=300,
    )
    assert job.status == "succeeded", job.error
    return job


def chats():
    return lines(*(
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": REPLY}]}
        for q in QUESTIONS
    ))  # fmt: skip


def preferences():
    return lines(*(
        {
            "input": {"messages": [{"role": "user", "content": q}]},
            "preferred_output": [{"role": "assistant", "content": REPLY}],
            "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
        }
        for q in QUESTIONS
    ))  # fmt: skip


def replies(client, model):
    return [
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": q}], temperature=0, max_tokens=20
        ).choices[0].message.content
        for q in QUESTIONS
    ]  # fmt: skip


@pytest.fixture
def tuned(server):
    """A client, and the name of a checkpoint that has learned the replies by heart."""
    client = server.client()
    job = train(client, "tiny", chats(), method="full", epochs=40)
    assert replies(client, job.fine_tuned_model) == [REPLY] * len(QUESTIONS)
    return client, job.fine_tuned_model


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_first_step_already_knows_what_was_learned(tuned, method):
    client, checkpoint = tuned
    job = train(client, checkpoint, chats(), method=method, epochs=1, learning_rate=1e-5)
    assert metrics(client, job, "train_loss")[0] < 0.3  # untrained: about 6
    assert job.model == checkpoint
    # The name tells the first base, not a chain of names.
    assert job.fine_tuned_model.startswith("ft:tiny:this-computer:parcels:")
    assert replies(client, job.fine_tuned_model) == [REPLY] * len(QUESTIONS)


@pytest.mark.slow
def test_preferences_after_answers_keep_the_answers(tuned, server):
    client, checkpoint = tuned
    job = train(client, checkpoint, preferences(), kind="dpo", epochs=4)
    # What the checkpoint itself finds likelier is the reference: the loss begins at log 2.
    assert metrics(client, job, "train_loss")[0] == pytest.approx(0.6931, abs=1e-3)
    assert metrics(client, job, "train_preference_accuracy")[-1] == 1
    assert replies(client, job.fine_tuned_model) == [REPLY] * len(QUESTIONS)
    # The merged weights stand on their own: without the checkpoint the result still answers.
    assert client.models.delete(checkpoint).deleted
    assert replies(client, job.fine_tuned_model) == [REPLY] * len(QUESTIONS)
    # Without the last job that needs them they go, too.
    merged = server.state / "local" / "merged"
    assert len(list(merged.iterdir())) == 1
    for model in client.models.list().data:
        # The last step answers to two names; one deletion takes both.
        if model.id.startswith("ft:") and model.id != job.fine_tuned_model:
            client.models.delete(model.id)
    assert not list(merged.iterdir())


@pytest.mark.slow
def test_an_adapter_is_merged_and_trained_on(tuned):
    client, checkpoint = tuned
    first = train(client, checkpoint, chats(), method="lora", epochs=1, learning_rate=1e-4)
    again = train(client, first.fine_tuned_model, chats(), method="lora", epochs=1)
    assert metrics(client, again, "train_loss")[0] < 0.3  # untrained: about 6
    assert again.fine_tuned_model.startswith("ft:tiny:this-computer:parcels:")


def test_what_holds_no_answers_is_refused(server):
    client = server.client()
    data = [
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": label}]}
        for q, label in zip(QUESTIONS, ["a", "b"] * 4, strict=True)
    ]
    head = train(client, "tiny", lines(*data), method="head", epochs=1)
    stored = client.files.create(file=("t.jsonl", chats()), purpose="fine-tune")
    for name, words in (
        (head.fine_tuned_model, "gives labels, not answers; start from its base, tiny"),
        ("ft:tiny:this-computer::00aa", "no checkpoint ft:tiny:this-computer::00aa"),
    ):
        with pytest.raises(Exception, match=words) as refused:
            client.fine_tuning.jobs.create(model=name, training_file=stored.id)
        assert refused.value.status_code == 400
        assert refused.value.param == "model"
    assert json.loads(refused.value.response.content)["error"]["code"] == "model_not_found"


def test_a_name_tells_its_first_base(tmp_path):
    assert family_of("ft:practice:this-computer:a:b:18c2") == "practice"
    assert family_of("/srv/bases/ft:x") == "/srv/bases/ft:x"
    with pytest.raises(BaseUnusable, match="no checkpoint"):
        find_base("ft:tiny:this-computer::1234:ckpt-step-3", tmp_path)
