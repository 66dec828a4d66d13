"""Law: Ctrl+K and the keys find every verb from every page; a verb that cannot be done now says why."""

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.app.action_pages import home_of, why_not
from curator.app.actions import ACTIONS, action
from tests.app.laws.conftest import visit

# Every place of every page: minutes of a core.
pytestmark = pytest.mark.slow


def test_every_reason_is_its_own():
    """A verb of a page has words of its own, not only that it cannot be done."""
    vague = why_not(action("go.write"), has_project=True, is_read_only=False)
    bare = [
        entry.id
        for entry in ACTIONS
        if home_of(entry.id) or entry.id in ("edit.undo", "edit.redo")
        if entry.id not in ("edit.find", "edit.replace", "edit.select_all", "label.sets")
        if why_not(entry, has_project=True, is_read_only=False) == vague
    ]
    # These two can be done wherever the project may be changed.
    assert bare == ["conversation.new", "conversation.paste"]


def test_without_a_project_the_way_out_is_one(curator):
    curator.menus._add_icons_and_tips()
    tip = curator.menus.entries["check.run"].toolTip()
    assert "Open a project first" in tip


def test_a_key_leads_to_its_verb(whole, qtbot):
    visit(whole, "train", qtbot)
    presses(whole, "Ctrl+F")
    field = whole.pages["write"].list.search.field
    qtbot.waitUntil(lambda: QApplication.focusWidget() is field)
    visit(whole, "label", qtbot)
    presses(whole, "Ctrl+Shift+N")
    qtbot.waitUntil(lambda: len(whole.session.index) == 10)
    assert whole.front.page_id == "write"


def test_a_verb_waits_until_its_page_has_read_what_it_needs(whole, qtbot):
    visit(whole, "write", qtbot)
    whole.menus.run("split.assign")
    project = whole.session.project
    qtbot.waitUntil(lambda: project.annotation(2).split != "", timeout=30_000)
    assert whole.front.page_id == "export"


def test_what_the_page_cannot_do_is_said(whole, qtbot):
    visit(whole, "write", qtbot)
    whole.menus.run("try.keep_left")
    # Nothing is given up while something is being read.
    qtbot.waitUntil(lambda: not whole.session.jobs.running(), timeout=30_000)
    whole.other_pages._timeout.timeout.emit()
    assert "no reply on the left" in whole.window.toaster.notices()[-1].detail


def presses(curator, keys: str) -> None:
    pressed = QKeySequence(keys)[0]
    QTest.keyClick(
        QApplication.focusWidget() or curator.window, pressed.key(), pressed.keyboardModifiers()
    )
