"""Law: the palette finds every verb on every page; a verb that cannot be done now says why."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from curator.app.action_pages import home_of, is_about_one
from curator.app.actions import ACTIONS, action
from curator.app.shortcuts import is_plain
from curator.app.widgets.buttons import ActionButton
from tests.app.laws.conftest import settle, visit
from tests.app.laws.test_verbs import presses
from tests.app.pages.conftest import PAGE_IDS

# Every place of every page: minutes of a core.
pytestmark = pytest.mark.slow

LEADING = [
    "edit.find", "edit.replace", "conversation.new", "conversation.remove", "message.weight",
    "label.accept", "label.sets", "check.run", "check.next", "duplicates.find", "split.assign",
    "export.run", "train.dry_run", "try.question",
]  # fmt: skip


def palette_ids(curator) -> list[str]:
    curator.menus.run("view.palette")
    found = curator.dialogs._palette.found
    ids = [found.item(row).data(Qt.ItemDataRole.UserRole) for row in range(found.count())]
    curator.dialogs._palette.leave()
    return ids


def close_boxes(curator) -> None:
    for box in curator.window.findChildren(QDialog):
        box.close()
    curator.window.activateWindow()


@pytest.mark.parametrize("page_id", ["start", *PAGE_IDS])
def test_the_palette_lists_every_verb(desk, whole, qtbot, page_id):
    if page_id == "start":
        desk.leave()
    else:
        visit(whole, page_id, qtbot)
    assert sorted(palette_ids(whole)) == sorted(e.id for e in ACTIONS if e.id != "view.palette")


@pytest.mark.parametrize("page_id", PAGE_IDS)
def test_what_cannot_be_done_says_why(whole, qtbot, page_id):
    page = visit(whole, page_id, qtbot)
    whole.menus._add_icons_and_tips()
    for entry in ACTIONS:
        made = whole.menus.entries[entry.id]
        if not made.isEnabled() and entry.id not in whole.menus._on_other_pages:
            assert "\n" in made.toolTip(), entry.id
    for button in page.header.findChildren(ActionButton):
        if not button.isEnabled():
            assert "\n" in button.toolTip(), button.action_id


@pytest.mark.parametrize("start", ["check", "try"])
@pytest.mark.parametrize("action_id", LEADING)
def test_the_palette_leads_to_every_verb(whole, qtbot, start, action_id):
    visit(whole, start, qtbot)
    before = whole.session.project.last_step()
    whole.menus.run("view.palette")
    palette = whole.dialogs._palette
    QTest.keyClicks(palette.field, action(action_id).label())
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: whole.front.page_id == home_of(action_id))
    settle(whole, qtbot)
    if is_about_one(action_id):
        assert whole.session.project.last_step() == before
        assert whole.window.toaster.notices()
    close_boxes(whole)


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
