# ruff: noqa: F401 - fixtures come by name
"""A job is shown on one page, however many steps it had; the checkpoints of a job stand in one line."""

import json

from curator.cli.main import main
from curator.cli.offers import _lines
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import Checkpoint, Event, State


def test_a_job_of_many_steps_is_one_page(curator, capsys):
    table = JobTable()
    table.add(
        Job(
            "t1", "here", "http://x", "tiny", job="ftjob-1", status=State.SUCCEEDED,
            checkpoint="ft:tiny:1", finished=90.0, created=30.0, settings={"n_epochs": 3},
        )
    )  # fmt: skip
    steps = [
        Event(
            f"e{n:04}", n, "info", f"Step {n}/510: training loss={5 - n / 200:.2f}", "metrics",
            {"step": n, "total_steps": 510, "train_loss": 5 - n / 200,
             "valid_loss": 4 + abs(n - 60) / 100},
        )
        for n in range(1, 511)
    ]  # fmt: skip
    said = [Event(f"m{n:04}", n, "info", f"Message {n}") for n in range(1, 41)]
    table.add_events("t1", [*steps, *said])
    table.set_checkpoints(
        "t1",
        [Checkpoint(f"c{n}", n, f"ft:tiny:1:ckpt-step-{n}", n) for n in range(50, 501, 50)],
    )
    table.close()
    assert main(["jobs", "show", "ftjob-1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 30
    text = "\n".join(lines)
    assert "step 510 of 510" in text
    assert "training loss 4.995 -> 2.45" in text
    assert "held-out loss 4.59 -> 8.5 (lowest 4 at step 60)" in text
    assert "n_epochs 3" in text
    assert "Message 40" in text
    assert "Step 509" not in text
    assert lines[-1] == "The checkpoint: ft:tiny:1"
    code, told = curator("jobs", "show", "ftjob-1")
    assert (code, len(told["events"]), len(told["checkpoints"])) == (0, 550, 10)


def test_the_checkpoints_of_a_job_stand_in_one_line():
    def row(name, size):
        return {
            "id": name,
            "kind": "checkpoint",
            "base": "tiny",
            "size": size,
            "shutdown_date": None,
        }

    steps = [row(f"ft:a:ckpt-step-{n}", 1_000_000) for n in range(10, 100, 10)]
    lines = _lines([row("tiny", 5), *steps, row("ft:a", 2_000_000), row("ft:b:ckpt-step-7", 1)])
    assert len(lines) == 4
    assert "ft:a " in lines[2]
    assert "11.0 MB" in lines[2]
    assert lines[2].endswith(":ckpt-step-{10,20,30,...,80,90}")
    assert lines[3].startswith("ft:b:ckpt-step-7")
