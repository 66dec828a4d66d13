"""The table of conversations: columns of the index, texts by the page, never a row object."""

from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPixmap

from curator.app.counted import counted
from curator.app.dates import time_ago
from curator.app.tables import Index as ModelIndex
from curator.app.tables.grid import Column, Table
from curator.app.theme import META_PX, font, number_font, paint_icon, tokens
from curator.app.token_estimates import stored_encoding
from curator.app.widgets.chip import paint_chip
from curator.app.widgets.status_look import STATUS_LOOK, status_word
from curator.dataset.codes import DEFAULT_BASE_MODEL, STATUSES
from curator.dataset.errors import ProjectError
from curator.dataset.json_values import BadJson

if TYPE_CHECKING:
    from curator.app.session.session import Session
    from curator.project.store.changes import Changes

LABELS_COLUMN: Final = 2
"""Where the labels stand; hidden while there are none."""

_BEFORE: Final = 32
_PAGE: Final = 96
_KEPT: Final = 20_000
_TIP_CHARACTERS: Final = 1_000


class ConversationTable(Table):
    """Shows the session's conversations in the order of its view."""

    def __init__(self, session: "Session", parent: QObject | None = None) -> None:
        self._session = session
        self._place = 0
        self._titles: OrderedDict[int, str] = OrderedDict()
        self._chips: OrderedDict[int, tuple[str, ...]] = OrderedDict()
        self._has_labels = False
        self._encoding = ""
        super().__init__(self._make_columns(), parent)

    def data(self, index: ModelIndex, role: int = 0) -> Any:
        """Return a cell; the place is noted so that texts are read for a whole page at once."""
        self._place = index.row()
        return super().data(index, role)

    def forget(self, changes: "Changes | None" = None) -> None:
        """Read texts anew: those an edit changed, or all."""
        if changes is None or len(changes.conversations) > 1_000:
            self._titles.clear()
            self._chips.clear()
            return
        for conversation in changes.conversations:
            self._titles.pop(conversation, None)
            self._chips.pop(conversation, None)

    @property
    def has_chips(self) -> bool:
        """Whether any conversation may have a label or a tag."""
        index = self._session.index
        return self._has_labels or bool(index is not None and index.tagged.any())

    def note_settings(self) -> None:
        """Look what cells depend on: whether there is any label set, and what tokens are counted with."""
        project = self._session.project
        base = self._session.setting("base_model") or DEFAULT_BASE_MODEL
        self._encoding = stored_encoding(str(base))
        self._has_labels = bool(project is not None and project.setting("label_sets", []))

    def place_of(self, row: int) -> int | None:
        """Return where a row number stands in the table, or None."""
        import numpy as np

        found = np.flatnonzero(np.asarray(self._rows) == row)
        return int(found[0]) if len(found) else None

    def ids_between(self, ranges: list[tuple[int, int]]) -> list[int]:
        """Return the ids at these places (first to last), without asking row by row."""
        import numpy as np

        index = self._session.index
        if index is None or not ranges:
            return []
        rows = np.asarray(self._rows)
        picked = np.concatenate([rows[first : last + 1] for first, last in ranges])
        ids: list[int] = index.ids[picked].tolist()
        return ids

    def _make_columns(self) -> tuple[Column, ...]:
        return (
            Column("", self._status, "status", 36, paint=self._paint_status, tip=self._status),
            Column(self.tr("Conversation"), self._title, "title", 200, stretch=True, tip=self._whole_title),
            Column(self.tr("Labels"), self._chip_words, "tags", 104, paint=self._paint_chips),
            Column(self.tr("Turns"), self._turns, "n_turns", 54, number=True),
            Column(
                self.tr("Tokens"), self._tokens, "tokens", 78, number=True, tip=self._token_words
            ),
            Column(
                self.tr("Findings"), self._findings, "errors", 72,
                paint=self._paint_findings, tip=self._findings_words,
            ),
            Column(self.tr("Split"), self._split, "split", 80),
            Column(self.tr("Updated"), self._updated, "updated", 70, number=True),
        )  # fmt: skip

    def _turns(self, row: int) -> object:
        index = self._session.index
        return int(index.n_turns[row]) if index is not None else 0

    def _status(self, row: int) -> str:
        index = self._session.index
        if index is None:
            return ""
        return status_word(STATUSES[int(index.status[row])])

    def _title(self, row: int) -> str:
        index = self._session.index
        if index is None:
            return ""
        conversation = int(index.ids[row])
        if conversation not in self._titles:
            self._read_page(row)
        return self._titles.get(conversation) or self.tr("No user turn yet")

    def _whole_title(self, row: int) -> str:
        """Return what the title begins, as far as a tip can show it."""
        index, project = self._session.index, self._session.project
        title = self._title(row)
        if index is None or project is None or not title.endswith("…"):
            return title
        try:
            whole = project.conversation(int(index.ids[row])).opening.strip()
        except (ProjectError, BadJson):
            return title
        return whole if len(whole) <= _TIP_CHARACTERS else whole[:_TIP_CHARACTERS].rstrip() + "…"

    def _tokens(self, row: int) -> object:
        index = self._session.index
        if index is None:
            return ""
        count = f"{int(index.tokens[row]):,}"
        is_exact = bool(index.tokens_exact[row]) and not self._encoding
        return count if is_exact else f"≈ {count}"

    def _token_words(self, row: int) -> str:
        words = self.tr("{0}. Estimated with {1}, not the base's own vocabulary.")
        count = str(self._tokens(row))
        return words.format(count, self._encoding) if self._encoding else count

    def _findings(self, row: int) -> object:
        index = self._session.index
        if index is None:
            return 0
        return int(index.errors[row]) + int(index.warnings[row])

    def _findings_words(self, row: int) -> str:
        index = self._session.index
        if index is None:
            return ""
        errors, warnings = int(index.errors[row]), int(index.warnings[row])
        return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"

    def _split(self, row: int) -> object:
        index = self._session.index
        names = ("", self.tr("Train"), self.tr("Validation"), self.tr("Test"))
        return names[int(index.split[row])] if index is not None else ""

    def _updated(self, row: int) -> object:
        index = self._session.index
        if index is None:
            return ""
        return time_ago(max(int(index.updated[row]), int(index.annotated[row])) / 1000)

    def _chip_words(self, row: int) -> object:
        return ", ".join(self._chips_of(row))

    def _chips_of(self, row: int) -> tuple[str, ...]:
        index = self._session.index
        if index is None or not (index.tagged[row] or self._has_labels):
            return ()
        conversation = int(index.ids[row])
        if conversation not in self._chips:
            self._chips[conversation] = self._read_chips(
                conversation, tagged=bool(index.tagged[row])
            )
            _trim(self._chips)
        return self._chips[conversation]

    def _read_chips(self, conversation: int, *, tagged: bool) -> tuple[str, ...]:
        project = self._session.project
        if project is None:
            return ()
        labels = project.labels(conversation) if self._has_labels else ()
        tags = project.annotation(conversation).tags if tagged else ()
        return tuple(dict.fromkeys((*(label.value for label in labels), *tags)))

    def _read_page(self, row: int) -> None:
        """Read the titles around the current place, in one question to the file."""
        index, project = self._session.index, self._session.project
        if index is None or project is None:
            return
        first = max(0, self._place - _BEFORE)
        rows = self._rows[first : first + _PAGE]
        ids = [int(index.ids[number]) for number in (*rows, row)]
        try:
            titles = project.titles(ids)
        except ProjectError:
            # The file is gone or locked for a moment; the next paint asks again.
            return
        self._titles.update(zip(ids, titles, strict=True))
        _trim(self._titles)

    def _paint_status(self, painter: QPainter, rect: QRect, row: int) -> None:
        index = self._session.index
        if index is None:
            return
        if index.removed[row]:
            icon_name, tone = "trash", "text-off"
        elif index.flag[row]:
            icon_name, tone = "flag", "warning"
        else:
            icon_name, tone, _word = STATUS_LOOK[STATUSES[int(index.status[row])]]
        _draw_icon(painter, icon_name, QPointF(rect.left() + 2, rect.center().y() - 6), tone, 14)

    def _paint_chips(self, painter: QPainter, rect: QRect, row: int) -> None:
        words = self._chips_of(row)
        if not words:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetrics(font(META_PX))
        left = float(rect.left() - 4)
        for number, word in enumerate(words):
            room = rect.right() + 8 - left
            shown = metrics.elidedText(word, Qt.TextElideMode.ElideRight, 96)
            width = metrics.horizontalAdvance(shown) + 16
            if width > room and number:
                painter.setPen(tokens().colour("text-muted"))
                painter.setFont(font(META_PX))
                painter.drawText(QPointF(left, rect.center().y() + 4), f"+{len(words) - number}")
                return
            width = int(min(width, room))
            shown = metrics.elidedText(word, Qt.TextElideMode.ElideRight, width - 14)
            paint_chip(painter, QRectF(left, rect.center().y() - 8, width, 18), shown, "text-muted")
            left += width + 4

    def _paint_findings(self, painter: QPainter, rect: QRect, row: int) -> None:
        index = self._session.index
        if index is None:
            return
        errors, warnings = int(index.errors[row]), int(index.warnings[row])
        left = float(rect.left())
        for count, icon_name, tone in (
            (errors, "error", "danger"),
            (warnings, "warning", "warning"),
        ):
            if count:
                place = QPointF(left, rect.center().y() - 5)
                _draw_icon(painter, icon_name, place, tone, 12)
                painter.setPen(tokens().colour(tone))
                painter.setFont(number_font(META_PX))
                painter.drawText(QPointF(left + 15, rect.center().y() + 4.5), f"{count:,}")
                left += 32


@lru_cache(maxsize=64)
def _picture(name: str, _colour: str, tone: str, px: int, ratio: float) -> QPixmap:
    """Return an icon as pixels; drawing the vector again for every cell takes a third of a frame.

    The colour is only part of the key: another theme needs another picture.
    """
    made = QPixmap(round(px * ratio), round(px * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    paint_icon(painter, name, QRectF(0, 0, px, px), tone)
    painter.end()
    return made


def _draw_icon(painter: QPainter, name: str, place: QPointF, tone: str, px: int) -> None:
    ratio = painter.device().devicePixelRatioF()
    painter.drawPixmap(place, _picture(name, tokens()[tone], tone, px, ratio))


def _trim(cache: "OrderedDict[int, Any]") -> None:
    while len(cache) > _KEPT:
        cache.popitem(last=False)
