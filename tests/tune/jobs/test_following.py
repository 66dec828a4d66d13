"""Following shows all there is, changes nothing, and never hammers a server."""

import base64
import json
import time
from dataclasses import replace

import pytest

from curator.dataset.errors import Cancelled, WrongUse
from curator.tune.jobs import lineage
from curator.tune.jobs.following import explain, follow, next_wait, order, refresh
from curator.tune.jobs.loss_curve import points_of_events, points_of_result
from curator.tune.jobs.table import Job, JobTable
from curator.tune.jobs.training_files import open_export
from curator.tune.services.client import CallFailed
from curator.tune.services.port import State
from tests.tune.protocol_server import raw, status

GET_JOB = ("GET", "/fine_tuning/jobs/{id}")


@pytest.fixture
def running(server, table, target):
    """A job the server has and the table knows."""
    server.files["file-1"] = {"id": "file-1", "status": "processed"}
    made = server.make_job({"model": "gpt-4.1-mini", "training_file": "file-1"})
    return table.add(
        Job("tok", target.id, target.url, "gpt-4.1-mini", job=made["id"], status=State.QUEUED)
    )


def follow_quickly(connection, table, **more):
    return follow(
        connection, table, "tok", progress=more.pop("progress", lambda *_: None),
        cancelled=more.pop("cancelled", lambda: False), wait=lambda *_: 0.0, **more,
    )  # fmt: skip


def test_a_job_is_followed_to_its_end_with_get_alone(connection, table, server, running):
    words = []
    job = follow_quickly(connection, table, progress=lambda d, t, w: words.append((d, t, w)))
    assert (job.status, job.trained_tokens) == (State.SUCCEEDED, 4321)
    assert job.checkpoint.startswith("ft:gpt-4.1-mini")
    assert job.finished
    events = table.events("tok")
    assert [event.created for event in events] == sorted(event.created for event in events)
    points = points_of_events(events)
    assert [point.step for point in points] == [1, 2, 3, 4, 5, 6]
    assert points[2].values["full_valid_loss"] == pytest.approx(2 / 3 + 0.1, abs=1e-3)
    assert [one.step for one in table.checkpoints("tok")] == [3, 6]
    assert table.checkpoints("tok")[0].metrics["train_loss"] == 0.4
    assert points_of_result(table.result("tok"))[0].step == 1
    assert server.methods_used() == {"GET"}
    assert words[-1][:2] == (6, 6)


def test_events_are_read_once_each(connection, table, server, running):
    seen = []
    follow_quickly(connection, table, on_news=lambda news: seen.extend(news.events))
    assert len(seen) == len({event.id for event in seen}) == len(table.events("tok")) == 7


def test_many_pages_of_events_are_all_read(connection, table, server, running):
    server.plan.steps = 250
    server.jobs[running.job]["status"] = "succeeded"
    server.jobs[running.job]["result_files"] = []
    refresh(connection, table, "tok")
    assert len(table.events("tok")) == 251
    assert server.count("GET", "/fine_tuning/jobs/{id}/events") == 3


def test_pages_that_repeat_themselves_end(connection, table, server, running):
    server.plan.endless = True
    server.plan.steps = 150
    job = follow_quickly(connection, table)
    assert job.status is State.SUCCEEDED
    assert server.count("GET", "/fine_tuning/jobs/{id}/events") < 20


def test_following_goes_on_after_a_restart(connection, table, server, running):
    for _ in range(3):
        refresh(connection, table, "tok")
    path = table.path
    again = JobTable(path)
    assert [job.token for job in again.all() if job.is_followed] == ["tok"]
    job = follow_quickly(connection, again)
    assert job.status is State.SUCCEEDED
    assert len(again.events("tok")) == 7
    again.close()


def test_passing_trouble_is_waited_out(connection, table, server, running):
    server.fault(*GET_JOB, status(500), status(429, headers={"Retry-After": "0"}), status(503))
    waits = []

    def wait(_job, failures):
        waits.append(failures)
        return 0.0

    job = follow(
        connection, table, "tok", progress=lambda *_: None, cancelled=lambda: False, wait=wait
    )
    assert job.status is State.SUCCEEDED
    assert waits[:4] == [1, 2, 3, 0]


