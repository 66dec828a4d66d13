"""File, Open recent: the projects opened lately, read anew each time the menu is seen."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from curator.app.session.recents import recent_projects


class RecentMenu(QMenu):
    """Lists projects by name; chosen carries the path of one."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(self.tr("Open recent"), parent)
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)
        self.triggered.connect(self._choose)

    def _fill(self) -> None:
        self.clear()
        for recent in recent_projects():
            entry = self.addAction(recent.path.stem.replace("&", "&&"))
            entry.setData(str(recent.path))
            entry.setToolTip(str(recent.path))
        if self.isEmpty():
            self.addAction(self.tr("Nothing was opened yet")).setEnabled(False)

    def _choose(self, entry: QAction) -> None:
        if entry.data():
            self.chosen.emit(Path(str(entry.data())))
