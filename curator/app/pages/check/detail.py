"""One rule and one of its findings: why it matters, where it is, and what the fix would change."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QScrollArea, QWidget

from curator.app.pages.check.changes import ChangesView
from curator.app.pages.check.findings import Row, changes_of, fixed_by, marked
from curator.app.pages.check.lists import rule_title
from curator.app.widgets.buttons import FlatButton, PlainButton, allow, explain
from curator.app.widgets.card import Card
from curator.app.widgets.diff_text import MarkedText
from curator.app.widgets.layouts import STRETCH, hbox, scroll_canvas, vbox
from curator.app.widgets.severity import SeverityIcon
from curator.app.widgets.text import Meta, Muted, Plain, SectionTitle
from curator.dataset import Conversation
from curator.dataset.rule import load_rules

if TYPE_CHECKING:
    from curator.project.check_report import RuleCount


class RuleHead(QWidget):
    """The current rule: how grave, its title and why; a button fixes all of it where that is safe."""

    fix_all_requested = Signal()
    show_all_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.icon = SeverityIcon("error", self)
        self._title = SectionTitle("", self)
        self._id = Meta("", self)
        self._why = Muted("", self, wrap=True)
        self.fix_all = PlainButton("", self, icon_name="wand")
        self.fix_all.clicked.connect(self.fix_all_requested)
        self.show_all = FlatButton(self.tr("Show all in Write"), self, icon_name="search")
        self.show_all.clicked.connect(self.show_all_requested)
        row = hbox(
            self.icon, self._title, self._id, STRETCH, self.show_all, self.fix_all, spacing=8
        )
        vbox(row, self._why, parent=self, spacing=4, margins=0)

    def show_rule(self, rule_id: str, count: "RuleCount", fixable: int) -> None:
        """Show a rule; fixable is how many of its findings a safe fix fixes."""
        rule = load_rules()[rule_id]
        self.icon.show_severity(count.severity)
        self._title.setText(rule_title(rule_id))
        is_own = rule.scope in ("conversation", "message")
        words = "{0}" if is_own else self.tr("{0} · from comparing all")
        self._id.setText(words.format(rule_id))
        self._why.setText(QCoreApplication.translate("rules", rule.why))
        self.show_all.setVisible(is_own)
        self.fix_all.setVisible(fixable > 0)
        self.fix_all.setText(self.tr("Fix all of this rule"))


class FindingDetail(Card):
    """The current finding: its sentence, its place in the text, and the fix with its outcome."""

    fix_requested = Signal()
    open_requested = Signal()
    walk_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, padding=16)
        self._sentence = Plain("", self, wrap=True)
        self._text = MarkedText(self)
        self._changes = ChangesView(self)
        self.fix = PlainButton("", self, icon_name="wand")
        self.fix.clicked.connect(self.fix_requested)
        self.open_it = FlatButton(self.tr("Open in Write"), self, icon_name="pen")
        self.open_it.clicked.connect(self.open_requested)
        self.walk = FlatButton("", self, icon_name="tag")
        self.walk.setToolTip(self.tr("One after the other on the Label page"))
        self.walk.clicked.connect(self.walk_requested)
        self._no_fix = Muted("", self)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setProperty("kind", "part")
        scroll.setAccessibleName(self.tr("The text the finding is on"))
        canvas = scroll_canvas(scroll)
        vbox(self._text, self._changes, STRETCH, parent=canvas, spacing=8, margins=(0, 0, 8, 0))
        scroll.setWidget(canvas)
        row = hbox(self.fix, self._no_fix, STRETCH, self.walk, self.open_it, spacing=8)
        self.body.addWidget(self._sentence)
        self.body.addWidget(scroll, 1)
        self.body.addLayout(row)

    def show_finding(
        self, row: Row, conversation: Conversation | None, default_prompt: str, *, can_write: bool
    ) -> None:
        """Show a finding and its conversation, if it has one; default_prompt is what S15 inserts."""
        finding = row.finding
        self._sentence.setText(finding.message)
        place = marked(conversation, finding) if conversation else None
        changes = []
        if conversation is not None and finding.fix:
            fixed = fixed_by(conversation, finding, default_prompt)
            changes = changes_of(conversation, fixed)
        self._text.setVisible(place is not None and not changes)
        if place is not None:
            parts = [("same", place.before), ("mark", place.mark), ("same", place.after)]
            self._text.show_parts(parts, mono=place.kind == "mono")
        self._changes.setVisible(bool(changes))
        self._changes.show_changes(changes)
        self._offer(row, conversation is not None, can_write=can_write)

    def _offer(self, row: Row, is_there: bool, *, can_write: bool) -> None:  # noqa: FBT001 - private
        """Show the fix as a button where there is one, or the way out in words."""
        fix = load_rules()[row.finding.rule].fix
        offers = bool(row.finding.fix and fix is not None and is_there)
        self.fix.setVisible(offers)
        if fix is not None:
            label = QCoreApplication.translate("rules", fix.label)
            self.fix.setText(label)
            explain(self.fix, "")
            self.fix.setToolTip(self.tr("{0} (F)").format(label))
        allow(self.fix, allowed=can_write)
        several = len(row.conversations)
        self.walk.setVisible(several > 1)
        self.walk.setText(self.tr("Go through all {0}").format(f"{several:,}"))
        self._no_fix.setVisible(not offers and several < 2)
        self._no_fix.setText(self._way_out(row))
        self.open_it.setVisible(row.conversation is not None)

    def _way_out(self, row: Row) -> str:
        if row.conversation is None:
            return self.tr("This is about all conversations together.")
        return self.tr("This needs a person: open it and write.")
