"""Somebody splits, exports, and starts a job at a service; a second person only looks."""

import pytest

from curator.project.exports.verify import verify
from tests.tune.protocol_server import KEY, Plan, ProtocolServer


@pytest.fixture
def export_page(annotator):
    annotator.tries_the_sample()
    annotator.presses("Ctrl+5")
    annotator.waits_for("errors stop the export")
    return annotator


@pytest.fixture
def exported(export_page):
    export_page.clicks("Leave out what has errors")
    export_page.waits_until(lambda: export_page.can_click("Export"))
    export_page.presses("Ctrl+E")
    export_page.waits_for("^re-read and proved$")
    return export_page


@pytest.fixture
def server(monkeypatch):
    """A service whose jobs go on until somebody lets them end."""
    plan = Plan(file_polls=0, statuses=("queued", *("running",) * 10_000))
    with ProtocolServer(plan=plan) as running:
        monkeypatch.setenv("CURATOR_GATEWAY_KEY", KEY)
        yield running


def splits(annotator):
    return {row[0]: row[1] for row in annotator.rows("Splits before and after")}


def test_split_and_export_with_errors_in_the_way(export_page, tmp_path):
    assert not export_page.can_click("Export")
    assert export_page.sees("^Too long$")
    export_page.presses("Ctrl+E")
    assert not list(tmp_path.rglob("manifest.json"))
    export_page.clicks("Assign splits")
    export_page.waits_for("Everything is assigned already")
    export_page.clicks("Leave out what has errors")
    export_page.waits_for(r"^Left out: \d+ with errors")
    export_page.waits_until(lambda: export_page.can_click("Export"))
    export_page.presses("Ctrl+E")
    export_page.waits_for("^re-read and proved$")
    (manifest,) = tmp_path.rglob("manifest.json")
    found = verify(manifest.parent)
    assert found.ok, found.problems
    names = {path.name for path in manifest.parent.iterdir()}
    assert {"train.jsonl", "validation.jsonl", "test.jsonl"} <= names
    export_page.clicks("Verify it")
    export_page.waits_for("^verified$")


def test_an_error_leads_to_the_conversations_that_have_it(export_page):
    first = export_page.sees("^[A-Z][0-9]{2}$")
    export_page.clicks("Show")
    export_page.waits_for("^Check$")
    export_page.waits_until(lambda: len(export_page.rows("Findings")) == 1)
    assert export_page.sees(f"^{first}$")


def add_target(annotator, server):
    annotator.clicks("Add")
    annotator.waits_for("^Add a target$")
    annotator.fills("Short name", "gateway")
    annotator.fills("Base URL", server.url)
    annotator.presses("Return")
    annotator.clicks("Test the connection")
    annotator.waits_for("^The connection works$")


def test_a_job_is_started_once_and_followed_over_a_restart(exported, server):
    exported.clicks("Start training")
    exported.waits_for("conversations? to train on|rows")
    add_target(exported, server)
    exported.clicks("Dry run")
    exported.waits_for("tokens")
    exported.clicks("Start training")
    exported.waits_for(r"^Start this job\?$")
    assert server.count("POST", "/fine_tuning/jobs") == 0
    exported.clicks("Start training")
    exported.waits_for("^running$")
    exported.comes_back()
    server.plan.statuses = ()
    exported.presses("Ctrl+6")
    exported.clicks("Jobs")
    exported.waits_for("^succeeded$")
    exported.clicks("Numbers")
    exported.waits_until(lambda: len(exported.rows("Numbers of the curve")) == 6)
    assert server.count("POST", "/fine_tuning/jobs") == 1


def test_not_yet_starts_nothing(exported, server):
    exported.clicks("Start training")
    add_target(exported, server)
    exported.clicks("Start training")
    exported.waits_for(r"^Start this job\?$")
    exported.presses("Return")
    exported.waits_until(lambda: not exported.sees(r"^Start this job\?$"))
    assert server.methods_used() == {"GET"}


def test_a_second_window_may_look_and_says_so(annotator, people, tmp_path):
    annotator.tries_the_sample()
    path = next(tmp_path.rglob("*.curator"))
    second = people()
    second.opens(path)
    second.waits_for("has this project open: you can look, not change")
    second.searches("id:3", 1)
    text = second.messages()
    second.presses("Return", "x", "Ctrl+Shift+N")
    second.searches("id:3", 1)
    assert second.messages() == text
    assert not second.is_typing()
    second.presses("Ctrl+2", "A")
    second.waits_for("^0 accepted")
    for page in "3456":
        second.presses(f"Ctrl+{page}")
    second.presses("Ctrl+1")
    second.waits_for_table()
