"""A paid job is created once, whatever the server and the line do: the heart of this room."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from curator.cli.main import main
from curator.dataset.errors import Cancelled, GateFailed, TargetError
from curator.tune.jobs.dry_run import dry_run
from curator.tune.jobs.recipe import TOKEN_KEY, make_recipe
from curator.tune.jobs.starting import discard, recover, settle, start_job
from curator.tune.jobs.table import JobTable
from curator.tune.jobs.training_files import open_export
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.port import State
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import derive_target, save_target
from tests.tune.conftest import FAST
from tests.tune.protocol_server import KEY, accept_then, late, raw, silence, status

CREATE = ("POST", "/fine_tuning/jobs")
LIST = ("GET", "/fine_tuning/jobs")


@pytest.fixture
def starter(connection, table, train_file, quiet):
    """Start a job on the twelve rows, as the page would after its question."""

    def start(connection=connection, table=table, **more):
        exported = open_export(train_file.parent)
        recipe = make_recipe(connection.target, "gpt-4.1-mini-2025-04-14", settings={"n_epochs": 2})
        plan = dry_run(exported, recipe, **quiet)
        return start_job(connection, table, exported, recipe, plan, pace=FAST, **{**quiet, **more})

    return start


def test_a_start_uploads_creates_once_and_is_kept(starter, server, table):
    job = starter()
    assert job.status is State.VALIDATING
    assert job.job in server.jobs
    assert server.count(*CREATE) == 1
    body = server.bodies[0]
    assert body["metadata"] == {TOKEN_KEY: job.token}
    assert body["method"] == {
        "type": "supervised",
        "supervised": {
            "hyperparameters": {
                "n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": "auto",
            }
        },
    }  # fmt: skip
    assert table.get(job.job).training_file == body["training_file"]
    assert (job.rows, job.epochs) == (12, 2)


def test_the_token_is_on_disk_before_the_call(starter, server, table):
    seen = []

    async def look(_server, request, go):
        other = JobTable(table.path)
        token = json.loads(await request.body())["metadata"][TOKEN_KEY]
        seen.append(other.get(token).status)
        other.close()
        return await go(request)

    server.fault(*CREATE, look)
    starter()
    assert seen == [State.CREATING]


def test_a_time_out_after_accepting_makes_no_second_job(starter, server, target, table):
    server.fault(*CREATE, accept_then(silence(2.0)))
    with Connection(target, Key(KEY), read_s=0.3) as connection:
        job = starter(connection)
    assert len(server.jobs) == 1
    assert server.count(*CREATE) == 1
    assert job.job in server.jobs


def test_a_500_after_accepting_makes_no_second_job(starter, server):
    server.fault(*CREATE, accept_then(status(500)))
    job = starter()
    assert list(server.jobs) == [job.job]
    assert server.count(*CREATE) == 1


@pytest.mark.parametrize(
    "answer",
    [
        raw("<html>Bad gateway</html>"),
        raw("<html>", kind="application/json"),
        raw("{}", kind="application/json"),
        status(502),
        status(409),
    ],
)
def test_an_unreadable_answer_after_accepting_makes_no_second_job(starter, server, answer):
    server.fault(*CREATE, accept_then(answer))
    job = starter()
    assert list(server.jobs) == [job.job]
    assert server.count(*CREATE) == 1


@pytest.mark.parametrize("code", [408, 409, 499, 500, 502, 503, 504, 520, 529, 599])
def test_what_leaves_a_job_open_is_never_followed_by_a_second_create(starter, server, table, code):
    """Not even where the server's whole list shows nothing: lists lag behind, by minutes."""
    server.fault(*CREATE, status(code))
    with pytest.raises(TargetError, match="not clear"):
        starter()
    assert (server.count(*CREATE), server.jobs) == (1, {})
    assert table.all()[0].status is State.UNCLEAR
    with pytest.raises(TargetError, match="still unclear"):
        starter()
    assert server.count(*CREATE) == 1


def test_a_job_that_the_list_shows_too_late_is_adopted_and_not_made_twice(
    starter, server, connection, table
):
    server.fault(*CREATE, accept_then(status(500)))
    hidden: list[dict] = []

    async def lag(running, _request, _go):
        hidden.extend(running.jobs.values())
        return await raw('{"object": "list", "data": []}', kind="application/json")(
            running, _request, _go
        )

    server.fault(*LIST, lag, always=True)
    with pytest.raises(TargetError, match="not clear"):
        starter()
    server.clear_faults()
    token = table.all()[0].token
    assert settle(connection, table, token, pace=FAST).job == hidden[0]["id"]
    assert (server.count(*CREATE), len(server.jobs)) == (1, 1)


