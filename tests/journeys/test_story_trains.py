"""The whole main job: from the sample to a fine-tuned checkpoint, in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from curator.tune.local.server import service
from tests.tune.local.conftest import needs_trainer


@needs_trainer
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_story_ends_with_a_checkpoint_and_a_comparison(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    command = [
        sys.executable,
        "-m",
        "curator",
        "demo",
        str(tmp_path / "tour"),
        "--no-screenshots",
        "--json",
    ]
    try:
        done = subprocess.run(
            command, env=dict(os.environ), capture_output=True, text=True, timeout=360, check=False
        )
    finally:
        service.stop()
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert [step["name"] for step in told["steps"]][-2:] == ["train", "compare"]
    base, tuned = told["comparison"]
    assert base["candidate"] == "tiny"
    assert tuned["candidate"] == told["checkpoint"]
    assert base["label_accuracy"] == 0
    assert tuned["label_accuracy"] > 0.05
