"""The command palette: any action by a few letters of its name."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QCoreApplication, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidgetItem, QWidget

from curator.app.actions import GROUPS, Action, action
from curator.app.dialogs.palette_match import NO_MATCH, score
from curator.app.dialogs.search_sheet import SearchSheet
from curator.app.theme import icon
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.text import Meta, Plain

WIDTH_PX: Final = 560
ROWS: Final = 10
ROW_PX: Final = 36
_TEXT = Qt.ItemDataRole.AccessibleTextRole


class CommandPalette(SearchSheet):
    """A sheet over the window's upper middle; chosen carries the id of the action."""

    chosen = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, width=WIDTH_PX, rows=ROWS, row_px=ROW_PX)
        self._actions: tuple[Action, ...] = ()
        self._reasons: Mapping[str, str] = {}
        self.field.setPlaceholderText(self.tr("What do you want to do?"))
        self.field.setAccessibleName(self.tr("Find an action"))
        self.found.setAccessibleName(self.tr("Actions"))
        vbox(self.field, self.found, parent=self, spacing=8, margins=8)

    def ask(self, action_ids: Sequence[str], reasons: Mapping[str, str]) -> None:
        """Show actions and take letters; those with a reason cannot be done now, and stand last."""
        known = [action(each) for each in action_ids if each != "view.palette"]
        self._reasons = reasons
        self._actions = tuple(sorted(known, key=lambda entry: entry.id in reasons))
        self.open_at(QPoint((self.window_below.width() - WIDTH_PX) // 2, 72))

    def search(self, typed: str) -> None:
        """List the actions whose name fits the letters."""
        ranked = [(score(typed, entry.label()), entry) for entry in self._actions]
        if typed.strip():
            ranked.sort(key=lambda pair: -pair[0])
        for worth, entry in ranked:
            if worth != NO_MATCH or not typed.strip():
                self._add(entry)

    def choose(self, item: QListWidgetItem, event: QKeyEvent | None) -> None:
        """Leave, and tell which action was chosen."""
        del event
        self.leave()
        self.chosen.emit(str(item.data(Qt.ItemDataRole.UserRole)))

    def _add(self, entry: Action) -> None:
        item = QListWidgetItem(self.found)
        item.setData(Qt.ItemDataRole.UserRole, entry.id)
        reason = self._reasons.get(entry.id, "")
        item.setData(_TEXT, "\n".join(filter(None, (entry.hint(), reason))))
        item.setToolTip(reason)
        row = QWidget(self.found)
        picture = Plain("", row)
        picture.setPixmap(icon(entry.icon or "chevron-right", "text-muted").pixmap(16, 16))
        words = Plain(entry.label(), row)
        words.setEnabled(not reason)
        hbox(
            picture,
            words,
            Meta(reason or _group(entry), row),
            STRETCH,
            Meta(entry.shortcut, row),
            parent=row,
            spacing=12,
            margins=(8, 0, 12, 0),
        )
        item.setSizeHint(QSize(WIDTH_PX - 32, ROW_PX))
        self.found.setItemWidget(item, row)


def _group(entry: Action) -> str:
    return QCoreApplication.translate("actions", GROUPS[entry.group])
