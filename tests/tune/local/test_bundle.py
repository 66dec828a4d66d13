"""A job that leaves this computer: written out, and run from its folder by one and by two processes."""

import json
import os
import shutil
import subprocess

import pytest

from curator.dataset.errors import WrongUse
from curator.tune.local import bundle
from curator.tune.local.folders import JobFolder
from curator.tune.local.options import TrainingOptions
from tests.tune.local.conftest import TRAINER, needs_trainer
from tests.tune.local.test_protocol import training_file

OPTIONS = TrainingOptions().with_values(
    {"method": "full", "epochs": 4, "batch_size": 6, "learning_rate": 6e-3, "layer_decay": 1.0}
)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "given.jsonl"
    path.write_bytes(training_file().getvalue())
    return path


def run(folder, processes):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHON": TRAINER,
        "PROCESSES": str(processes),
    }
    done = subprocess.run(
        ["sh", str(folder / "run.sh")],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    job = JobFolder(folder)
    assert job.state["status"] == "succeeded"
    return [e["data"] for e in job.events() if e["type"] == "metrics"]


@needs_trainer
@pytest.mark.skipif(os.name == "nt", reason="the start file of a bundle is a shell script")
def test_one_process_and_two_learn_the_same(tmp_path, data):
    alone = bundle.export(tmp_path / "alone", "tiny", data, OPTIONS, data)
    moved = tmp_path / "elsewhere" / "job"
    shutil.copytree(alone, moved)
    data.unlink()
    one, two = run(alone, 1), run(moved, 2)
    assert len(one) == len(two) == 16
    for a, b in zip(one, two, strict=True):
        assert b["train_loss"] == pytest.approx(a["train_loss"], rel=1e-3)
    assert two[-1]["full_valid_loss"] == pytest.approx(one[-1]["full_valid_loss"], rel=1e-3)
    assert one[-1]["train_loss"] < one[0]["train_loss"] / 2
    assert (moved / "checkpoints" / "step-16" / "model.safetensors").is_file()


def test_a_bundle_says_how_to_run_it(tmp_path, data):
    folder = bundle.export(tmp_path / "job", "tiny", data, OPTIONS)
    names = {p.name for p in folder.iterdir()}
    assert {"README.md", "run.sh", "slurm.sbatch", "task.yaml", "requirements.txt"} <= names
    assert (folder / "requirements.txt").read_text().startswith("torch==")
    spec = json.loads((folder / "spec.json").read_text())
    assert str(tmp_path) not in json.dumps(spec)


def test_a_bundle_never_overwrites(tmp_path, data, capsys):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "mine").write_text("x")
    with pytest.raises(WrongUse, match="is not empty"):
        bundle.export(tmp_path / "job", "tiny", data, OPTIONS)
    wrong = [str(tmp_path / "new"), "--base", "tiny", "--training", str(data)]
    assert bundle.main([*wrong, "--options", '{"rank": 0}']) == 2
    assert "rank must lie between" in capsys.readouterr().err
    assert bundle.main(wrong) == 0
