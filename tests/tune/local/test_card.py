"""On an NVIDIA card: a job that was killed in the middle ends with the bytes of one that was not.

Opt-in: CURATOR_CARD_PYTHON names a Python with a torch for the card, transformers and peft (and
bitsandbytes for 4 bits). The file needs nothing of the other tests, so it runs where only they are.
"""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

CARD = os.environ.get("CURATOR_CARD_PYTHON")
HOME = str(Path(__file__).parents[3])
METHODS = ("lora", "qlora", "full", "prompt", "head")
ANSWERS = ("lost card", "new pin", "late fee", "close it")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CARD is None, reason="CURATOR_CARD_PYTHON names no Python with a torch for an NVIDIA card"
    ),
]


def job(path, method):
    """A job folder as the server leaves it for its worker."""
    path.mkdir(parents=True)
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"{answer} {number}"},
                {"role": "assistant", "content": answer},
            ]
        }
        for number in range(12)
        for answer in ANSWERS
    ]
    (path / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    make = (
        "import json, sys; from curator.tune.local.options import TrainingOptions as T; "
        "print(json.dumps(T(method=sys.argv[1]).with_values(json.loads(sys.argv[2])).to_json()))"
    )
    wanted = {"epochs": 40, "batch_size": 4, "dropout": 0.0 if method in ("full", "head") else 0.1}
    options = json.loads(python("-c", make, method, json.dumps(wanted), home=path.parent))
    spec = {
        "base": "tiny",
        "base_folder": "base",
        "options": options,
        "training_path": "train.jsonl",
    }
    (path / "spec.json").write_text(json.dumps(spec))
    (path / "state.json").write_text('{"status": "queued"}')
    return path


def surroundings(home):
    return {**os.environ, "PYTHONPATH": HOME, "CURATOR_STATE": str(home / "state")}


def python(*words, home):
    done = subprocess.run(
        [CARD, *words], env=surroundings(home), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def state(path):
    return json.loads((path / "state.json").read_text())


def weights(path):
    """The trained bytes of the last checkpoint, by file name."""
    last = max((path / "checkpoints").iterdir(), key=lambda f: int(f.name.removeprefix("step-")))
    return {f.name: f.read_bytes() for f in sorted(last.rglob("*.safetensors"))}


def kill_in_the_middle(path, past):
    worker = subprocess.Popen(
        [CARD, "-m", "curator.tune.local.trainer.worker", str(path)],
        env=surroundings(path.parent),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        limit = time.monotonic() + 100
        while state(path).get("step", 0) < past and time.monotonic() < limit:
            assert worker.poll() is None, state(path)
            time.sleep(0.01)
    finally:
        worker.kill()
        worker.wait()
    return state(path)["step"]


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_job_ends_with_the_same_bytes(tmp_path, method):
    if method == "qlora":
        probe = "import importlib.util as u, sys; sys.exit(u.find_spec('bitsandbytes') is None)"
        if subprocess.run([CARD, "-c", probe], check=False).returncode:
            pytest.skip("CURATOR_CARD_PYTHON has no bitsandbytes, which 4 bits need")
    plain, killed = job(tmp_path / "plain", method), job(tmp_path / "killed", method)
    python("-m", "curator.tune.local.trainer.worker", str(plain), home=tmp_path)
    assert state(plain)["status"] == "succeeded", state(plain)
    at = kill_in_the_middle(killed, past=100) if method != "head" else 0
    python("-m", "curator.tune.local.trainer.worker", str(killed), home=tmp_path)
    assert state(killed)["status"] == "succeeded", state(killed)
    assert weights(killed) == weights(plain)
    print(f"\n{method}: killed at step {at} of {state(plain)['step']}; {sorted(weights(plain))}")
    assert "cannot be repeated" not in (killed / "events.jsonl").read_text()
