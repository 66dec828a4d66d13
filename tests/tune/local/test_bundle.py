"""A job that leaves this computer: written out, and run from its folder by one and by two processes."""

import json
import os
import re
import shutil
import socket
import subprocess

import pytest

from curator.dataset.errors import WrongUse
from curator.tune.local import bundle
from curator.tune.local.job_folders import JobFolder
from curator.tune.local.options import TrainingOptions
from tests.tune.local.conftest import TRAINER, needs_trainer
from tests.tune.local.test_protocol import training_file

pytestmark = pytest.mark.slow

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


@needs_trainer
@pytest.mark.skipif(os.name == "nt", reason="the start file of a bundle is a shell script")
def test_a_head_travels_too_and_is_made_once(tmp_path, data):
    options = TrainingOptions(method="head").with_values({"epochs": 3, "batch_size": 8})
    folder = bundle.export(tmp_path / "head", "tiny", data, options, data)
    metrics = run(folder, 2)
    assert [entry["step"] for entry in metrics] == [3, 6, 9]
    assert (folder / "checkpoints" / "step-9" / "head.safetensors").is_file()
    assert list((folder / "base" / "features").iterdir())


def test_a_bundle_says_how_to_run_it(tmp_path, data):
    folder = bundle.export(tmp_path / "job", "tiny", data, OPTIONS)
    names = {p.name for p in folder.iterdir()}
    assert {"README.md", "run.sh", "slurm.sbatch", "task.yaml", "requirements.txt"} <= names
    assert (folder / "requirements.txt").read_text().startswith("torch==")
    spec = json.loads((folder / "spec.json").read_text())
    assert str(tmp_path) not in json.dumps(spec)


SLURM = {
    # What the real ones do, as far as one node shows it: set the variables, run the file.
    "sbatch": """#!/bin/sh
export SLURM_SUBMIT_DIR="$PWD" SLURM_JOB_NODELIST=localhost SLURM_JOB_NUM_NODES=1
exec bash "$1"
""",
    "scontrol": '#!/bin/sh\n[ "$1 $2" = \'show hostnames\' ] && echo "$3"\n',
    "srun": '#!/bin/sh\nexec "$@"\n',
}


def free_job_number():
    """A number of a job whose port on this machine is free."""
    for number in range(os.getpid() % 10_000, 20_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", 20_000 + number))
            except OSError:
                continue
            return number
    raise AssertionError("no port is free")


@needs_trainer
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_slurm_file_runs_the_job_from_an_empty_folder(tmp_path, data):
    folder = bundle.export(tmp_path / "here", "tiny", data, OPTIONS.with_values({"epochs": 1}))
    moved = tmp_path / "there"
    shutil.move(folder, moved)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in SLURM.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    script = moved / "slurm.sbatch"
    subprocess.run(["bash", "-n", str(script)], check=True)
    environment = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHON": TRAINER,
        "SLURM_JOB_ID": str(free_job_number()),
        "SLURM_GPUS_ON_NODE": "1",
    }
    done = subprocess.run(
        ["sbatch", "slurm.sbatch"],
        cwd=moved,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert JobFolder(moved).state["status"] == "succeeded"
    assert (moved / "checkpoints" / "step-4" / "model.safetensors").is_file()


def test_the_skypilot_file_has_documented_fields_only(tmp_path, data):
    yaml = pytest.importorskip("yaml")
    folder = bundle.export(tmp_path / "job", "tiny", data, OPTIONS)
    task = yaml.safe_load((folder / "task.yaml").read_text())
    # The reference of SkyPilot 0.14, "SkyPilot YAML".
    fields = "name workdir num_nodes resources envs secrets volumes file_mounts setup run config"
    assert set(task) <= set(fields.split())
    assert (type(task["num_nodes"]), task["workdir"]) == (int, ".")
    assert set(task["resources"]) <= {
        "infra",
        "accelerators",
        "cpus",
        "memory",
        "instance_type",
        "use_spot",
        "disk_size",
        "image_id",
        "ports",
    }
    assert re.fullmatch(r"[A-Za-z0-9-]+:\d+", task["resources"]["accelerators"])
    for step in ("setup", "run"):
        subprocess.run(["sh", "-n", "-c", task[step]], check=True)


def test_4_bit_weights_travel_with_their_package(tmp_path, data):
    options = TrainingOptions(method="qlora")
    folder = bundle.export(tmp_path / "job", "tiny", data, options)
    assert "bitsandbytes==" in (folder / "requirements.txt").read_text()


def test_a_bundle_never_overwrites(tmp_path, data, capsys):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "mine").write_text("x")
    with pytest.raises(WrongUse, match="is not empty"):
        bundle.export(tmp_path / "job", "tiny", data, OPTIONS)
    wrong = [str(tmp_path / "new"), "--base", "tiny", "--training", str(data)]
    assert bundle.main([*wrong, "--options", '{"rank": 0}']) == 2
    assert "rank must lie between" in capsys.readouterr().err
    assert bundle.main(wrong) == 0
