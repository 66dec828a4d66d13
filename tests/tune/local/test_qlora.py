"""4-bit adapters on a CPU: refused unless confirmed, and their gradients outlive an evaluation."""

import json
import os
import subprocess
from pathlib import Path

import openai
import pytest

from tests.tune.local.conftest import TRAINER, needs_trainer, wait_for
from tests.tune.local.test_protocol import options, training_file

FOUR_BITS = os.environ.get("CURATOR_QLORA_PYTHON") or TRAINER
"""The Python that has bitsandbytes beside the trainer: an ordinary one does without."""


def can_quantise():
    if FOUR_BITS is None:
        return False
    probe = "import importlib.util as u, sys; sys.exit(u.find_spec('bitsandbytes') is None)"
    return subprocess.run([FOUR_BITS, "-c", probe], check=False).returncode == 0


needs_four_bits = pytest.mark.skipif(
    not can_quantise(),
    reason="bitsandbytes is not installed beside the trainer; CURATOR_QLORA_PYTHON names a Python that has it",
)

GRADIENTS = """
import copy, json, sys, torch
import bitsandbytes as bnb
from pathlib import Path
from curator.tune.local.bases import bases
from curator.tune.local.weights import methods
from curator.tune.local.trainer.objectives import Tokens
from curator.tune.local.trainer.encoding import Sample
from curator.tune.local.options import TrainingOptions

folder, trap = Path(sys.argv[1]), sys.argv[2] == "trap"
bases.make_tiny(folder)
# Sizes that the processor's 4-bit format takes: with others the trap is a crash, not a wrong number.
from transformers import LlamaConfig, LlamaForCausalLM
torch.manual_seed(1)
LlamaForCausalLM(LlamaConfig(
    vocab_size=512, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=4, tie_word_embeddings=True,
)).save_pretrained(folder)
base = bases.Base("b", folder, "b")
options = TrainingOptions(method="qlora", four_bit_on_cpu=True)
if trap:
    methods.keep_learnable = lambda network: None
kind = torch.bfloat16
quantised = methods.prepare(bases.load_weights(base, kind, "cpu"), options)
# The reference: the very weights the 4 bits stand for, as ordinary layers under the same adapter.
plain = methods.prepare(bases.load_weights(base, torch.float32), TrainingOptions(method="lora"))
source = {n: m for n, m in quantised.named_modules() if isinstance(m, bnb.nn.Linear4bit)}
assert len(source) == 14, len(source)
with torch.no_grad():
    for name, module in plain.named_modules():
        if name in source:
            weight = source[name].weight
            whole = bnb.functional.dequantize_4bit(weight.data, weight.quant_state)
            module.weight.copy_(whole.reshape(module.weight.shape))
    torch.manual_seed(3)
    theirs = dict(plain.named_parameters())
    for name, parameter in quantised.named_parameters():
        if parameter.requires_grad:
            parameter.copy_(torch.randn_like(parameter) * 0.05)
            theirs[name].copy_(parameter)

ids = tuple(torch.randint(3, 500, (40,)).tolist())
batch = [Sample(ids, ids)]

def gradients(network):
    network.train()
    network.zero_grad()
    Tokens(0.0).part(network, batch, "cpu", smoothing=True).loss.backward()
    return {n: None if p.grad is None else p.grad.double().flatten().clone()
            for n, p in network.named_parameters() if p.requires_grad}

def alike(found, truth):
    none = sum(g is None for g in found.values())
    angles = [float(torch.nn.functional.cosine_similarity(g, truth[n], dim=0))
              for n, g in found.items() if g is not None]
    return {"none": none, "worst": min(angles, default=0.0), "of": len(found)}

truth = gradients(plain)
before = alike(gradients(quantised), truth)
quantised.eval()
with torch.no_grad():
    Tokens(0.0).part(quantised, batch, "cpu", smoothing=False)
after = alike(gradients(quantised), truth)
able = bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
print(json.dumps({"before": before, "after": after, "able": able}))
"""


def measure(tmp_path, how):
    done = subprocess.run(
        [FOUR_BITS, "-c", GRADIENTS, str(tmp_path / "base"), how],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@needs_four_bits
def test_an_evaluation_leaves_the_gradients_of_4_bit_layers_true(tmp_path):
    found = measure(tmp_path, "kept")
    for when in ("before", "after"):
        assert found[when]["none"] == 0
        assert found[when]["of"] == 28
        assert found[when]["worst"] > 0.99, found


def refusal(server, **values):
    client = server.client()
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.create(
            model="tiny", training_file=stored.id, metadata=options(**values)
        )
    return caught.value


@pytest.fixture
def without_card(tmp_path, monkeypatch):
    """A machine whose NVIDIA driver finds no card, whatever this one has."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "nvidia-smi").write_text("#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    (tools / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for the driver is a shell script")
def test_4_bits_without_a_card_must_be_confirmed(without_card, server):
    refused = refusal(server, method="qlora")
    assert (refused.code, refused.param) == ("no_device", "method")
    assert "set four_bit_on_cpu on" in refused.message


def run(client, **values):
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny",
        training_file=stored.id,
        validation_file=stored.id,
        metadata=options(device="cpu", **values),
    )
    return wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id),
        lambda j: j.status in ("succeeded", "failed"),
    )


@needs_trainer
@pytest.mark.skipif(can_quantise(), reason="bitsandbytes is installed here")
def test_4_bits_without_their_package_are_refused_in_words(server):
    failed = run(server.client(), method="qlora", four_bit_on_cpu=True)
    assert failed.error.code == "qlora_missing"
    assert "curator trainer --qlora" in failed.error.message


@needs_trainer
@pytest.mark.skipif(can_quantise() and FOUR_BITS != TRAINER, reason="another Python quantises")
@needs_four_bits
def test_a_confirmed_4_bit_job_learns_and_answers(server):
    client = server.client()
    done = run(client, method="qlora", four_bit_on_cpu=True, epochs=3)
    assert done.status == "succeeded", done.error
    events = client.fine_tuning.jobs.list_events(done.id, limit=100).data
    losses = [e.data["train_loss"] for e in reversed(events) if e.type == "metrics"]
    assert losses[-1] < losses[0]
    answer = client.chat.completions.create(
        model=done.fine_tuned_model,
        messages=[{"role": "user", "content": "pin 2"}],
        max_completion_tokens=4,
    )
    assert answer.choices[0].finish_reason in ("stop", "length")


@needs_trainer
def test_a_card_that_is_not_there_is_said_so(without_card, server):
    client = server.client()
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=stored.id, metadata=options(device="cuda")
    )
    failed = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id), lambda j: j.status == "failed"
    )
    assert (failed.error.code, failed.error.param) == ("no_device", "device")
    assert "Set device to auto" in failed.error.message
