"""A program that types into the real editor and says every key, until somebody kills it."""

import sys
import time
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication

from curator.app.editor.conversation_editor import ConversationEditor
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.widgets.message_text import MessageText
from curator.project import Project
from curator.project.queries.index import Index


def main() -> None:
    """Type one letter every 20 ms into the first message and print how many there are, and when."""
    app = QApplication(sys.argv)
    session = Session(Jobs(), "typist")
    session.project = Project.open(Path(sys.argv[1]))
    session.index = Index(session.project.path)
    editor = ConversationEditor(session, session.jobs)
    editor.show()
    editor.open(int(session.index.ids[0]))
    field = editor.cards.card(0).content.field
    assert isinstance(field, MessageText)
    field.moveCursor(QTextCursor.MoveOperation.End)
    typed = 0

    def press() -> None:
        nonlocal typed
        none = Qt.KeyboardModifier.NoModifier
        app.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_X, none, "x"))
        typed += 1
        print(typed, time.monotonic(), flush=True)

    clock = QTimer()
    clock.setInterval(20)
    clock.timeout.connect(press)
    editor.draft_counter.ready.connect(clock.start)
    editor.draft_counter.load()
    app.exec()


if __name__ == "__main__":
    main()
