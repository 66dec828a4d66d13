"""A line chart of our own: thin axes, a name at the end of each line, values under the pointer or keys."""

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.app.counted import counted
from curator.app.theme import META_PX, font, number_font, tokens

LEFT_PX, TOP_PX, BOTTOM_PX = 48, 12, 28
GAP_PX: Final = 8
LABEL_MOST_PX: Final = 160
LINE_PX: Final = 16
DOTS_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name, its tone (a colour token), its points by x, and whether it is dashed."""

    name: str
    tone: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


class LineChart(QWidget):
    """Shows a few series over one x axis; arrow keys walk through the points as the pointer does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._series: tuple[Series, ...] = ()
        self._x_name = ""
        self._empty = ""
        self._at: float | None = None
        self._steps: list[float] = []
        self._by_x: list[dict[float, float]] = []
        self._x_range = self._y_range = (0.0, 1.0)
        self._box = QRectF()
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_series(
        self, series: Sequence[Series], *, x_name: str, empty: str, x_most: float = 0.0
    ) -> None:
        """Show other lines; x_most keeps room for what is still to come, empty is said without points."""
        self._series = tuple(one for one in series if one.points)
        self._x_name, self._empty = x_name, empty
        # Kept, because every point of every line is placed by them in every picture.
        self._by_x = [dict(one.points) for one in self._series]
        self._steps = sorted({x for values in self._by_x for x in values})
        values = [y for one in self._series for _, y in one.points]
        if self._series:
            self._x_range = _wide(self._steps[0], max(self._steps[-1], x_most))
            self._y_range = _wide(min(0.0, *values), max(values))
        if self._at not in self._steps:
            self._at = None
        self.setAccessibleDescription(self.describe())
        self.update()

    def describe(self) -> str:
        """Say the chart in words for a screen reader."""
        if not self._series:
            return self._empty
        words = self.tr("{0}: from {1} to {2} over {3}, lowest {4}")
        return ". ".join(
            words.format(
                one.name,
                write_number(one.points[0][1]),
                write_number(one.points[-1][1]),
                counted(len(one.points), "point"),
                write_number(min(y for _, y in one.points)),
            )
            for one in self._series
        )

    def values_at(self, x: float) -> list[tuple[Series, float]]:
        """Return what each line has at an x, left out where it has nothing there."""
        pairs = zip(self._series, self._by_x, strict=True)
        return [(one, values[x]) for one, values in pairs if x in values]

    def sizeHint(self) -> QSize:
        """Ask for a modest picture."""
        return QSize(420, 220)

    def minimumSizeHint(self) -> QSize:
        """Stay legible."""
        return QSize(220, 140)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the values nearest to the pointer."""
        if self._steps:
            low, high = self._x_range
            share = (event.position().x() - self._box.left()) / max(1.0, self._box.width())
            wanted = low + share * (high - low)
            place = bisect(self._steps, wanted)
            self._go(min(self._steps[max(0, place - 1) : place + 1], key=lambda x: abs(x - wanted)))

    def leaveEvent(self, _event: QEvent) -> None:
        """Show no value any more."""
        self._go(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk through the points with the arrow keys, Home and End."""
        steps = self._steps
        here = steps.index(self._at) if self._at in steps else -1
        last = len(steps) - 1
        moves: dict[int, int] = {
            Qt.Key.Key_Left: max(0, here - 1),
            Qt.Key.Key_Right: min(last, here + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        place = moves.get(event.key())
        if place is None or not steps:
            super().keyPressEvent(event)
            return
        self._go(steps[place])
        self.setAccessibleDescription(self._words_at(steps[place]))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint axes, lines, their names and the values at the pointer."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = tokens()
        if not self._series:
            painter.setPen(look.colour("text-muted"))
            painter.setFont(font())
            middle = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(16, 0, -16, 0), middle, self._empty)
        else:
            self._box = self._plot()
            self._paint_axes(painter)
            for one in self._series:
                self._paint_line(painter, one)
            self._paint_names(painter)
            if self._at is not None:
                self._paint_values(painter, self._at)
        if self.hasFocus():
            painter.setPen(QPen(look.colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def _paint_axes(self, painter: QPainter) -> None:
        look, box = tokens(), self._box
        painter.setFont(number_font(META_PX))
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for tick in ticks(*self._y_range, 4):
            y = self._y(tick)
            painter.setPen(QPen(look.colour("hairline"), 1))
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
            painter.setPen(look.colour("text-muted"))
            painter.drawText(QRectF(0, y - 8, LEFT_PX - 8, 16), right, write_number(tick))
        low, high = self._x_range
        middle = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        shown = [tick for tick in ticks(low, high, 5) if float(tick).is_integer()]
        for tick in shown:
            place = QRectF(self._x(tick) - 40, box.bottom() + 6, 80, 16)
            painter.drawText(place, middle, f"{tick:,.0f}")
        painter.setFont(font(META_PX))
        edge = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        painter.drawText(
            QRectF(box.right() + GAP_PX, box.bottom() + 6, self._margin() - GAP_PX - 8, 16),
            edge,
            self._x_name,
        )

    def _paint_line(self, painter: QPainter, one: Series) -> None:
        pen = QPen(tokens().colour(one.tone), 1.6)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if one.dashed:
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        thinned = thin(one.points, int(self._box.width()))
        spots = [QPointF(self._x(x), self._y(y)) for x, y in thinned]
        painter.drawPolyline(spots)
        if len(spots) <= DOTS_MOST and (one.dashed or len(spots) == 1):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens().colour(one.tone))
            for spot in spots:
                painter.drawEllipse(spot, 2.5, 2.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_names(self, painter: QPainter) -> None:
        """Write each line's name at its end, moved apart where ends lie close together."""
        box = self._box
        painter.setFont(font(META_PX))
        ends = sorted(self._series, key=lambda one: self._y(one.points[-1][1]))
        lowest = box.top() - 4
        metrics = QFontMetrics(painter.font())
        for one in ends:
            y = max(lowest, self._y(one.points[-1][1]) - LINE_PX / 2)
            lowest = y + LINE_PX
            painter.setPen(tokens().colour(one.tone))
            room = self._margin() - GAP_PX - 4
            text = metrics.elidedText(self._label(one), Qt.TextElideMode.ElideRight, int(room))
            place = QRectF(self._x(one.points[-1][0]) + GAP_PX, y, room, LINE_PX)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_values(self, painter: QPainter, at: float) -> None:
        look, box = tokens(), self._box
        x = self._x(at)
        painter.setPen(QPen(look.colour("control"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
        found = self.values_at(at)
        for one, y in found:
            painter.setPen(QPen(look.colour("surface"), 1.5))
            painter.setBrush(look.colour(one.tone))
            painter.drawEllipse(QPointF(x, self._y(y)), 4, 4)
        painter.setFont(number_font(META_PX))
        lines = [(f"{self._x_name} {at:,.0f}", look.colour("text-muted"))]
        lines += [(f"{one.name} {write_number(y)}", look.colour(one.tone)) for one, y in found]
        self._paint_box(painter, x, lines)

    def _paint_box(self, painter: QPainter, x: float, lines: list[tuple[str, QColor]]) -> None:
        look, box = tokens(), self._box
        metrics = QFontMetrics(painter.font())
        width = max(metrics.horizontalAdvance(text) for text, _ in lines) + 16
        left = x + 8 if x + 8 + width < self.width() else x - 8 - width
        ground = QRectF(left, box.top(), width, LINE_PX * len(lines) + 8)
        painter.setPen(QPen(look.colour("hairline"), 1))
        painter.setBrush(look.colour("raised"))
        painter.drawRoundedRect(ground, 4, 4)
        for number, (text, colour) in enumerate(lines):
            painter.setPen(colour)
            place = QRectF(left + 8, ground.top() + 4 + number * LINE_PX, width, LINE_PX)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), text)

    def _words_at(self, x: float) -> str:
        values = [f"{one.name} {write_number(y)}" for one, y in self.values_at(x)]
        return ", ".join([f"{self._x_name} {x:,.0f}", *values])

    def _label(self, one: Series) -> str:
        return f"{one.name} {write_number(one.points[-1][1])}"

    def _go(self, at: float | None) -> None:
        if at != self._at:
            self._at = at
            self.update()

    def _margin(self) -> float:
        """Return the room right of the plot, as wide as the longest name needs."""
        metrics = QFontMetrics(font(META_PX))
        names = [*(self._label(one) for one in self._series), self._x_name]
        longest = max(metrics.horizontalAdvance(name) for name in names)
        return float(min(LABEL_MOST_PX, self.width() // 3, longest + GAP_PX + 12))

    def _plot(self) -> QRectF:
        width = self.width() - LEFT_PX - self._margin()
        return QRectF(LEFT_PX, TOP_PX, width, self.height() - TOP_PX - BOTTOM_PX)

    def _x(self, x: float) -> float:
        low, high = self._x_range
        return self._box.left() + (x - low) / (high - low) * self._box.width()

    def _y(self, y: float) -> float:
        low, high = self._y_range
        return self._box.bottom() - (y - low) / (high - low) * self._box.height()


def _wide(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low, low + 1)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Return round numbers between two values, about so many."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 2.5, 5, 10) if power * k >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def thin(points: Sequence[tuple[float, float]], width: int) -> list[tuple[float, float]]:
    """Return at most two points per pixel, each bucket's lowest and highest, so no peak is lost."""
    if len(points) <= 2 * max(1, width):
        return list(points)
    size = math.ceil(len(points) / max(1, width))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        bucket = points[start : start + size]
        ends = {min(bucket, key=lambda p: p[1]), max(bucket, key=lambda p: p[1])}
        kept += sorted(ends)
    return kept


def write_number(value: float) -> str:
    """Write a measure with about three significant digits."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size < 0.001:
        return f"{value:.1e}"
    return f"{value:.3g}" if size < 100 else f"{value:.1f}"
