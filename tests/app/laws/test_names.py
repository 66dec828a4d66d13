"""Law: a checkpoint has one name, wherever it is read; its id stands only in tips and at its origin."""

from contextlib import closing

import pytest
from PySide6.QtWidgets import QComboBox, QLabel

from curator.app.main import PAGES
from curator.app.tables.grid import GridView
from curator.tune.checkpoint_names import checkpoint_name, names_of
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import Checkpoint, State
from tests.app.laws.conftest import BASE, TUNED, settle, visit


def shown(root) -> list[str]:
    """Every word that is seen: labels, entries of lists, cells of tables."""
    found = [label.text() for label in root.findChildren(QLabel) if label.isVisible()]
    for box in root.findChildren(QComboBox):
        if box.isVisible():
            found += [box.itemText(place) for place in range(box.count())]
    for view in root.findChildren(GridView):
        table = view.model()
        if view.isVisible() and table is not None:
            cells = (
                (row, c) for row in range(table.rowCount()) for c in range(table.columnCount())
            )
            found += [str(table.index(row, column).data()) for row, column in cells]
    return found


@pytest.fixture
def jobs(server):
    """Two finished jobs with kept steps, the second one from the first one's checkpoint."""
    with closing(JobTable()) as table:
        (first,) = table.all()
        steps = [Checkpoint("k1", 1.0, f"{TUNED}:step-3", 3), Checkpoint("k2", 1.0, TUNED, 6)]
        table.set_checkpoints(first.token, steps)
        second = Job("u", "mine", server.url, TUNED, job="ftjob-2", status=State.SUCCEEDED,
                     checkpoint="ft:gpt-4.1-mini:again", created=1e9)  # fmt: skip
        table.add(second)
        return first, second


def test_no_page_shows_an_id_where_the_name_is_known(jobs, whole, qtbot):
    name = checkpoint_name(jobs[0])
    where = []
    for entry in PAGES:
        page = visit(whole, entry.page_id, qtbot)
        faces = [None]
        if entry.page_id == "train":
            whole.menus.run("train.jobs") if "train.jobs" in page.slots() else page._turn(1)
            settle(whole, qtbot)
            faces = range(5)
        for face in faces:
            if face is not None:
                page.pane.choose(jobs[0].token)
                settle(whole, qtbot)
                page.pane.view._turn(face)
            words = shown(page)
            assert not [text for text in words if "ft:" in text], entry.page_id
            where += [entry.page_id] * any(name in text for text in words)
    assert {"train", "try"} <= set(where)


def test_a_checkpoint_is_called_by_what_the_person_named_it_or_by_the_first_base(jobs):
    first, second = jobs
    assert checkpoint_name(first).startswith("desk tuned ")
    assert checkpoint_name(second).startswith("gpt-4.1-mini tuned 2001-09-")
    assert checkpoint_name(first, 1200).endswith(", step 1,200")
    assert set(names_of(jobs)) == {TUNED, second.checkpoint}
    assert BASE not in names_of(jobs)
