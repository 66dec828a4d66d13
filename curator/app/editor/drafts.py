"""The conversation being edited: its draft, and how it becomes Edits without a key being lost.

Typing is written a moment after its first unwritten key, also while it goes on, and when a field is
left; whole steps at once. So a power cut takes at most the last 300 ms.
"""

from typing import Final

from PySide6.QtCore import QObject, Signal

from curator.app.editor.changes import same
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.dataset import ContentPatch, Conversation, Edit
from curator.dataset.errors import CuratorError
from curator.dataset.json_values import BadJson

WRITE_MS: Final = 250
"""How long a key may wait to be written; with the writing itself it stays under 300 ms."""


class Drafts(QObject):
    """Holds one open conversation: opened and refreshed mean read it, typed that a field leads."""

    opened = Signal()
    refreshed = Signal()
    typed = Signal()
    committed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._stored = ""
        self._saved: Conversation | None = None
        self._title = ""
        self._merge_key = ""
        self._pushing = False
        self._visits = 0
        self._unwritten: dict[int, tuple[Conversation, str, str]] = {}
        self.id: int | None = None
        self.draft: Conversation | None = None
        self._idle = single_shot(self, WRITE_MS, self.commit)
        session.edited.connect(self._on_edited)
        session.closing.connect(self._on_closing)
        session.project_changed.connect(self._on_project_changed)

    @property
    def is_dirty(self) -> bool:
        """Whether something typed is not written yet."""
        return self.draft is not None and self.draft is not self._saved

    @property
    def raw(self) -> str | None:
        """The stored line while nothing was changed, else None."""
        return None if self.is_dirty else self._stored

    def open(self, conversation: int | None) -> None:
        """Show another conversation, or none; what is typed is written first.

        What cannot be written, as on a full disk, is there again when its conversation is.
        """
        self.commit()
        if self.is_dirty and self.id is not None and self.draft is not None:
            self._unwritten[self.id] = self.draft, self._title, self._merge_key
        self.id = conversation
        self._read()
        if self.id in self._unwritten:
            self.draft, self._title, self._merge_key = self._unwritten.pop(self.id)
            self._idle.start()
        self.opened.emit()

    def type(self, draft: Conversation, title: str, place: str) -> None:
        """Take over what a field holds now; keys in the same place become one step."""
        merge_key = f"{self.id}.{place}.{id(self)}.{self._visits}"
        if self.is_dirty and merge_key != self._merge_key:
            self.commit()
        self.draft, self._title, self._merge_key = draft, title, merge_key
        if not self._idle.isActive():
            self._idle.start()
        self.typed.emit()

    def change(self, draft: Conversation, title: str) -> bool:
        """Take a whole step and write it at once; returns whether it was written."""
        self.commit()
        if self.draft is None or same(dict(draft.fields), dict(self.draft.fields)):
            return False
        self.draft, self._title, self._merge_key = draft, title, ""
        self.commit()
        if self.is_dirty:
            self._read()
            self.refreshed.emit()
            return False
        self.refreshed.emit()
        return True

    def leave(self) -> None:
        """Write what is typed; keys that come back to the same place are another step."""
        self.commit()
        self._visits += 1

    def commit(self) -> None:
        """Write what is typed, if anything is; on failure it stays a draft and is tried again."""
        self._idle.stop()
        if not self.is_dirty or self.id is None or self.draft is None:
            return
        if self._saved is not None and same(dict(self.draft.fields), dict(self._saved.fields)):
            # Typed and taken back: the stored line keeps its very bytes.
            self.draft = self._saved
            return
        after = self.draft.to_json()
        patch = ContentPatch(self.id, self._stored, after)
        edit = Edit(self._title, self._session.author, (patch,), self._merge_key)
        draft = self.draft
        self._pushing = True
        try:
            changes = self._session.push(edit)
        finally:
            self._pushing = False
        if changes is not None:
            self._stored, self._saved = after, draft
            self.committed.emit()

    def _read(self) -> None:
        self._idle.stop()
        self._stored, self._saved, self.draft = "", None, None
        project = self._session.project
        if project is None or self.id is None:
            self.id = None
            return
        try:
            self._stored = project.content(self.id)
            self._saved = self.draft = Conversation.parse(self._stored)
        except (CuratorError, BadJson) as error:
            self._session.notify("error", str(error))
            self.id = None

    def _on_edited(self, changes: object) -> None:
        conversations = getattr(changes, "conversations", ())
        if self._pushing or self.id is None or self.id not in conversations:
            return
        project = self._session.project
        index = self._session.index
        if project is None or (index is not None and index.row_of(self.id) is None):
            self.id = None
            self._read()
            self.opened.emit()
            return
        if "content" not in getattr(changes, "fields", ()):
            return
        if self.is_dirty:
            # The typed words win; they will be written over what came from elsewhere.
            self._stored = project.content(self.id)
            self._idle.start()
            return
        self._read()
        self.refreshed.emit()

    def _on_project_changed(self) -> None:
        project = self._session.project
        index = self._session.index
        there = project is not None and index is not None and self.id is not None
        if there and index.row_of(self.id) is not None:  # type: ignore[union-attr, arg-type]
            if self.is_dirty:
                self._stored = project.content(self.id)  # type: ignore[union-attr, arg-type]
                self._idle.start()
            else:
                self._read()
                self.refreshed.emit()
            return
        self.id = None
        self._read()
        self.opened.emit()

    def _on_closing(self) -> None:
        """Write what is typed while its project is open; another project has other conversations."""
        self.commit()
        self._idle.stop()
        self._unwritten.clear()
        self.id = self.draft = self._saved = None
