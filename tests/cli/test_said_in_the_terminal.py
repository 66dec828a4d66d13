# ruff: noqa: F401, F811 - fixtures come by name
"""What the terminal says of jobs: damaged entries, the verdict on a run, changed files, and no charge."""

import json
import os
from contextlib import closing

import apsw
import pytest

from curator.formats.json_records import sniff
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import Checkpoint, Event, State
from tests.cli.sample_lines import questions, write
from tests.cli.test_offers import folder
from tests.cli.test_training import BASE, server

HERE = ("--target", "here", "--base", BASE)


@pytest.fixture
def export(curator, tmp_path):
    project = tmp_path / "a.curator"
    write(tmp_path / "f.jsonl", *questions(60))
    curator("new", project)
    curator("import", project, tmp_path / "f.jsonl")
    curator("split", project)
    assert curator("export", project, tmp_path / "out")[0] == 0
    return tmp_path / "out"


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"status": "lost"}', "\0", "[" * 9_000])
def test_a_damaged_job_is_named(body, curator, capsys):
    with closing(JobTable()) as table:
        kept = table.add(Job("sound", "here", "http://x/v1", "b", status=State.FAILED))
        table.add(Job("broken", "here", "http://x/v1", "b"))
        with closing(apsw.Connection(str(table.path))) as database:
            database.execute("UPDATE job SET body = ? WHERE token = 'broken'", (body,))
    code, told = curator("jobs", "list")
    assert code == 0
    assert [job["job"] for job in told["jobs"]] == [kept.token]
    assert len(told["unreadable"]) == 1
    assert "broken" in told["unreadable"][0]
    assert curator("jobs", "show", "sound")[0] == 1


def with_losses(token, *losses, checkpoints=()):
    with closing(JobTable()) as table:
        table.add(Job(token, "here", "http://x/v1", "b", status=State.SUCCEEDED))
        table.add_events(
            token,
            [
                Event(
                    f"e{n}", float(n), "info", "", "metrics", {"step": n * 10, "valid_loss": loss}
                )
                for n, loss in enumerate(losses, 1)
            ],
        )
        table.set_checkpoints(token, checkpoints)


def test_the_page_of_a_job_says_that_its_validation_loss_rose(curator):
    made = [Checkpoint(f"c{step}", float(step), f"ckpt-{step}", step) for step in (10, 20, 30)]
    with_losses("risen", 5.0, 4.8, 6.5, checkpoints=made)
    verdict = curator("jobs", "show", "risen")[1]["verdict"]
    assert verdict["rose"] is True
    assert (verdict["lowest"], verdict["lowest_step"]) == (4.8, 20)
    assert (verdict["last"], verdict["last_step"]) == (6.5, 30)
    assert verdict["best_checkpoint"] == {"name": "ckpt-20", "step": 20}
    with_losses("good", 5.0, 4.8, 4.7)
    assert curator("jobs", "show", "good")[1]["verdict"]["rose"] is False
    with_losses("short", 5.0)
    assert curator("jobs", "show", "short")[1]["verdict"] is None


@pytest.mark.parametrize("name", ["train", "validation", "test"])
@pytest.mark.parametrize("how", ["bit", "gone", "longer"])
def test_no_changed_file_of_an_export_is_trained_on(name, how, export, curator, server):
    path = export / f"{name}.jsonl"
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(data.replace(b"help", b"held", 1) if how == "bit" else data + data)
    code, told = curator("train", export, *HERE, "--dry-run")
    if (name, how) == ("train", "gone"):
        assert code == 2
    else:
        assert code == 1, told
        assert any(f"{name}.jsonl" in each for each in told["errors"])
    code, told = curator("train", export, *HERE)
    assert code in (1, 2)
    assert told["error"]["kind"] in ("gate_failed", "unreadable_input")
    assert curator("jobs", "list")[1]["jobs"] == []


@pytest.mark.slow
def test_what_this_computer_trains_is_no_charge(export, curator, capsys):
    code, told = curator(
        "train", export, "--target", "this-computer", "--base", "tiny", "--dry-run"
    )
    assert (code, told["charged"]) == (0, False)
    assert not told["cost"]


def test_a_service_charges(export, curator, server):
    assert curator("train", export, *HERE, "--dry-run")[1]["charged"] is True


def test_cutting_a_file_that_shrinks_comes_to_an_end(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"messages": []}\r' * 4_000)
    for size in (5, 17, 18, 34, 1_000):
        parts = sniff(path).slices(20)
        next(parts)
        os.truncate(path, size)
        assert list(parts)[-1][1] == 17 * 4_000
        path.write_bytes(b'{"messages": []}\r' * 4_000)


@pytest.mark.parametrize("text", ["\udcff", "a\ud800b", "é\udfff", "plain"])
def test_a_small_file_keeps_every_text(text, tmp_path):
    from curator.dataset.small_files import read_object, write_object

    write_object(tmp_path / "x.json", {"name": text})
    assert read_object(tmp_path / "x.json") == {"name": text}


def test_an_unknown_rule_is_no_reason_to_mend_nothing(curator, tmp_path):
    curator("new", tmp_path / "a.curator")
    code, told = curator("fix", tmp_path / "a.curator", "--safe", "--rules", "NOPE")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
