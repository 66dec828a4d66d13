"""The line above the pages leads through the sample, and goes where nobody wants it."""

import pytest
from PySide6.QtCore import QSettings

from curator.app.annotate.annotating import AnnotationChange, annotate
from curator.app.sample_tour import STEPS
from curator.app.session import file_actions
from curator.project import duplicate_tables, duplicates
from curator.project.exports.exporting import ExportSettings, export, remember
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import State
from tests.app.conftest import open_in


@pytest.fixture
def sample(curator, tmp_path, monkeypatch, project_path, qtbot):
    """The window with the sample open, as far as the story knows it."""
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(curator.tour, "_sample", project_path)
    open_in(curator, project_path, qtbot)
    qtbot.waitUntil(lambda: curator.tour.isVisible(), timeout=60_000)
    return curator


def now(curator, qtbot, place):
    qtbot.waitUntil(
        lambda: curator.tour._count.text() == f"Step {place + 1} of {len(STEPS)}", timeout=60_000
    )
    return curator.tour


def test_other_projects_have_no_story(opened):
    assert not opened.tour.isVisible()


def test_the_sample_lies_where_the_door_makes_it(curator, monkeypatch, tmp_path):
    monkeypatch.setattr(file_actions, "documents", lambda: tmp_path)
    assert curator.file_actions.sample_path().parent == tmp_path / "Curator"


def test_each_step_follows_from_what_the_project_holds(sample, qtbot, tmp_path):
    project, session = sample.session.project, sample.session
    now(sample, qtbot, 1)._ask_page()
    assert sample.front.page_id == "duplicates"
    qtbot.waitUntil(lambda: not sample.jobs.running(), timeout=60_000)
    duplicate_tables.keep(project, duplicates.find(project, duplicates.Search("near", 0.8)))
    sample.tour.look()
    now(sample, qtbot, 2)
    ids = [int(each) for each in session.index.ids]
    page = sample.pages["write"]
    annotate(sample.session, ids, AnnotationChange("split", "train"), page)
    now(sample, qtbot, 3)
    remember(project, export(project, tmp_path / "out", ExportSettings()))
    sample.tour.look()
    now(sample, qtbot, 4)
    table = JobTable()
    table.add(Job("t", "this-computer", "", "tiny", project=str(project.path),
                  status=State.SUCCEEDED))  # fmt: skip
    table.close()
    sample.tour.look()
    now(sample, qtbot, 5)._ask_page()
    assert sample.front.page_id == "try"
    qtbot.waitUntil(lambda: not sample.jobs.running(), timeout=60_000)
    session.undo()
    now(sample, qtbot, 2)


def test_the_story_is_put_away_for_good(sample, qtbot):
    sample.tour._hide.click()
    assert not sample.tour.isVisible()
    sample.tour.look()
    assert not sample.tour.isVisible()
    assert QSettings().value("story/hidden")
