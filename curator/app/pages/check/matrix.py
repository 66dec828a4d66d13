"""The matrix of targets: one tile for each says how many conversations it would take."""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from curator.app.counted import counted
from curator.app.pages.check.findings import TARGETS
from curator.app.theme import META_PX, font, number_font, paint_icon, tokens
from curator.app.widgets.layouts import hbox
from curator.dataset.codes import DEFAULT_RULES_PROFILE
from curator.project.check_report import TargetCount


class TargetTile(QAbstractButton):
    """One target: its name, how many conversations it takes of how many, and a bar of that share."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count: TargetCount | None = None
        self._total = 0
        self._is_old = False
        self.setText(name)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(96)
        self._update_text()

    def show_count(self, count: TargetCount | None, total: int) -> None:
        """Show what was counted; None says that it is not known yet."""
        self._count, self._total, self._is_old = count, total, False
        self._update_text()

    def mark_stale(self) -> None:
        """Show that the numbers are from before the last change."""
        self._is_old = True
        self.update()

    def _update_text(self) -> None:
        words = self.facts()
        self.setAccessibleName(f"{self.text()}: {words}")
        self.setToolTip(words)
        self.update()

    def facts(self) -> str:
        """Say in a sentence what the tile shows."""
        count = self._count
        if count is None:
            return self.tr("Not checked yet")
        taken = self._total - count.conversations_with_errors
        words = self.tr("takes {0} of {1}").format(
            f"{taken:,}", counted(self._total, "conversation")
        )
        more = self.tr("{0}, {1}").format(
            counted(count.errors, "error"), counted(count.warnings, "warning")
        )
        return f"{words}; {more}"

    def sizeHint(self) -> QSize:
        """Return the usual size of a tile."""
        return QSize(96, 60)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ground, the words and the bar."""
        look = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = "selection" if self.isChecked() else "hover" if self.underMouse() else "surface"
        edge = "focus" if self.hasFocus() else "accent" if self.isChecked() else "hairline"
        width = 2 if self.hasFocus() else 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour(ground))
        inset = width / 2
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        pen = painter.pen()
        pen.setStyle(Qt.PenStyle.SolidLine)
        pen.setColor(look.colour(edge))
        pen.setWidth(width)
        painter.setPen(pen)
        painter.drawRoundedRect(box, 8, 8)
        inner = QRectF(self.rect()).adjusted(10, 8, -10, -10)
        self._paint_words(painter, inner)
        self._paint_bar(painter, QRectF(inner.left(), inner.bottom() - 4, inner.width(), 4))

    def _paint_words(self, painter: QPainter, inner: QRectF) -> None:
        look = tokens()
        count = self._count
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        if count is not None:
            is_clean = not count.errors
            icon, tone = ("check", "success") if is_clean else ("error", "danger")
            paint_icon(painter, icon, QRectF(inner.right() - 14, inner.top() + 1, 14, 14), tone)
        painter.setFont(font(13, font().Weight.Medium))
        painter.setPen(look.colour("text"))
        room = inner.width() - 18
        name = QFontMetrics(painter.font()).elidedText(
            self.text(), Qt.TextElideMode.ElideRight, int(room)
        )
        painter.drawText(inner, left, name)
        painter.setFont(number_font(META_PX))
        painter.setPen(look.colour("text-off" if self._is_old else "text-muted"))
        if count is None:
            words = "…"
        else:
            taken = self._total - count.conversations_with_errors
            words = self.tr("{0} of {1}").format(f"{taken:,}", f"{self._total:,}")
        painter.drawText(inner.adjusted(0, 18, 0, 0), left, words)

    def _paint_bar(self, painter: QPainter, bar: QRectF) -> None:
        look = tokens()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look["hairline"]))
        painter.drawRoundedRect(bar, 2, 2)
        if self._count is None or not self._total:
            return
        share = 1 - self._count.conversations_with_errors / self._total
        painter.setBrush(look.colour("danger"))
        if share < 1:
            painter.drawRoundedRect(bar, 2, 2)
        painter.setBrush(look.colour("success"))
        if share > 0:
            # A single refused conversation among thousands must still be seen.
            width = min(bar.width() * share, bar.width() - (4 if share < 1 else 0))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), width, bar.height()), 2, 2)


class TargetMatrix(QWidget):
    """The tiles side by side; one is chosen, and chosen tells its rules profile."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Targets"))
        row = hbox(parent=self, spacing=8, margins=0)
        self.tiles: dict[str, TargetTile] = {}
        for name, profile in TARGETS.items():
            tile = TargetTile(name, self)
            tile.clicked.connect(partial(self.choose, profile))
            self.tiles[profile] = tile
            row.addWidget(tile)
        self.choose(DEFAULT_RULES_PROFILE)

    def choose(self, profile: str) -> None:
        """Mark one target as the one whose findings are shown."""
        for each, tile in self.tiles.items():
            tile.setChecked(each == profile)
        self.chosen.emit(profile)

    def show_counts(self, counts: Mapping[str, TargetCount], total: int) -> None:
        """Show what each target takes; counts are by the names of TARGETS."""
        for name, profile in TARGETS.items():
            self.tiles[profile].show_count(counts.get(name), total)

    def mark_stale(self) -> None:
        """Show that the numbers are from before the last change."""
        for tile in self.tiles.values():
            tile.mark_stale()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move between the tiles by the arrows."""
        step = {int(Qt.Key.Key_Right): 1, int(Qt.Key.Key_Left): -1}.get(event.key())
        tiles = list(self.tiles.values())
        at = next((i for i, tile in enumerate(tiles) if tile.hasFocus()), None)
        if step is None or at is None:
            super().keyPressEvent(event)
            return
        tiles[(at + step) % len(tiles)].setFocus(Qt.FocusReason.TabFocusReason)
