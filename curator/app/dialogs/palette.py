"""The command palette: any action by a few letters of its name."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from curator.app.actions import GROUPS, Action, action
from curator.app.dialogs.palette_match import NO_MATCH, score
from curator.app.theme import icon
from curator.app.widgets.text import Meta, Plain

WIDTH_PX: Final = 560
ROWS: Final = 10
ROW_PX: Final = 36
_TEXT = Qt.ItemDataRole.AccessibleTextRole


class CommandPalette(QFrame):
    """A sheet over the window's upper middle; chosen carries the id of the action."""

    chosen = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("popup")
        self.setFixedWidth(WIDTH_PX)
        self._window = window
        self._before: QWidget | None = None
        self._actions: tuple[Action, ...] = ()
        self._reasons: Mapping[str, str] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("What do you want to do?"))
        self.field.setAccessibleName(self.tr("Find an action"))
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.found = QListWidget(self)
        self.found.setProperty("kind", "plain")
        self.found.setAccessibleName(self.tr("Actions"))
        self.found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.found.itemClicked.connect(self._choose)
        column.addWidget(self.field)
        column.addWidget(self.found)
        self.hide()

    def ask(self, action_ids: Sequence[str], reasons: Mapping[str, str]) -> None:
        """Show actions and take letters; those with a reason cannot be done now, and stand last."""
        known = [action(each) for each in action_ids if each != "view.palette"]
        self._reasons = reasons
        self._actions = tuple(sorted(known, key=lambda entry: entry.id in reasons))
        self.field.clear()
        self._filter("")
        corner = QPoint((self._window.width() - WIDTH_PX) // 2, 72)
        self.move(corner)
        self.show()
        self.raise_()
        self._before = QApplication.focusWidget()
        self.field.setFocus()

    def leave(self) -> None:
        """Go away and give the focus back."""
        if not self.isVisible():
            return
        before, self._before = self._before, None
        self.hide()
        if before is not None and isValid(before):
            before.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows and Enter work while the field has the focus."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if key == Qt.Key.Key_Down else -1
                row = (self.found.currentRow() + step) % max(1, self.found.count())
                self.found.setCurrentRow(row)
                return True
            if key == Qt.Key.Key_Escape:
                self.leave()
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.found.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _filter(self, typed: str) -> None:
        ranked = [(score(typed, entry.label()), entry) for entry in self._actions]
        if typed.strip():
            ranked.sort(key=lambda pair: -pair[0])
        self.found.clear()
        for worth, entry in ranked:
            if worth != NO_MATCH or not typed.strip():
                self._add(entry)
        self.found.setCurrentRow(0)
        shown = min(max(self.found.count(), 1), ROWS)
        self.found.setFixedHeight(shown * ROW_PX + 4)
        self.adjustSize()

    def _add(self, entry: Action) -> None:
        item = QListWidgetItem(self.found)
        item.setData(Qt.ItemDataRole.UserRole, entry.id)
        reason = self._reasons.get(entry.id, "")
        item.setData(_TEXT, "\n".join(filter(None, (entry.hint(), reason))))
        item.setToolTip(reason)
        row = QWidget(self.found)
        line = QHBoxLayout(row)
        line.setContentsMargins(8, 0, 12, 0)
        line.setSpacing(12)
        picture = Plain("", row)
        picture.setPixmap(icon(entry.icon or "chevron-right", "text-muted").pixmap(16, 16))
        line.addWidget(picture)
        words = Plain(entry.label(), row)
        words.setEnabled(not reason)
        line.addWidget(words)
        line.addWidget(Meta(reason or _group(entry), row))
        line.addStretch(1)
        line.addWidget(Meta(entry.shortcut, row))
        item.setSizeHint(QSize(WIDTH_PX - 32, ROW_PX))
        self.found.setItemWidget(item, row)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.leave()
            self.chosen.emit(str(item.data(Qt.ItemDataRole.UserRole)))


def _group(entry: Action) -> str:
    return QCoreApplication.translate("actions", GROUPS[entry.group])
