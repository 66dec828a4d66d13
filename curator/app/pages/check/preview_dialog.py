"""Before many conversations are fixed: which rules, how many, and what becomes of the first ones."""

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QWidget,
)

from curator.app.counted import counted
from curator.app.pages.check.changes import ChangesView
from curator.app.pages.check.findings import changes_of_lines
from curator.app.theme import number_font
from curator.app.widgets.buttons import IconButton, PlainButton, PrimaryButton
from curator.app.widgets.card import Card
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox, scroll_canvas, vbox
from curator.app.widgets.text import Meta, Muted, PageTitle, Plain
from curator.dataset.rule import load_rules
from curator.project.fixing import FixReport


class PreviewDialog(Dialog):
    """Shows what a bulk fix would do; accepted means: do it."""

    def __init__(self, report: FixReport, parent: QWidget | None = None) -> None:
        super().__init__(parent, is_kept=True)
        self._report = report
        self._at = 0
        findings, conversations = report.fixed.total(), report.conversations
        self.setWindowTitle(self.tr("Fix what is safe"))
        self.setModal(True)
        self.fit(860, 620)
        heading = self.tr("{0} in {1}").format(
            counted(findings, "finding"), counted(conversations, "conversation")
        )
        self.add(
            PageTitle(heading, self),
            Muted(
                self.tr(
                    "Safe fixes keep the meaning: what they take out of a line goes to the "
                    "metadata. Undo takes all of it back."
                ),
                self,
                wrap=True,
            ),
            self._rules(),
            self._steps(),
            (self._sample(), 1),
            self._buttons(conversations),
        )
        self.apply.setFocus()
        self._show()

    def _rules(self) -> QWidget:
        holder = QWidget(self)
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        pack = load_rules()
        for at, (rule, count) in enumerate(self._report.fixed.most_common()):
            fix = pack[rule].fix
            what = QCoreApplication.translate("rules", fix.label) if fix else ""
            title = QCoreApplication.translate("rules", pack[rule].title)
            row, side = at // 2, at % 2 * 3
            number = Plain(f"{count:,}", holder)
            number.setFont(number_font())
            number.setAlignment(Qt.AlignmentFlag.AlignRight)
            number.setMinimumWidth(40)
            grid.addWidget(number, row, side)
            grid.addWidget(Plain(title, holder), row, side + 1)
            grid.addWidget(Muted(what, holder), row, side + 2)
        grid.setColumnStretch(2, 1)
        grid.setColumnStretch(5, 1)
        return holder

    def _steps(self) -> QHBoxLayout:
        self._which = Meta("", self)
        self.back = IconButton("chevron-left", self.tr("Example before"), self)
        self.on = IconButton("chevron-right", self.tr("Next example"), self)
        self.back.clicked.connect(self._go_back)
        self.on.clicked.connect(self._go_on)
        return hbox(self._which, STRETCH, self.back, self.on, spacing=4)

    def _sample(self) -> QWidget:
        card = Card(self)
        scroll = QScrollArea(card)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName(self.tr("Before and after"))
        canvas = scroll_canvas(scroll)
        self._changes = ChangesView(canvas)
        vbox(self._changes, STRETCH, parent=canvas, margins=(0, 0, 8, 0))
        scroll.setWidget(canvas)
        card.body.addWidget(scroll)
        return card

    def _buttons(self, conversations: int) -> QHBoxLayout:
        cancel = PlainButton(self.tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        self.apply = PrimaryButton(
            self.tr("Fix {0}").format(counted(conversations, "conversation")),
            self,
            icon_name="wand",
        )
        self.apply.clicked.connect(self.accept)
        self.apply.setDefault(True)
        return hbox(STRETCH, cancel, self.apply, spacing=8)

    def _go_back(self) -> None:
        self._at -= 1
        self._show()

    def _go_on(self) -> None:
        self._at += 1
        self._show()

    def _show(self) -> None:
        shown = self._report.preview
        self.back.setEnabled(self._at > 0)
        self.on.setEnabled(self._at + 1 < len(shown))
        if not shown:
            return
        fixed = shown[self._at]
        self._which.setText(
            self.tr("Example {0} of {1}: conversation {2}").format(
                self._at + 1, len(shown), fixed.conversation
            )
        )
        self._changes.show_changes(changes_of_lines(fixed.before, fixed.after))
