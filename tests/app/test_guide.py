"""The guide opens inside the window: at the chapter of the page, searchable, every link alive."""

import re

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices

from curator.app.guide_texts import CHAPTER_OF_PAGE, FIRST, Guide, anchor_of
from curator.app.page_entries import PAGES
from curator.dataset.resources import resource
from tests.app.conftest import open_in


@pytest.fixture(autouse=True)
def _nothing_opens_outside(monkeypatch):
    def refuse(url):
        raise AssertionError(f"{url} was opened outside the window")

    monkeypatch.setattr(QDesktopServices, "openUrl", refuse)


@pytest.mark.parametrize("page", [entry.page_id for entry in PAGES])
def test_the_guide_opens_at_the_page_and_goes_back(opened, qtbot, page):
    opened.show_page(page)
    opened.menus.run("help.guide")
    guide = opened.front
    assert guide.page_id == "guide"
    assert guide._chapter == CHAPTER_OF_PAGE[page]
    first = guide.text.toPlainText().splitlines()[0]
    assert first == Guide().title(guide._chapter)
    assert guide.field.hasFocus()
    qtbot.keyClick(guide.field, Qt.Key.Key_Escape)
    assert opened.front.page_id == page


def test_escape_leaves_the_search_with_its_words_and_then_the_guide(opened, qtbot):
    opened.menus.run("help.guide")
    guide = opened.front
    qtbot.keyClicks(guide.field, "split")
    hits = guide.list.count()
    qtbot.keyClick(guide.field, Qt.Key.Key_Escape)
    assert (opened.front, guide.field.text(), guide.list.count()) == (guide, "split", hits)
    assert guide.list.hasFocus()
    qtbot.keyClick(guide.list, Qt.Key.Key_Escape)
    assert opened.front is not guide


def test_the_guide_opens_before_any_project(curator, project_path, qtbot):
    curator.menus.run("help.guide")
    assert curator.front.page_id == "guide"
    assert curator.front._chapter == FIRST
    curator.front.back.click()
    assert curator.front.page_id == "start"
    curator.menus.run("help.guide")
    open_in(curator, project_path, qtbot)
    assert curator.front.page_id == "write"


def test_what_is_searched_is_found_shown_and_marked(opened, qtbot):
    opened.menus.run("help.guide")
    guide = opened.front
    qtbot.keyClicks(guide.field, "checkpoint")
    assert guide.list.count() > 1
    assert "places" in guide._found.text()
    qtbot.keyClick(guide.field, Qt.Key.Key_Return)
    assert guide._chapter == guide.list.item(0).data(Qt.ItemDataRole.UserRole).chapter
    marks = guide.text.extraSelections()
    assert marks
    assert {mark.cursor.selectedText().casefold() for mark in marks} == {"checkpoint"}
    guide.field.clear()
    assert guide.list.count() == len(Guide().texts)
    qtbot.keyClicks(guide.field, "no such word anywhere")
    assert guide._found.text() == "Nothing found"


def test_every_link_leads_to_a_chapter_and_a_heading(opened):
    guide = Guide()
    assert set(guide.texts) == {path.name for path in resource("guide").glob("*.md")}
    for chapter, text in guide.texts.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            if "://" in target:
                continue
            there = guide.texts.get(name or chapter)
            assert there is not None, f"{chapter}: {target}"
            headings = {anchor_of(h) for h in re.findall(r"^#+\s+(.*)$", there, re.MULTILINE)}
            assert not anchor or anchor in headings, f"{chapter}: {target}"
    opened.menus.run("help.guide")
    page = opened.front
    page._follow(QUrl("training.md"))
    assert page._chapter == "training.md"
    assert page.list.currentItem().text() == guide.title("training.md")


def test_a_link_to_the_web_goes_to_the_browser(opened, monkeypatch):
    asked = []
    monkeypatch.setattr(QDesktopServices, "openUrl", asked.append)
    opened.menus.run("help.guide")
    opened.front._follow(QUrl("https://example.com"))
    assert asked == [QUrl("https://example.com")]
