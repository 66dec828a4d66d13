"""Replies without torch: a process that cannot import it chats with a base and with what was trained."""

import importlib.util
import json
import os
import subprocess
import sys

import openai
import pytest

from curator.tune.candidates import who_can_be_asked
from curator.tune.local.replies import llama_engine
from curator.tune.local.weights import gguf_adapter
from tests.tune.local.conftest import TORCH, TRAINER, Server, hidden, needs_trainer, wait_for
from tests.tune.local.test_protocol import options, training_file

needs_llama = pytest.mark.skipif(
    sys.executable != TRAINER or not llama_engine.is_here() or not importlib.util.find_spec("gguf"),
    reason="this Python has no xllamacpp beside the trainer's packages",
)
QUESTIONS = ("pin 2", "card 40", "say <|im_end|> twice", "où est ma carte ? 卡")


def replies(tmp_path, requests, *, without=()):
    """Ask one reply process and return all it said."""
    done = subprocess.run(
        [sys.executable, "-m", "curator.tune.local.replies.replies"],
        input="".join(json.dumps(r) + "\n" for r in requests),
        env={**os.environ, **hidden(tmp_path, without)},
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def trained(client, **values):
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=stored.id, seed=3, metadata=options(**values)
    )
    done = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id),
        lambda j: j.status in ("succeeded", "failed"),
    )
    assert done.status == "succeeded", done.error
    return done


def asked(server, names):
    """Return, for every name and question, the reply and the log probabilities of its tokens."""
    client = server.client()
    found = {}
    for name in names:
        for question in QUESTIONS:
            choice = client.chat.completions.create(
                model=name,
                messages=[{"role": "user", "content": question}],
                temperature=0,
                logprobs=True,
                max_completion_tokens=10,
            ).choices[0]
            chances = [entry.logprob for entry in choice.logprobs.content]
            found[name, question] = (choice.message.content, choice.finish_reason, chances)
    return found


