"""One poller watches all jobs; trouble with one of them does not stop the others."""

import pytest

from curator.dataset.errors import Cancelled, TargetError
from curator.tune.jobs.table import Job
from curator.tune.jobs.watching import details_of, watch
from curator.tune.services.client import Connection
from curator.tune.services.port import State
from curator.tune.targets.keys import Key
from tests.tune.protocol_server import KEY, status


@pytest.fixture
def two(server, table, target):
    server.files["file-1"] = {"id": "file-1", "status": "processed"}
    for token in ("a", "b"):
        made = server.make_job({"model": "gpt-4.1-mini", "training_file": "file-1"})
        table.add(
            Job(token, target.id, target.url, "gpt-4.1-mini", job=made["id"], status=State.QUEUED)
        )


def run(table, target, **more):
    seen = []
    watch(
        table, more.pop("connect", lambda _: Connection(target, Key(KEY))), on_look=seen.append,
        progress=lambda *_: None, cancelled=more.pop("cancelled", lambda: False),
        wait=lambda *_: 0.0, **more,
    )  # fmt: skip
    return seen


def test_all_jobs_are_watched_to_their_ends(table, target, server, two, monkeypatch):
    monkeypatch.setattr("curator.tune.jobs.watching._LOOK_S", 0.01)
    seen = run(table, target)
    assert {job.status for job in table.all()} == {State.SUCCEEDED}
    assert {one.details.job.token for one in seen} == {"a", "b"}
    assert seen[-1].details.points[-1].step == 6
    assert server.methods_used() == {"GET"}


def test_trouble_with_one_leaves_the_other(table, target, server, two, monkeypatch):
    monkeypatch.setattr("curator.tune.jobs.watching._LOOK_S", 0.01)
    table.update("a", target="gone")

    def connect(job):
        if job.target == "gone":
            raise TargetError("There is no API key for it.")
        return Connection(target, Key(KEY))

    seen = []
    with pytest.raises(Cancelled):
        watch(
            table, connect, on_look=seen.append, progress=lambda *_: None, wait=lambda *_: 0.0,
            cancelled=lambda: table.get("b").is_final,
        )  # fmt: skip
    assert table.get("b").status is State.SUCCEEDED
    assert [one.trouble for one in seen if one.details.job.token == "a"] == [
        "There is no API key for it."
    ]


def test_lasting_trouble_is_told_once_and_not_hammered(table, target, server, two, monkeypatch):
    monkeypatch.setattr("curator.tune.jobs.watching._LOOK_S", 0.01)
    server.fault("GET", "/fine_tuning/jobs/{id}", status(404), always=True)
    looks = iter(range(40))
    with pytest.raises(Cancelled):
        run(table, target, cancelled=lambda: next(looks, None) is None)
    assert server.count("GET", "/fine_tuning/jobs/{id}") == 2


def test_details_of_a_job_nobody_asked_for_yet(table, target, two):
    found = details_of(table, "a")
    assert (found.points, found.events, found.failure) == ((), (), None)
    table.keep_result("a", "step,train_loss\n1,0.5\n")
    assert details_of(table, "a").points[0].values == {"train_loss": 0.5}
