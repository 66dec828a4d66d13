"""A question before something is done to many: one sentence, the verb, and Cancel."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from curator.app.counted import counted
from curator.app.session.session import Session
from curator.app.widgets.buttons import DangerButton, FlatButton, PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.text import PageTitle, Plain

CONFIRM_OVER: Final = 100
"""A decision on more conversations than this is asked about first."""


_WIDE_PX: Final = 480


class Question(Dialog):
    """Asks once; the button that changes nothing has the focus, so that a key too many does nothing.

    no is what that button says instead of Cancel; is_danger marks a press that loses something.
    """

    def __init__(
        self,
        title: str,
        words: str | Sequence[str],
        verb: str,
        go: Callable[[], object],
        parent: QWidget | None,
        *,
        no: str = "",
        is_danger: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(_WIDE_PX)
        self._go = go
        sentences = (words,) if isinstance(words, str) else words
        labels = [Plain(each, self, wrap=True) for each in sentences]
        cancel = FlatButton(no or self.tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        go_on = (DangerButton if is_danger else PrimaryButton)(verb, self)
        go_on.clicked.connect(self._confirm)
        self.add(PageTitle(title, self), *labels, hbox(STRETCH, cancel, go_on))
        # Qt would give wrapped words the height that they need in another width.
        self.fit(_WIDE_PX, self.heightForWidth(_WIDE_PX))
        cancel.setFocus()

    def _confirm(self) -> None:
        self.accept()
        self._go()


def confirm_if_many(
    session: Session, count: int, title: str, verb: str, go: Callable[[], object], asker: QObject
) -> None:
    """Do it at once for up to 100 conversations; for more ask first, over the asker's window.

    The question closes with its project.
    """
    if count <= CONFIRM_OVER:
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
