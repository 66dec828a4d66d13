"""What undo and redo did: said in a notice, and shown where it was."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from curator.app.counted import counted
from curator.app.page import OpenRequest, Page
from curator.app.session.session import Notice, Session

if TYPE_CHECKING:
    from curator.project.store.changes import Changes


class UndoNotice(QObject):
    """Follows every step that is taken back or done again; nothing changes out of sight without a word."""

    def __init__(
        self,
        session: Session,
        front: Callable[[], Page | None],
        go: Callable[[OpenRequest], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._front = front
        self._go = go
        session.step_undone.connect(self._tell)

    def _tell(self, changes: "Changes", again: bool) -> None:  # noqa: FBT001 - a Qt slot
        place, page = self._place(changes), self._front()
        is_shown = place is not None and page is not None and page.show_change(place, changes)
        if place is not None and not is_shown and len(changes.conversations) == 1:
            # A step on many belongs to the page that shows them all; a single one is shown itself.
            self._go(OpenRequest("write", place))
            page = self._front()
            is_shown = page is not None and page.show_change(place, changes)
        words = self.tr("Done again: {0}") if again else self.tr("Taken back: {0}")
        action: Callable[[], object] | None = None
        button = ""
        if place is not None and not is_shown:
            button, action = self.tr("Show it"), self._showing(place)
        text = words.format(changes.edit.title)
        notice = Notice("info", text, self._where(changes), button, action, topic="undo")
        self._session.notice.emit(notice)

    def _showing(self, conversation: int) -> Callable[[], object]:
        return lambda: self._go(OpenRequest("write", conversation))

    def _place(self, changes: "Changes") -> int | None:
        """Return the conversation to show: the current one where it is among them, else the first."""
        index = self._session.index
        if index is None:
            return None
        if self._session.current in changes.conversations:
            return self._session.current
        return next((id_ for id_ in changes.conversations if index.row_of(id_) is not None), None)

    def _where(self, changes: "Changes") -> str:
        count = len(changes.conversations)
        if count == 1:
            return self.tr("In conversation {0}").format(changes.conversations[0])
        return self.tr("In {0}").format(counted(count, "conversation")) if count else ""
