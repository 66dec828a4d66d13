"""Law: a dialog has a way out on it, and Esc leaves its text before it leaves the dialog."""

import ast
from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTextEdit
from shiboken6 import isValid

from curator.app.shortcuts import takes_text
from curator.app.widgets.card import Card
from curator.app.widgets.dialog import Dialog
from tests.app.laws.conftest import name_of, settle, visit, words_of
from tests.house.inspection import modules, name

WAYS_OUT = {"reject", "accept", "close"}


def classes():
    return [
        (path, node, {b.id for b in node.bases if isinstance(b, ast.Name)})
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]


def test_every_dialog_is_one_of_ours():
    raw = [name(path) for path, node, bases in classes() if "QDialog" in bases]
    assert raw == ["curator/app/widgets/dialog.py"]


def test_every_dialog_has_a_button_that_leaves_it():
    without = [
        f"{name(path)}:{node.name}"
        for path, node, bases in classes()
        if "Dialog" in bases
        and not any(
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "connect"
            and any(isinstance(a, ast.Attribute) and a.attr in WAYS_OUT for a in call.args)
            for call in ast.walk(node)
        )
    ]
    assert not without


OPENERS = {
    "prompts": ("write", lambda page: page._open_prompts()),
    "replace": ("write", lambda page: page._find_and_replace()),
    "sets": ("label", lambda page: page._edit_sets()),
    "target": ("train", lambda page: page._add_target()),
}


@pytest.fixture(params=list(OPENERS))
def box(request, whole, qtbot):
    page_id, opens = OPENERS[request.param]
    page = visit(whole, page_id, qtbot)
    opens(page)
    settle(whole, qtbot)
    (found,) = [d for d in whole.window.findChildren(Dialog) if d.isVisible()]
    found.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is found)
    yield found
    if isValid(found):
        found.close()


def test_escape_leaves_the_text_first(box, qtbot):
    fields = [f for kind in (QLineEdit, QTextEdit) for f in box.findChildren(kind)]
    fields = [f for f in fields if f.isVisible() and takes_text(f)]
    fields = [f for f in fields if f.objectName() != "qt_spinbox_lineedit"]
    assert fields
    for field in fields:
        field.setFocus()
        QTest.keyClick(field, "x")
        before = words_of(field)
        QTest.keyClick(field, Qt.Key.Key_Escape)
        assert box.isVisible(), name_of(field)
        assert not takes_text(QApplication.focusWidget()), name_of(field)
        assert words_of(field) == before
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not isValid(box) or not box.isVisible())


def test_the_white_under_a_prompt_is_its_margin(whole, qtbot):
    page = visit(whole, "write", qtbot)
    page._open_prompts()
    settle(whole, qtbot)
    (box,) = [d for d in whole.window.findChildren(Dialog) if d.isVisible()]
    box.activateWindow()
    card = box.findChild(Card)
    QTest.mouseClick(
        card, Qt.MouseButton.LeftButton, pos=QPoint(card.width() // 2, card.height() - 20)
    )
    assert QApplication.focusWidget() is box.text
    assert box.text.textCursor().atEnd()
    box.close()


def test_a_name_is_kept_when_the_preferences_are_closed_with_the_cursor_in_it(whole, qtbot):
    def is_front(box) -> bool:
        return QApplication.activeWindow() is box

    for key in (None, Qt.Key.Key_Escape):
        whole.menus.run("file.preferences")
        (box,) = [d for d in whole.window.findChildren(Dialog) if d.isVisible()]
        box.activateWindow()
        qtbot.waitUntil(partial(is_front, box))
        field = box.findChild(QLineEdit, "author")
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, f"Bea {key is None}")
        if key is None:
            box.accept()
        else:
            QTest.keyClick(field, key)
            QTest.keyClick(box, key)
        assert whole.dialogs.store().values.author == f"Bea {key is None}"
