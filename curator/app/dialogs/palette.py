"""The command palette: any action, and any project opened lately, by a few letters of its name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
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
    """A sheet over the window's upper middle; tells which action or project was chosen."""

    chosen = Signal(str)
    project_chosen = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, width=WIDTH_PX, rows=ROWS, row_px=ROW_PX)
        self._actions: tuple[Action, ...] = ()
        self._reasons: Mapping[str, str] = {}
        self._projects: tuple[Path, ...] = ()
        self.field.setPlaceholderText(self.tr("What do you want to do?"))
        self.field.setAccessibleName(self.tr("Find an action"))
        self.found.setAccessibleName(self.tr("Actions"))
        vbox(self.field, self.found, self.none, parent=self, spacing=8, margins=8)

    def ask(
        self, action_ids: Sequence[str], reasons: Mapping[str, str], projects: Sequence[Path]
    ) -> None:
        """Show actions and take letters; those with a reason cannot be done now, and stand last.

        The projects are found once something is typed.
        """
        self._projects = tuple(projects)
        known = [action(each) for each in action_ids if each != "view.palette"]
        self._reasons = reasons
        self._actions = tuple(sorted(known, key=lambda entry: entry.id in reasons))
        self.open_at(QPoint((self.window_below.width() - WIDTH_PX) // 2, 72))

    def search(self, typed: str) -> None:
        """List the actions and projects whose name fits the letters."""
        if not typed.strip():
            for entry in self._actions:
                self._add_action(entry)
            return
        ranked: list[tuple[float, Action | Path]] = [
            *((score(typed, entry.label()), entry) for entry in self._actions),
            *((score(typed, self._open_words(path)), path) for path in self._projects),
        ]
        ranked.sort(key=lambda pair: -pair[0])
        for worth, found in ranked:
            if worth == NO_MATCH:
                continue
            if isinstance(found, Path):
                words = self._open_words(found)
                item = self._add(words, "folder", Meta(str(found.parent), self.found))
                item.setData(Qt.ItemDataRole.UserRole, found)
            else:
                self._add_action(found)

    def choose(self, item: QListWidgetItem, event: QKeyEvent | None) -> None:
        """Leave, and tell which action was chosen."""
        del event
        self.leave()
        what = item.data(Qt.ItemDataRole.UserRole)
        if isinstance(what, Path):
            self.project_chosen.emit(what)
        else:
            self.chosen.emit(str(what))

    def _open_words(self, path: Path) -> str:
        return self.tr("Open recent: {0}").format(path.stem)

    def _add_action(self, entry: Action) -> None:
        reason = self._reasons.get(entry.id, "")
        group = Meta(reason or _group(entry), self.found)
        item = self._add(entry.label(), entry.icon, group, entry.shortcut, can_be_done=not reason)
        item.setData(Qt.ItemDataRole.UserRole, entry.id)
        item.setData(_TEXT, "\n".join(filter(None, (entry.hint(), reason))))
        item.setToolTip(reason)

    def _add(
        self, name: str, picture: str, about: Meta, key: str = "", *, can_be_done: bool = True
    ) -> QListWidgetItem:
        item = QListWidgetItem(self.found)
        item.setData(_TEXT, name)
        row = QWidget(self.found)
        image = Plain("", row)
        image.setPixmap(icon(picture or "chevron-right", "text-muted").pixmap(16, 16))
        words = Plain(name, row)
        words.setEnabled(can_be_done)
        shown = (image, words, about, STRETCH, Meta(key, row))
        hbox(*shown, parent=row, spacing=12, margins=(8, 0, 12, 0))
        item.setSizeHint(QSize(WIDTH_PX - 32, ROW_PX))
        self.found.setItemWidget(item, row)
        return item


def _group(entry: Action) -> str:
    return QCoreApplication.translate("actions", GROUPS[entry.group])
