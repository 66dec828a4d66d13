"""Law: notices do not pile up: two at most, gone after a while, kept where they mattered, gone with their project."""

import pytest
from PySide6.QtCore import QPoint

from curator.app.widgets.toast import MOST, STAYS_MS
from tests.app.conftest import open_in
from tests.app.laws.conftest import settle


@pytest.fixture
def told(whole):
    """Tell five things of each kind and return the window's toaster."""
    for level in ("info", "warning", "error", "success"):
        for number in range(5):
            whole.session.notify(level, f"{level} {number}")
    return whole.window.toaster


def test_two_stand_at_most(told):
    assert len(told.notices()) == MOST == 2
    assert [n.text for n in told.notices()] == ["success 3", "success 4"]


def test_every_notice_goes_by_itself(told, whole):
    assert all(STAYS_MS.values())
    whole.session.notify("error", "with a button", action_text="Do it", action=lambda: None)
    for toast in tuple(told._toasts):
        assert toast.timer.isActive()
        toast.timer.timeout.emit()
    assert told.notices() == ()


def test_what_mattered_and_left_unread_can_be_read_again(whole):
    toaster, unread = whole.window.toaster, whole.window.status._unread
    assert unread.isHidden()
    for text in ("disk full", "key refused", "saved"):
        whole.session.notify("success" if text == "saved" else "error", text)
    for toast in tuple(toaster._toasts):
        toast.timer.timeout.emit()
    assert unread.text() == "2 unread notices"
    assert not unread.isHidden()
    unread.click()
    assert [n.text for n in toaster.notices()] == ["disk full", "key refused"]
    assert unread.isHidden()
    for toast in tuple(toaster._toasts):
        toast._close()
    assert unread.isHidden()


def test_one_under_the_focus_stays(whole):
    whole.session.notify("error", "x", action_text="Do it", action=lambda: None)
    (toast,) = whole.window.toaster._toasts
    toast.findChildren(type(whole.window.status._unread).__mro__[1])[0].setFocus()
    toast.timer.timeout.emit()
    assert whole.window.toaster.notices()


def test_notices_go_with_their_project(told, whole, tmp_path, qtbot):
    from curator.project import Project

    Project.create(tmp_path / "b.curator").close()
    open_in(whole, tmp_path / "b.curator", qtbot)
    settle(whole, qtbot)
    assert told.notices() == ()
    assert whole.window.status._unread.isHidden()


def test_news_of_the_same_take_each_others_place(whole):
    for number in range(4):
        whole.session.undo() if number else whole.session.notify("info", "before")
    texts = [n.text for n in whole.window.toaster.notices()]
    assert len([t for t in texts if t.startswith("Taken back")]) == 1


def test_they_stand_in_the_corner_inside_the_window(told, whole):
    for size in ((1024, 640), (1500, 1000)):
        whole.window.resize(*size)
        for toast in told._toasts:
            corner = toast.mapTo(whole.window, QPoint(0, 0))
            assert corner.x() > size[0] // 2
            assert corner.y() > 0