def test_a_time_out_that_made_nothing_is_unclear_and_not_repeated(starter, server, target, table):
    server.fault(*CREATE, silence(1.0))
    with (
        Connection(target, Key(KEY), read_s=0.3) as connection,
        pytest.raises(TargetError, match="not clear") as caught,
    ):
        starter(connection)
    assert caught.value.code == "unclear"
    assert server.count(*CREATE) == 1
    with pytest.raises(TargetError, match="still unclear"):
        starter()
    assert server.count(*CREATE) == 1


def test_a_job_that_comes_late_is_found_when_asked_again(
    starter, server, target, connection, table
):
    server.fault(*CREATE, late(1.2))
    with (
        Connection(target, Key(KEY), read_s=0.2) as hasty,
        pytest.raises(TargetError, match="not clear"),
    ):
        starter(hasty)
    token = table.all()[0].token
    assert settle(connection, table, token, pace=FAST).status is State.UNCLEAR
    end = time.monotonic() + 5
    while not server.jobs and time.monotonic() < end:
        time.sleep(0.05)
    job = settle(connection, table, token, pace=FAST)
    assert job.job in server.jobs
    assert job.status is State.VALIDATING
    assert server.count(*CREATE) == 1


def test_a_list_that_cannot_be_read_settles_nothing(starter, server, table):
    server.fault(*CREATE, accept_then(status(500)))
    server.fault(*LIST, status(500), always=True)
    with pytest.raises(TargetError, match="not clear"):
        starter()
    assert (server.count(*CREATE), len(server.jobs)) == (1, 1)
    server.clear_faults()
    job = table.all()[0]
    assert job.status is State.UNCLEAR


def test_a_list_that_never_ends_settles_nothing_wrongly(starter, server, table):
    server.plan.endless = True
    server.fault(*CREATE, accept_then(status(500)))
    job = starter()
    assert list(server.jobs) == [job.job]
    assert server.count(*CREATE) == 1


def test_a_server_that_drops_metadata_is_searched_by_file(starter, server):
    server.plan.keep_metadata = False
    server.fault(*CREATE, accept_then(status(500)))
    job = starter()
    assert list(server.jobs) == [job.job]
    assert server.count(*CREATE) == 1


def test_a_crash_between_call_and_answer_is_found_again(
    starter, server, connection, table, monkeypatch
):
    class Crash(BaseException):
        pass

    def die(*_args, **_more):
        raise Crash

    monkeypatch.setattr("curator.tune.jobs.starting._keep_answer", die)
    with pytest.raises(Crash):
        starter()
    monkeypatch.undo()
    reopened = JobTable(table.path)
    token = reopened.all()[0].token
    assert reopened.get(token).status is State.CREATING
    reopened._db.execute("UPDATE job SET body = json_set(body, '$.updated', 1.0)")
    assert [job.status for job in recover(reopened)] == [State.UNCLEAR]
    assert settle(connection, reopened, token, pace=FAST).job in server.jobs
    reopened.close()
    assert server.count(*CREATE) == 1


def test_429_with_retry_after_waits_and_creates_once(starter, server):
    server.fault(*CREATE, status(429, headers={"Retry-After": "0"}))
    server.fault(*CREATE, status(429))
    job = starter()
    assert list(server.jobs) == [job.job]
    assert server.count(*CREATE) == 3


def test_no_credit_is_not_waited_for(starter, server, table):
    server.fault(*CREATE, status(429, "pay first", error_code="insufficient_quota"), always=True)
    with pytest.raises(CallFailed, match="no credit"):
        starter()
    assert server.count(*CREATE) == 1
    assert table.all()[0].status is State.FAILED


@pytest.mark.parametrize(
    ("code", "words"), [(401, "key"), (403, "closing"), (404, "no fine-tuning")]
)
def test_plain_refusals_end_the_start(starter, server, table, code, words):
    server.fault(*CREATE, status(code), always=True)
    with pytest.raises(CallFailed, match=words):
        starter()
    assert server.count(*CREATE) == 1
    assert (table.all()[0].status, server.jobs) == (State.FAILED, {})


def test_a_file_still_in_work_is_waited_for(starter, server):
    busy = "File 'file-1' is still being processed and is not ready to be used for fine-tuning."
    server.fault(*CREATE, status(400, busy), status(400, busy))
    job = starter()
    assert list(server.jobs) == [job.job]
    assert server.count(*CREATE) == 3


