"""The replies side by side, question by question: those that got worse first, differing words marked."""

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from curator.app.pages.evaluate.background import ItemRow, Shown
from curator.app.tables.grid import Column, GridView, Table
from curator.app.widgets.buttons import PlainButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.diff_text import DiffText
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.text import Muted, Plain
from curator.curate.difference import Span, compare_texts

_TONES = {"worse": "danger", "better": "success", "wrong": "danger", "right": "success"}


def verdict_word(verdict: str) -> str:
    """Return a verdict in the language of the window."""
    words = {
        "worse": QCoreApplication.translate("evaluate", "worse"),
        "better": QCoreApplication.translate("evaluate", "better"),
        "both wrong": QCoreApplication.translate("evaluate", "both wrong"),
        "both right": QCoreApplication.translate("evaluate", "both right"),
        "wrong": QCoreApplication.translate("evaluate", "wrong"),
        "right": QCoreApplication.translate("evaluate", "right"),
    }
    return words[verdict]


class RepliesPane(QWidget):
    """The list of questions and, beside it, what was right and what each candidate said."""

    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: tuple[ItemRow, ...] = ()
        self._names: tuple[str, ...] = ()
        self.view = GridView(self.tr("Questions"), self)
        self.view.setSelectionMode(GridView.SelectionMode.SingleSelection)
        self.view.setMinimumWidth(240)
        self.view.set_table(
            Table(
                (
                    Column(self.tr("Verdict"), self._verdict, width=92),
                    Column(self.tr("Question"), self._title, stretch=True, tip=self._title),
                ),
                self,
            )
        )
        self.view.current_row_changed.connect(self._show_item)
        self.view.row_opened.connect(self._open)
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setAccessibleName(self.tr("Replies side by side"))
        sides = QSplitter(self)
        sides.addWidget(self.view)
        sides.addWidget(self.area)
        sides.setStretchFactor(1, 1)
        sides.setSizes([320, 640])
        SplitterState(sides, "evaluate-replies")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(sides)

    def show_run(self, shown: Shown) -> None:
        """Show the questions of a run, the first one at hand."""
        self._items = shown.items
        self._names = (shown.names[0], shown.names[-1])[: len(shown.names)]
        with QSignalBlocker(self.view):
            self.view.table().set_rows(range(len(self._items)))
        if self._items:
            self.view.go_to(0)
        else:
            self.area.setWidget(QWidget(self.area))

    def go(self, by: int) -> None:
        """Go to a neighbouring question, as far as there is one."""
        at = self.view.current_row()
        if at is not None:
            self.view.go_to(min(max(at + by, 0), len(self._items) - 1))

    def _show_item(self, at: int) -> None:
        item = self._items[at]
        canvas = QWidget(self.area)
        canvas.setProperty("kind", "canvas")
        column = QVBoxLayout(canvas)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        column.addLayout(self._head(item, canvas))
        asked = self._card(self.tr("Question"), "", item.question, canvas, "role-user")
        column.addWidget(asked)
        column.addWidget(self._card(self.tr("Right"), "", item.expected, canvas))
        spans: tuple[tuple[Span, ...], ...] = tuple((Span("same", t),) for t in item.replies)
        if len(item.replies) > 1:
            spans = compare_texts(item.replies[0], item.replies[1])
        for name, error, each in zip(self._names, item.errors, spans, strict=True):
            column.addWidget(self._card(name, error, each, canvas))
        column.addStretch(1)
        self.area.setWidget(canvas)

    def _head(self, item: ItemRow, canvas: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        tone = _TONES.get(item.verdict, "text-muted")
        row.addWidget(Chip(verdict_word(item.verdict), tone, canvas))
        row.addWidget(Muted(self.tr("conversation {0}").format(f"{item.conversation:,}"), canvas))
        row.addStretch(1)
        button = PlainButton(self.tr("Open"), canvas, icon_name="pen")
        button.setToolTip(self.tr("Show this conversation on Write (Enter in the list)"))
        conversation = item.conversation
        button.clicked.connect(lambda: self.opened.emit(conversation))
        row.addWidget(button)
        return row

    def _card(
        self,
        name: str,
        error: str,
        said: str | tuple[Span, ...],
        canvas: QWidget,
        stripe: str = "role-assistant",
    ) -> Card:
        card = Card(canvas, stripe=stripe, padding=12)
        card.setAccessibleName(name)
        card.body.addWidget(Plain(name, card, wrap=True))
        if error:
            card.body.addWidget(Muted(error, card, wrap=True))
            return card
        spans = (Span("same", said),) if isinstance(said, str) else said
        if any(span.text.strip() for span in spans):
            card.body.addWidget(DiffText(spans, card))
        else:
            card.body.addWidget(Muted(self.tr("(empty)"), card))
        return card

    def _open(self, at: int) -> None:
        self.opened.emit(self._items[at].conversation)

    def _verdict(self, at: int) -> str:
        return verdict_word(self._items[at].verdict)

    def _title(self, at: int) -> str:
        return self._items[at].title
