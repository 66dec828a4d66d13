"""Law of every page in every state: what is seen is true, what cannot be done says why, and keys reach all of it."""

from typing import NamedTuple

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QTextEdit,
    QWidget,
)

from curator.app.action_pages import why_not
from curator.app.actions import ACTIONS
from curator.app.page import Page
from curator.app.widgets.buttons import looking_only
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.rail import RailButton
from tests.app.layout_faults import faults
from tests.app.pages.conftest import PAGE_IDS, Desk

CONTROLS = (
    QAbstractButton, QComboBox, QAbstractSpinBox, QSlider, QAbstractItemView, QLineEdit, QTextEdit,
    QPlainTextEdit,
)  # fmt: skip

WRITING = {
    entry.id
    for entry in ACTIONS
    if why_not(entry, has_project=True, is_read_only=True) == looking_only()
}


class Seen(NamedTuple):
    """What a page shows in a state: the number in the rail, its subtitle, its title where it is empty, the cursor."""

    rail: int | None
    subtitle: str
    empty: str
    cursor: str


def filled(count: int, check: str, errors: int = 0) -> dict[str, Seen]:
    """Return what is seen of a project with conversations that nobody has worked on."""
    return {
        "write": Seen(count, "", "", "Conversations"),
        "label": Seen(count, f"1 of {count}", "", "Conversation"),
        "check": Seen(errors, check, "", "Rules"),
        "export": Seen(None, "", "", "Shares"),
        **UNTOUCHED,
    }


UNTOUCHED = {
    "duplicates": Seen(None, "", "Not searched yet", "Find duplicates"),
    "train": Seen(None, "", "", "Targets"),
    "try": Seen(None, "", "No model available yet", "Go to Train"),
    "evaluate": Seen(None, "", "No model available yet", "Go to Train"),
}

EXPECTED: dict[str, dict[str, Seen]] = {
    "empty": {
        "write": Seen(0, "", "No conversation chosen, No conversations yet", "New conversation"),
        "label": Seen(0, "", "Nothing to label yet", "Import files"),
        "check": Seen(0, "", "Nothing to check yet", "Import files"),
        "export": Seen(None, "", "Nothing to export yet", "Import files"),
        **UNTOUCHED,
        "duplicates": Seen(None, "", "Nothing to compare yet", "Import files"),
    },
    "one": filled(1, "1 from comparing all"),
    "many": filled(40, "2 errors in 2 conversations · 29 from comparing all", errors=2),
    "long": filled(4, "1 from comparing all"),
    "right-to-left": filled(6, "5 from comparing all"),
}
EXPECTED["read-only"] = EXPECTED["many"]

CASES = [(state, page_id) for state in EXPECTED for page_id in PAGE_IDS]


def name_of(widget: QWidget | None) -> str:
    """Return what a screen reader calls a widget."""
    if widget is None:
        return ""
    words = widget.text() if isinstance(widget, (QAbstractButton, QLabel)) else ""
    return widget.accessibleName() or words


def visible(root: QWidget) -> list[QWidget]:
    return [w for w in root.findChildren(QWidget) if w.isVisible()]


def takes_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) or widget.focusProxy() is not None


def empty_title(page: Page) -> str:
    """Return what the page says where it has nothing to show."""
    shown = [e._title.text() for e in page.findChildren(EmptyState) if e.isVisible()]
    return ", ".join(shown)


def controls(root: QWidget) -> list[QWidget]:
    """Return what somebody can work with, each as a whole; a text that is only read is no control."""
    inside = (QLineEdit, QAbstractSpinBox, QComboBox, QAbstractItemView)
    found = [w for w in visible(root) if isinstance(w, CONTROLS) and not isinstance(w, QHeaderView)]
    read = [w for w in found if isinstance(w, (QTextEdit, QPlainTextEdit)) and w.isReadOnly()]
    return [w for w in found if w not in read and not isinstance(w.parentWidget(), inside)]


def nameless(root: QWidget) -> list[str]:
    return [
        f"{type(w).__name__} of {type(w.parentWidget()).__name__} has no name"
        for w in controls(root)
        if not name_of(w)
    ]


