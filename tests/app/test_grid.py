"""The shared table at its real size: a million rows, cheap selection, order by row numbers."""

import time

import numpy as np
import pytest
from PySide6.QtCore import Qt

from curator.app.tables.grid import COMPACT_ROW_PX, ROW_PX, Column, GridView, Table


def make(count: int) -> Table:
    values = np.arange(count) * 3
    columns = (
        Column("Name", lambda row: f"row {row}", name="title", stretch=True),
        Column("Tokens", lambda row: int(values[row]), name="tokens", number=True),
        Column("Tip", lambda row: "", tip=lambda row: f"tip {row}"),
    )
    table = Table(columns)
    table.set_rows(np.arange(count, dtype=np.int32))
    return table


@pytest.fixture
def view(qtbot):
    made = GridView("Conversations")
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    return made


def test_the_table_keeps_qts_rules(qtmodeltester, qapp):
    qtmodeltester.check(make(50))


def test_cells(qapp):
    table = make(5)
    table.set_rows(np.array([4, 0], np.int32))
    assert table.rowCount() == 2
    assert table.data(table.index(0, 0)) == "row 4"
    assert table.data(table.index(0, 1)) == 12
    assert type(table.data(table.index(0, 1))) is int
    assert table.data(table.index(1, 2), int(Qt.ItemDataRole.ToolTipRole)) == "tip 0"
    align = table.data(table.index(0, 1), int(Qt.ItemDataRole.TextAlignmentRole))
    assert align & int(Qt.AlignmentFlag.AlignRight)
    assert table.headerData(1, Qt.Orientation.Horizontal) == "Tokens"


def test_a_header_asks_for_an_order(qtbot, view):
    table = make(5)
    view.set_table(table)
    with qtbot.waitSignal(table.sort_requested) as caught:
        table.sort(1, Qt.SortOrder.DescendingOrder)
    assert caught.args == ["tokens", True]


def test_a_column_without_a_name_asks_for_nothing(qapp):
    table = make(5)
    asked = []
    table.sort_requested.connect(lambda *args: asked.append(args))
    table.sort(2)
    assert asked == []


def test_selecting_a_million_rows_is_cheap(view):
    view.set_table(make(1_000_000))
    began = time.process_time()
    view.selectAll()
    view.grab()
    assert view.selected_ranges() == [(0, 999_999)]
    # With the header's own selection model this takes nine seconds.
    assert time.process_time() - began < 1.0


def test_going_to_a_row_tells_its_row_number(qtbot, view):
    table = make(100)
    table.set_rows(np.arange(100, dtype=np.int32)[::-1])
    view.set_table(table)
    with qtbot.waitSignal(view.current_row_changed) as caught:
        view.go_to(10)
    assert caught.args == [89]
    assert view.current_row() == 89
    assert view.selected_ranges() == [(10, 10)]


def test_enter_opens_a_row(qtbot, view):
    view.set_table(make(10))
    view.go_to(3)
    with qtbot.waitSignal(view.row_opened) as caught:
        view.activated.emit(view.currentIndex())
    assert caught.args == [3]


def test_the_row_under_the_pointer_is_lit(qtbot, view):
    view.set_table(make(10))
    place = view.visualRect(view.model().index(2, 0)).center()
    qtbot.mouseMove(view.viewport(), place)
    qtbot.waitUntil(lambda: view.hover_row == 2)


def test_compact_rows(view):
    view.set_table(make(10))
    assert view.rowHeight(0) == ROW_PX
    view.set_compact(compact=True)
    assert view.rowHeight(0) == COMPACT_ROW_PX


def test_a_view_without_a_table_says_so(view):
    with pytest.raises(TypeError, match="set_table"):
        view.table()
