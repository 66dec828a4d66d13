"""The Duplicates page: search, step, decide by key, undo, remove all, restore, and its empty states."""

import pytest
from PySide6.QtCore import Qt

from curator.app.widgets.diff_text import DiffText
from curator.curate.difference import Span
from curator.dataset import ContentPatch, Conversation, Edit, Message
from curator.dataset.errors import WrongUse
from curator.project import duplicates
from curator.project.store import label_rows
from curator.project.store.project import Project
from tests.app.conftest import open_in

LOST = "I have lost my card on the way to work and I need a new one as soon as it can be done"


def line(prompt: str, answer: str = "I will send you a new card today.") -> str:
    return Conversation.of([Message.of("user", prompt), Message.of("assistant", answer)]).to_json()


@pytest.fixture
def page(curator, tmp_path, qtbot):
    """Conversations 1, 3 and 4 are alike, and so are 5 and 6."""
    path = tmp_path / "copies.curator"
    with Project.create(path, "anna") as project:
        ids = project.new_conversation_ids(6)
        lines = (
            line(LOST),
            line("What is the exchange rate for dollars?", "1.08 today."),
            line(LOST + " please"),
            line(LOST),
            line("How do I close my account?", "In the app."),
            line("How do I close my account?", "In the app."),
        )
        patches = tuple(ContentPatch(i, None, t) for i, t in zip(ids, lines, strict=True))
        project.apply(Edit("Write", "anna", patches))
    open_in(curator, path, qtbot)
    page = curator.show_page("duplicates")
    idle(page, qtbot)
    return page


def idle(page, qtbot):
    """Wait until nothing is read or compared any more."""
    qtbot.waitUntil(
        lambda: not page._reload_soon.isActive() and not page.jobs.running(), timeout=20_000
    )


def search(page, qtbot, threshold=70):
    page.controls.slider.setValue(threshold)
    page.search()
    idle(page, qtbot)


def removed(page):
    return [row[0] for row in label_rows.removed(page.session.project)]


def test_before_a_search_the_page_offers_one(page, qtbot):
    assert page._stack.currentWidget() is page._empty
    assert "Not searched yet" in page._empty._title.text()
    assert page.rail_count() is None
    qtbot.mouseClick(page._empty.button, Qt.MouseButton.LeftButton)
    idle(page, qtbot)
    assert page._stack.currentWidget() is page._sides


def test_clusters_are_listed_and_compared(page, qtbot):
    search(page, qtbot)
    assert [item.rows for item in page._findings.items] == [(1, 3, 4), (5, 6)]
    assert page.rail_count() == 2
    assert page.decision.pair == (1, 4, 1.0)
    texts = page.decision.view.widget().findChildren(DiffText)
    assert len(texts) == 4
    assert "take out 3" in page.controls.preview.text()


def test_a_key_keeps_one_and_goes_on(curator, page, qtbot):
    search(page, qtbot)
    qtbot.keyClick(curator.window, Qt.Key.Key_BracketLeft)
    assert removed(page) == [4]
    assert page.decision.pair[:2] == (1, 3)
    idle(page, qtbot)
    qtbot.keyClick(curator.window, Qt.Key.Key_BracketRight)
    assert removed(page)[0] in (1, 4)
    assert set(removed(page)) == {1, 4}
    assert page.decision.pair == (5, 6, 1.0)
    idle(page, qtbot)
    assert [item.rows for item in page._findings.items] == [(5, 6)]


def test_undo_brings_a_decision_back(curator, page, qtbot):
    search(page, qtbot)
    curator.menus.run("duplicates.keep_left")
    curator.menus.run("edit.undo")
    idle(page, qtbot)
    assert removed(page) == []
    assert page._findings.items[0].rows == (1, 3, 4)


def test_not_a_duplicate_is_remembered(curator, page, qtbot):
    search(page, qtbot)
    page.clusters.view.go_to(1)
    qtbot.keyClick(curator.window, Qt.Key.Key_Equal)
    idle(page, qtbot)
    assert [item.rows for item in page._findings.items] == [(1, 3, 4)]
    search(page, qtbot)
    assert [item.rows for item in page._findings.items] == [(1, 3, 4)]


def test_arrows_step_through_pairs_and_clusters(curator, page, qtbot):
    search(page, qtbot)
    pairs = []
    for _ in range(3):
        pairs.append(page.decision.pair[:2])
        curator.menus.run("conversation.next")
    assert pairs == [(1, 4), (1, 3), (5, 6)]
    assert page.decision.pair[:2] == (5, 6)
    curator.menus.run("conversation.previous")
    assert page.decision.pair[:2] == (1, 4)
    idle(page, qtbot)


