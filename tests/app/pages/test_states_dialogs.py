"""Law of every dialog in every state: it fits, says why what is grey is grey, and hands the cursor back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from curator.app.dialogs.bug import BugDialog
from curator.app.dialogs.confirm import Question
from curator.app.dialogs.import_report import ImportReportDialog
from curator.app.page import Page
from curator.dataset.errors import ProjectError
from curator.dataset.progress import never_cancelled, no_progress
from curator.project.imports.importing import import_files
from curator.project.store.project import Project
from tests.app.layout_faults import faults
from tests.app.pages.conftest import ARABIC, LONG_WORD, Desk, line
from tests.app.pages.test_states_pages import name_of, nameless, silent, unreached


def run(action_id: str) -> Callable[[Desk, Page], object]:
    return lambda desk, _page: desk.curator.menus.run(action_id)


def bug(desk: Desk, _page: Page) -> None:
    BugDialog(
        f"Traceback\n  {LONG_WORD}\n" * 60, Path("/tmp") / LONG_WORD[:200], desk.window
    ).open()


def question(desk: Desk, _page: Page) -> None:
    words = f"This changes 1,200 conversations. {LONG_WORD} {ARABIC}"
    Question("Remove 1,200 conversations", words, "Remove", lambda: None, desk.window).open()


FREE = ("none", "empty", "many", "read-only", "long", "right-to-left")
READ = ("empty", "many", "read-only", "long", "right-to-left")
WRITTEN = ("empty", "many", "long", "right-to-left")

DIALOGS: dict[str, tuple[str, Callable[[Desk, Page], object], str, tuple[str, ...]]] = {
    "preferences": ("write", run("file.preferences"), "Your name", FREE),
    "keys": ("write", run("help.shortcuts"), "Keys", FREE),
    "about": ("write", run("help.about"), "Parts and their licences", FREE),
    "bug": ("write", bug, "", ("none", "many")),
    "question": ("write", question, "Cancel", ("many",)),
    "prompts": ("write", lambda _desk, page: page._open_prompts(), "System prompts", READ),
    "replace": ("write", run("edit.replace"), "Find", READ),
    "label sets": ("label", run("label.sets"), "", WRITTEN),
    "target": ("train", lambda _desk, page: page._add_target(), "Kind", ("empty", "read-only")),
}
"""Each dialog: its page, what opens it, what has the cursor first, and the states it opens in."""

CASES = [(name, state) for name, (_, _, _, states) in DIALOGS.items() for state in states]


def open_box(desk: Desk, qtbot) -> QDialog:
    """Return the one dialog that is open, in front and at rest."""
    (box, *others) = [
        b for b in QApplication.topLevelWidgets() if isinstance(b, QDialog) and b.isVisible()
    ]
    assert not others
    box.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is box)
    desk.settle(qtbot)
    return box


def leave_by_escape(desk: Desk, box: QDialog, qtbot) -> QWidget | None:
    """Press Esc as often as it takes: once for a text, once for the dialog; returns who has the cursor then."""
    for _ in range(2):
        if box.isVisible():
            QTest.keyClick(QApplication.focusWidget() or box, Qt.Key.Key_Escape)
    assert not box.isVisible()
    desk.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is desk.window)
    return QApplication.focusWidget()


@pytest.mark.parametrize(("name", "state"), CASES)
def test_a_dialog_is_whole_and_hands_the_cursor_back(desk, qtbot, name, state):
    page_id, opens, first, _ = DIALOGS[name]
    desk.enter(state, qtbot)
    page = desk.page("start" if state == "none" else page_id, qtbot)
    before = QApplication.focusWidget()
    opens(desk, page)
    box = open_box(desk, qtbot)
    if first:
        assert name_of(QApplication.focusWidget()) == first
    wrong = [*faults(box), *nameless(box), *unreached(box), *silent(box)]
    assert not "\n".join(wrong)
    room = desk.window.screen().availableSize().boundedTo(desk.window.size())
    assert box.width() <= room.width()
    assert box.height() <= room.height()
    assert leave_by_escape(desk, box, qtbot) is before


def test_no_label_set_can_be_edited_in_a_read_only_project(desk, qtbot):
    desk.enter("read-only", qtbot)
    desk.page("label", qtbot)
    desk.curator.menus.run("label.sets")
    assert not [
        b for b in QApplication.topLevelWidgets() if isinstance(b, QDialog) and b.isVisible()
    ]


def test_the_report_of_an_import_lists_each_line_with_its_file_place_and_reason(
    desk, qtbot, tmp_path
):
    """Long names, Arabic and a file that is none: each stands there, none pushes the others out."""
    bad = tmp_path / f"{'schlecht' * 20}.jsonl"
    bad.write_text('{"messages": 7}\n\nno json at all\n{"messages":[]}\n', "utf-8")
    arabic = tmp_path / "ملف.jsonl"
    arabic.write_text(f'{line(ARABIC, ARABIC)}\n{{"messages": "{ARABIC}"}}\n', "utf-8")
    gone = tmp_path / "gone.jsonl"
    with Project.create(tmp_path / "p.curator", "anna") as project:
        report = import_files(
            project, (bad, arabic, gone), progress=no_progress, cancelled=never_cancelled
        )
    desk.enter("many", qtbot)
    desk.page("write", qtbot)
    ImportReportDialog(report, desk.window).open()
    box = open_box(desk, qtbot)
    assert not "\n".join([*faults(box), *nameless(box), *unreached(box), *silent(box)])
    table = box.grid.table()
    rows = [
        tuple(str(table.index(row, column).data()) for column in range(4))
        for row in range(table.rowCount())
    ]
    assert {file for file, *_ in rows} == {bad.name, arabic.name}
    assert [place for file, place, *_ in rows if file == bad.name] == ["line 1", "line 3", "line 4"]
    assert all(why.endswith(".") for *_, why in rows)
    leave_by_escape(desk, box, qtbot)


@pytest.mark.parametrize("state", ["none", "read-only", "many"])
def test_the_palette_tells_a_verb_that_cannot_be_done_from_one_that_can(desk, qtbot, state):
    """Enter on a grey verb says why, on another does it; Esc leaves all as it was."""
    desk.enter(state, qtbot)
    desk.page("start" if state == "none" else "write", qtbot)
    before = QApplication.focusWidget()
    reasons = {
        "none": "Open a project first.",
        "read-only": "This project is open for looking only.",
    }
    for words, opens in (("New conversation", False), ("Keys", True)):
        desk.curator.menus.run("view.palette")
        palette = desk.curator.dialogs._palette
        QTest.keyClicks(palette.field, words)
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        desk.settle(qtbot)
        if opens:
            leave_by_escape(desk, open_box(desk, qtbot), qtbot)
        elif state in reasons:
            assert desk.window.toaster.notices()[-1].detail == reasons[state]
        else:
            assert len(desk.curator.session.index) == 41
            desk.curator.session.undo()
    if state != "many":
        desk.curator.menus.run("view.palette")
        QTest.keyClick(desk.curator.dialogs._palette.field, Qt.Key.Key_Escape)
        assert QApplication.focusWidget() is before
    desk.leave()


@pytest.mark.parametrize("page_id", ["check", "duplicates", "try"])
def test_a_reason_of_any_length_pushes_nothing_out_of_the_window(desk, qtbot, page_id):
    """A path is one word to Qt: a failed page and a notice that name one stay inside the window."""
    reason = ProjectError(f"/home/anna/{LONG_WORD}/desk.curator cannot be read: the disk is full.")
    desk.enter("one", qtbot)
    page = desk.page(page_id, qtbot)
    wide = desk.window.width()
    (page._broken if page_id == "try" else page._fail)(reason)
    desk.curator.session.notify("error", str(reason), str(reason), "Open it", lambda: None)
    desk.settle(qtbot)
    assert not "\n".join(faults(desk.window))
    assert desk.window.width() == wide
    desk.leave()
