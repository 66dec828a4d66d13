"""The terminal's shapes, end to end against a real server, and the key in none of what is left behind."""

import logging
import traceback
from functools import partial

import pytest

from curator.dataset.errors import CuratorError, WrongUse
from curator.tune import commands
from curator.tune.jobs.starting import start_job
from curator.tune.jobs.table import Job
from curator.tune.targets.profiles import derive_target, save_target, state_folder
from tests.tune.conftest import FAST
from tests.tune.protocol_server import KEY, raw, status


@pytest.fixture
def mine(server, monkeypatch):
    target = derive_target("custom", "mine", "Mine", {"address": server.url})
    save_target(target)
    monkeypatch.setenv(target.key_env, KEY)
    monkeypatch.setattr(commands, "start_job", partial(start_job, pace=FAST))
    server.plan.file_polls = 0
    return target


def go(train_file, quiet, **more):
    recipe = commands.recipe_of("mine", "gpt-4.1-mini", settings={"n_epochs": "2"})
    found, row = commands.plan(train_file.parent, recipe, **quiet)
    assert row["rows"] == 12
    return commands.start(train_file.parent, recipe, found, **quiet, **more)


def test_a_whole_story(mine, server, train_file, quiet):
    row = go(train_file, quiet, to_the_end=True)
    assert set(row) >= {"job", "target", "status", "checkpoint", "events", "trained_tokens"}
    assert (row["status"], row["trained_tokens"]) == ("succeeded", 4321)
    assert row["checkpoint"].startswith("ft:")
    assert len(row["events"]) == 7
    listed = commands.jobs_rows()["jobs"]
    assert [job["job"] for job in listed] == [row["job"]]
    assert commands.show_job(row["job"])["status"] == "succeeded"


def test_orders_and_looks_by_name(mine, server, train_file, quiet):
    job = go(train_file, quiet)["job"]
    assert commands.order_job(job, "pause")["jobs"][0]["status"] == "paused"
    assert commands.order_job(job, "resume")["jobs"][0]["status"] == "running"
    assert commands.order_job(job, "cancel")["jobs"][0]["status"] == "cancelled"
    assert commands.follow_job(job, **quiet)["status"] == "cancelled"


def test_a_key_never_follows_an_old_job_to_another_server(mine):
    job = Job("t", "mine", "https://elsewhere.example/v1", "b", job="ftjob-1")
    with pytest.raises(WrongUse, match="now points to"):
        commands.target_of(job)


def test_an_unclear_job_is_looked_for_again(mine, server, train_file, quiet):
    async def vanish(_server, request, go):
        await go(request)
        server.fault("GET", "/fine_tuning/jobs", status(401), always=True)
        return await status(500)(_server, request, go)

    server.fault("POST", "/fine_tuning/jobs", vanish)
    with pytest.raises(CuratorError):
        go(train_file, quiet)
    server.clear_faults()
    token = commands.jobs_rows()["jobs"][0]["job"]
    assert commands.show_job(token)["job"] in server.jobs
    assert server.count("POST", "/fine_tuning/jobs") == 1


@pytest.mark.parametrize(
    "fault", [None, status(401, f"you sent {KEY}"), status(500, KEY), raw(f"<p>{KEY}</p>"),
              raw(KEY, kind="application/json"), status(400, f"bad header: Bearer {KEY}")],
)  # fmt: skip
def test_the_key_is_in_nothing_that_stays_behind(
    mine, server, train_file, quiet, tmp_path, caplog, fault
):
    caplog.set_level(logging.DEBUG)
    if fault:
        server.fault("POST", "/fine_tuning/jobs", fault, always=True)
    shown = ""
    try:
        shown += str(go(train_file, quiet))
    except CuratorError as error:
        shown += "".join(traceback.format_exception(error)) + repr(error)
    shown += str(commands.jobs_rows()) + caplog.text
    assert KEY not in shown
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
    assert (state_folder() / "jobs.sqlite").is_file()