def unreached(root: QWidget) -> list[str]:
    """Say what a mouse can press and no key can reach; the rail is gone through by arrows."""
    return [
        f"{type(w).__name__} {name_of(w)!r} is not reached by Tab"
        for w in controls(root)
        if w.isEnabled() and not takes_tab(w) and not isinstance(w, RailButton)
    ]


def silent(root: QWidget) -> list[str]:
    """Say which buttons are grey without a reason: the last line of the tip is one."""
    return [
        f"{type(w).__name__} {name_of(w)!r} is grey and does not say why: {w.toolTip()!r}"
        for w in visible(root)
        if isinstance(w, QAbstractButton) and not w.isEnabled() and not w.toolTip().rstrip().endswith(".")
    ]  # fmt: skip


def dead(desk: Desk, page: Page) -> list[str]:
    """Say which verbs a read-only project must not offer, and which it gives a wrong reason for."""
    if not desk.curator.session.is_read_only:
        return []
    offered = {**desk.curator._own_slots(), **page.slots()}
    return [f"{action_id} is offered" for action_id in sorted(WRITING & offered.keys())]


@pytest.mark.parametrize(("state", "page_id"), CASES)
def test_a_page_is_what_its_state_says(desk, qtbot, state, page_id):
    desk.enter(state, qtbot)
    page = desk.page(page_id, qtbot)
    seen = Seen(
        page.rail_count(), page.subtitle.text(), empty_title(page), name_of(QApplication.focusWidget())
    )  # fmt: skip
    assert seen == EXPECTED[state][page_id]
    wrong = [
        *(found(desk.window) for found in (faults, nameless, unreached, silent)), dead(desk, page)
    ]  # fmt: skip
    assert not "\n".join(each for some in wrong for each in some)
    assert not desk.window.toaster.notices()


@pytest.mark.parametrize("page_id", ["start", "guide"])
def test_without_a_project_there_are_ways_in(desk, qtbot, page_id):
    desk.enter("none", qtbot)
    desk.page(page_id, qtbot)
    cursor = {"start": "Write from scratch", "guide": "Search the guide"}[page_id]
    assert name_of(QApplication.focusWidget()) == cursor
    wrong = [found(desk.window) for found in (faults, nameless, unreached, silent)]
    assert not "\n".join(each for some in wrong for each in some)
    offered = desk.curator._own_slots()
    assert not WRITING & offered.keys()
    assert {"file.new", "file.open", "file.import", "file.sample", "help.guide"} <= offered.keys()


@pytest.mark.parametrize("page_id", PAGE_IDS)
def test_no_key_and_no_button_of_a_read_only_project_fails(desk, qtbot, page_id):
    """What is not grey there can be pressed: nothing is changed, and nothing ends in an error."""
    desk.enter("read-only", qtbot)
    page = desk.page(page_id, qtbot)
    step = desk.curator.session.project.last_step()
    leaves_the_window = ("Open", "Choose a folder")
    inspector = page.inspector()
    roots = [page] if inspector is None else [page, inspector]
    buttons = [w for root in roots for w in visible(root) if isinstance(w, QAbstractButton)]
    pressed = 0
    for button in buttons:
        if (
            not button.isEnabled()
            or not button.isVisible()
            or name_of(button).startswith(leaves_the_window)
        ):
            continue
        pressed += 1
        button.click()
        desk.settle(qtbot)
        desk.close_boxes()
        if desk.curator.front is not page:
            desk.page(page_id, qtbot)
        told = [n.text for n in desk.window.toaster.notices() if n.level in ("error", "warning")]
        assert not told, (name_of(button), told)
    assert pressed
    assert desk.curator.session.project.last_step() == step


def test_every_page_has_a_row_in_the_table():
    assert {page_id for state in EXPECTED.values() for page_id in state} == {*PAGE_IDS}
    assert all(set(state) == set(PAGE_IDS) for state in EXPECTED.values())


def test_a_reading_verb_never_blames_who_holds_the_project(desk, qtbot):
    """What a read-only project offers somewhere cannot be forbidden there for being read-only."""
    desk.enter("read-only", qtbot)
    offered = set()
    for page_id in PAGE_IDS:
        page = desk.page(page_id, qtbot)
        offered |= {*desk.curator._own_slots(), *page.slots()}
    assert offered
    assert not WRITING & offered