def test_a_server_that_refuses_the_file_says_why(starter, server, table):
    server.plan.file_end = "error"
    server.plan.file_details = "Invalid file format. Example 3 cannot be parsed."
    with pytest.raises(TargetError, match="Example 3 cannot be parsed"):
        starter()
    assert server.count(*CREATE) == 0
    assert table.all()[0].status is State.FAILED


def test_the_same_content_is_uploaded_once(starter, server, table):
    first, second = starter(), starter()
    assert first.training_file == second.training_file
    assert server.count("POST", "/files") == 1
    server.files.clear()
    third = starter()
    assert third.training_file != first.training_file
    assert server.count("POST", "/files") == 2


def test_cancelling_before_the_call_creates_nothing(starter, server, table):
    words = []

    def progress(_done, _total, what):
        words.append(what)

    with pytest.raises(Cancelled):
        starter(progress=progress, cancelled=lambda: any("Uploading" in w for w in words))
    assert server.jobs == {}
    assert table.all()[0].status is State.CANCELLED


def test_cancelling_while_looking_leaves_the_job_unclear(starter, server, table):
    server.fault(*CREATE, accept_then(status(500)))

    def cancelled():
        return server.count(*CREATE) > 0

    with pytest.raises(Cancelled):
        starter(cancelled=cancelled)
    assert table.all()[0].status is State.UNCLEAR


def test_errors_of_the_dry_run_stop_the_start(connection, table, tmp_path, quiet, server):
    (tmp_path / "few").mkdir()
    line = '{"messages":[{"role":"assistant","content":"a"}]}\n'
    (tmp_path / "few" / "train.jsonl").write_text(line * 3, "utf-8")
    exported = open_export(tmp_path / "few")
    recipe = make_recipe(connection.target, "gpt-4.1-mini")
    plan = dry_run(exported, recipe, **quiet)
    with pytest.raises(GateFailed, match="at least 10"):
        start_job(connection, table, exported, recipe, plan, pace=FAST, **quiet)
    assert server.requests == []


def test_jobs_of_a_dead_program_are_put_right(table):
    from tests.tune.jobs.test_table import job

    table.add(job("up", status=State.UPLOADING))
    table.add(job("fresh", status=State.UPLOADING))
    table._db.execute("UPDATE job SET body = json_set(body, '$.updated', 1.0) WHERE token = 'up'")
    assert [(j.token, j.status) for j in recover(table)] == [("up", State.DISCARDED)]
    assert table.get("fresh").status is State.UPLOADING
    assert discard(table, "fresh").is_final


_STARTER = """
import sys
from pathlib import Path
from curator.tune import commands
quiet = dict(progress=lambda *_: None, cancelled=lambda: False)
recipe = commands.recipe_of("mine", "gpt-4.1-mini", settings={})
found, _ = commands.plan(Path(sys.argv[1]), recipe, **quiet)
commands.start(Path(sys.argv[1]), recipe, found, **quiet)
"""


def test_a_killed_program_leaves_one_job_that_is_found(server, connection, train_file, monkeypatch):
    save_target(derive_target("custom", "mine", "", {"address": server.url}))
    monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
    server.plan.file_polls = 0
    server.fault(*CREATE, late(1.0))
    program = subprocess.Popen([sys.executable, "-c", _STARTER, str(train_file.parent)])
    end = time.monotonic() + 120
    while server.count(*CREATE) == 0 and time.monotonic() < end:
        time.sleep(0.01)
    program.kill()
    program.wait()
    while not server.jobs and time.monotonic() < end:
        time.sleep(0.01)
    kept = JobTable()
    token = kept.all()[0].token
    assert kept.get(token).status is State.CREATING
    kept._db.execute("UPDATE job SET body = json_set(body, '$.updated', 1.0)")
    recover(kept)
    assert settle(connection, kept, token, pace=FAST).job in server.jobs
    kept.close()
    assert (server.count(*CREATE), len(server.jobs)) == (1, 1)


def test_the_same_start_from_another_window_is_refused_while_it_uploads(starter, server, table):
    job = starter()
    table.update(job.token, status=State.UPLOADING, job="")
    with pytest.raises(TargetError, match="under way already"):
        starter()
    assert [each.token for each in table.all()] == [job.token]
    assert server.count(*CREATE) == 1
    table.update(job.token, status=State.CANCELLED)
    assert starter().token != job.token


