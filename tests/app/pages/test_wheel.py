"""Law: the wheel changes no setting that does not have the focus; it scrolls the page instead."""

import ast

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QScrollBar, QSlider

from curator.app.main import PAGES
from tests.app.laws.conftest import bring, name_of, seen, settle, visit
from tests.house.inspection import modules, name

# Every place of every page: minutes of a core.
pytestmark = pytest.mark.slow

OWN = {"curator/app/widgets/setting_fields.py", "curator/app/widgets/number_field.py"}
QT_FIELDS = {"QComboBox", "QSpinBox", "QDoubleSpinBox", "QSlider", "QDial", "QFontComboBox"}


def value_of(field) -> object:
    return field.currentIndex() if isinstance(field, QComboBox) else field.value()


def roll(field, by: int) -> None:
    """Turn the wheel over the middle of a field, as the system hands it to the window."""
    window = field.window()
    place = field.mapTo(window, field.rect().center())
    angle = QPoint(0, by)
    QTest.wheelEvent(window.windowHandle(), place, angle, angle, Qt.KeyboardModifier.NoModifier)


@pytest.mark.parametrize("page_id", [entry.page_id for entry in PAGES])
def test_the_wheel_turns_nothing_that_is_only_passed_over(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    fields = [f for f in seen(whole, (QComboBox, QAbstractSpinBox, QSlider)) if not _bar(f)]
    page.setFocus()
    for field in fields:
        before = value_of(field)
        bring(field)
        for by in (-120, 120, 120):
            roll(field, by)
            settle(whole, qtbot)
            assert value_of(field) == before, name_of(field)
            assert QApplication.focusWidget() is not field, name_of(field)


def test_the_wheel_turns_the_field_that_is_in_use(whole, qtbot):
    page = visit(whole, "export", qtbot)
    field = page.split.seed if hasattr(page, "split") else seen(whole, QAbstractSpinBox)[0]
    bring(field)
    field.setFocus()
    before = field.value()
    roll(field, 120)
    assert field.value() == before + 1


def test_qt_fields_are_made_only_where_the_wheel_is_kept():
    raw = {
        f"{name(path)}: {call.func.id}"
        for path, tree in modules()
        if name(path) not in OWN
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in QT_FIELDS
    }
    assert not raw


def _bar(widget) -> bool:
    return isinstance(widget, QScrollBar)
