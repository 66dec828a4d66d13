"""The job table keeps what a paid job needs, in every thread, and across a restart."""

import json
import threading

import pytest

from curator.dataset.errors import BrokenFile, ProjectError, WrongUse
from curator.tune.jobs.following import explain
from curator.tune.jobs.lineage import lineage_of
from curator.tune.jobs.table import FINAL, Job, JobTable
from curator.tune.services.port import Checkpoint, Event, State


def job(token="t1", **more):
    return Job(token=token, target="openai", base_url="https://x/v1", base="gpt-4.1-mini", **more)


@pytest.fixture
def table(tmp_path):
    kept = JobTable(tmp_path / "jobs.sqlite")
    yield kept
    kept.close()


def test_a_job_survives_a_restart(tmp_path):
    first = JobTable(tmp_path / "jobs.sqlite")
    first.add(job(settings={"n_epochs": 3}, seed=7))
    first.update("t1", status=State.RUNNING, job="ftjob-1", result_files=("file-9",))
    first.close()
    second = JobTable(tmp_path / "jobs.sqlite")
    found = second.get("ftjob-1")
    second.close()
    assert (found.token, found.status, found.settings) == ("t1", State.RUNNING, {"n_epochs": 3})
    assert found.result_files == ("file-9",)
    assert found.is_followed


def test_rows_are_newest_first_with_the_promised_keys(table):
    table.add(job("a", created=1.0))
    table.add(job("b", created=2.0, error="No", status=State.FAILED))
    rows = [found.to_row() for found in table.all()]
    assert [row["job"] for row in rows] == ["b", "a"]
    assert set(rows[0]) == {
        "job", "target", "base", "status", "checkpoint", "created", "finished", "error",
        "deleted",
    }  # fmt: skip
    assert (rows[0]["status"], rows[0]["error"], rows[1]["error"]) == ("failed", "No", None)


@pytest.mark.parametrize("name", ["", "nothing"])
def test_an_unknown_job_is_wrong_use(table, name):
    table.add(job())
    with pytest.raises(WrongUse, match="no job"):
        table.get(name)


def test_events_merge_by_id_and_come_oldest_first(table):
    table.add(job())
    late, early = Event("e2", 20.0, "info", "two"), Event("e1", 10.0, "info", "one")
    assert table.add_events("t1", [late, early]) == (late, early)
    assert table.add_events("t1", [early, late]) == ()
    assert [event.message for event in table.events("t1")] == ["one", "two"]
    assert table.has_event("t1", "e1")
    assert not table.has_event("t1", "e3")


def test_checkpoints_stay_known_when_a_server_drops_them(table):
    table.add(job())
    table.set_checkpoints("t1", [Checkpoint("c2", 2.0, "ft:x:2", 20)])
    table.set_checkpoints("t1", [Checkpoint("c1", 1.0, "ft:x:1", 10, {"train_loss": 0.5})])
    assert [one.step for one in table.checkpoints("t1")] == [10, 20]


def test_forgetting_a_job_takes_all_of_it(table):
    table.add(job())
    table.add_events("t1", [Event("e", 1.0, "info", "x")])
    table.keep_result("t1", "step\n1\n")
    table.forget("t1")
    assert table.all() == ()
    assert table.events("t1") == ()
    assert table.result("t1") == ""


def test_uploads_are_remembered_by_content_and_server(table):
    table.remember_upload("https://x/v1", "ab", "file-1", 10)
    assert table.find_upload("https://x/v1", "ab") == "file-1"
    assert table.find_upload("https://y/v1", "ab") == ""
    table.forget_upload("https://x/v1", "ab")
    assert table.find_upload("https://x/v1", "ab") == ""


def test_two_windows_and_many_threads_lose_nothing(tmp_path):
    one, two = JobTable(tmp_path / "j.sqlite"), JobTable(tmp_path / "j.sqlite")
    one.add(job())
    failures = []

    def write(table, first):
        try:
            for number in range(first, first + 15):
                table.add_events("t1", [Event(f"e{number}", number, "info", "x")])
                table.update("t1", **({"rows": number} if first == 0 else {"tokens": number}))
        except (ProjectError, WrongUse) as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(t, n)) for t, n in ((one, 0), (two, 100))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = one.get("t1")
    assert not failures
    assert (found.rows, found.tokens, len(two.events("t1"))) == (14, 114, 30)
    one.close()
    two.close()


def test_a_job_of_a_newer_version_still_shows(table):
    table.add(job())
    body = json.dumps({"token": "t9", "target": "x", "base_url": "", "base": "b",
                       "status": "running", "brand_new": 1})  # fmt: skip
    table._db.execute("INSERT INTO job VALUES ('t9', 9e9, ?)", (body,))
    assert table.all()[0].token == "t9"


def test_a_table_that_cannot_be_opened_says_so(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProjectError, match="job table"):
        JobTable(tmp_path / "file" / "jobs.sqlite")
    (tmp_path / "junk.sqlite").write_bytes(b"no database at all, just text" * 100)
    with pytest.raises(ProjectError, match="job table"):
        JobTable(tmp_path / "junk.sqlite")


def test_a_full_disk_is_one_sentence_and_the_old_state_stays(table):
    table.add(job())
    pages = table._db.execute("PRAGMA page_count").fetchone()[0]
    table._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ProjectError, match="cannot be written"):
        table.keep_result("t1", "x" * 1_000_000)
    assert table.get("t1").status is State.PREPARING


def test_final_states_are_not_followed():
    for state in FINAL:
        assert not job(job="ftjob-1", status=state).is_followed


def test_a_failed_job_is_explained_where_what_names_its_lines_is_damaged(table):
    table.add(job(status=State.FAILED, error="Invalid file: line 3", checkpoint="ft:x"))
    table.keep_lineage("t1", b"no zlib")
    found = explain(table, table.get("t1"))
    assert found is not None
    assert [one.conversation for one in found.lines] == [None]
    with pytest.raises(BrokenFile) as told:
        lineage_of(table, "ft:x")
    assert "remove" not in str(told.value)
