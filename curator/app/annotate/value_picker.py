"""The value picker: any answer of a label set by a few letters, however many answers there are."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QListWidgetItem, QWidget

from curator.app.dialogs.palette_match import NO_MATCH, score
from curator.app.dialogs.search_sheet import SearchSheet
from curator.app.theme import icon
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.text import Meta, SectionTitle
from curator.dataset import LabelSet

WIDTH_PX: Final = 360
TOP_PX: Final = 64
ROWS: Final = 12
ROW_PX: Final = 32
RECENT: Final = 5
"""So many of the answers given last stand first while nothing is typed."""

_VALUE: Final = Qt.ItemDataRole.UserRole
_TEXT: Final = Qt.ItemDataRole.AccessibleTextRole


class Picked(NamedTuple):
    """What was chosen: an answer (None takes it away) for the conversations asked about."""

    conversations: tuple[int, ...]
    label_set: str
    value: str | None
    goes_on: bool


class ValuePicker(SearchSheet):
    """A sheet at the right of the window: letters find an answer, Enter gives it and goes on.

    The conversations are those of the moment it was opened, whatever becomes current meanwhile.
    """

    picked = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, width=WIDTH_PX, rows=ROWS, row_px=ROW_PX)
        self._ids: tuple[int, ...] = ()
        self._sets: tuple[LabelSet, ...] = ()
        self._given: dict[str, str] = {}
        self._recent: Mapping[str, Sequence[str]] = {}
        self._at = 0
        clear = QPixmap(16, 16)
        clear.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(clear)
        self._title = SectionTitle("", self)
        self._place = Meta("", self)
        self.found.setAccessibleName(self.tr("Answers"))
        self.found.setIconSize(QSize(16, 16))
        self.found.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.found.setUniformItemSizes(True)
        self.none.setText(self.tr("No answer fits these letters."))
        self._keys = Meta("", self)
        self._keys.setContentsMargins(8, 0, 8, 4)
        head = hbox(self._title, STRETCH, self._place, spacing=8, margins=(8, 4, 8, 0))
        shown = (head, self.field, self.found, self.none, self._keys)
        vbox(*shown, parent=self, spacing=8, margins=8)

    def ask(
        self,
        conversations: Sequence[int],
        sets: Sequence[LabelSet],
        given: Mapping[str, str],
        recent: Mapping[str, Sequence[str]],
    ) -> None:
        """Show the first set without an answer, and take letters."""
        if not sets or not conversations:
            return
        self._ids, self._sets = tuple(conversations), tuple(sets)
        self._given, self._recent = dict(given), recent
        self._at = self._open_question(0) or 0
        self._show_set()
        corner = self.window_below.width() - WIDTH_PX - 16
        self.open_at(QPoint(max(0, corner), TOP_PX))

    def press_tab(self, by: int) -> None:
        """Go to another label set."""
        self._at = (self._at + by) % len(self._sets)
        self._show_set()
        self.begin_again()

    def search(self, typed: str) -> None:
        """List the answers that fit the letters; without letters those used last come first."""
        label_set = self._sets[self._at]
        recent = [v for v in self._recent.get(label_set.name, ()) if v in label_set.values]
        given = self._given.get(label_set.name)
        for value in _ordered(typed, label_set.values, recent[:RECENT]):
            if value == given:
                self._add(value, value, icon("check", "success"), self.tr("given already"))
            elif value in recent[:RECENT]:
                self._add(value, value, icon("clock", "text-muted"), self.tr("used a moment ago"))
            else:
                self._add(value, value, self._blank, "")
        if given is not None and not typed.strip():
            self._add(None, self.tr("Take the answer away"), icon("close", "text-muted"), "")

    def choose(self, item: QListWidgetItem, event: QKeyEvent | None) -> None:
        """Give the answer, and go on to the next label set unless Shift is held."""
        shift = Qt.KeyboardModifier.ShiftModifier
        goes_on = event is None or not event.modifiers() & shift
        name, value = self._sets[self._at].name, item.data(_VALUE)
        if value is None:
            self._given.pop(name, None)
        else:
            self._given[name] = value
        following = self._open_question(self._at + 1) if goes_on and value is not None else None
        picked = Picked(self._ids, name, value, goes_on and following is None)
        if following is None:
            self.leave()
        else:
            self._at = following
            self._show_set()
            self.begin_again()
        self.picked.emit(picked)

    def _show_set(self) -> None:
        label_set = self._sets[self._at]
        self._title.setText(label_set.name)
        self._title.setToolTip(label_set.help)
        words = self.tr("question {0} of {1} · Tab: next question")
        self._place.setText(words.format(self._at + 1, len(self._sets)))
        self._place.setVisible(len(self._sets) > 1)
        self.field.setPlaceholderText(self.tr("A few letters of the answer"))
        self.field.setAccessibleName(self.tr("Find an answer to {0}").format(label_set.name))
        if len(self._ids) > 1:
            words = self.tr("Enter: give it to the {0} chosen · Esc: leave")
            self._keys.setText(words.format(f"{len(self._ids):,}"))
        else:
            self._keys.setText(self.tr("Enter: give it and go on · Shift+Enter: stay · Esc: leave"))

    def _add(self, value: str | None, words: str, picture: QIcon, tip: str) -> None:
        # Plain items: a widget for each of a hundred answers would be felt at every letter.
        item = QListWidgetItem(picture, words, self.found)
        item.setData(_VALUE, value)
        item.setData(_TEXT, f"{words}, {tip}" if tip else words)
        item.setToolTip(tip or words)
        item.setSizeHint(QSize(0, ROW_PX))

    def _open_question(self, start: int) -> int | None:
        """Return the place of the next set without an answer, from a place on and round."""
        count = len(self._sets)
        places = (place % count for place in range(start, start + count))
        return next((p for p in places if self._sets[p].name not in self._given), None)


def _ordered(typed: str, values: Sequence[str], recent: Sequence[str]) -> list[str]:
    """Return the values that fit, best first; without letters the recent ones lead."""
    if not typed.strip():
        return [*recent, *(value for value in values if value not in recent)]
    ranks = {value: score(typed, value) for value in values}
    fitting = [value for value in values if ranks[value] != NO_MATCH]
    # Among equals the one used last comes first; the sort keeps the order of the set otherwise.
    last = {value: -place for place, value in enumerate(recent)}
    return sorted(fitting, key=lambda v: (-ranks[v], -last.get(v, -len(values))))
