"""Labels that look wrong, one after another: the given one, the one that fits better, and why."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from curator.app.annotate.annotating import LABEL, AnnotationChange, annotate
from curator.app.counted import counted
from curator.app.page import OpenRequest, Page
from curator.app.session.session import Session, failure_words
from curator.app.tables.grid import Column, GridView
from curator.app.widgets.buttons import FlatButton, PlainButton, PrimaryButton, looking_only
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import hbox
from curator.app.widgets.reading_card import ReadingCard
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Muted, Plain, SectionTitle
from curator.dataset import Message
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.project.suspects import SuspectLabel, Suspects

_LISTED: Final = 5_000
"""So many are listed at most; who has more labels that disagree begins with the most suspect ones."""


def open_suspects(page: Page) -> None:
    """Open the list over a page that leads on to a conversation."""
    dialog = SuspectsDialog(page.session, page)

    def go(conversation: int) -> None:
        page.open_requested.emit(OpenRequest("write", conversation=conversation))

    dialog.open_requested.connect(go)
    dialog.open()
    dialog.look()


class SuspectsDialog(Dialog):
    """Enter gives a conversation the label that fits better and goes on; the arrows leave it as it is."""

    open_requested = Signal(int)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._project = session.project
        self._rows: list[SuspectLabel] = []
        self._titles: dict[int, str] = {}
        self._label_set = ""
        self.setWindowTitle(self.tr("Labels that look wrong"))
        self.fit(960, 640)
        self.sets = ComboBox(self)
        self.sets.setAccessibleName(self.tr("Label set"))
        self.sets.activated.connect(self.look)
        self.sentence = Muted("", self, wrap=True)
        self.grid = GridView(self.tr("Labels that look wrong"), self, self._columns(), one_row=True)
        self.grid.current_row_changed.connect(self._show)
        name = Plain(self.tr("Label set"), self)
        top = hbox(name, self.sets, (self.sentence, 1), spacing=12)
        self.add(top, (self.grid, 3), (self._reading(), 2), self._foot())
        self._fill_sets()
        self._show_row(None)

    def main_control(self) -> QWidget:
        """Return the list."""
        return self.grid

    def look(self) -> None:
        """Compare the labels of the chosen set in the background."""
        project, name, me = self._project, self.sets.currentText(), self._session.author
        if project is None or not name:
            self.sentence.setText(self.tr("No label set has an answer yet."))
            return
        self._label_set = name
        self._rows = []
        self.grid.table().set_rows(())
        self._show_row(None)
        self.sentence.setText(self.tr("Comparing…"))

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "tuple[Suspects, list[str]]":
            from curator.project.store.tables import living
            from curator.project.suspects import suspects

            with project.reader() as reader:
                ids = living(reader).tolist()
                found = suspects(reader, name, ids, me, progress=progress, cancelled=cancelled)
                listed = found.disagreeing[:_LISTED]
                return found, reader.titles([row.conversation for row in listed])

        job = self._session.start(self.tr("Comparing labels"), work)
        job.succeeded.connect(self._take)
        job.failed.connect(self._failed)

    def _failed(self, error: object) -> None:
        self.sentence.setText(failure_words(error))

    def _fill_sets(self) -> None:
        from curator.project.store.label_rows import answered_sets

        if self._project is not None:
            self.sets.addItems(answered_sets(self._project))

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("Conversation"), self._title, stretch=True, tip=self._title),
            Column(self.tr("Label"), lambda row: self._rows[row].given, width=180),
            Column(self.tr("Fits better"), lambda row: self._rows[row].suggested, width=180),
            Column(self.tr("By"), lambda row: f"{self._rows[row].score:.2f}", width=64),
        )

    def _reading(self) -> QScrollArea:
        inside = QWidget(self)
        row = QHBoxLayout(inside)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self._mine, self._other = SectionTitle("", self), SectionTitle("", self)
        nothing = Message.of("user", "")
        self._my_text, self._other_text = ReadingCard(nothing, 1), ReadingCard(nothing, 1)
        for title, card in ((self._mine, self._my_text), (self._other, self._other_text)):
            side = QVBoxLayout()
            side.setSpacing(8)
            side.addWidget(title)
            side.addWidget(card)
            side.addStretch(1)
            row.addLayout(side, 1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setWidget(inside)
        area.setAccessibleName(self.tr("The two conversations"))
        self._area = area
        return area

    def _foot(self) -> QHBoxLayout:
        foot = QHBoxLayout()
        foot.setSpacing(8)
        close = FlatButton(self.tr("Close"), self)
        close.clicked.connect(self.reject)
        self._open = PlainButton(self.tr("Open in Write"), self)
        self._open.clicked.connect(self._go)
        self._change = PrimaryButton("", self)
        self._change.clicked.connect(self._take_suggestion)
        self._change.setDefault(True)
        foot.addWidget(close)
        foot.addStretch(1)
        foot.addWidget(self._open)
        foot.addWidget(self._change)
        return foot

    def _take(self, found: "tuple[Suspects, list[str]]") -> None:
        suspects, titles = found
        if suspects.label_set != self._label_set or self._session.project is not self._project:
            return
        self._rows = list(suspects.disagreeing[:_LISTED])
        self._titles = {
            row.conversation: title for row, title in zip(self._rows, titles, strict=True)
        }
        labelled = counted(len(suspects.rows), "labelled conversation")
        words = self.tr(
            "{0}; for {1} another label fits better, by what similar questions have. Look before you change."
        )
        if suspects.is_doubtful:
            words = self.tr(
                "{0}; for {1} another label fits better. But similar questions have the same label in "
                "only {2}: most of these will be right as they are."
            )
        if not self._rows:
            words = self.tr("{0}; no other label fits one of them better.")
        disagreeing = f"{len(suspects.disagreeing):,}"
        self.sentence.setText(words.format(labelled, disagreeing, f"{suspects.agreeing:.0%}"))
        self._list(0)
        self.grid.setFocus()

    def _list(self, current: int) -> None:
        """Show all rows and go to one of them, or to the last."""
        self.grid.table().set_rows(range(len(self._rows)))
        if self._rows:
            self.grid.go_to(min(current, len(self._rows) - 1))
        else:
            self._show_row(None)

    def _title(self, row: int) -> str:
        return self._titles[self._rows[row].conversation]

    def _show(self, row: int) -> None:
        self._show_row(self._rows[row] if 0 <= row < len(self._rows) else None)

    def _show_row(self, row: "SuspectLabel | None") -> None:
        self._area.setVisible(row is not None)
        self._open.setEnabled(row is not None)
        self._change.setEnabled(row is not None and not self._session.is_read_only)
        self._change.setToolTip(looking_only() if self._session.is_read_only else "")
        if row is None:
            self._change.setText(self.tr("Change the label"))
            return
        self._change.setText(self.tr("Change to {0}").format(row.suggested))
        self._mine.setText(self.tr("This one: {0}").format(row.given))
        self._my_text.show_message(self._asked(row.conversation), 1)
        has_other = row.nearest is not None
        self._other.setVisible(has_other)
        self._other_text.setVisible(has_other)
        if row.nearest is not None:
            self._other.setText(self.tr("Most similar with {0}").format(row.suggested))
            self._other_text.show_message(self._asked(row.nearest), 1)

    def _asked(self, conversation: int) -> Message:
        from curator.dataset.record import Record
        from curator.project.suspects import asked

        if self._project is None:
            return Message.of("user", "")
        shared = Record.parse(self._project.content(conversation)).shared
        return Message.of("user", asked(shared))

    def _take_suggestion(self) -> None:
        at = self.grid.current_row()
        if at is None or self._session.project is not self._project:
            return
        row = self._rows[at]
        change = AnnotationChange(f"{LABEL}{self._label_set}", row.suggested)
        if annotate(self._session, [row.conversation], change, self):
            del self._rows[at]
            self._list(at)

    def _go(self) -> None:
        at = self.grid.current_row()
        if at is not None:
            conversation = self._rows[at].conversation
            self.accept()
            self.open_requested.emit(conversation)