@needs_trainer
@needs_llama
@pytest.mark.slow
def test_base_and_tuned_answer_the_same_where_no_torch_is(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    first = Server(tmp_path / "state")
    first.start()
    client = first.client()
    jobs = [
        trained(client, epochs=40),
        trained(client, method="full", epochs=40, learning_rate=3e-3),
    ]
    said = [client.fine_tuning.jobs.list_events(job.id, limit=2).data[1].message for job in jobs]
    first.stop()
    assert said == ["Replies will need no torch (llama.cpp)."] * 2
    names = ["tiny", *(job.fine_tuned_model for job in jobs)]

    answers = []
    for without in (TORCH, ("xllamacpp",)):
        server = Server(tmp_path / "state", without)
        server.start()
        answers.append(asked(server, names))
        if without == TORCH:
            with pytest.raises(openai.InternalServerError, match="curator trainer --install"):
                trained(server.client())
        server.stop()
    light, heavy = answers
    assert {key: value[:2] for key, value in light.items()} == {
        key: value[:2] for key, value in heavy.items()
    }
    for key, (_, _, chances) in light.items():
        assert chances == pytest.approx(heavy[key][2], abs=0.02)
    for name in names[1:]:
        assert light[name, "pin 2"][:2] == ("change_pin", "stop")
    assert light["tiny", "pin 2"][0] != "change_pin"


def command(tmp_path, *words):
    return subprocess.run(
        [sys.executable, "-m", "curator", *words, "--json"],
        env={**os.environ, **hidden(tmp_path, TORCH)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@needs_trainer
@needs_llama
@pytest.mark.slow
def test_the_command_line_starts_a_server_without_torch(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    from curator.tune.local.bases import bases

    bases.load_tokenizer(bases.find_base("tiny"))
    ask = ("ask", "--target", "this-computer", "--candidate", "tiny", "--max-tokens", "4", "Hello?")
    done = command(tmp_path, *ask)
    stopped = command(tmp_path, "serve", "--stop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["tokens"] == 4
    assert json.loads(stopped.stdout)["stopped"]


def test_what_llama_cpp_cannot_take_says_that_it_needs_the_trainer(tmp_path, monkeypatch):
    if not llama_engine.is_here():
        pytest.skip("this Python has no xllamacpp")
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    ask = {"base": "tiny", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}
    (answer,) = replies(tmp_path, [ask], without=TORCH)
    assert answer["status"] == 400
    assert "the base is no GGUF file" in answer["error"]
    assert "curator trainer --install" in answer["error"]


def base_at(folder, kind="llama"):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    (folder / "weights.gguf").write_bytes(b"GGUF")
    return folder


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"adapter_config.json": {"peft_type": "LORA"}}, ""),
        ({"adapter_config.json": {"peft_type": "PROMPT_TUNING"}}, "adapters of matrices"),
        (
            {"adapter_config.json": {"peft_type": "LORA", "trainable_token_indices": [7]}},
            "adapters of matrices",
        ),
        (
            {
                "adapter_config.json": {"peft_type": "LORA"},
                "added_tokens_of_job.json": {"words": ["IBAN"]},
            },
            "words were added",
        ),
        ({"head.safetensors": {}}, "gives labels"),
        ({"config.json": {"model_type": "llama"}, "model.safetensors": {}}, ""),
        ({"config.json": {"model_type": "qwen2"}, "model.safetensors": {}}, "another architecture"),
        ({"config.json": {"model_type": "llama"}}, "several files"),
    ],
)
def test_each_kind_of_checkpoint_has_its_way(tmp_path, files, why):
    made = tmp_path / "step-3"
    made.mkdir()
    for name, content in files.items():
        (made / name).write_text(json.dumps(content))
    said = gguf_adapter.obstacle(base_at(tmp_path / "base"), made)
    assert why in said
    assert bool(why) == bool(said)


def test_a_base_of_another_kind_or_without_its_file_is_none_of_llama_cpps(tmp_path):
    other = base_at(tmp_path / "qwen", "qwen2")
    assert gguf_adapter.obstacle(other, None)
    plain = base_at(tmp_path / "plain")
    assert not gguf_adapter.obstacle(plain, None)
    (plain / "weights.gguf").unlink()
    assert gguf_adapter.obstacle(plain, None)


def test_weights_that_do_not_fit_fail_no_job(tmp_path):
    made = tmp_path / "step-3"
    made.mkdir()
    (made / "adapter_config.json").write_text('{"peft_type": "LORA", "lora_alpha": 16}')
    said = gguf_adapter.prepare(base_at(tmp_path / "base"), made)
    assert said.startswith("Replies will need torch: ")
    assert [path.name for path in made.iterdir()] == ["adapter_config.json"]


@needs_llama
@pytest.mark.slow
def test_the_engines_own_port_answers_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    from curator.tune.local.bases import bases

    bases.load_tokenizer(bases.find_base("tiny"))
    code = (
        "import sys, urllib.error, urllib.request\n"
        "from pathlib import Path\n"
        "from curator.tune.local.replies.llama_engine import LlamaEngine\n"
        "engine = LlamaEngine(Path(sys.argv[1]))\n"
        "print(len(list(engine.tokens(None, [1, 5], {}, 3))))\n"
        "call = urllib.request.Request(engine._server.listening_address + '/completion', b'{}',\n"
        "                              {'Content-Type': 'application/json'})\n"
        "try:\n"
        "    urllib.request.urlopen(call)\n"
        "except urllib.error.HTTPError as error:\n"
        "    print(error.code)\n"
    )
    weights = bases.find_base("tiny").folder / "weights.gguf"
    done = subprocess.run(
        [sys.executable, "-c", code, str(weights)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "401"]


def test_a_window_that_starts_the_server_does_not_load_it():
    code = (
        "import sys\n"
        "from curator.tune.local.server import service\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names & {'uvicorn', 'starlette', 'torch', 'transformers', 'xllamacpp'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_torch_the_bases_llama_cpp_knows_are_candidates(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path))
    monkeypatch.setattr("curator.tune.local.bases.environment.trainer_python", lambda: None)
    home = tmp_path / "local" / "bases"
    home.mkdir(parents=True)
    base_at(home / "practice")

    def here():
        return [one.candidates for one in who_can_be_asked() if one.target.id == "this-computer"]

    monkeypatch.setattr(llama_engine, "is_here", lambda: True)
    ((only,),) = here()
    assert only.name == "practice"
    monkeypatch.setattr(llama_engine, "is_here", lambda: False)
    assert here() == []
