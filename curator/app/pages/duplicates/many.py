"""Removing all copies and bringing many back: each one step, asked about where it touches many."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from curator.app.counted import counted
from curator.app.dialogs.question import ask_where_many
from curator.app.session.session import Session
from curator.dataset import Edit


def remove_copies(session: Session, edit: Edit, page: QWidget) -> None:
    """Apply the removal of all copies, and tell of it with its undo."""
    count = len(edit.conversations())

    def go() -> None:
        if session.push(edit) is not None:
            words = _tr("{0} removed, and still in the list of removed ones.")
            session.tell_step(words.format(counted(count, "duplicate")))

    verb = _tr("Remove all copies")
    ask_where_many(session, count, verb, verb, go, page)


def restore(session: Session, ids: Sequence[int], page: QWidget) -> None:
    """Bring conversations back, and tell of more than one with the undo."""
    project = session.project

    def go() -> None:
        from curator.project import duplicates

        if project is None or session.project is not project:
            return
        edit = duplicates.restoring(project, ids)
        if session.push(edit) is not None and len(ids) > 1:
            session.tell_step(_tr("{0} restored.").format(counted(len(ids), "conversation")))

    verb = _tr("Restore")
    ask_where_many(session, len(ids), verb, verb, go, page)


def _tr(text: str) -> str:
    return QCoreApplication.translate("DuplicatesPage", text)
