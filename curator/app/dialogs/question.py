"""A question before something is done to many: one sentence, the verb, and Cancel."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from curator.app.counted import counted
from curator.app.session.session import Session
from curator.app.widgets.buttons import PrimaryButton, QuietButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.text import PageTitle, Plain

ASK_OVER: Final = 100
"""A decision on more conversations than this is asked about first."""


class Question(Dialog):
    """Asks once; Cancel has the cursor, so that a key too many does nothing."""

    def __init__(
        self, title: str, words: str, verb: str, go: Callable[[], object], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(480)
        self._go = go
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(PageTitle(title, self))
        self._words = Plain(words, self, wrap=True)
        column.addWidget(self._words)
        row = QHBoxLayout()
        row.addStretch(1)
        cancel = QuietButton(self.tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        go_on = PrimaryButton(verb, self)
        go_on.clicked.connect(self._confirm)
        row.addWidget(cancel)
        row.addWidget(go_on)
        column.addLayout(row)
        cancel.setFocus()

    def _confirm(self) -> None:
        self.accept()
        self._go()


def ask_where_many(
    session: Session, count: int, title: str, verb: str, go: Callable[[], object], asker: QObject
) -> None:
    """Do it at once for up to 100 conversations; for more ask first, over the asker's window.

    The question closes with its project.
    """
    if count <= ASK_OVER:
        go()
        return
    words = asker.tr("This changes {0}. It is one step, and undo takes it back.")
    above: QObject | None = asker
    while above is not None and not isinstance(above, QWidget):
        above = above.parent()
    window = above.window() if isinstance(above, QWidget) else None
    question = Question(title, words.format(counted(count, "conversation")), verb, go, window)
    session.closing.connect(question.reject)
    question.open()
