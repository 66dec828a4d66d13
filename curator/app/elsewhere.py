"""Verbs of pages that are not in front: going to the page is part of the verb."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer

from curator.app.actions import ACTIONS, action
from curator.app.page import Page
from curator.app.session.session import Session
from curator.app.verbs import home_of, is_about_one, why_not

_PATIENCE_MS: Final = 3_000
"""So long may a page take to read what a verb needs, before it is said that it cannot be done."""


class Elsewhere(QObject):
    """Goes to a verb's page and does it there as soon as the page can.

    A verb about the conversation or message at hand is only led to: it must not act on what was
    not seen.
    """

    def __init__(
        self,
        session: Session,
        front: Callable[[], Page | None],
        show_page: Callable[[str], Page],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._front = front
        self._show_page = show_page
        self._wish = ""
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._give_up)

    def slots(self, offered: Collection[str]) -> dict[str, Callable[[], object]]:
        """Return the verbs that another page than the one in front does."""
        if self._session.project is None:
            return {}
        front = self._front()
        here = front.page_id if front is not None else ""
        return {
            entry.id: partial(self._go, entry.id)
            for entry in ACTIONS
            if entry.id not in offered and home_of(entry.id) not in ("", here)
        }

    def reasons(self, offered: Collection[str]) -> dict[str, str]:
        """Return why each of the other verbs cannot be done now."""
        has_project = self._session.project is not None
        is_read_only = has_project and self._session.is_read_only
        return {
            entry.id: why_not(entry, has_project=has_project, is_read_only=is_read_only)
            for entry in ACTIONS
            if entry.id not in offered
        }

    def look(self, offered: Mapping[str, Callable[[], object]]) -> None:
        """Do what was wished for, as soon as the page in front offers it."""
        front = self._front()
        if not self._wish or front is None:
            return
        if front.page_id != home_of(self._wish):
            self._wish = ""
        elif self._wish in offered:
            wish, self._wish = self._wish, ""
            QTimer.singleShot(0, offered[wish])

    def _go(self, action_id: str) -> None:
        page = self._show_page(home_of(action_id))
        if is_about_one(action_id):
            entry = action(action_id)
            words = self.tr("{0}: this is its page.").format(entry.label())
            keys = self.tr("Choose what it is about, then press {0}.").format(entry.shortcut)
            self._session.tell("info", words, keys if entry.shortcut else "")
            return
        self._wish = action_id
        self._patience.start()
        self.look(page.slots())

    def _give_up(self) -> None:
        if self._session.jobs.running():
            # What the verb needs may be among what is being read.
            self._patience.start()
            return
        wish, self._wish = self._wish, ""
        front = self._front()
        if not wish or front is None or front.page_id != home_of(wish):
            return
        entry = action(wish)
        is_read_only = self._session.is_read_only
        reason = why_not(entry, has_project=True, is_read_only=is_read_only)
        self._session.tell("info", self.tr("{0} cannot be done now.").format(entry.label()), reason)
