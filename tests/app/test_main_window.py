"""The whole window: pages, names for screen readers, drops, notices, folds, the read-only banner."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAccessible, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from curator.app import excepthook
from curator.app.dialogs.bug import BugDialog
from curator.app.main import PAGES, freeze_after_start
from curator.app.page import Page
from curator.app.session.recents import recent_projects, remember_project
from curator.app.session.session import Notice
from curator.app.theme import THEMES, load_tokens
from curator.app.widgets.buttons import ActionButton
from curator.project.store.project import Project
from tests.app.conftest import open_in


def nameless(root: QWidget) -> list[str]:
    """Return the focusable widgets below root that a screen reader could not name."""
    found = []
    for widget in root.findChildren(QWidget):
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or not widget.isVisibleTo(root):
            continue
        if widget.objectName().startswith("qt_") or widget.focusProxy() is not None:
            continue
        seen = QAccessible.queryAccessibleInterface(widget)
        if seen is None or not seen.text(QAccessible.Text.Name).strip():
            found.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    return found


def colours_of(widget: QWidget) -> int:
    picture = widget.grab().toImage()
    points = ((x, y) for x in range(0, picture.width(), 2) for y in range(0, picture.height(), 2))
    return len({picture.pixel(x, y) for x, y in points})


def test_the_first_page_has_four_ways_in(curator):
    assert curator.front.page_id == "start"
    assert not curator.window.rail.isVisible()
    wanted = {"file.write", "file.open", "file.import", "file.sample"}
    assert wanted <= set(curator.menus.available())
    assert nameless(curator.window) == []


def test_every_page_matches_its_entry_and_names_its_controls(curator, project_path, qtbot):
    open_in(curator, project_path, qtbot)
    for entry in PAGES:
        page = curator.show_page(entry.page_id)
        assert isinstance(page, Page)
        assert page.page_id == entry.page_id
        assert page.display_title()
        assert nameless(curator.window) == [], entry.page_id


def test_every_page_survives_an_empty_project(curator, tmp_path, qtbot):
    with qtbot.waitSignal(curator.session.project_changed, timeout=30_000):
        curator.session.new_project(tmp_path / "empty.curator")
    for entry in PAGES:
        curator.show_page(entry.page_id)
        assert colours_of(curator.window) > 10


@pytest.mark.parametrize("filled", [True, False])
def test_every_page_has_the_cursor_where_work_begins(
    curator, project_path, tmp_path, qtbot, filled
):
    path = project_path
    if not filled:
        path = tmp_path / "empty.curator"
        Project.create(path, "anna").close()
    curator.window.activateWindow()
    open_in(curator, path, qtbot)
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=20_000)
    if filled:
        qtbot.waitUntil(curator.pages["write"].list.grid.hasFocus, timeout=20_000)
    # Each page once when it is new, and once more when it is not.
    for entry in (*PAGES[1:], *PAGES):
        curator.window.rail.setFocus()
        page = curator.show_page(entry.page_id)
        qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=20_000)
        assert page.has_focus, entry.page_id
        assert not page.header.isAncestorOf(QApplication.focusWidget()), entry.page_id
        assert QApplication.focusWidget().accessibleName() != "Read the guide"


@pytest.mark.parametrize("name", THEMES)
def test_every_theme_paints_text(curator, name):
    curator.theme.choose(name)
    assert colours_of(curator.window) > 50
    ground = curator.window.grab().toImage().pixelColor(640, 700)
    assert ground.name() == load_tokens(name)["background"]


def test_opening_shows_title_counts_and_place(opened, project_path):
    assert opened.window.windowTitle() == "support desk – Curator"
    assert opened.window.rail.isVisible()
    assert [recent.path for recent in recent_projects()] == [project_path]


def test_going_back_to_the_first_page(opened):
    opened.menus.run("file.close")
    assert opened.front.page_id == "start"
    assert opened.session.project is None
    assert "file.close" not in opened.menus.available()


def test_a_second_window_can_only_look(curator, project_path, qtbot):
    with Project.open(project_path, author="anna"):
        open_in(curator, project_path, qtbot)
        banner = curator.window._banner
        assert banner.isVisibleTo(curator.window)
        assert "has this project open: you can look, not change" in banner._text.text()
        assert "edit.undo" not in curator.menus.available()


def test_undo_names_what_it_takes_back(opened):
    opened.menus.run("label.accept")
    assert opened.menus.entries["edit.undo"].text() == "Undo: Accept"
    opened.menus.run("edit.undo")
    assert opened.menus.entries["edit.redo"].text() == "Redo: Accept"


def test_a_dropped_project_is_opened(curator, project_path, qtbot):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(project_path))])
    drop = QDropEvent(
        QPointF(100, 100),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(curator.session.project_changed, timeout=30_000):
        curator.window.dropEvent(drop)
    assert curator.session.project.path == project_path


def test_the_palette_finds_and_runs(curator, qtbot):
    curator.menus.run("view.palette")
    palette = curator.dialogs._palette
    assert palette.isVisible()
    qtbot.keyClicks(palette.field, "dark")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert curator.theme.choice == "dark"
    curator.menus.run("view.palette")
    assert not palette.none.isVisible()
    qtbot.keyClicks(palette.field, "qqqq")
    assert palette.none.isVisible()
    assert not palette.found.isVisible()
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_opens_a_recent_project(curator, project_path, tmp_path, qtbot):
    other = tmp_path / "clinic.curator"
    Project.create(other, "anna").close()
    for path in (other, project_path):
        open_in(curator, path, qtbot)
    curator.menus.run("view.palette")
    palette = curator.dialogs._palette
    qtbot.keyClicks(palette.field, "recent clin")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: curator.session.project.path == other)


@pytest.mark.parametrize("action_id", ["help.shortcuts", "help.about", "file.preferences"])
def test_boxes_open_and_name_their_controls(curator, action_id):
    curator.menus.run(action_id)
    box = QApplication.activeModalWidget()
    assert box is not None
    assert nameless(box) == []
    box.close()


def test_a_preference_takes_effect_at_once_and_stays(curator):
    store = curator.dialogs.store()
    store.change("author", "Bea")
    store.change("theme", "contrast")
    assert curator.session.author == "Bea"
    assert curator.theme.choice == "contrast"
    with pytest.raises(ValueError, match="epochs"):
        store.change("epochs", 0)
    from curator.app.preference_file import read_stored

    assert read_stored() == {"author": "Bea", "theme": "contrast"}
    store.change("theme", "system")
    assert read_stored() == {"author": "Bea"}


def test_notices_stack_and_the_same_stands_once(curator):
    toaster = curator.window.toaster
    for text in ("one", "two", "two", "three", "four", "five"):
        curator.session.notify("error", text)
    assert [notice.text for notice in toaster.notices()] == ["four", "five"]
    focused = QApplication.focusWidget()
    curator.session.notify("warning", "more", "detail", "Do it", lambda: None)
    assert QApplication.focusWidget() is focused
    assert toaster.notices()[-1].is_same(Notice("warning", "more", "detail", "Do it"))


def test_a_notice_button_acts_and_closes(curator):
    done = []
    curator.session.notify("warning", "x", action_text="Do it", action=lambda: done.append(1))
    toast = curator.window.toaster._toasts[-1]
    toast._act()
    assert done == [1]
    assert curator.window.toaster.notices() == ()


def test_jobs_show_in_the_status_line_until_they_end(curator, qtbot):
    job = curator.jobs.start("Waiting", lambda _p, cancelled: _wait(cancelled))
    row = curator.window.status._rows[job]
    with qtbot.waitSignal(job.ended, timeout=5000):
        row.cancel.click()
    assert curator.window.status._rows == {}


def _wait(cancelled) -> None:
    from threading import Event

    from curator.dataset.errors import Cancelled

    while not cancelled():
        Event().wait(0.005)
    raise Cancelled("x")


def test_the_page_list_folds_where_the_window_is_narrow(opened):
    opened.window.resize(1300, 800)
    assert not opened.window.rail.is_folded
    opened.window.resize(1000, 800)
    assert opened.window.rail.is_folded
    opened.menus.run("view.rail")
    assert not opened.window.rail.is_folded
    opened.window.resize(990, 800)
    assert not opened.window.rail.is_folded


def test_the_inspector_folds(opened):
    slot = opened.window._slot
    assert slot.isVisible()
    opened.menus.run("view.inspector")
    assert not slot.isVisible()
    opened.menus.run("view.inspector")
    assert slot.isVisible()


def test_geometry_comes_back(opened):
    # The screen of the offscreen plugin is 800 x 800; Qt keeps a window inside it.
    opened.window.resize(880, 600)
    opened.window.keep_geometry()
    opened.window.resize(880, 700)
    opened.window.restore_geometry()
    assert opened.window.height() == 600


def test_recent_projects_leave_out_what_is_gone(tmp_path):
    here, gone = tmp_path / "here.curator", tmp_path / "gone.curator"
    here.touch()
    remember_project(gone)
    remember_project(here)
    assert [recent.path for recent in recent_projects()] == [here]


def test_a_bug_is_shown_once_with_a_report(curator, monkeypatch, caplog):
    monkeypatch.setattr(excepthook, "_parents", [curator.window])
    monkeypatch.setattr(excepthook, "_shown", set())

    def bug() -> None:
        raise ValueError("secret of the machine")

    for _ in range(2):
        try:
            bug()
        except ValueError as error:
            excepthook.report_bug(error)
    box = QApplication.activeModalWidget()
    assert isinstance(box, BugDialog)
    assert "ValueError: secret of the machine" in box._report
    assert "Curator " in box._report
    assert nameless(box) == []
    box.close()
    assert len([w for w in QApplication.topLevelWidgets() if w.isVisible()]) == 1
    caplog.clear()


def test_the_corner_of_the_window_moves_its_notices(curator):
    curator.session.notify("error", "stays")
    toast = curator.window.toaster._toasts[0]
    curator.window.resize(1000, 700)
    edge = toast.mapTo(curator.window, QPoint(toast.width(), toast.height()))
    assert edge.x() == curator.window.width() - 16
    assert edge.y() <= curator.window.height() - 28


def test_no_page_file_is_loaded_before_it_is_needed(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys; from curator.app.main import Curator, make_application;"
        "c = Curator(make_application(['x'])); c.window.show();"
        "heavy = {'pandas', 'openai', 'pydantic', 'torch', 'tiktoken', 'numpy'};"
        "print(sorted(heavy & set(sys.modules))); c.window.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert Path(tmp_path).exists()


def test_buttons_of_a_page_are_grey_where_nothing_answers_them(curator, tmp_path, qtbot):
    Project.create(tmp_path / "empty.curator").close()
    open_in(curator, tmp_path / "empty.curator", qtbot)
    page = curator.show_page("check")
    qtbot.waitUntil(lambda: not curator.jobs.running())
    verbs = {b.action_id: b.isEnabled() for b in page.header.findChildren(ActionButton)}
    assert verbs == {"check.run": True, "check.fix_safe": False}


def test_the_collector_passes_over_what_stays(curator, project_path, qtbot, monkeypatch):
    frozen: list[bool] = []
    monkeypatch.setattr("curator.app.main.gc.freeze", lambda: frozen.append(True))
    freeze_after_start(curator, after_ms=1)
    qtbot.waitUntil(lambda: len(frozen) == 1, timeout=20_000)
    open_in(curator, project_path, qtbot)
    qtbot.waitUntil(lambda: len(frozen) >= 2, timeout=20_000)
