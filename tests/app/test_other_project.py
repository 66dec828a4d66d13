"""Nothing of one project is shown, offered or used once another one is open."""

import time
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from curator.app.page_entries import PAGES
from curator.app.pages.train.page import FOLLOW
from curator.app.pages.try_out.exchange import Answer, Exchange, Prompt
from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, LabelSet, Message
from curator.project import duplicate_tables, duplicates
from curator.project.exports import exporting
from curator.project.exports.selection import ExportSettings
from curator.project.labels import label_sets_patch
from curator.project.store.project import Project
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import Checkpoint, Event, State
from curator.tune.targets.profiles import derive_target, save_target
from tests.app.conftest import open_in, without_trainer
from tests.app.what_is_said import all_texts
from tests.tune.protocol_server import KEY, ProtocolServer

MARK = "ZEBRA"
"""Stands in every text, name, label, tag, note and checkpoint of the first project, nowhere else."""


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    without_trainer(monkeypatch)


@pytest.fixture
def server(monkeypatch):
    with ProtocolServer() as running:
        save_target(derive_target("custom", "mine", "My server", {"address": running.url}))
        monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
        yield running


def written(path: Path, mark: str, count: int) -> Project:
    """Make a project whose every text carries a mark: copies, findings, tools, labels, tags, notes."""
    project = Project.create(path, "anna")
    ids = project.new_conversation_ids(count)
    lines = []
    for number in range(count):
        said = f"{mark} question {number % (count - 3)}"
        messages = [
            Message.of("system", f"{mark} system"),
            Message.of("user", said),
            Message.of("assistant", f"{mark} answer {number % (count - 3)}" if number else ""),
        ]
        lines.append(Conversation.of(tuple(messages)).to_json())
    patches = tuple(ContentPatch(i, None, line) for i, line in zip(ids, lines, strict=True))
    project.apply(Edit(f"{mark} written", "anna", patches))
    sets = (LabelSet(f"{mark} intent", "choice", (f"{mark} card", f"{mark} other"), f"{mark} why"),)
    project.apply(Edit("Label sets", "anna", (label_sets_patch(project, sets),)))
    for name, value in (("tags", [f"{mark} tag"]), ("note", f"{mark} note")):
        before = {"tags": [], "note": ""}[name]
        project.apply(
            Edit(
                f"{mark} {name}",
                "anna",
                (AnnotationPatch(name, ids[:2], (before,) * 2, (value,) * 2),),
            )
        )
    parts = tuple(("train", "test", "validation")[n % 3] for n in range(count))
    project.apply(
        Edit("Split", "anna", (AnnotationPatch("split", tuple(ids), ("",) * count, parts),))
    )
    return project


def filled_first(folder: Path, url: str) -> Path:
    """Make the first project with everything a day of work leaves behind: search, export, jobs."""
    path = folder / f"{MARK} desk.curator"
    with closing(written(path, MARK, 12)) as project:
        found = duplicates.find(project, duplicates.Search("exact", 1.0, "conversation"))
        duplicate_tables.keep(project, found)
        report = exporting.export(
            project, folder / f"{MARK} export", ExportSettings(skip_errors=True)
        )
        exporting.remember(project, report)
    with closing(JobTable()) as table:
        for token, state in (("a", State.SUCCEEDED), ("b", State.FAILED)):
            table.add(
                Job(token, "mine", url, f"{MARK}-base", job=f"ftjob-{MARK}-{token}", status=state,
                    checkpoint=f"ft:{MARK}" if token == "a" else "", suffix=MARK,
                    error="" if token == "a" else f"{MARK} went wrong", project=str(path),
                    export=str(report.folder), rows=995)
            )  # fmt: skip
            table.add_events(token, [Event("e", time.time(), "info", f"{MARK} event")])
            table.set_checkpoints(token, [Checkpoint("c", 0.0, f"ft:{MARK}:step", 3, {})])
    return path


def second(folder: Path, **_: object) -> Path:
    path = folder / "plain desk.curator"
    written(path, "plain", 6).close()
    return path


