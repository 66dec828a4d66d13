"""The inspector of the Label page: facts, findings, tags, note, and the decisions of this session."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from curator.app.annotate.inspector import Inspector
from curator.app.theme import icon
from curator.app.widgets.chip import Chip
from curator.app.widgets.status_look import STATUS_LOOK, status_word
from curator.app.widgets.text import Meta, Quiet, SectionTitle
from curator.dataset import Annotation, Finding, Status


class LabelInspector(Inspector):
    """Tags and note can be written here; the rest is decided by the bar under the conversation."""

    conversation_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout()
        self._status = Chip("", "text-muted", self.inside)
        self._flag = Chip(self.tr("Flagged"), "warning", self.inside, icon_name="flag")
        row.addWidget(self._status)
        row.addWidget(self._flag)
        row.addStretch(1)
        self.column.addLayout(row)
        self._facts = Meta("", self.inside, wrap=True)
        self.column.addWidget(self._facts)
        self.add_findings()
        self.column.addSpacing(8)
        self.column.addWidget(SectionTitle(self.tr("Tags and note"), self.inside))
        self.add_tags_and_note()
        self._build_decisions()

    def show_conversation(
        self,
        annotation: Annotation,
        facts: str,
        findings: Sequence[Finding],
        *,
        fresh: bool = False,
    ) -> None:
        """Show what is known of a conversation, fresh: of another one."""
        self.inside.show()
        icon_name, tone, _word = STATUS_LOOK[annotation.status]
        self._status.set(status_word(annotation.status), tone, icon_name)
        self._flag.setVisible(annotation.flag)
        self._facts.setText(facts)
        self.show_findings(findings, links=False)
        self.show_tags_and_note(annotation, fresh=fresh)

    def show_nothing(self) -> None:
        """Leave only the decisions: there is no conversation at hand."""
        self.commit()
        self.inside.hide()

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

    def _build_decisions(self) -> None:
        inside = self.widget()
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
        self.whole.addLayout(column, 1)

    def _choose(self, item: QListWidgetItem) -> None:
        self.conversation_chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))
