"""The inspector of the Label page: facts, findings, tags, note, and the decisions of this session."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from curator.app.annotate.inspector import Inspector
from curator.app.theme import icon
from curator.app.widgets.chip import Chip
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.status_look import STATUS_LOOK, status_word
from curator.app.widgets.text import Meta, Muted, SectionTitle
from curator.dataset import Annotation, Finding, Status


class LabelInspector(Inspector):
    """Tags and note can be written here; the rest is decided by the bar under the conversation."""

    conversation_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._status = Chip("", "text-muted", self.one)
        self._flag = Chip(self.tr("Flagged"), "warning", self.one, icon_name="flag")
        self.column.addLayout(hbox(self._status, self._flag, STRETCH))
        self._facts = Meta("", self.one, wrap=True)
        self.column.addWidget(self._facts)
        self.add_findings()
        self.column.addSpacing(8)
        self.column.addWidget(SectionTitle(self.tr("Tags and note"), self.one))
        self.add_tags_and_note()
        inside = self.inside
        self._no_history = Muted(self.tr("Nothing yet."), inside)
        self.history = QListWidget(inside)
        self.history.setProperty("kind", "plain")
        self.history.setIconSize(QSize(16, 16))
        self.history.setAccessibleName(self.tr("Decided in this session"))
        self.history.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.history.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.history.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.history.itemActivated.connect(self._choose)
        self.history.itemClicked.connect(self._choose)
        self.whole.addLayout(
            vbox(
                SectionTitle(self.tr("Decided in this session"), inside),
                self._no_history,
                (self.history, 1),
                spacing=8,
            ),
            1,
        )

    def show_conversation(
        self,
        annotation: Annotation,
        facts: str,
        findings: Sequence[Finding],
        *,
        fresh: bool = False,
    ) -> None:
        """Show what is known of a conversation, fresh: of another one."""
        self.one.show()
        icon_name, tone, _word = STATUS_LOOK[annotation.status]
        self._status.set(status_word(annotation.status), tone, icon_name)
        self._flag.setVisible(annotation.flag)
        self._facts.setText(facts)
        self.show_findings(findings, links=False)
        self.show_tags_and_note(annotation, fresh=fresh)

    def show_nothing(self) -> None:
        """Leave only the decisions: there is no current conversation."""
        self.commit()
        self.one.hide()

    def add_decision(self, conversation: int, title: str, status: Status) -> None:
        """Put a decision on top of the list; an older one of the same conversation goes."""
        for row in reversed(range(self.history.count())):
            if self.history.item(row).data(Qt.ItemDataRole.UserRole) == conversation:
                self.history.takeItem(row)
        if status == Status.PENDING:
            return
        icon_name, tone, _word = STATUS_LOOK[status]
        item = QListWidgetItem(icon(icon_name, tone), title or self.tr("(no words)"))
        item.setData(Qt.ItemDataRole.UserRole, conversation)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{status_word(status)}: {title}")
        self.history.insertItem(0, item)
        self._no_history.hide()

    def _choose(self, item: QListWidgetItem) -> None:
        self.conversation_chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))