def test_an_export_made_again_while_it_uploads_is_not_trained_on(
    starter, server, table, train_file
):
    def rewrite(_done, _total, what):
        if what.startswith("Uploading"):
            train_file.write_bytes(train_file.read_bytes()[::-1])

    with pytest.raises(GateFailed, match="made again"):
        starter(progress=rewrite)
    assert server.count(*CREATE) == 0
    assert table.all()[0].status is State.FAILED


def test_a_dry_run_of_another_export_starts_nothing(connection, table, train_file, quiet, server):
    exported = open_export(train_file.parent)
    recipe = make_recipe(connection.target, "gpt-4.1-mini-2025-04-14")
    plan = replace(dry_run(exported, recipe, **quiet), snapshot="old")
    with pytest.raises(GateFailed, match="made again"):
        start_job(connection, table, exported, recipe, plan, pace=FAST, **quiet)
    assert (table.all(), server.count(*CREATE)) == ((), 0)


@pytest.mark.parametrize(
    ("route", "fault"),
    [(("GET", "/models"), status(404)), (LIST, status(404)), (LIST, raw("<html>Welcome</html>"))],
)
def test_a_service_nobody_tried_is_asked_before_anything_is_uploaded(
    starter, server, target, table, route, fault
):
    unlike = target.model_copy(update={"verified": False})
    with Connection(unlike, Key(KEY)) as connection:
        assert starter(connection).job in server.jobs
        assert server.requests[0][0] == "GET"
        server.fault(*route, fault, always=True)
        before = server.methods_used(), len(server.files), server.count(*CREATE)
        if route == LIST:
            with pytest.raises(GateFailed, match="nothing was uploaded"):
                starter(connection)
            assert (server.methods_used(), len(server.files), server.count(*CREATE)) == before
            assert table.all()[0].status is State.FAILED
        else:
            assert starter(connection).job in server.jobs  # a list of models is no must


@pytest.mark.parametrize("where", ["file", "create", "job"])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_line_that_the_service_names_is_a_conversation_of_the_project(
    server, train_file, monkeypatch, capsys, where, more
):
    """While the file is looked at, as the answer to the start, and as the end of the job."""
    lines = "".join(json.dumps({"line": n, "conversation": 100 + n}) + "\n" for n in range(1, 13))
    (train_file.parent / "train.manifest.jsonl").write_text(lines, "utf-8")
    save_target(derive_target("custom", "mine", "", {"address": server.url}))
    monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
    monkeypatch.setattr("curator.tune.jobs.following.next_wait", lambda *_: 0.0)
    server.plan.file_polls, said = 0, "Invalid file format. Example 7, message 2 has no content."
    if where == "file":
        server.plan.file_end, server.plan.file_details = "error", said
    elif where == "create":
        server.fault(*CREATE, status(400, said), always=True)
    else:
        server.plan.end, server.plan.error = "failed", {"code": "x", "message": said, "param": ""}
    words = ["train", str(train_file.parent), "--target", "mine", "--base", "b", "--follow"]
    assert main([*words, *more]) != 0
    shown = capsys.readouterr()
    assert "line 7 (conversation 107)" in shown.out + shown.err
    job = server.jobs and next(iter(server.jobs))
    name = job or JobTable().all()[0].token
    assert main(["jobs", "show", name, *more]) == 1
    told = capsys.readouterr().out
    assert "line 7 (conversation 107)" in told
    if more:
        found = json.loads(told)["failure"]["lines"]
        assert found == [{"line": 7, "message": 2, "conversation": 107}]


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_start_that_is_not_clear_is_settled_or_set_aside_from_the_terminal(
    server, train_file, monkeypatch, capsys, more
):
    save_target(derive_target("custom", "mine", "", {"address": server.url}))
    monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
    monkeypatch.setitem(start_job.__kwdefaults__, "pace", FAST)
    server.plan.file_polls = 0
    words = ["train", str(train_file.parent), "--target", "mine", "--base", "b"]

    def run(*given):
        code = main([*given, *more])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    server.fault(*CREATE, status(500), always=True)
    assert run(*words)[0] == 1
    token = JobTable().all()[0].token
    code, said = run(*words)
    assert (code, server.count(*CREATE)) == (1, 1)
    assert f"jobs show {token}" in said
    assert f"jobs discard {token}" in said
    assert "unclear" in run("jobs", "show", token)[1]
    assert "unclear" in run("jobs", "follow", token)[1]
    code, said = run("jobs", "discard", token)
    assert (code, "discarded" in said) == (0, True)
    assert run("jobs", "discard", token)[0] == 2
    server.clear_faults()
    assert run(*words)[0] == 0
    assert (server.count(*CREATE), len(server.jobs)) == (2, 1)
