"""Splitters that remember where the person put them."""

from PySide6.QtCore import QByteArray, QObject, QSettings
from PySide6.QtWidgets import QSplitter


class SplitterState(QObject):
    """Keeps one splitter's position across sessions under a name."""

    def __init__(self, splitter: QSplitter, name: str) -> None:
        super().__init__(splitter)
        self._splitter = splitter
        self._key = f"splitters/{name}"
        splitter.setChildrenCollapsible(False)
        stored = QSettings().value(self._key)
        if isinstance(stored, QByteArray):
            splitter.restoreState(stored)
        splitter.splitterMoved.connect(self._keep)

    def _keep(self) -> None:
        QSettings().setValue(self._key, self._splitter.saveState())
