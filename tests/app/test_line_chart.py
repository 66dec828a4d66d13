"""The chart shows every line, says its values in words, and loses no peak."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from curator.app.widgets.line_chart import LineChart, Series, thin, ticks, write_number

TRAIN = Series("Training", "role-user", ((1.0, 2.0), (2.0, 1.0), (3.0, 0.5)))
VALID = Series("Validation", "role-assistant", ((2.0, 1.5),), dashed=True)


@pytest.fixture
def chart(qtbot):
    made = LineChart("Loss")
    qtbot.addWidget(made)
    made.resize(500, 220)
    made.show_series((TRAIN, VALID), x_name="step", empty="nothing yet", x_most=6)
    made.grab()
    return made


def colours(widget):
    picture = widget.grab().toImage()
    return {picture.pixel(x, y) for x in range(0, picture.width(), 2)
            for y in range(0, picture.height(), 2)}  # fmt: skip


def test_it_describes_itself(chart):
    words = chart.accessibleDescription()
    assert "Training: from 2 to 0.5 over 3 points, lowest 0.5" in words
    assert "Validation" in words


def test_empty_it_says_so_and_paints(chart):
    chart.show_series((), x_name="step", empty="nothing yet")
    assert chart.accessibleDescription() == "nothing yet"
    assert len(colours(chart)) > 5


def test_keys_walk_through_the_points(chart, qtbot):
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.accessibleDescription() == "step 1, Training 2"
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.accessibleDescription() == "step 2, Training 1, Validation 1.5"
    qtbot.keyClick(chart, Qt.Key.Key_End)
    assert chart.accessibleDescription() == "step 3, Training 0.5"
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.values_at(1.0) == [(TRAIN, 2.0)]


def test_the_pointer_shows_values(chart, qtbot):
    before = colours(chart)
    point, none = QPointF(150, 100), Qt.MouseButton.NoButton
    move = QMouseEvent(
        QEvent.Type.MouseMove, point, point, none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(chart, move)
    chart.grab()
    assert chart._at in (1.0, 2.0, 3.0)
    assert colours(chart) != before


@pytest.mark.parametrize(
    "points", [((1.0, 1.0),), ((1.0, 0.0), (2.0, 0.0)), ((1.0, -1.0), (1e9, 1e-9))]
)
def test_odd_lines_paint(chart, points):
    chart.show_series((Series("x", "accent", points),), x_name="step", empty="")
    assert len(colours(chart)) > 5


def test_many_points_paint_fast(chart):
    points = tuple((float(n), math.sin(n / 900) + 2) for n in range(100_000))
    chart.show_series((Series("x", "accent", points),), x_name="step", empty="")
    assert len(colours(chart)) > 5


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks_are_round_and_inside(low, size, about):
    high = low + size
    found = ticks(low, high, about)
    assert len(found) <= 3 * about + 2
    assert all(low - size * 1e-3 <= tick <= high + size * 1e-3 for tick in found)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=400), st.integers(1, 60))
def test_thinning_keeps_the_highest_and_lowest(values, width):
    points = [(float(n), value) for n, value in enumerate(values)]
    kept = thin(points, width)
    assert len(kept) <= max(len(points) if len(points) <= 2 * width else 0, 2 * width)
    assert {min(values), max(values)} <= {y for _, y in kept}
    assert kept == sorted(kept)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2.0, "2"),
        (0.12345, "0.123"),
        (0.00002, "2.0e-05"),
        (1234.5, "1,234"),
        (150.26, "150.3"),
    ],
)
def test_numbers_are_short(value, text):
    assert write_number(value) == text