PAGE = raw("<!doctype html><html><title>Sign in</title></html>")
PASSING = {
    "page": PAGE,
    "page labelled JSON": raw("<html>", kind="application/json"),
    "page with 403": raw("<html>challenge</html>", code=403),
    "page with 404": raw("<html>no such host</html>", code=404),
    "login redirect": raw("", code=302),
    "empty": raw("", kind="application/json"),
    "other JSON": raw("[1]", kind="application/json"),
    "429": status(429),
    "429 by date": status(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "429 by nonsense": status(429, headers={"Retry-After": "nan"}),
    "499": status(499),
    **{str(code): status(code) for code in (500, 502, 503, 504, 529)},
}
LOOKS = [
    GET_JOB,
    ("GET", "/fine_tuning/jobs/{id}/events"),
    ("GET", "/fine_tuning/jobs/{id}/checkpoints"),
    ("GET", "/files/{id}/content"),
]


@pytest.mark.parametrize(
    ("place", "name"),
    # A result table of another form is kept as it came.
    [(p, n) for p in LOOKS for n in PASSING if (p[1], n) != ("/files/{id}/content", "other JSON")],
)
def test_following_outlives_what_passes_wherever_it_happens(
    connection, table, server, running, place, name
):
    server.fault(*place, *[PASSING[name]] * 3)
    words = []
    job = follow_quickly(connection, table, progress=lambda _d, _t, text: words.append(text))
    assert (job.status, len(table.events("tok"))) == (State.SUCCEEDED, 7)
    assert [one.step for one in table.checkpoints("tok")] == [3, 6]
    assert points_of_result(table.result("tok"))
    assert server.methods_used() == {"GET"}
    assert any("Asking again." in text for text in words)


@pytest.mark.parametrize("place", LOOKS[1:], ids=lambda place: place[1])
def test_a_job_ends_also_where_its_events_or_results_are_never_answered(
    connection, table, server, running, place
):
    server.fault(*place, PAGE, always=True)
    assert follow_quickly(connection, table).status is State.SUCCEEDED
    assert "<" not in table.result("tok")


@pytest.mark.parametrize("fault", [status(401), status(403), status(404)])
def test_lasting_trouble_ends_the_following_and_keeps_the_job(
    connection, table, server, running, fault
):
    server.fault(*GET_JOB, fault, always=True)
    with pytest.raises(CallFailed):
        follow_quickly(connection, table)
    assert table.get("tok").status is State.QUEUED
    assert table.get("tok").is_followed


def test_following_can_be_cancelled_without_cancelling_the_job(connection, table, server, running):
    with pytest.raises(Cancelled):
        follow_quickly(connection, table, cancelled=lambda: server.count(*GET_JOB) > 1)
    assert server.methods_used() == {"GET"}
    assert table.get("tok").is_followed


@pytest.mark.parametrize(
    ("raw_word", "state"),
    [
        ("RUNNING", State.RUNNING), ("Succeeded", State.SUCCEEDED), ("canceled", State.CANCELLED),
        ("paused", State.PAUSED), ("compressing", State.UNKNOWN), ("", State.UNKNOWN),
    ],
)  # fmt: skip
def test_status_words_are_mapped_and_unknown_ones_shown_raw(
    connection, table, server, running, raw_word, state
):
    server.plan.statuses = (raw_word,)
    job = refresh(connection, table, "tok").job
    assert (job.status, job.raw_status) == (state, raw_word)


def test_orders_reach_the_server(connection, table, server, running):
    assert order(connection, table, "tok", "pause").status is State.PAUSED
    assert order(connection, table, "tok", "resume").status is State.RUNNING
    ended = order(connection, table, "tok", "cancel")
    assert (ended.status, ended.is_final) == (State.CANCELLED, True)
    assert ended.finished


def test_a_job_without_a_name_takes_no_orders(connection, table, running):
    table.add(replace(running, token="new", job=""))
    for ask in (lambda: order(connection, table, "new", "cancel"),
                lambda: refresh(connection, table, "new")):  # fmt: skip
        with pytest.raises(WrongUse, match="not named"):
            ask()


def test_a_failure_names_the_line_and_its_conversation(
    connection, table, server, running, train_file
):
    lines = "".join(json.dumps({"line": n, "conversation": 100 + n}) + "\n" for n in range(1, 13))
    (train_file.parent / "train.manifest.jsonl").write_text(lines, "utf-8")
    table.keep_lineage("tok", lineage.pack(open_export(train_file.parent)))
    text = "The job failed due to an invalid training file. Invalid file format. Example 7 " \
           "contains an extra \"weight\"."  # fmt: skip
    server.plan.end = "failed"
    server.plan.error = {"code": "invalid_training_file", "message": text, "param": "training_file"}
    news = []
    job = follow_quickly(connection, table, on_news=news.append)
    assert (job.status, job.error_code) == (State.FAILED, "invalid_training_file")
    failure = news[-1].failure
    assert (failure.rule, failure.conversation) == ("S03", 107)
    assert "line 7 (conversation 107)" in failure.sentence()


def test_a_line_names_what_stood_there_at_the_start_whatever_became_of_the_export(
    table, running, train_file
):
    def tell(split, first):
        lines = [{"line": n, "conversation": first + n} for n in range(1, 13)]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (train_file.parent / f"{split}.manifest.jsonl").write_text(text, "utf-8")

    (train_file.parent / "validation.jsonl").write_bytes(train_file.read_bytes())
    tell("train", 100)
    tell("validation", 200)
    table.keep_lineage("tok", lineage.pack(open_export(train_file.parent)))
    tell("train", 900)
    for error, param, found in (
        ("Example 7 is wrong", "training_file", [107]),
        ("Example 7 is wrong", "validation_file", [207]),
        ("The validation file is broken: line 3, line 5", "", [203, 205]),
        ("Rows 12 and 13", "", [112, None]),
        ("Flagged lines: 4, 13, 11 and 2", "", [104, None, 111, 102]),
        ("line 0; row 2; sample 99999999999999", "", [102]),
        ("Expecting ',' delimiter: line 1 column 79 (char 78)", "", []),
    ):
        job = table.update("tok", status=State.FAILED, error=error, error_param=param)
        assert [one.conversation for one in explain(table, job).lines] == found


def test_an_export_made_again_names_nobody_for_a_job_that_kept_nothing(table, running, train_file):
    (train_file.parent / "train.manifest.jsonl").write_text('{"line":1,"conversation":5}\n')
    for export, snapshot, found in (
        (str(train_file.parent), "", 5), (str(train_file.parent), "other", None),
        ("/nowhere/at/all", "", None), ("", "", None),
    ):  # fmt: skip
        job = table.update(
            "tok", status=State.FAILED, error="line 1", export=export, snapshot=snapshot
        )
        assert explain(table, job).conversation == found


def test_a_base64_result_is_kept_as_a_table(connection, table, server, running):
    plain = "step,train_loss\n1,0.5\n"
    server.plan.result = base64.b64encode(plain.encode()).decode()
    follow_quickly(connection, table)
    assert table.result("tok") == plain.strip()


def test_a_server_without_checkpoints_is_followed_all_the_same(connection, table, server, running):
    server.fault("GET", "/fine_tuning/jobs/{id}/checkpoints", status(404), always=True)
    assert follow_quickly(connection, table).status is State.SUCCEEDED


def test_a_healthy_job_with_an_empty_error_object_has_no_error(connection, table, running):
    assert refresh(connection, table, "tok").job.error == ""


def test_polling_is_polite():
    now = time.time()
    job = Job("t", "openai", "https://api.openai.com/v1", "b", status=State.RUNNING)
    ages = [(30, 10), (300, 30), (2000, 60)]
    for age, seconds in ages:
        waits = [next_wait(replace(job, created=now - age), 0, now) for _ in range(50)]
        assert seconds * 0.8 <= min(waits) <= max(waits) <= seconds * 1.2
        assert len(set(waits)) > 10
    late = [next_wait(replace(job, created=now - 2000), n, now) for n in range(1, 9)]
    assert max(late) <= 300 * 1.2
    assert late[0] > 90
