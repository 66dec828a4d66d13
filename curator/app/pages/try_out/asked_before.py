"""The questions of this session, newest first, to come back to."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from curator.app.pages.try_out.exchange import Exchange
from curator.app.widgets.layouts import Stretch, vbox
from curator.app.widgets.reading_card import showable
from curator.app.widgets.text import Meta, SectionTitle

_ROW_PX = 28


class Past(QWidget):
    """The inspector of the page: choosing a question shows it again with its replies."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._none = Meta(
            self.tr(
                "Questions stand here until the window closes. Keep the replies worth keeping."
            ),
            self,
            wrap=True,
        )
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Asked in this session"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.currentRowChanged.connect(self._choose)
        vbox(
            SectionTitle(self.tr("Asked in this session"), self),
            self._none,
            (self.list, 1),
            Stretch(0),
            parent=self,
            spacing=8,
            margins=16,
        )
        self.show_past((), -1)

    def show_past(self, exchanges: Sequence[Exchange], current: int) -> None:
        """Show these questions, given oldest first, and mark the one on the page."""
        with QSignalBlocker(self.list):
            self._fill(exchanges, current)
        self.list.setVisible(bool(exchanges))

    def _fill(self, exchanges: Sequence[Exchange], current: int) -> None:
        self.list.clear()
        for exchange in reversed(exchanges):
            item = QListWidgetItem(showable(" ".join(exchange.prompt.question[:200].split())))
            item.setSizeHint(QSize(0, _ROW_PX))
            item.setToolTip(showable(exchange.prompt.question[:1_000]))
            self.list.addItem(item)
        self.list.setCurrentRow(len(exchanges) - 1 - current if current >= 0 else -1)

    def _choose(self, row: int) -> None:
        if row >= 0:
            self.chosen.emit(self.list.count() - 1 - row)
