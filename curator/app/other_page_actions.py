"""Actions of pages that are not in front: going to the page is part of the action."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer

from curator.app.action_pages import home_of, is_about_one, why_not
from curator.app.actions import ACTIONS, action
from curator.app.page import Page
from curator.app.session.session import Session
from curator.app.timers import single_shot

_TIMEOUT_MS: Final = 3_000
"""So long may a page take to read what an action needs, before a notice says that it cannot be done."""


class OtherPageActions(QObject):
    """Goes to an action's page and runs it there as soon as the page can.

    An action on the current conversation or message only shows its page: it must not change what was
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
        self._pending = ""
        self._timeout = single_shot(self, _TIMEOUT_MS, self._time_out)

    def slots(self, offered: Collection[str]) -> dict[str, Callable[[], object]]:
        """Return the actions that another page than the one in front answers."""
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
        """Return why each of the other actions cannot be done now."""
        has_project = self._session.project is not None
        is_read_only = has_project and self._session.is_read_only
        return {
            entry.id: why_not(entry, has_project=has_project, is_read_only=is_read_only)
            for entry in ACTIONS
            if entry.id not in offered
        }

    def run_pending(self, offered: Mapping[str, Callable[[], object]]) -> None:
        """Do the pending action, as soon as the page in front offers it."""
        front = self._front()
        if not self._pending or front is None:
            return
        if front.page_id != home_of(self._pending):
            self._pending = ""
        elif self._pending in offered:
            pending, self._pending = self._pending, ""
            QTimer.singleShot(0, offered[pending])

    def _go(self, action_id: str) -> None:
        page = self._show_page(home_of(action_id))
        if is_about_one(action_id):
            entry = action(action_id)
            words = self.tr("{0}: this is its page.").format(entry.label())
            keys = self.tr("Choose what it is about, then press {0}.").format(entry.shortcut)
            self._session.notify("info", words, keys if entry.shortcut else "")
            return
        self._pending = action_id
        self._timeout.start()
        self.run_pending(page.slots())

    def _time_out(self) -> None:
        if self._session.jobs.running():
            # What the action needs may be among what is being read.
            self._timeout.start()
            return
        pending, self._pending = self._pending, ""
        front = self._front()
        if not pending or front is None or front.page_id != home_of(pending):
            return
        entry = action(pending)
        is_read_only = self._session.is_read_only
        reason = why_not(entry, has_project=True, is_read_only=is_read_only)
        self._session.notify(
            "info", self.tr("{0} cannot be done now.").format(entry.label()), reason
        )
