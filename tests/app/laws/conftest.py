"""The whole window with something on every page, and a hand that goes through all of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)

from curator.app.main import PAGES, Curator
from curator.app.shortcuts import takes_text
from curator.dataset import AnnotationPatch, ContentPatch, Edit, LabelSet
from curator.project.labels import label_sets_patch
from curator.project.store.project import Project
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import State
from curator.tune.targets.profiles import derive_target, save_target
from tests.app.conftest import open_in, without_trainer
from tests.tune.protocol_server import KEY, ProtocolServer

BASE, TUNED = "gpt-4.1-mini-2025-04-14", "ft:gpt-4.1-mini:desk"

TOOL = {
    "type": "function",
    "function": {
        "name": "find_card",
        "description": "Finds a card.",
        "parameters": {"type": "object", "properties": {"id": {"type": "string"}}},
    },
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "find_card", "arguments": '{"id": "7"}'},
}
RICH = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "name": "bob", "content": "Where is my card?", "colour": "blue"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "lost"},
        {"role": "assistant", "content": "It is lost."},
        {"role": "user", "content": [{"type": "text", "text": "And now?"}]},
        {"role": "assistant", "content": "A new one comes."},
    ],
    "tools": [TOOL],
}
"""A conversation that needs every kind of field the editor has."""


def plain(number: int) -> str:
    """A line that is a copy of every fourth other one."""
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": f"Question {number % 4}"},
        {"role": "assistant", "content": f"Answer {number % 4}"},
    ]
    return json.dumps({"messages": turns})


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    without_trainer(monkeypatch)


@contextmanager
def answering(patch: pytest.MonkeyPatch) -> Iterator[ProtocolServer]:
    """Let a service answer, and a job be finished there, so that Train and Try have all their fields."""
    with ProtocolServer() as running:
        mine = derive_target("custom", "mine", "My server", {"address": running.url})
        save_target(mine.model_copy(update={"bases": (BASE,)}))
        patch.setenv("CURATOR_MINE_KEY", KEY)
        with closing(JobTable()) as table:
            table.add(
                Job("t", "mine", running.url, BASE, job="ftjob-1", status=State.SUCCEEDED,
                    checkpoint=TUNED, suffix="desk")
            )  # fmt: skip
        yield running


@pytest.fixture
def server(monkeypatch) -> Iterator[ProtocolServer]:
    """A service that answers."""
    with answering(monkeypatch) as running:
        yield running


def make_rich(path: Path) -> Path:
    """Write nine conversations: the first one has everything, the others repeat each other."""
    with Project.create(path, "anna") as project:
        ids = project.new_conversation_ids(9)
        lines = [json.dumps(RICH), *(plain(number) for number in range(8))]
        patches = tuple(ContentPatch(i, None, line) for i, line in zip(ids, lines, strict=True))
        project.apply(Edit("Write", "anna", patches))
        sets = (
            LabelSet("Intent", "choice", ("card", "transfer", "other"), "What is wanted"),
            LabelSet("Tone", "rating", ("1", "2", "3")),
        )
        project.apply(Edit("Label sets", "anna", (label_sets_patch(project, sets),)))
        note = AnnotationPatch("note", (1,), ("",), ("first note",))
        tags = AnnotationPatch("tags", (1,), ([],), (["gold"],))
        project.apply(Edit("Mark", "anna", (note, tags)))
    return path


@pytest.fixture
def rich_path(tmp_path) -> Path:
    """The project of nine conversations."""
    return make_rich(tmp_path / "desk.curator")


@pytest.fixture
def whole(curator: Curator, rich_path, server, qtbot) -> Curator:
    """The window with the rich project open, its editor unfolded, and every page built."""
    open_in(curator, rich_path, qtbot)
    curator.window.resize(1500, 1000)
    curator.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is curator.window)
    qtbot.waitUntil(lambda: len(curator.pages) > len(PAGES), timeout=60_000)
    settle(curator, qtbot)
    return curator


def settle(curator: Curator, qtbot) -> None:
    """Wait until nothing works in the background."""
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=60_000)


def visit(curator: Curator, page_id: str, qtbot) -> QWidget:
    """Go to a page and wait until it shows all it has."""
    page = curator.show_page(page_id)
    settle(curator, qtbot)
    if page_id == "write":
        page.list.go_to(1)
        page.editor.tools.unfold()
        for number in range(len(page.editor.cards.placeholders)):
            page.editor.cards.card(number)
    settle(curator, qtbot)
    return page


def seen(curator: Curator, kinds: tuple[type, ...] | type) -> list[QWidget]:
    """Return the widgets of some kinds that are on the screen and can be used."""
    window = curator.window
    found = [w for kind in _tuple(kinds) for w in window.findChildren(kind)]
    return [w for w in dict.fromkeys(found) if w.isVisible() and w.isEnabled()]


def texts(curator: Curator) -> list[QWidget]:
    """Return every text that can be written in now; a number's digits are no text."""
    fields = seen(curator, (QLineEdit, QTextEdit, QPlainTextEdit))
    return [f for f in fields if takes_text(f) and f.objectName() != "qt_spinbox_lineedit"]


def words_of(field: QWidget) -> str:
    """Return what stands in a text."""
    return field.text() if isinstance(field, QLineEdit) else field.toPlainText()


def name_of(widget: QWidget) -> str:
    """Return how a failing test calls a widget."""
    parent = widget.parentWidget()
    words = widget.accessibleName() or (parent.accessibleName() if parent is not None else "")
    return f"{type(widget).__name__} {words!r}"


def bring(widget: QWidget) -> QPoint:
    """Scroll a widget into view; returns its middle."""
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(widget)
        above = above.parentWidget()
    QTest.qWait(1)
    return widget.rect().center()


@pytest.fixture
def told(curator: Curator) -> list[str]:
    """Everything the window tells from now on."""
    found: list[str] = []
    hear: Callable[[object], None] = lambda notice: found.append(notice.text)  # noqa: E731
    curator.session.notice.connect(hear)
    return found


def _tuple(kinds: tuple[type, ...] | type) -> tuple[type, ...]:
    return kinds if isinstance(kinds, tuple) else (kinds,)
