"""How fast the window answers: typing, counting, opening a conversation, a frame of a million rows.

Run: python -m tests.benchmarks.bench_editor [ROWS]
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import QApplication

from curator.app.editor.conversation_editor import ConversationEditor
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.tables.conversations import ConversationTable
from curator.app.tables.grid import GridView
from curator.app.theme import Theme
from curator.app.widgets.message_text import MessageText
from curator.curate.analysis.tokens import counter
from curator.dataset import ContentPatch, Edit
from curator.project import Project
from curator.project.queries.index import Index

LINE = "The quick brown fox jumps over the lazy dog and goes on. " * 3 + "\n"
LIMITS_MS = {"count at 200 kB": 1.0, "frame": 16.0, "key": 16.0}


def cpu_ms(work: Callable[[], object], times: int = 20) -> float:
    """Return the median CPU time of some runs, in milliseconds."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append((time.process_time() - began) * 1000)
    return statistics.median(spent)


def say(name: str, value: float, limit: str = "") -> None:
    """Print one figure, and the one to keep within."""
    over = " OVER" if limit and value > LIMITS_MS[limit] else ""
    wanted = f"   (to reach: {LIMITS_MS[limit]:.0f}){over}" if limit else ""
    print(f"{name:<58}{value:>10.2f} ms CPU{wanted}")


def press(field: MessageText, app: QApplication) -> None:
    """Type one letter and let the window paint it."""
    none = Qt.KeyboardModifier.NoModifier
    app.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, none, "a"))
    app.processEvents()


def wait_until(ready: Callable[[], bool]) -> None:
    """Run the event loop until something is there."""
    for _ in range(1_000):
        if ready():
            return
        loop = QEventLoop()
        QTimer.singleShot(20, loop.quit)
        loop.exec()


def talk(*texts: str) -> str:
    """Return a line whose messages say these texts in turn."""
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return json.dumps({"messages": messages})


def bench_editor(app: QApplication, folder: Path) -> None:
    """Type into conversations of several shapes."""
    session = Session(Jobs(), "bench")
    project = Project.create(folder / "bench.curator", "bench")
    lines = {
        "two short turns": talk("Hello there", "Hi, what can I do for you?"),
        "20 turns of 2 kB": talk(*([(LINE * 20)[:2_000]] * 20)),
        "1,000 turns of 200 B": talk(*([LINE[:200]] * 1_000)),
        "one message of 200 kB in lines": talk((LINE * 1_200)[:200_000], "Yes"),
        "one paragraph of 200 kB": talk((LINE * 1_200)[:200_000].replace("\n", " "), "Yes"),
    }
    ids = project.new_conversation_ids(len(lines))
    patches = (ContentPatch(i, None, line) for i, line in zip(ids, lines.values(), strict=True))
    project.apply(Edit("bench", "bench", tuple(patches)))
    session.project, session.index = project, Index(project.path)
    editor = ConversationEditor(session, session.jobs)
    editor.resize(840, 760)
    editor.show()
    editor.draft_counter.load()
    wait_until(lambda: editor.draft_counter.measure(project.conversation(ids[0])) is not None)
    for conversation, name in zip(ids, lines, strict=True):
        editor.open(None)
        began = time.process_time()
        editor.open(conversation)
        app.processEvents()
        say(f"open and paint: {name}", (time.process_time() - began) * 1000)
        field = editor.cards.card(0).content.field
        assert isinstance(field, MessageText)
        field.setFocus()
        for _ in range(3):
            press(field, app)
        say("  key to painted letter, tokens counted", cpu_ms(partial(press, field, app)), "key")
        say("  of that, counting", editor.count_seconds * 1000)
        editor.check()
        began = time.process_time()
        editor.commit()
        say("  writing it durably", (time.process_time() - began) * 1000)
    session.jobs.shutdown()
    session.close_project()


class WideIndex:
    """As many rows as wanted, without a file."""

    def __init__(self, rows: int) -> None:
        numbers = np.random.default_rng(0)
        self.ids = np.arange(1, rows + 1)
        self.tokens = numbers.integers(10, 4_000, rows, dtype=np.int32)
        self.n_turns = numbers.integers(1, 9, rows, dtype=np.int32)
        self.errors = numbers.integers(0, 2, rows, dtype=np.int32)
        self.warnings = numbers.integers(0, 3, rows, dtype=np.int32)
        self.status = numbers.integers(0, 4, rows, dtype=np.int8)
        self.split = numbers.integers(0, 4, rows, dtype=np.int8)
        self.updated = np.full(rows, int(time.time() * 1000))
        self.annotated = np.zeros(rows, np.int64)
        self.tokens_exact = np.ones(rows, np.bool_)
        self.flag = np.zeros(rows, np.bool_)
        self.removed = np.zeros(rows, np.bool_)
        self.tagged = np.zeros(rows, np.bool_)


class WideProject:
    """Answers as fast as a file that is in the cache."""

    def titles(self, ids: list[int]) -> list[str]:
        """Return a title for each id."""
        return [f"Conversation {i} about a refund and some more words" for i in ids]

    def setting(self, _name: str, default: object = None) -> object:
        """Know no settings."""
        return default


def bench_table(app: QApplication, rows: int) -> None:
    """Scroll, jump, select and re-order a table of many rows."""
    session = Session(Jobs(), "bench")
    session.index, session.project = WideIndex(rows), WideProject()  # type: ignore[assignment]
    table = ConversationTable(session)
    grid = GridView("Conversations")
    grid.set_table(table)
    grid.resize(900, 28 * 30 + 32)
    order = np.arange(rows, dtype=np.int32)
    began = time.process_time()
    table.set_rows(order)
    grid.show()
    app.processEvents()
    say(f"{rows:,} rows: set and first paint", (time.process_time() - began) * 1000)
    picture = QImage(grid.viewport().size(), QImage.Format.Format_RGB32)
    bar = grid.verticalScrollBar()
    places = iter(np.linspace(0, bar.maximum(), 64).astype(int).tolist())

    def frame(step: int) -> Callable[[], None]:
        def paint() -> None:
            bar.setValue(next(places) if step == 0 else bar.value() + step)
            painter = QPainter(picture)
            grid.viewport().render(painter, QPoint())
            painter.end()

        return paint

    say("  one frame after a jump (30 rows x 8 columns)", cpu_ms(frame(0), 40), "frame")
    say("  one frame of scrolling by 3 rows", cpu_ms(frame(84), 60), "frame")
    say("  select all and paint", cpu_ms(lambda: (grid.selectAll(), app.processEvents()), 3))
    say("  ids of all selected", cpu_ms(lambda: table.ids_between(grid.selected_ranges()), 3))
    say("  show another order", cpu_ms(lambda: table.set_rows(order[::-1]), 3))
    grid.close()
    session.jobs.shutdown()


def main() -> None:
    """Print every figure, and what else the machine was doing."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    app = QApplication.instance() or QApplication(sys.argv)
    assert isinstance(app, QApplication)
    Theme(app, "light")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    fast = counter("o200k_base")
    fast.accelerate()
    text = (LINE * 1_200)[:200_000]
    say(
        f"count of a 200 kB text ({fast.engine})",
        cpu_ms(lambda: fast.count(text)),
        "count at 200 kB",
    )
    with tempfile.TemporaryDirectory() as folder:
        bench_editor(app, Path(folder))
    bench_table(app, rows)


if __name__ == "__main__":
    main()
