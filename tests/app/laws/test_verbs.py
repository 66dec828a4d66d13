"""Law: Ctrl+K and the keys find every verb from every page; a verb that cannot be done now says why."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from curator.app.actions import ACTIONS, action
from curator.app.main import PAGES
from curator.app.shortcuts import is_plain
from curator.app.verbs import home_of, is_about_one, why_not
from curator.app.widgets.buttons import ActionButton
from tests.app.laws.conftest import settle, visit

# Every place of every page: minutes of a core.
pytestmark = pytest.mark.slow

PAGE_IDS = [entry.page_id for entry in PAGES]
LEADING = [
    "edit.find", "edit.replace", "conversation.new", "conversation.remove", "message.weight",
    "label.accept", "label.sets", "check.run", "check.next", "duplicates.find", "split.assign",
    "export.run", "train.dry_run", "try.question",
]  # fmt: skip


def palette_ids(curator) -> list[str]:
    curator.menus.run("view.palette")
    found = curator.boxes._palette.found
    ids = [found.item(row).data(Qt.ItemDataRole.UserRole) for row in range(found.count())]
    curator.boxes._palette.leave()
    return ids


def close_boxes(curator) -> None:
    for box in curator.window.findChildren(QDialog):
        box.close()
    curator.window.activateWindow()


@pytest.mark.parametrize("page_id", ["start", *PAGE_IDS])
def test_the_palette_lists_every_verb(curator, whole, qtbot, page_id):
    if page_id == "start":
        whole.menus.run("file.close")
    else:
        visit(whole, page_id, qtbot)
    assert sorted(palette_ids(whole)) == sorted(e.id for e in ACTIONS if e.id != "view.palette")


@pytest.mark.parametrize("page_id", PAGE_IDS)
def test_what_cannot_be_done_says_why(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    whole.menus._dress()
    for entry in ACTIONS:
        made = whole.menus.entries[entry.id]
        if not made.isEnabled() and entry.id not in whole.menus._elsewhere:
            assert "\n" in made.toolTip(), entry.id
    for button in page.header.findChildren(ActionButton):
        if not button.isEnabled():
            assert "\n" in button.toolTip(), button.action_id


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
    curator.menus._dress()
    tip = curator.menus.entries["check.run"].toolTip()
    assert "Open a project first" in tip


@pytest.mark.parametrize("start", ["check", "try"])
@pytest.mark.parametrize("action_id", LEADING)
def test_the_palette_leads_to_every_verb(whole, qtbot, start, action_id):
    visit(whole, start, qtbot)
    before = whole.session.project.last_step()
    whole.menus.run("view.palette")
    palette = whole.boxes._palette
    QTest.keyClicks(palette.field, action(action_id).label())
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: whole.front.page_id == home_of(action_id))
    settle(whole, qtbot)
    if is_about_one(action_id):
        assert whole.session.project.last_step() == before
        assert whole.window.toaster.notices()
    close_boxes(whole)


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
    whole.elsewhere._patience.timeout.emit()
    assert "no reply on the left" in whole.window.toaster.notices()[-1].detail


@pytest.mark.parametrize("page_id", [p for p in PAGE_IDS if p != "label"])
def test_a_bare_letter_never_leads_away(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    page.setFocus()
    plain = [e for e in ACTIONS if e.shortcut and is_plain(QKeySequence(e.shortcut))]
    for entry in plain:
        if entry.id.startswith("help."):
            continue
        presses(whole, entry.shortcut)
        assert whole.front is page, entry.id
        settle(whole, qtbot)
        whole.pages["write"].picking.leave()
        page.setFocus()


def presses(curator, keys: str) -> None:
    pressed = QKeySequence(keys)[0]
    QTest.keyClick(
        QApplication.focusWidget() or curator.window, pressed.key(), pressed.keyboardModifiers()
    )
