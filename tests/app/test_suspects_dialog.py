"""Labels that look wrong, in the window: looked at one after another, changed or left as they are."""

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.app import excepthook
from curator.app.pages.label.suspects_dialog import SuspectsDialog
from curator.curate.labels import labels_that_count
from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, LabelSet, Message
from curator.project.labels import label_sets_patch
from curator.project.store.project import Project
from tests.app.conftest import open_in

WRONG = {3: "account", 15: "card"}


@pytest.fixture
def desk(tmp_path):
    """Twelve questions about cards and twelve about accounts; two of them have the other label."""
    path = tmp_path / "desk.curator"
    with Project.create(path, "anna") as project:
        ids = tuple(project.new_conversation_ids(24))
        texts = [f"Where is my card {n}?" for n in range(12)]
        texts += [f"Please close the account {n}." for n in range(12)]
        lines = (
            Conversation.of((Message.of("user", text), Message.of("assistant", "x"))).to_json()
            for text in texts
        )
        patches = tuple(ContentPatch(i, None, line) for i, line in zip(ids, lines, strict=True))
        project.apply(Edit("Write", "anna", patches))
        sets = (LabelSet("topic", "choice", ("card", "account")),)
        project.apply(Edit("Sets", "anna", (label_sets_patch(project, sets),)))
        values = [WRONG.get(n, "card" if n <= 12 else "account") for n in ids]
        answers = AnnotationPatch("label:topic", ids, (None,) * 24, tuple(values), "anna")
        project.apply(Edit("Label", "anna", (answers,)))
    return path


@pytest.fixture
def dialog(curator, desk, qtbot):
    open_in(curator, desk, qtbot)
    page = curator.show_page("label")
    curator.window.activateWindow()
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=60_000)
    curator.menus.run("label.suspects")
    dialog = page.findChild(SuspectsDialog)
    qtbot.waitUntil(lambda: len(dialog._rows) == 2, timeout=60_000)
    return dialog


def label(dialog, conversation):
    """The answer that counts: mine where I gave one."""
    session = dialog._session
    return labels_that_count(session.project.labels(conversation), session.author)["topic"]


def test_enter_gives_the_label_that_fits_and_goes_on(dialog, qtbot):
    assert {row.conversation for row in dialog._rows} == set(WRONG)
    assert QApplication.focusWidget() is dialog.grid
    assert "for 2 another label fits better" in dialog.sentence.text()
    first, second = dialog._rows
    assert dialog._change.text() == f"Change to {first.suggested}"
    assert f"Most similar with {first.suggested}" == dialog._other.text()
    QTest.keyClick(dialog.grid, Qt.Key.Key_Return)
    assert label(dialog, first.conversation) == first.suggested
    assert label(dialog, second.conversation) == WRONG[second.conversation]
    assert dialog.grid.current_row() == 0
    assert dialog._rows == [second]
    QTest.keyClick(dialog.grid, Qt.Key.Key_Return)
    assert dialog._rows == []
    assert not dialog._change.isEnabled()
    # My own answers count from then on, and nothing disagrees any more.
    dialog.look()
    qtbot.waitUntil(lambda: "no other label" in dialog.sentence.text(), timeout=60_000)


def test_one_change_is_one_step_that_undo_takes_back(dialog, curator):
    first = dialog._rows[0]
    QTest.keyClick(dialog.grid, Qt.Key.Key_Return)
    curator.session.undo()
    assert label(dialog, first.conversation) == WRONG[first.conversation]


def test_the_arrows_leave_a_label_and_write_shows_the_conversation(dialog, curator, qtbot):
    QTest.keyClick(dialog.grid, Qt.Key.Key_Down)
    second = dialog._rows[1]
    assert dialog.grid.current_row() == 1
    assert {label(dialog, n) for n in WRONG} == {"card", "account"}
    dialog._open.click()
    qtbot.waitUntil(lambda: curator.front.page_id == "write")
    qtbot.waitUntil(lambda: curator.session.current == second.conversation)


def test_a_project_without_answers_says_so(opened, qtbot):
    opened.show_page("label")
    opened.menus.run("label.suspects")
    dialog = opened.front.findChild(SuspectsDialog)
    assert dialog.sentence.text() == "No label set has an answer yet."
    assert not dialog._change.isEnabled()


@pytest.mark.parametrize("is_closed", [False, True])
def test_work_that_fails_is_said_in_words_or_to_nobody_once_the_list_is_closed(
    dialog, curator, qtbot, monkeypatch, is_closed
):
    """Of a bug there is a report; the list does not show the words of an exception."""

    def broken(*_, **__):
        raise ValueError("index 7 is out of bounds")

    monkeypatch.setattr("curator.project.suspects.suspects", broken)
    curator.jobs.bug_found.disconnect(excepthook.report_bug)
    dialog.look()
    if is_closed:
        dialog.reject()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=20_000)
    curator.jobs.bug_found.connect(excepthook.report_bug)
    if not is_closed:
        assert dialog.sentence.text() == "Something broke here; a report was opened."
