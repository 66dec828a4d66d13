"""How a place found by find and replace is painted."""

from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from curator.app.tables import Index as ModelIndex
from curator.app.theme import TEXT_PX, font, tokens
from curator.curate.search.replace import Hit

HIT: Final = int(Qt.ItemDataRole.UserRole)
"""The role under which a table gives the Hit of a row."""


class HitDelegate(QStyledItemDelegate):
    """Paints a hit: what goes struck through on red ground, what comes on green, context muted."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        """Paint the context, the words before, and the words after."""
        look = tokens()
        if bool(option.state & QStyle.StateFlag.State_Selected):
            painter.fillRect(option.rect, look.colour("selection"))
        hit = index.data(HIT)
        if not isinstance(hit, Hit):
            return
        painter.setFont(font(TEXT_PX))
        metrics = QFontMetrics(font(TEXT_PX))
        left = option.rect.left() + 8.0
        lead = " ".join(hit.context[0].split())[-24:] + (
            " " if hit.context[0][-1:].isspace() else ""
        )
        for text, tone, ground in (
            (lead, "text-muted", ""),
            (hit.before, "text", "deleted"),
            (hit.after, "text", "added"),
            (hit.context[1], "text-muted", ""),
        ):
            words = text.replace("\n", "↵").replace("\r", "")
            width = metrics.horizontalAdvance(words)
            box = QRectF(left, option.rect.top() + 3, width, option.rect.height() - 6)
            if ground:
                painter.fillRect(box, look.colour(ground))
            painter.setPen(look.colour(tone))
            painter.drawText(box.adjusted(0, 0, 4, 0), int(Qt.AlignmentFlag.AlignVCenter), words)
            left += width
