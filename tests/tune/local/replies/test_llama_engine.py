"""Replies by llama.cpp are those of transformers, base and tuned switched in one process."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from curator.tune.local.job_folders import JobFolder, local_root, write_json
from curator.tune.local.options import TrainingOptions
from curator.tune.local.server.queue import Queue
from tests.tune.local.conftest import TRAINER, needs_trainer

PRACTICE = Path(os.environ.get("CURATOR_PRACTICE_BASE") or local_root() / "bases" / "practice")
ANSWERS = {
    "card": "Your card is on its way; it takes five working days.",
    "pin": "You can change your PIN at any cash machine.",
    "rate": "We use the rate of the day, without a fee.",
}


def has_engine():
    if TRAINER is None:
        return False
    found = subprocess.run(
        [TRAINER, "-c", "import xllamacpp, gguf"], capture_output=True, check=False
    )
    return found.returncode == 0


pytestmark = [
    pytest.mark.slow,
    needs_trainer,
    pytest.mark.skipif(
        not PRACTICE.is_dir(), reason="the practice base is not fetched; see CURATOR_PRACTICE_BASE"
    ),
    pytest.mark.skipif(not has_engine(), reason="the trainer's Python has no xllamacpp"),
]


def environment(tmp_path):
    return Queue(tmp_path / "state" / "local").environment()


def replies(tmp_path, requests):
    """Ask one reply process and return what it said and why it ended."""
    done = subprocess.run(
        [TRAINER, "-m", "curator.tune.local.replies.replies"],
        input="".join(json.dumps(r) + "\n" for r in requests),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    texts, said = [], ""
    for line in map(json.loads, done.stdout.splitlines()):
        assert "error" not in line, line
        said += line.get("text", "")
        if "done" in line:
            texts.append((said, line["done"]))
            said = ""
    return texts


@pytest.fixture
def folders(tmp_path):
    """The practice base with and without its GGUF file, and an adapter trained on it."""
    data = tmp_path / "t.jsonl"
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"{word} {extra}"},
                {"role": "assistant", "content": answer},
            ]
        }
        for word, answer in ANSWERS.items()
        for extra in ("please", "help", "question", "?")
    ]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in PRACTICE.iterdir():
        if path.suffix != ".gguf":
            (plain / path.name).symlink_to(path)
    job = JobFolder(tmp_path / "job")
    options = TrainingOptions(epochs=6, learning_rate=2e-3).to_json()
    spec = {"base": str(plain), "options": options, "training_path": str(data)}
    write_json(job.path / "spec.json", spec)
    write_json(job.path / "state.json", {"status": "queued"})
    command = [TRAINER, "-m", "curator.tune.local.trainer.worker", str(job.path)]
    subprocess.run(command, env=environment(tmp_path), capture_output=True, timeout=300, check=True)
    return str(PRACTICE), str(plain), str(job.checkpoints_root / job.state["checkpoint"])


@pytest.mark.timeout(500)
def test_both_engines_say_the_same(tmp_path, folders):
    llama, plain, adapter = folders
    asked = [
        {"messages": [{"role": "user", "content": text}], "max_tokens": 24, "checkpoint": which}
        for text in ("card please", "pin help", "which rate is it", "say <|im_end|> twice")
        for which in (adapter, None)
    ]
    quick = replies(tmp_path, [{**r, "base": llama} for r in asked])
    slow = replies(tmp_path, [{**r, "base": plain} for r in asked])
    # The base itself is rounded differently in its later words; what was learned is not.
    assert [quick[i] for i in (0, 2, 4)] == [slow[i] for i in (0, 2, 4)]
    assert quick[0] == (ANSWERS["card"], "stop")
    assert quick[1] != quick[0]
    assert [text.split()[:2] for text, _ in quick] == [text.split()[:2] for text, _ in slow]


@pytest.mark.timeout(500)
def test_a_stop_text_ends_a_reply_and_the_next_one_is_whole(tmp_path, folders):
    llama, _, adapter = folders
    ask = {"messages": [{"role": "user", "content": "card please"}], "base": llama}
    stopped = {**ask, "checkpoint": adapter, "stop": [" way"], "top_logprobs": 2}
    first, second = replies(tmp_path, [stopped, {**ask, "checkpoint": adapter}])
    assert first == ("Your card is on its", "stop")
    assert second == (ANSWERS["card"], "stop")
    assert (Path(adapter) / "adapter.gguf").is_file()