def settle(curator, qtbot):
    quiet = 0

    def calm():
        nonlocal quiet
        quiet = 0 if curator.jobs.running() else quiet + 1
        return quiet > 12

    qtbot.waitUntil(calm, timeout=60_000)


def visit_all(curator, qtbot):
    for entry in PAGES:
        curator.show_page(entry.page_id)
        settle(curator, qtbot)


def work_in_first(curator, qtbot):
    """Leave something behind everywhere a person could: filters, words half typed, tries, orders."""
    visit_all(curator, qtbot)
    write = curator.show_page("write")
    write.list.search.set_text(f"{MARK} question")
    settle(curator, qtbot)
    curator.pages["duplicates"].search()
    settle(curator, qtbot)
    train = curator.show_page("train")
    settle(curator, qtbot)
    assert MARK in train.composer._folder.text()
    train.composer.settings._suffix.setText(MARK)
    train._turn(FOLLOW)
    settle(curator, qtbot)
    tried = curator.show_page("try")
    settle(curator, qtbot)
    candidate = tried.sides[1].candidate()
    assert MARK in candidate.name
    tried.question.take(Prompt(f"{MARK} asked", f"{MARK} system"))
    tried._exchanges.append(
        Exchange(Prompt(f"{MARK} asked")).with_answer(0, Answer(candidate, f"{MARK} said", "done"))
    )
    tried._show_exchange(0)
    tried._past.show_past(tried._exchanges, 0)
    curator.session.notify("error", f"{MARK} notice")
    assert any(MARK in value for _, value in all_texts())


def nothing_is_left(curator, qtbot):
    settle(curator, qtbot)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    left = {
        (where, value[:120])
        for where, value in all_texts()
        # The projects opened lately are named, so that a person can go back to them.
        if MARK in value and "_RecentRow" not in where and f"{MARK} desk" not in value
    }
    assert not left


def test_nothing_of_the_first_project_is_left_in_the_second(curator, server, tmp_path, qtbot):
    first, other = filled_first(tmp_path, server.url), second(tmp_path)
    open_in(curator, first, qtbot)
    work_in_first(curator, qtbot)
    open_in(curator, other, qtbot)
    nothing_is_left(curator, qtbot)
    visit_all(curator, qtbot)
    nothing_is_left(curator, qtbot)
    train = curator.show_page("train")
    settle(curator, qtbot)
    assert train.composer.export is None
    assert "train.start" not in train.slots()
    assert train._plan is None
    sent = [getattr(train.composer, field.name, "") for field in fields(Job)]
    assert MARK not in repr(sent)
    assert curator.pages["duplicates"].rail_count() is None
    tried = curator.show_page("try")
    settle(curator, qtbot)
    offered = [c.name for side in tried.sides for a in side._asked.values() for c in a.candidates]
    assert not [name for name in offered if MARK in name]


def test_closing_a_project_leaves_nothing_of_it(curator, server, tmp_path, qtbot):
    open_in(curator, filled_first(tmp_path, server.url), qtbot)
    work_in_first(curator, qtbot)
    curator.session.close_project()
    assert curator.front.page_id == "start"
    nothing_is_left(curator, qtbot)
    assert curator.menus.entries["edit.undo"].text() == "Undo"


def test_the_first_project_comes_back_whole_with_its_own_export_and_jobs(
    curator, server, tmp_path, qtbot
):
    first, other = filled_first(tmp_path, server.url), second(tmp_path)
    open_in(curator, first, qtbot)
    work_in_first(curator, qtbot)
    open_in(curator, other, qtbot)
    visit_all(curator, qtbot)
    open_in(curator, first, qtbot)
    train = curator.show_page("train")
    settle(curator, qtbot)
    assert MARK in str(train.composer.export.folder)
    assert {job.token for job in train.pane._jobs} == {"a", "b"}


