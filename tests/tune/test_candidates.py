"""Who can be asked: what is ready, under names a person can tell apart."""

from contextlib import closing

import pytest

from curator.tune.candidates import first_pair, who_can_be_asked
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import Checkpoint, State
from curator.tune.targets.profiles import derive_target, save_target

BASE = "gpt-4.1-mini-2025-04-14"


@pytest.fixture(autouse=True)
def _no_trainer(monkeypatch):
    monkeypatch.setattr("curator.tune.local.bases.environment.trainer_python", lambda: None)


@pytest.fixture
def mine(monkeypatch):
    made = derive_target("custom", "mine", "My server", {"address": "http://127.0.0.1:9/v1"})
    save_target(made)
    monkeypatch.setenv("CURATOR_MINE_KEY", "sk-123456789012345")
    return made


def job(token, **more):
    return Job(token, "mine", "http://127.0.0.1:9/v1", BASE, job=f"ft-{token}", **more)


def names(target="mine"):
    return [c.name for one in who_can_be_asked() if one.target.id == target for c in one.candidates]


def test_without_key_and_trainer_nobody_can_be_asked():
    assert who_can_be_asked() == ()
    assert first_pair(()) is None


def test_this_computer_offers_its_bases_once_it_can_train(monkeypatch):
    monkeypatch.setattr("curator.tune.local.bases.environment.trainer_python", lambda: "python")
    assert names("this-computer") == ["tiny"]
    one = first_pair(who_can_be_asked())
    assert [c.name for c in one] == ["tiny", "tiny"]


def test_finished_jobs_bring_their_checkpoints_newest_first(mine):
    with closing(JobTable()) as table:
        table.add(job("a", status=State.SUCCEEDED, checkpoint="ft:a", created=1.0, suffix="desk"))
        table.add(job("b", status=State.SUCCEEDED, checkpoint="ft:b", created=2.0))
        table.add(job("c", status=State.FAILED, checkpoint="ft:c", created=3.0))
        table.add(job("d", status=State.RUNNING, created=4.0))
        table.set_checkpoints(
            "a", [Checkpoint("k1", 1.0, "ft:a:3", 3), Checkpoint("k2", 1.0, "ft:a", 6)]
        )
    assert names() == ["ft:b", "ft:a", "ft:a:3", BASE]
    asked = who_can_be_asked()
    labels = [c.label for c in asked[0].candidates]
    assert labels[1].startswith("desk tuned 1970-01-01")
    assert labels[2].endswith("step 3")
    assert labels[3] == f"{BASE} (base)"
    assert [c.name for c in first_pair(asked)] == [BASE, "ft:b"]


def test_a_target_whose_key_is_missing_is_left_out(mine, monkeypatch):
    monkeypatch.delenv("CURATOR_MINE_KEY")
    assert names() == []