def test_all_copies_go_at_once_and_come_back(curator, page, qtbot):
    search(page, qtbot)
    curator.menus.run("duplicates.remove_all")
    idle(page, qtbot)
    assert sorted(removed(page)) == [3, 4, 6]
    assert "No duplicates left" in page._empty._title.text()
    page._removed_chip.click()
    assert page._stack.currentWidget() is page.removed
    page.removed.view.selectAll()
    curator.menus.run("conversation.restore")
    idle(page, qtbot)
    assert removed(page) == []
    page._clusters_chip.click()
    assert len(page._findings.items) == 2


def test_a_higher_threshold_is_counted_live(page, qtbot):
    search(page, qtbot, 70)
    assert page.controls.live.text() == "4 pairs"
    page.controls.slider.setValue(100)
    assert page.controls.live.text() == "2 pairs"
    page.controls.slider.setValue(50)
    assert page.controls.live.text() == "not searched yet"
    page.controls.exact.click()
    assert not page.controls.slider.isEnabled()
    assert page.controls.search().preset == "exact"


def test_the_last_search_is_there_when_the_project_opens_again(curator, page, qtbot):
    search(page, qtbot, 65)
    open_in(curator, page.session.project.path, qtbot)
    page = curator.show_page("duplicates")
    idle(page, qtbot)
    assert len(page._findings.items) == 2
    assert page.controls.threshold() == 0.65


def test_a_failed_search_says_so(page, qtbot, monkeypatch):
    def fail(*_args, **_more):
        raise WrongUse("The disk is upside down.")

    monkeypatch.setattr(duplicates, "find", fail)
    search(page, qtbot)
    assert page._stack.currentWidget() is page._empty
    assert page._empty._sentence.text() == "The disk is upside down."


def test_differences_are_marked_by_more_than_colour(qtbot):
    label = DiffText((Span("same", "a "), Span("gone", "<b>"), Span("new", "x\ny")))
    qtbot.addWidget(label)
    assert "line-through" in label.text()
    assert "underline" in label.text()
    assert "&lt;b&gt;" in label.text()
    assert "x<br>y" in label.text()


def test_the_page_says_what_is_left_out_and_names_shared_text(curator, page, qtbot, tmp_path):
    rules = " ".join(f"Rule number {n} of the house is kept by all." for n in range(9))
    path = tmp_path / "shared.curator"
    with Project.create(path, "anna") as project:
        ids = project.new_conversation_ids(6)
        asked = ("parcels", "cards", "trains", "rooms", "tea", "boats")
        patches = [
            ContentPatch(i, None, line(f"{rules} {word}?", f"So much of {word}."))
            for i, word in zip(ids, asked, strict=True)
        ]
        project.apply(Edit("Write", "anna", tuple(patches)))
    open_in(curator, path, qtbot)
    page = curator.show_page("duplicates")
    idle(page, qtbot)
    assert page.controls.counted.isHidden()
    search(page, qtbot)
    assert page._findings.found.matches.count() == 15
    said = page.controls.counted.text()
    assert "Left out of the comparison: system prompts, tool definitions." in said
    assert '6 of 6 conversations share "Rule number 0 of the house' in said
    page.controls.shared.click()
    assert page.controls.live.text() == "not searched yet"
    search(page, qtbot)
    assert page._findings.found.matches.count() == 0
    assert "text that most share" in page.controls.counted.text()
    page.controls.exact.click()
    assert not page.controls.system.isEnabled()


def test_many_decisions_are_read_again_in_one_go(curator, page, qtbot):
    search(page, qtbot)
    page.controls.system.setFocus()
    page._keep_both()
    assert page._reload_soon.isActive()
    assert page._reload_soon.interval() > 1000
    idle(page, qtbot)
    assert page._findings.found.matches.count() == 3


def test_an_empty_project_says_what_comes_first_and_offers_no_search(
    curator, tmp_path, qtbot, monkeypatch
):
    monkeypatch.setattr(curator.file_actions.file_dialogs, "files", lambda *_asked: ())
    path = tmp_path / "empty.curator"
    Project.create(path, "anna").close()
    open_in(curator, path, qtbot)
    page = curator.show_page("duplicates")
    idle(page, qtbot)
    assert page._empty.button.text() == "Import files"
    assert "duplicates.find" not in page.slots()
    assert "nothing to compare" in curator.menus.reasons["duplicates.find"]
    asked = []
    page.action_requested.connect(asked.append)
    page._empty.button.click()
    assert asked == ["file.import"]
    session = page.session
    ids = session.project.new_conversation_ids(2)
    session.push(Edit("Write", "anna", tuple(ContentPatch(i, None, line(LOST)) for i in ids)))
    assert page._empty.button.text() == "Find duplicates"
    assert "duplicates.find" in page.slots()
