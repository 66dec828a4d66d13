"""The list of pages at the left: icon, name and live count; it folds to icons."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QPushButton, QWidget

from curator.app.theme import META_PX, font, number_font, paint_icon, tokens
from curator.app.widgets.buttons import IconButton, press_on_enter
from curator.app.widgets.layouts import vbox

WIDE_PX: Final = 200
NARROW_PX: Final = 56


class RailEntry(NamedTuple):
    """One page in the rail."""

    page_id: str
    text: str
    icon: str
    key: str = ""


class RailButton(QPushButton):
    """One page's button, painted in one piece so that icon, name and count stand on the grid."""

    def __init__(self, entry: RailEntry, parent: QWidget) -> None:
        super().__init__(parent)
        self.entry = entry
        self._count: int | None = None
        self.is_folded = False
        self.setProperty("kind", "rail")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedHeight(36)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(f"{entry.text} ({entry.key})" if entry.key else entry.text)
        self.set_count(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too."""
        if not press_on_enter(self, event):
            super().keyPressEvent(event)

    def set_count(self, count: int | None) -> None:
        """Show a number, or none."""
        self._count = count
        name = self.entry.text
        self.setAccessibleName(name if count is None else f"{name}, {count:,}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint ground and focus by the stylesheet, and the rest here."""
        super().paintEvent(event)
        painter = QPainter(self)
        look = tokens()
        on = self.isChecked()
        tone = "accent" if on else ("text-muted" if self.isEnabled() else "text-off")
        left = (self.width() - 20) // 2 if self.is_folded else 12
        paint_icon(painter, self.entry.icon, QRect(left, 8, 20, 20), tone)
        if self.is_folded:
            return
        words = look.colour("text" if on or self.underMouse() else tone)
        painter.setPen(words)
        painter.setFont(font(weight=QFont.Weight.Medium))
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        number = "" if self._count is None else f"{self._count:,}"
        painter.setFont(number_font(META_PX))
        room = QFontMetrics(painter.font()).horizontalAdvance(number)
        right = QRectF(self.width() - 12 - room, 0, room + 1, self.height())
        painter.setPen(look.colour("text-muted" if self.isEnabled() else "text-off"))
        painter.drawText(right, middle, number)
        painter.setFont(font(weight=QFont.Weight.Medium))
        painter.setPen(words)
        name_box = QRect(44, 0, self.width() - 44 - room - 20, self.height())
        painter.drawText(name_box, middle, self.entry.text)


class Rail(QWidget):
    """The pages; page_requested carries the id of the one that was pressed."""

    page_requested = Signal(str)
    fold_requested = Signal()

    def __init__(self, entries: Sequence[RailEntry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.is_folded = False
        self._column = vbox(parent=self, spacing=4, margins=(8, 12, 8, 8))
        self._group = QButtonGroup(self)
        self._buttons: dict[str, RailButton] = {}
        for entry in entries:
            button = RailButton(entry, self)
            self._buttons[entry.page_id] = button
            self._group.addButton(button)
            self._column.addWidget(button)
        self._group.buttonClicked.connect(self._ask)
        self._column.addStretch(1)
        self._fold = IconButton("sidebar", self.tr("Fold the page list"), self)
        self._fold.clicked.connect(self.fold_requested)
        self._column.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        self.fold(folded=False)

    def select(self, page_id: str) -> None:
        """Mark the page in front; an unknown id marks none."""
        button = self._buttons.get(page_id)
        if button is not None:
            button.setChecked(True)
            return
        self._group.setExclusive(False)
        for other in self._buttons.values():
            other.setChecked(False)
        self._group.setExclusive(True)

    def show_counts(self, counts: Mapping[str, int | None]) -> None:
        """Show the numbers of the pages named."""
        for page_id, count in counts.items():
            self._buttons[page_id].set_count(count)

    def fold(self, *, folded: bool) -> None:
        """Show only icons, or names and counts too."""
        self.is_folded = folded
        self.setFixedWidth(NARROW_PX if folded else WIDE_PX)
        for button in self._buttons.values():
            button.is_folded = folded
            button.update()

    def sizeHint(self) -> QSize:
        """Return the width in use."""
        return QSize(NARROW_PX if self.is_folded else WIDE_PX, 400)

    def _ask(self, button: QPushButton) -> None:
        if isinstance(button, RailButton):
            self.page_requested.emit(button.entry.page_id)
