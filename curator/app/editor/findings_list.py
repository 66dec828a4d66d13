"""Findings as one-line rows: icon, sentence, and the fix as a button with its key."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from curator.app.theme import META_PX, font
from curator.app.widgets.buttons import LinkButton
from curator.app.widgets.key_button import KeyButton
from curator.app.widgets.layouts import hbox, vbox
from curator.app.widgets.severity import SeverityIcon
from curator.app.widgets.text import Plain
from curator.dataset import Finding
from curator.dataset.rule import load_rules

SHOWN = 4
"""More findings than this under one card are folded into a line that says how many."""


def fix_label(finding: Finding) -> str:
    """Return what the fix of a finding is called, or an empty text where there is none."""
    rule = load_rules().get(finding.rule)
    return rule.fix.label if rule is not None and rule.fix is not None and finding.fix else ""


class FindingRow(QWidget):
    """One finding."""

    fix_requested = Signal(object)

    def __init__(self, finding: Finding, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finding = finding
        words = Plain(finding.message, self, wrap=True)
        words.setToolTip(self._why())
        row = hbox(
            SeverityIcon(finding.severity, self, 14), (words, 1), parent=self, spacing=8, margins=0
        )
        label = fix_label(finding)
        if label:
            button = KeyButton(label, key, self) if key else LinkButton(label, self)
            button.setFont(font(META_PX))
            button.clicked.connect(self._ask)
            row.addWidget(button)

    def _why(self) -> str:
        rule = load_rules().get(self.finding.rule)
        return f"{self.finding.rule}: {rule.why}" if rule is not None else self.finding.rule

    def _ask(self) -> None:
        self.fix_requested.emit(self.finding)


class FindingsList(QWidget):
    """The findings of one message or of the whole conversation; empty takes no room."""

    fix_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.findings: tuple[Finding, ...] = ()
        self._key_for: Finding | None = None
        self._rows: list[QWidget] = []
        self._all = False
        self._column = vbox(parent=self, spacing=4, margins=(0, 4, 0, 0))
        self.hide()

    def show_findings(self, findings: Sequence[Finding], key_for: Finding | None = None) -> None:
        """Show these findings; the one that the fix key would fix shows that key."""
        if (tuple(findings), key_for) == (self.findings, self._key_for):
            return
        self.findings, self._key_for = tuple(findings), key_for
        self._rebuild()

    def _rebuild(self) -> None:
        for row in self._rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self._rows.clear()
        shown = self.findings if self._all else self.findings[:SHOWN]
        for finding in shown:
            row = FindingRow(finding, "Ctrl+." if finding is self._key_for else "", self)
            row.fix_requested.connect(self.fix_requested)
            self._keep(row)
        hidden = len(self.findings) - len(shown)
        if hidden:
            more = LinkButton(self.tr("{0} more").format(hidden), self)
            more.clicked.connect(self._show_all)
            self._keep(more)
        self.setVisible(bool(self.findings))

    def _keep(self, row: QWidget) -> None:
        self._rows.append(row)
        self._column.addWidget(row)

    def _show_all(self) -> None:
        self._all = True
        self._rebuild()
