"""How long the whole window is deaf while somebody works in it: opens, types, scrolls, marks many.

Run: python -m tests.benchmarks.bench_turns [ROWS]
"""

import gc
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("CURATOR_CONFIG", tempfile.mkdtemp())

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QTextEdit

from curator.app.annotate.annotating import AnnotationChange, annotate
from curator.app.browse.conversation_list import ConversationList
from curator.app.editor.card_list import CardList
from curator.app.editor.conversation_editor import ConversationEditor
from curator.app.editor.drafts import Drafts
from curator.app.main import Curator, make_application
from curator.app.pages.write import WritePage
from curator.app.session.session import Session
from curator.app.widgets.message_text import MessageText
from curator.dataset import ContentPatch, Edit
from curator.project import Project
from tests.benchmarks.bench_editor import LINE, talk
from tests.benchmarks.turns import Turns

TALKS = {
    "3 messages": talk("Hello there", "Hi, what can I do for you?", "Thanks " * 20),
    "20 messages of 600 characters": talk(*([(LINE * 20)[:600]] * 20)),
    "20 messages of 2,000 characters": talk(*([(LINE * 20)[:2_000]] * 20)),
    "200 messages of 600 characters": talk(*([(LINE * 20)[:600]] * 200)),
    "1,000 messages of 200 characters": talk(*([LINE[:200]] * 1_000)),
    "200 kB in lines": talk((LINE * 1_200)[:200_000], "Yes"),
    "200 kB in one paragraph": talk((LINE * 1_200)[:200_000].replace("\n", " "), "Yes"),
}


def make_project(folder: Path, rows: int) -> Path:
    """Write a project of the talks above and many short ones."""
    path = folder / "turns.curator"
    project = Project.create(path, "bench")
    lines = [*TALKS.values(), *(talk(f"Question {n}", f"Answer {n}") for n in range(rows))]
    ids = project.new_conversation_ids(len(lines))
    patches = (ContentPatch(i, None, line) for i, line in zip(ids, lines, strict=True))
    project.apply(Edit("bench", "bench", tuple(patches)))
    project.close()
    return path


def watch(turns: Turns) -> None:
    """Count as ours what our slots, timers and key handlers take."""
    turns.watch(CardList, "_work")
    turns.watch(MessageText, "_load_more", "keyPressEvent")
    turns.watch(ConversationEditor, "open", "check", "_measure_and_check")
    turns.watch(Drafts, "commit")
    turns.watch(ConversationList, "_choose", "edited", "step")
    turns.watch(WritePage, "_chosen", "_edited", "_show_annotation", "_show_history")
    turns.watch(Session, "push", "_spread")


def press(field: QTextEdit) -> None:
    """Send one letter to a field."""
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, none, "a"))


def bench_opening(page: WritePage, turns: Turns) -> None:
    """Open each talk from the table, as the arrow keys do, and type into its first message."""
    for number in (*range(1, 5), 0):
        page.list.grid.go_to(len(TALKS) + number)
        turns.run()
    turns.all, turns.own = [], []
    for place, name in enumerate(TALKS):
        for _ in range(5):
            page.list.grid.go_to(len(TALKS) + 9)
            known = len(turns.all)
            turns.run()
            del turns.all[known:], turns.own[known:]
            turns.run(partial(page.list.grid.go_to, place))
        turns.say(f"open {name}, 5 times")
        field = page.editor.cards.card(0).content.field
        assert isinstance(field, MessageText)
        field.setFocus()
        field.moveCursor(QTextCursor.MoveOperation.Start)
        turns.run()
        turns.all, turns.own = [], []
        for _ in range(20):
            turns.at_once(partial(press, field))
        turns.say("  a key, 20 times")
        turns.run(page.editor.commit)
        turns.say("  write it durably, check it, show what follows")


def bench_table(page: WritePage, turns: Turns) -> None:
    """Scroll the table and mark all rows."""
    grid = page.list.grid
    turns.run()
    turns.all, turns.own = [], []
    bar = grid.verticalScrollBar()
    for step in range(60):
        turns.run(partial(bar.setValue, step * 84))
    turns.say("scroll the table by 3 rows")
    for part in range(20):
        turns.run(partial(bar.setValue, bar.maximum() * part // 20))
    turns.say("jump in the table")
    turns.run(grid.selectAll)
    turns.say("select all")
    ids = page.list.chosen_ids()
    turns.run(partial(annotate, page.session, ids, AnnotationChange("status", "accepted"), page))
    turns.say(f"accept {len(ids):,} conversations")


def bench_qt(turns: Turns) -> None:
    """Do with a bare QTextEdit what no program can do faster with it."""
    field = QTextEdit()
    field.resize(760, 700)
    field.show()
    turns.run()
    for name, text in (("in lines", LINE * 1_200), ("in one paragraph", LINE.strip() * 1_200)):
        turns.all, turns.own = [], []

        def fill(text: str = text) -> None:
            field.setPlainText(text[:200_000])
            field.document().size()

        turns.run(fill)
        turns.say(f"Qt alone: show 200 kB {name}")
        for _ in range(5):
            turns.run(partial(press, field))
        turns.say("Qt alone: a key in it")
    field.close()


def main() -> None:
    """Print the longest turn and the 95th percentile of everything, and the load."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    app = make_application(["curator"])
    turns = Turns()
    watch(turns)
    with tempfile.TemporaryDirectory() as folder:
        curator = Curator(app)
        curator.window.resize(1280, 800)
        curator.window.show()
        curator.session.open_project(make_project(Path(folder), rows))
        turns.run()
        page = curator.show_page("write")
        gc.freeze()  # as the running app does a moment after a project is open
        assert isinstance(page, WritePage)
        turns.run()
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(
            f"{'ms of CPU in one turn; to reach: 8':<44}{'max':>7}{'p95':>7}   {'':4}{'max':>7}{'p95':>7}"
        )
        page.list.grid.go_to(len(TALKS) + 9)
        bench_table(page, turns)
        bench_opening(page, turns)
        curator.window.close()
        bench_qt(turns)


if __name__ == "__main__":
    main()
