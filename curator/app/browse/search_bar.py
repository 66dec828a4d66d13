"""The search field over the table: words, phrases, /regex/ and field:value, with removable chips."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QWidget

from curator.app.tables import Index as ModelIndex
from curator.app.theme import icon
from curator.app.timers import single_shot
from curator.app.widgets.buttons import ChipButton, LinkButton
from curator.app.widgets.layouts import hbox, vbox
from curator.app.widgets.status_look import STATUS_LOOK, status_word
from curator.app.widgets.text import Meta
from curator.curate.search.query import CHOICES, NAMES, NUMBERS, parse_query
from curator.dataset.conversation import ROLES
from curator.dataset.rule import load_rules

if TYPE_CHECKING:
    from curator.app.session.session import Session

SEARCH_MS: Final = 200
"""How long after the last key a search begins."""

QUICK: Final = (
    ("is:pending", "pending"),
    ("is:accepted", "accepted"),
    ("is:rejected", "rejected"),
    ("is:skipped", "skipped"),
    ("is:flagged", "flagged"),
    ("has:errors", "errors"),
    ("has:warnings", "warnings"),
    ("is:removed", "removed"),
)
"""Filters offered as chips: the piece of query, and the count of the index that stands beside it."""


def pieces_of(text: str) -> list[str]:
    """Split a query at its blanks, quotes and regular expressions kept whole."""
    pieces: list[str] = []
    piece, quoted = "", False
    for character in text:
        quoted ^= character == '"'
        if character.isspace() and not quoted:
            pieces += [piece] if piece else []
            piece = ""
        else:
            piece += character
    return [*pieces, piece] if piece else pieces


class QueryCompleter(QCompleter):
    """Completes the piece of a query the cursor is in: fields, and the values a field takes."""

    def __init__(self, session: "Session", field: QLineEdit) -> None:
        super().__init__(field)
        self._session = session
        self._field = field
        self._words = QStringListModel(self)
        self.setModel(self._words)
        self.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setMaxVisibleItems(12)

    def splitPath(self, _path: str) -> list[str]:  # noqa: N802 - Qt's name
        """Match against the piece at the cursor, not the whole text."""
        piece = self._piece()
        self._words.setStringList(self._offers(piece))
        return [piece.removeprefix("-")]

    def pathFromIndex(self, index: ModelIndex) -> str:  # noqa: N802 - Qt's name
        """Put the chosen words in place of the piece at the cursor."""
        chosen = str(self._words.data(index))
        text, cursor = self._field.text(), self._field.cursorPosition()
        start = cursor - len(self._piece())
        minus = "-" if self._piece().startswith("-") else ""
        return f"{text[:start]}{minus}{chosen}{text[cursor:]}"

    def _piece(self) -> str:
        before = self._field.text()[: self._field.cursorPosition()]
        return (pieces_of(before) or [""])[-1] if before and not before[-1].isspace() else ""

    def _offers(self, piece: str) -> list[str]:
        name, colon, _value = piece.removeprefix("-").partition(":")
        if not piece:
            return []
        if not colon:
            return [f"{field}:" for field in sorted((*CHOICES, *NAMES, *NUMBERS))]
        if name in CHOICES:
            return [f"{name}:{choice}" for choice in CHOICES[name]]
        if name == "role":
            return [f"role:{role}" for role in ROLES]
        if name == "rule":
            return [f"rule:{rule}" for rule in sorted(load_rules())]
        if name == "label":
            return [f"label:{value}" for value in self._label_values()]
        return []

    def _label_values(self) -> list[str]:
        found: list[str] = []
        for entry in self._session.setting("label_sets", []) or []:
            found += [str(value) for value in entry.get("values", ())]
        return [f'"{value}"' if " " in value else value for value in found]


class SearchBar(QWidget):
    """Tells what to search for; searched carries the query's text, a moment after the last key."""

    searched = Signal(str)
    table_wanted = Signal()

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.field = QLineEdit(self)
        self.field.setClearButtonEnabled(True)
        self.field.setPlaceholderText(
            self.tr('Search: words, "a phrase", /regex/, status:accepted, tokens:>500')
        )
        self.field.setAccessibleName(self.tr("Search conversations"))
        self.field.addAction(icon("search", "text-muted"), QLineEdit.ActionPosition.LeadingPosition)
        self.field.setCompleter(QueryCompleter(session, self.field))
        self.field.installEventFilter(self)
        self._count = Meta("", self)
        self._note = Meta("", self)
        self._note.setProperty("tone", "warning")
        self._note.hide()
        self._wait = single_shot(self, SEARCH_MS, self._search)
        self.field.textChanged.connect(self._wait.start)
        self.field.returnPressed.connect(self._search)
        self._chips: dict[str, ChipButton] = {}
        row = hbox((self.field, 1), self._count, spacing=12)
        vbox(row, self._chip_row(), self._note, parent=self, spacing=8, margins=0)

    @property
    def text(self) -> str:
        """The query as typed."""
        return self.field.text()

    def set_text(self, text: str) -> None:
        """Search for something else at once."""
        if text != self.field.text():
            self.field.setText(text)
        self._search()

    def show_counts(self, counts: dict[str, int]) -> None:
        """Show beside each chip how many it would leave; a chip with none hides unless it is on."""
        present = pieces_of(self.text)
        words = self._words()
        for (piece, name), word in zip(QUICK, words, strict=True):
            chip = self._chips[piece]
            count = counts.get(name, 0)
            chip.setText(f"{word}  {count:,}")
            chip.setAccessibleName(chip.text())
            chip.setChecked(piece in present)
            chip.setVisible(count > 0 or piece in present)
        self._clear.setVisible(bool(present))

    def show_result(self, shown: int, total: int, *, searching: bool = False) -> None:
        """Show how many conversations match."""
        words = self.tr("{0} of {1}").format(f"{shown:,}", f"{total:,}")
        if searching:
            words = self.tr("Searching… {0}").format(f"{shown:,}")
        self._count.setText(words if shown != total or searching else f"{total:,}")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down goes to the table."""
        if watched is self.field and isinstance(event, QKeyEvent):
            popup = self.field.completer().popup()
            open_popup = popup is not None and popup.isVisible()
            is_press = event.type() == QEvent.Type.KeyPress
            if is_press and not open_popup and event.key() == Qt.Key.Key_Down:
                self.table_wanted.emit()
                return True
        return super().eventFilter(watched, event)

    def _words(self) -> Sequence[str]:
        return (
            *map(status_word, STATUS_LOOK),
            self.tr("Flagged"),
            self.tr("Errors"),
            self.tr("Warnings"),
            self.tr("Removed"),
        )

    def _chip_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        for (piece, _name), word in zip(QUICK, self._words(), strict=True):
            chip = ChipButton(word, self)
            chip.setProperty("piece", piece)
            chip.clicked.connect(self._chip_pressed)
            self._chips[piece] = chip
            row.addWidget(chip)
        self._clear = LinkButton(self.tr("Show all"), self)
        self._clear.clicked.connect(partial(self.set_text, ""))
        self._clear.hide()
        row.addWidget(self._clear)
        row.addStretch(1)
        return row

    def _chip_pressed(self) -> None:
        chip = self.sender()
        piece = str(chip.property("piece"))
        pieces = pieces_of(self.text)
        pieces = [p for p in pieces if p != piece] if piece in pieces else [*pieces, piece]
        self.set_text(" ".join(pieces))

    def _search(self) -> None:
        self._wait.stop()
        notes = parse_query(self.text).notes
        self._note.setText("  ".join(notes))
        self._note.setVisible(bool(notes))
        self.searched.emit(self.text)
