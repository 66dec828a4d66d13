"""Menus, keys and enabled states of all actions, made from ACTIONS."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from curator.app.action_pages import is_about_one
from curator.app.actions import ACTIONS, GROUPS, REPEATING, Action, action
from curator.app.shortcuts import is_plain
from curator.app.theme import icon

_LINE_BEFORE: Final = frozenset(
    {
        "file.preferences", "edit.find", "message.next", "label.flag", "label.pick", "label.sets",
        "duplicates.find", "split.assign", "train.target_test", "view.theme_system", "help.about",
    }
)  # fmt: skip
"""Actions that begin a new part of their menu."""


_OF_LISTS: Final = frozenset({"edit.select_all", "conversation.paste"})
"""Their keys mean the current list or text on every page, so they never change the page."""


class Menus(QObject):
    """Holds one QAction for every Action and runs the slot that answers it now."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.entries: dict[str, QAction] = {}
        self._slots: dict[str, Callable[[], object]] = {}
        self._on_other_pages: dict[str, Callable[[], object]] = {}
        self.reasons: dict[str, str] = {}
        self._has_icons = False
        self._menus = menus = dict[str, QMenu]()
        for group, title in GROUPS.items():
            text = QCoreApplication.translate("actions", title)
            menus[group] = window.menuBar().addMenu(text)
            menus[group].setToolTipsVisible(True)
            menus[group].aboutToShow.connect(self._add_icons_and_tips)
            # A menu speaks for its actions, however they are set off; one by one takes longer to join.
            menus[group].triggered.connect(self._triggered)
        for entry in ACTIONS:
            made = self._make(entry, window)
            if entry.id in _LINE_BEFORE:
                menus[entry.group].addSeparator()
            menus[entry.group].addAction(made)
            window.addAction(made)
        self.offer({})

    def offer(
        self,
        slots: Mapping[str, Callable[[], object]],
        on_other_pages: Mapping[str, Callable[[], object]] | None = None,
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        """Enable the actions that something answers; unknown ids are a mistake.

        on_other_pages are those that another page does: going there is part of them. reasons say why
        the others cannot be done now.
        """
        unknown = slots.keys() - self.entries.keys()
        if unknown:
            raise KeyError(f"no such action: {', '.join(sorted(unknown))}")
        self._slots, self._on_other_pages = dict(slots), dict(on_other_pages or {})
        before, self.reasons = self.reasons, dict(reasons or {})
        for action_id, made in self.entries.items():
            is_on = action_id in slots or self._reaches(action_id)
            is_news = is_on != made.isEnabled()
            made.setEnabled(is_on)
            if self._has_icons and (
                is_news or before.get(action_id) != self.reasons.get(action_id)
            ):
                self._update_text(action(action_id))

    def _reaches(self, action_id: str) -> bool:
        """Whether menu and key of an action open another page: a bare letter never does."""
        if action_id not in self._on_other_pages or is_about_one(action_id):
            return False
        return action_id not in _OF_LISTS and not _is_bare(action(action_id).shortcut)

    def insert(self, menu: QMenu, before: str) -> None:
        """Put a menu of another's making in front of an action."""
        group = action(before).group
        self._menus[group].insertMenu(self.entries[before], menu)

    def available(self) -> tuple[str, ...]:
        """Return the ids that would do something on this page now."""
        return tuple(self._slots)

    def run(self, action_id: str) -> None:
        """Run an action by its id; one that is not available does nothing."""
        slot = self._slots.get(action_id) or self._on_other_pages.get(action_id)
        if slot is not None:
            slot()

    def rename(self, action_id: str, text: str) -> None:
        """Show another text in the menu, such as what undo would take back."""
        self.entries[action_id].setText(text.replace("&", "&&"))

    def _make(self, entry: Action, window: QMainWindow) -> QAction:
        made = QAction(entry.label(), window)
        made.setObjectName(entry.id)
        made.setAutoRepeat(entry.id in REPEATING)
        if entry.shortcut:
            made.setShortcut(QKeySequence(entry.shortcut))
        self.entries[entry.id] = made
        return made

    def _add_icons_and_tips(self) -> None:
        """Give every action its icon and its tip, once, when a menu is first seen."""
        for entry in ACTIONS if not self._has_icons else ():
            self._update_text(entry)
            if entry.icon:
                self.entries[entry.id].setIcon(icon(entry.icon, "text-muted"))
        self._has_icons = True

    def _update_text(self, entry: Action) -> None:
        made = self.entries[entry.id]
        reason = "" if made.isEnabled() else self.reasons.get(entry.id, "")
        words = "\n".join(filter(None, (entry.hint(), reason)))
        if made.toolTip() != words:
            made.setToolTip(words)
            made.setStatusTip(words)

    def _triggered(self, chosen: QAction) -> None:
        self.run(chosen.objectName())


@cache
def _is_bare(shortcut: str) -> bool:
    return bool(shortcut) and is_plain(QKeySequence(shortcut))
