"""Menus, keys and enabled states of all actions, made from ACTIONS."""

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from curator.app.actions import ACTIONS, GROUPS, REPEATING, Action
from curator.app.theme import icon

_LINE_BEFORE: Final = frozenset(
    {
        "file.preferences", "edit.find", "message.next", "label.flag", "label.pick", "label.sets",
        "duplicates.find", "split.assign", "train.target_test", "view.theme_system", "help.about",
    }
)  # fmt: skip
"""Actions that begin a new part of their menu."""


class Menus(QObject):
    """Holds one QAction for every Action and runs the slot that answers it now."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.entries: dict[str, QAction] = {}
        self._slots: dict[str, Callable[[], object]] = {}
        self._is_dressed = False
        menus: dict[str, QMenu] = {}
        for group, title in GROUPS.items():
            text = QCoreApplication.translate("actions", title)
            menus[group] = window.menuBar().addMenu(text)
            menus[group].aboutToShow.connect(self._dress)
            # A menu speaks for its actions, however they are set off; one by one takes longer to join.
            menus[group].triggered.connect(self._triggered)
        for entry in ACTIONS:
            made = self._make(entry, window)
            if entry.id in _LINE_BEFORE:
                menus[entry.group].addSeparator()
            menus[entry.group].addAction(made)
            window.addAction(made)
        self.offer({})

    def offer(self, slots: Mapping[str, Callable[[], object]]) -> None:
        """Enable exactly the actions that something answers; unknown ids are a mistake."""
        unknown = slots.keys() - self.entries.keys()
        if unknown:
            raise KeyError(f"no such action: {', '.join(sorted(unknown))}")
        self._slots = dict(slots)
        for action_id, made in self.entries.items():
            made.setEnabled(action_id in slots)

    def available(self) -> tuple[str, ...]:
        """Return the ids that would do something now."""
        return tuple(self._slots)

    def run(self, action_id: str) -> None:
        """Run an action by its id; one that is not available does nothing."""
        slot = self._slots.get(action_id)
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

    def _dress(self) -> None:
        """Give every action its icon and its tip, once, when a menu is first seen."""
        for entry in ACTIONS if not self._is_dressed else ():
            made = self.entries[entry.id]
            made.setStatusTip(entry.hint())
            made.setToolTip(entry.hint())
            if entry.icon:
                made.setIcon(icon(entry.icon, "text-muted"))
        self._is_dressed = True

    def _triggered(self, chosen: QAction) -> None:
        self.run(chosen.objectName())
