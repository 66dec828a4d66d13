"""The table shows plain Python values, reads texts by the page, and selects a million rows at once."""

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocumentFragment

from curator.app.session.background import Jobs
from curator.app.session.session import Session, View
from curator.app.tables.conversations import ConversationTable
from curator.app.tables.grid import GridView
from curator.dataset import AnnotationPatch, ContentPatch, Edit, SettingPatch
from curator.project import Project
from curator.project.queries.filters import view
from curator.project.queries.index import Index


def line(number):
    return f'{{"messages":[{{"role":"user","content":"Question {number}"}},{{"role":"assistant","content":"A"}}]}}'


@pytest.fixture
def session(tmp_path, qapp):
    session = Session(Jobs(), "anna")
    project = Project.create(tmp_path / "p.curator", "anna")
    ids = project.new_conversation_ids(300)
    project.apply(Edit("x", "anna", tuple(ContentPatch(i, None, line(i)) for i in ids)))
    tags = AnnotationPatch("tags", (ids[0],), ([],), (["billing", "urgent"],))
    status = AnnotationPatch("status", tuple(ids[:5]), ("pending",), ("accepted",))
    project.apply(Edit("y", "anna", (tags, status)))
    session.project, session.index = project, Index(project.path)
    session.view = View(view(session.index))
    yield session
    assert session.jobs.shutdown()
    session.close_project()


@pytest.fixture
def table(session):
    table = ConversationTable(session)
    table.set_rows(session.view.rows)
    return table


def test_it_is_a_sound_qt_table(table, qtmodeltester):
    qtmodeltester.check(table)


def test_cells_are_plain_python_values(table):
    for column in range(table.columnCount()):
        value = table.data(table.index(0, column))
        assert type(value) in (str, int, float), column


def test_cells_say_what_the_index_knows(table, session):
    cells = [table.data(table.index(0, column)) for column in range(table.columnCount())]
    assert cells[:5] == [
        "Accepted",
        "Question 1",
        "billing, urgent",
        1,
        str(session.index.tokens[0]),
    ]


def test_titles_come_by_the_page(table, session, monkeypatch):
    asked = []
    titles = session.project.titles
    monkeypatch.setattr(
        session.project, "titles", lambda ids: asked.append(len(ids)) or titles(ids)
    )
    for row in range(300):
        assert table.data(table.index(row, 1)) == f"Question {row + 1}"
    assert len(asked) <= 5


def test_an_edit_is_read_anew(table, session):
    assert table.data(table.index(0, 1)) == "Question 1"
    ids = session.index.ids
    changes = session.push(Edit("z", "anna", (ContentPatch(int(ids[0]), line(1), line(77)),)))
    table.forget(changes)
    assert table.data(table.index(0, 1)) == "Question 77"


def test_select_all_is_one_range_and_gives_ids_without_asking_rows(table, session, qtbot):
    grid = GridView("Conversations")
    qtbot.addWidget(grid)
    grid.set_table(table)
    grid.selectAll()
    assert grid.selected_ranges() == [(0, 299)]
    assert table.ids_between(grid.selected_ranges()) == session.index.ids.tolist()
    assert all(type(i) is int for i in table.ids_between([(0, 3)]))


def test_places_follow_the_order_of_the_view(table, session):
    table.set_rows(np.array([5, 3, 9], dtype=np.int32))
    assert table.place_of(9) == 2
    assert table.place_of(4) is None


def test_a_sort_asks_for_the_order_of_its_column(table, qtbot):
    with qtbot.waitSignal(table.sort_requested) as asked:
        table.sort(4, Qt.SortOrder.DescendingOrder)
    assert asked.args == ["tokens", True]


def test_a_title_that_goes_on_ends_in_an_ellipsis_and_its_tip_says_all(table, session):
    whole = "Why was <b>my</b> card & the other one refused \ud800 " * 3 + "\nPlease tell me."
    after = json.dumps({"messages": [{"role": "user", "content": whole}]})
    before = session.project.content(int(session.index.ids[0]))
    table.forget(
        session.push(Edit("z", "anna", (ContentPatch(int(session.index.ids[0]), before, after),)))
    )
    cell = table.index(0, 1)
    shown = table.data(cell)
    assert len(shown) <= 80
    assert shown.endswith("…")
    assert whole.startswith(shown[:40])
    tip = QTextDocumentFragment.fromHtml(table.data(cell, Qt.ItemDataRole.ToolTipRole))
    assert tip.toPlainText() == whole.replace("\ud800", "?")
    assert table.data(cell, Qt.ItemDataRole.AccessibleTextRole) == whole
    # A short one is its own tip.
    assert table.data(table.index(1, 1), Qt.ItemDataRole.ToolTipRole) == "Question 2"


def test_counts_of_a_base_with_another_vocabulary_are_called_estimates(table, session):
    table.note_settings()
    row, column = int(session.view.rows[0]), 4
    place = table.index(0, column)
    assert not str(table.data(place, int(Qt.ItemDataRole.DisplayRole))).startswith("≈")
    patch = SettingPatch("base_model", session.setting("base_model"), "a-base-of-my-own")
    session.push(Edit("Base model", "anna", (patch,)))
    table.note_settings()
    assert table._tokens(row).startswith("≈")
    assert "o200k_base" in table._token_words(row)
