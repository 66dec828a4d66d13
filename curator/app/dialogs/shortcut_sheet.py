"""Every key on one sheet, made from ACTIONS."""

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from curator.app.actions import ACTIONS, GROUPS, Action
from curator.app.widgets.buttons import PrimaryButton
from curator.app.widgets.chip import Chip
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox, scroll_canvas
from curator.app.widgets.text import Elided, Muted, PageTitle, SectionTitle

_COLUMNS = (("conversation", "edit"), ("label", "view", "help"), ("file", "go", "dataset"))


class ShortcutSheet(Dialog):
    """Shows the keys in three columns; Esc closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keys"))
        self.fit(1000, 680)
        words = self.tr(
            "Single letters and digits are typed, not obeyed, while a text has the focus."
        )
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setAccessibleName(self.tr("Keys"))
        inside = scroll_canvas(area)
        row = hbox(parent=inside, spacing=48, margins=(0, 0, 8, 0))
        for groups in _COLUMNS:
            row.addLayout(self._column(groups, inside), 1)
        area.setWidget(inside)
        close = PrimaryButton(self.tr("Close"), self)
        close.clicked.connect(self.accept)
        foot = hbox(STRETCH, close)
        self.add(PageTitle(self.tr("Keys"), self), Muted(words, self), (area, 1), foot)

    def _column(self, groups: Iterable[str], inside: QWidget) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        for group in groups:
            entries = [e for e in ACTIONS if e.group == group and e.shortcut]
            if not entries:
                continue
            title = QCoreApplication.translate("actions", GROUPS[group])
            column.addWidget(SectionTitle(title, inside))
            column.addLayout(self._keys(entries, inside))
            column.addSpacing(12)
        column.addStretch(1)
        return column

    def _keys(self, entries: Iterable[Action], inside: QWidget) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for line, entry in enumerate(entries):
            key = QKeySequence(entry.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
            grid.addWidget(Elided(entry.label(), inside), line, 0)
            grid.addWidget(Chip(key, "text-muted", inside), line, 1, Qt.AlignmentFlag.AlignRight)
        return grid