def test_a_project_opened_for_reading_shows_only_itself(curator, server, tmp_path, qtbot):
    first, other = filled_first(tmp_path, server.url), second(tmp_path)
    open_in(curator, first, qtbot)
    work_in_first(curator, qtbot)
    holder = Project.open(other, author="ben")
    open_in(curator, other, qtbot)
    assert curator.session.is_read_only
    visit_all(curator, qtbot)
    nothing_is_left(curator, qtbot)
    holder.close()


def test_jobs_of_other_projects_are_shown_when_asked_for(curator, server, tmp_path, qtbot):
    filled_first(tmp_path, server.url)
    open_in(curator, second(tmp_path), qtbot)
    train = curator.show_page("train")
    train._turn(FOLLOW)
    settle(curator, qtbot)
    assert train.pane._jobs == ()
    assert train.every.isVisible()
    assert train.every.text() == "All projects 2"
    train.every.click()
    settle(curator, qtbot)
    assert len(train.pane._jobs) == 2
    train.every.click()
    settle(curator, qtbot)
    assert train.pane._jobs == ()


def test_an_export_made_again_or_edited_after_is_noticed_by_train(curator, server, tmp_path, qtbot):
    path = filled_first(tmp_path, server.url)
    open_in(curator, path, qtbot)
    train = curator.show_page("train")
    settle(curator, qtbot)
    before = train.composer.export
    assert not before.is_old
    ids = [int(one) for one in curator.session.index.ids]
    patch = AnnotationPatch(
        "removed", tuple(ids[3:5]), (None,) * 2, ({"reason": "by hand", "partner": None},) * 2
    )
    assert curator.session.push(Edit("Remove", "anna", (patch,))) is not None
    settle(curator, qtbot)
    qtbot.waitUntil(lambda: train.composer.export.is_old, timeout=60_000)
    assert "changed after" in train.composer._rows.text()
    export = curator.show_page("export")
    settle(curator, qtbot)
    export.export.errors.setChecked(True)
    export.export.folder.setText(str(before.folder))
    export._soon.start()
    settle(curator, qtbot)
    qtbot.waitUntil(lambda: "export.run" in export.slots(), timeout=60_000)
    export.slots()["export.run"]()
    curator.show_page("train")
    qtbot.waitUntil(lambda: train.composer.export != before and not train.composer.export.is_old,
                    timeout=60_000)  # fmt: skip
    assert train.composer.export.rows < before.rows
    assert f"{train.composer.export.rows:,} rows" in train.composer._rows.text()
    settle(curator, qtbot)


def test_a_finished_job_says_that_it_grew_worse_and_can_be_tried(curator, server, tmp_path, qtbot):
    path = second(tmp_path)
    with closing(JobTable()) as table:
        table.add(
            Job("t", "mine", server.url, "base-x", job="ftjob-t", status=State.SUCCEEDED,
                checkpoint="ft:last", project=str(path), created=1.0, finished=2.0)
        )  # fmt: skip
        losses = {10: 5.2, 20: 4.8, 30: 5.6, 40: 6.5}
        steps = [
            Event(f"e{n}", float(n), "info", "", "metrics", {"step": n, "valid_loss": loss})
            for n, loss in losses.items()
        ]
        table.add_events("t", steps)
        made = [
            Checkpoint(f"c{n}", 0.0, f"ft:step-{n}", n, {"valid_loss": losses[n]}) for n in (20, 40)
        ]
        table.set_checkpoints("t", made)
    open_in(curator, path, qtbot)
    train = curator.show_page("train")
    train._turn(FOLLOW)
    settle(curator, qtbot)
    view = train.pane.view
    assert "lowest at step 20, 4.8, and rose to 6.5 by step 40" in view._reason.text()
    assert "The checkpoint of step 20 is the best." in view._reason.text()
    assert [view._states.best_mark(row) != "" for row in range(2)] == [True, False]
    assert view._try.isVisible()
    view._try.click()
    settle(curator, qtbot)
    assert curator.front.page_id == "try"
    left, right = (side.candidate() for side in curator.front.sides)
    assert (left.name, right.name) == ("base-x", "ft:step-20")
