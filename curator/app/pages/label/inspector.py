"""The right side of the Label page: facts, findings, tags, note, and the decisions of this session."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from curator.app.theme import icon
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.severity import SeverityIcon
from curator.app.widgets.tags_field import TagsField
from curator.app.widgets.text import Meta, Plain, Quiet, SectionTitle
from curator.dataset import Annotation, Finding, Status

MOST_FINDINGS = 12
IDLE_MS = 300
NOTE_PX = 76
STATUS_LOOK = {
    Status.PENDING: ("clock", "text-muted"),
    Status.ACCEPTED: ("check", "success"),
    Status.REJECTED: ("cross", "danger"),
    Status.SKIPPED: ("skip", "text-muted"),
}


class LabelInspector(QScrollArea):
    """Shows one conversation's annotation; tags and note can be written here."""

    note_written = Signal(str, str)
    tags_written = Signal(object)
    text_left = Signal()
    conversation_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget(self)
        inside.setProperty("kind", "canvas")
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(16, 16, 16, 16)
        whole.setSpacing(16)
        self._one = QWidget(inside)
        self._column = QVBoxLayout(self._one)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._build_facts(self._one)
        self._build_tags(self._one)
        self._build_note(self._one)
        whole.addWidget(self._one)
        self._build_history(inside, whole)
        self.setWidget(inside)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MS)
        self._idle.timeout.connect(self.commit)

    def show_conversation(
        self,
        annotation: Annotation,
        facts: str,
        findings: Sequence[Finding],
        *,
        fresh: bool = False,
    ) -> None:
        """Show what is known of a conversation, fresh: of another one.

        What is written and not given out yet must be committed before the annotation is read.
        """
        self._one.show()
        picture, tone = STATUS_LOOK[annotation.status]
        self._status.set(self.status_word(annotation.status), tone, picture)
        self._flag.setVisible(annotation.flag)
        self._facts.setText(facts)
        self._show_findings(findings)
        self._tags.show_tags(annotation.tags, fresh=fresh)
        self.note.show_text(annotation.note, fresh=fresh)

    def show_nothing(self) -> None:
        """Leave only the history: there is no conversation at hand."""
        self.commit()
        self._one.hide()

    def set_writable(self, *, writable: bool) -> None:
        """Allow or forbid writing tags and note."""
        self._tags.setReadOnly(not writable)
        self.note.setReadOnly(not writable)

    def commit(self) -> None:
        """Give out what was typed and not yet written."""
        self._idle.stop()
        if self.note.is_written:
            self.note_written.emit(self.note.take(), self.note.writing)
        self._tags.commit()

    def focus_note(self) -> None:
        """Put the cursor into the note."""
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_tags(self) -> None:
        """Put the cursor into the tags."""
        self._tags.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def add_decision(self, conversation: int, title: str, status: Status) -> None:
        """Put a decision on top of the history; an older one of the same conversation goes."""
        for row in reversed(range(self.history.count())):
            if self.history.item(row).data(Qt.ItemDataRole.UserRole) == conversation:
                self.history.takeItem(row)
        if status == Status.PENDING:
            return
        picture, tone = STATUS_LOOK[status]
        item = QListWidgetItem(icon(picture, tone), title or self.tr("(no words)"))
        item.setData(Qt.ItemDataRole.UserRole, conversation)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{self.status_word(status)}: {title}")
        self.history.insertItem(0, item)
        self._no_history.hide()

    def status_word(self, status: Status) -> str:
        """Return a status in the language of the window."""
        words = {
            Status.PENDING: self.tr("Pending"),
            Status.ACCEPTED: self.tr("Accepted"),
            Status.REJECTED: self.tr("Rejected"),
            Status.SKIPPED: self.tr("Skipped"),
        }
        return words[status]

    def _build_facts(self, inside: QWidget) -> None:
        row = QHBoxLayout()
        self._status = Chip("", "text-muted", inside)
        self._flag = Chip(self.tr("Flagged"), "warning", inside, icon_name="flag")
        row.addWidget(self._status)
        row.addWidget(self._flag)
        row.addStretch(1)
        self._column.addLayout(row)
        self._facts = Meta("", inside, wrap=True)
        self._column.addWidget(self._facts)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(8)
        self._findings.setContentsMargins(0, 8, 0, 0)
        self._column.addLayout(self._findings)

    def _build_tags(self, inside: QWidget) -> None:
        self._column.addSpacing(8)
        self._column.addWidget(SectionTitle(self.tr("Tags"), inside))
        self._tags = TagsField(self.tr("refund, polite"), inside)
        self._tags.written.connect(self.tags_written)
        self._tags.finished.connect(self.text_left)
        self._column.addWidget(self._tags)

    def _build_note(self, inside: QWidget) -> None:
        self._column.addSpacing(8)
        self._column.addWidget(SectionTitle(self.tr("Note"), inside))
        box = Card(inside, padding=8)
        self.note = MessageText(box)
        self.note.setProperty("kind", "plain")
        self.note.setAccessibleName(self.tr("Note"))
        self.note.text_edited.connect(self._wait)
        self.note.left.connect(self.commit)
        box.setProperty("kind", "field")
        box.body.addWidget(self.note)
        box.body.addStretch(1)
        box.setMinimumHeight(NOTE_PX)
        self._column.addWidget(box)

    def _build_history(self, inside: QWidget, whole: QVBoxLayout) -> None:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(SectionTitle(self.tr("Decided in this session"), inside))
        self._no_history = Quiet(self.tr("Nothing yet."), inside)
        column.addWidget(self._no_history)
        self.history = QListWidget(inside)
        self.history.setProperty("kind", "plain")
        self.history.setIconSize(QSize(16, 16))
        self.history.setAccessibleName(self.tr("Decided in this session"))
        self.history.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.history.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.history.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.history.itemActivated.connect(self._choose)
        self.history.itemClicked.connect(self._choose)
        column.addWidget(self.history, 1)
        whole.addLayout(column, 1)

    def _wait(self) -> None:
        self._idle.start()

    def _choose(self, item: QListWidgetItem) -> None:
        self.conversation_chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))

    def _show_findings(self, findings: Sequence[Finding]) -> None:
        while (item := self._findings.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for finding in findings[:MOST_FINDINGS]:
            self._findings.addWidget(_FindingRow(finding, self))
        if len(findings) > MOST_FINDINGS:
            more = self.tr("and {0} more").format(len(findings) - MOST_FINDINGS)
            self._findings.addWidget(Meta(more, self))


class _FindingRow(QWidget):
    """One finding: how grave, and its sentence."""

    def __init__(self, finding: Finding, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        picture = SeverityIcon(finding.severity, self)
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Plain(finding.message, self, wrap=True), 1)
