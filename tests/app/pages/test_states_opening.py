"""Law of opening: what cannot be opened is named and takes nothing away; the last one asked for is shown."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QComboBox

from tests.app.layout_faults import faults
from tests.app.pages.test_states_pages import name_of


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def gone(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "nothing in it": nothing, "half of it": half, "gone": gone, "a folder": folder,
}  # fmt: skip


@pytest.fixture
def damaged(projects, tmp_path, request) -> Path:
    """A project that was whole once."""
    path = tmp_path / "broken desk.curator"
    path.write_bytes(projects["one"].read_bytes())
    DAMAGES[request.param](path)
    return path


def open_in_vain(desk, path: Path, qtbot) -> None:
    desk.curator.session.open_project(path)
    desk.settle(qtbot)
    qtbot.waitUntil(lambda: bool(desk.window.toaster.notices()), timeout=10_000)
    (notice,) = desk.window.toaster.notices()
    assert notice.level == "error"
    assert path.name in f"{notice.text} {notice.detail}"
    assert not faults(desk.window)


@pytest.mark.parametrize("damaged", DAMAGES, indirect=True)
def test_what_cannot_be_opened_is_named_on_the_first_page(desk, qtbot, damaged):
    desk.enter("none", qtbot)
    desk.page("start", qtbot)
    open_in_vain(desk, damaged, qtbot)
    assert desk.curator.front.page_id == "start"
    assert name_of(QApplication.focusWidget()) == "Write from scratch"
    assert desk.window.windowTitle() == "Curator"
    assert not desk.window.rail.isVisible()


@pytest.mark.parametrize("damaged", DAMAGES, indirect=True)
def test_what_cannot_be_opened_leaves_the_open_project_as_it_is(desk, qtbot, damaged):
    desk.enter("many", qtbot)
    page = desk.page("label", qtbot)
    page._reopen(3)
    open_in_vain(desk, damaged, qtbot)
    assert desk.curator.front is page
    assert page.subtitle.text() == "3 of 40"
    assert page.queue.current == desk.curator.session.current == 3
    assert desk.window.windowTitle() == "many – Curator"


def test_of_two_that_are_opened_at_once_the_last_one_is_shown(desk, projects, qtbot):
    desk.enter("none", qtbot)
    for name in ("many", "one"):
        desk.curator.session.open_project(projects[name])
    desk.settle(qtbot)
    qtbot.waitUntil(lambda: desk.curator.session.project is not None, timeout=20_000)
    desk.settle(qtbot)
    assert desk.window.windowTitle() == "one – Curator"
    assert desk.curator.pages["write"].rail_count() == 1
    desk.leave()


def test_a_base_of_this_computer_is_offered_and_says_what_it_lacks(desk, qtbot):
    """Without a trainer the target of this computer cannot start, says so, and names the way on."""
    desk.enter("many", qtbot)
    page = desk.page("train", qtbot)
    page.targets.choose("this-computer")
    desk.settle(qtbot)
    assert page.composer.target.id == "this-computer"
    boxes = {name_of(box): box for box in page.findChildren(QComboBox) if box.isVisible()}
    base = boxes["Base model"]
    assert "tiny" in [base.itemText(place) for place in range(base.count())]
    assert "train.start" not in page.slots()
    assert "\n" in page._buttons[1].toolTip()
    assert not faults(desk.window)
    desk.leave()
