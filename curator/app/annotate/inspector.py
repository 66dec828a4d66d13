"""The right side of a page about one conversation: its findings, tags and note, and what the page adds."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from curator.app.annotate.annotating import AnnotationChange
from curator.app.editor.findings_list import fix_label
from curator.app.theme import TEXT_PX, font
from curator.app.timers import single_shot
from curator.app.widgets.buttons import LinkButton
from curator.app.widgets.card import Card
from curator.app.widgets.layouts import STRETCH, ScrollColumn, hbox, vbox
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.severity import SeverityIcon
from curator.app.widgets.tags_field import TagsField
from curator.app.widgets.text import Meta, Plain, SectionTitle
from curator.dataset import Annotation, Finding

IDLE_MS = 300
SHOWN_FINDINGS = 20


class FindingEntry(Card):
    """One finding as a small card: what is wrong and, with links, where, and the fix."""

    chosen = Signal(object)
    fix_requested = Signal(object)

    def __init__(self, finding: Finding, parent: QWidget, *, links: bool) -> None:
        super().__init__(parent, padding=8)
        self.finding = finding
        self.body.addLayout(
            hbox(
                (SeverityIcon(finding.severity, self, 14), 0, Qt.AlignmentFlag.AlignTop),
                (Plain(finding.message, self, wrap=True), 1),
                spacing=8,
            )
        )
        second = hbox(Meta(finding.rule, self), STRETCH, spacing=4)
        if links and finding.place.message is not None:
            show = LinkButton(self.tr("Turn {0}").format(finding.place.message + 1), self)
            show.clicked.connect(self._choose)
            second.addWidget(show)
        if links and fix_label(finding):
            fix = LinkButton(fix_label(finding), self)
            fix.clicked.connect(self._fix)
            second.addWidget(fix)
        self.body.addLayout(second)
        self.body.setSpacing(0)

    def _choose(self) -> None:
        self.chosen.emit(self.finding)

    def _fix(self) -> None:
        self.fix_requested.emit(self.finding)


class Inspector(ScrollColumn):
    """Shows what is known of one conversation; change_requested carries each AnnotationChange.

    A page's own inspector adds its parts, in their order, to ``column``, between those that all have.
    """

    change_requested = Signal(object)
    fix_requested = Signal(object)
    finding_chosen = Signal(object)
    text_left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[QWidget] = []
        self.one = QWidget(self.inside)
        self.column = vbox(parent=self.one, spacing=8, margins=0)
        self.whole = vbox(self.one, parent=self.inside, spacing=16, margins=16)
        self._idle = single_shot(self, IDLE_MS, self.commit)

    def add_findings(self) -> None:
        """Add the place of the findings."""
        self.column.addSpacing(8)
        self._findings_title = SectionTitle("", self.one)
        self.column.addWidget(self._findings_title)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(6)
        self.column.addLayout(self._findings)

    def add_tags_and_note(self) -> None:
        """Add the fields of tags and note."""
        self._tags = TagsField(self.tr("Tags, with commas between them"), self.one)
        self._tags.written.connect(self._tags_written)
        self._tags.finished.connect(self.text_left)
        self.column.addWidget(self._tags)
        self.note = MessageText(self.one, line_height=125)
        self.note.setFont(font(TEXT_PX))
        self.note.setProperty("kind", "plain")
        self.note.setPlaceholderText(self.tr("Note"))
        self.note.setAccessibleName(self.tr("Note"))
        self.note.text_edited.connect(self._idle.start)
        self.note.left.connect(self.commit)
        card = Card(self.one, padding=8)
        card.body.addWidget(self.note)
        card.setProperty("kind", "field")
        self.column.addWidget(card)

    def show_findings(self, findings: Sequence[Finding], *, links: bool = True) -> None:
        """Show findings; with links each leads to its place and offers its fix."""
        for entry in self._entries:
            self._findings.removeWidget(entry)
            entry.deleteLater()
        self._entries.clear()
        title = self.tr("Findings") if findings else self.tr("No findings")
        self._findings_title.setText(f"{title}  {len(findings)}" if findings else title)
        for finding in findings[:SHOWN_FINDINGS]:
            entry = FindingEntry(finding, self, links=links)
            entry.chosen.connect(self.finding_chosen)
            entry.fix_requested.connect(self.fix_requested)
            self._entries.append(entry)
        if len(findings) > SHOWN_FINDINGS:
            words = self.tr("{0} more").format(f"{len(findings) - SHOWN_FINDINGS:,}")
            self._entries.append(Meta(words, self))
        for entry in self._entries:
            self._findings.addWidget(entry)

    def show_tags_and_note(self, annotation: Annotation, *, fresh: bool) -> None:
        """Show tags and note, fresh: of another conversation.

        What is written and not given out yet must be committed before the annotation is read.
        """
        self._tags.show_tags(annotation.tags, fresh=fresh)
        self.note.show_text(annotation.note, fresh=fresh)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let things be changed, or only be read."""
        self._tags.setReadOnly(read_only)
        self.note.setReadOnly(read_only)

    def commit(self) -> None:
        """Give out what was typed and not yet written."""
        self._idle.stop()
        if self.note.is_written:
            self.change_requested.emit(
                AnnotationChange("note", self.note.take(), self.note.merge_key)
            )
        self._tags.commit()

    def focus_note(self) -> None:
        """Put the cursor into the note."""
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_tags(self) -> None:
        """Put the cursor into the tags."""
        self._tags.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _tags_written(self, tags: tuple[str, ...]) -> None:
        self.change_requested.emit(AnnotationChange("tags", list(tags)))
