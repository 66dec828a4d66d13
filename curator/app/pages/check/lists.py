"""The list of rules that were met, and the list of one rule's findings."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QRect, QRectF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QWidget

from curator.app.pages.check.findings import Findings, Row
from curator.app.tables.grid import Column, GridView
from curator.app.theme import META_PX, TEXT_PX, font, paint_icon, tokens
from curator.app.widgets.layouts import vbox
from curator.app.widgets.severity import SEVERITY_LOOK, severity_word
from curator.dataset.finding import Severity
from curator.dataset.rule import load_rules


def rule_title(rule: str) -> str:
    """Return a rule's title in the language of the window."""
    return QCoreApplication.translate("rules", load_rules()[rule].title)


class RuleList(QWidget):
    """The rules that were met, the gravest first; chosen tells a rule's id."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rules: list[tuple[str, Severity, int]] = []
        self.setMinimumWidth(240)
        columns = (
            Column(self.tr("Rule"), self._title, stretch=True, tip=self._tip, paint=self._paint),
            Column(
                self.tr("Findings"),
                lambda place: f"{self._rules[place][2]:,}",
                width=76,
                number=True,
            ),
        )
        self.view = GridView(self.tr("Rules"), self, columns, one_row=True)
        self.table = self.view.table()
        self.view.current_row_changed.connect(self._choose)
        vbox(self.view, parent=self, margins=0)

    def show_rules(self, findings: Findings | None, chosen: str) -> None:
        """Show the rules met and stay at one as far as it is still there."""
        from curator.project.check_report import in_order_of_gravity

        counts = findings.report.rules if findings else {}
        self._rules = [
            (rule, counts[rule].severity, counts[rule].count)
            for rule in in_order_of_gravity(counts)
        ]
        with QSignalBlocker(self.view):
            self.table.set_rows(range(len(self._rules)))
            names = [rule for rule, _, _ in self._rules]
            if names:
                self.view.go_to(names.index(chosen) if chosen in names else 0)

    def current(self) -> str:
        """Return the chosen rule; empty where there is none."""
        place = self.view.current_row()
        return "" if place is None else self._rules[place][0]

    def _choose(self, place: int) -> None:
        self.chosen.emit(self._rules[place][0])

    def _title(self, place: int) -> str:
        return rule_title(self._rules[place][0])

    def _tip(self, place: int) -> str:
        rule, severity, _ = self._rules[place]
        return f"{severity_word(severity)}: {rule_title(rule)} ({rule})"

    def _paint(self, painter: QPainter, box: QRect, place: int) -> None:
        rule, severity, _ = self._rules[place]
        icon, tone, _word = SEVERITY_LOOK[severity]
        look = tokens()
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        paint_icon(painter, icon, QRectF(box.left(), box.center().y() - 7, 16, 16), tone)
        painter.setFont(font(META_PX))
        painter.setPen(look.colour("text-muted"))
        number = QFontMetrics(painter.font()).horizontalAdvance(rule)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignRight) | middle, rule)
        painter.setFont(font(TEXT_PX))
        painter.setPen(look.colour("text"))
        words = box.adjusted(24, 0, -number - 8, 0)
        title = QFontMetrics(painter.font()).elidedText(
            rule_title(rule), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft) | middle, title)


class FindingView(GridView):
    """The rows of one rule; F asks for the fix."""

    fix_requested = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take F for the fix; leave the other keys as they are."""
        if event.key() == Qt.Key.Key_F and not event.modifiers():
            self.fix_requested.emit()
            return
        super().keyPressEvent(event)


class FindingList(QWidget):
    """One rule's findings; chosen tells that another is current, opened a conversation to show."""

    chosen = Signal()
    opened = Signal(int)
    fix_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        columns = (
            Column(self.tr("Conversation"), self._conversation, width=96, number=True),
            Column(self.tr("First words"), self._title, width=180, tip=self._title),
            Column(self.tr("What was found"), self._message, stretch=True, tip=self._message),
        )
        self.view = FindingView(self.tr("Findings"), self, columns, one_row=True)
        self.table = self.view.table()
        self.view.current_row_changed.connect(self.chosen)
        self.view.row_opened.connect(self._open)
        self.view.fix_requested.connect(self.fix_requested)
        vbox(self.view, parent=self, margins=0)

    def show_rows(self, rows: Sequence[Row], place: int) -> None:
        """Show a rule's findings and stay at a place as far as there are so many."""
        self._rows = list(rows)
        with QSignalBlocker(self.view):
            self.table.set_rows(range(len(self._rows)))
            if self._rows:
                self.view.go_to(min(max(place, 0), len(self._rows) - 1))

    def current(self) -> int:
        """Return the place of the current finding, 0 where there is none."""
        return self.view.current_row() or 0

    def row(self) -> Row | None:
        """Return the current finding."""
        place = self.view.current_row()
        return None if place is None or place >= len(self._rows) else self._rows[place]

    def go(self, by: int) -> None:
        """Go to another row, as far as there is one."""
        if self._rows:
            self.view.go_to(min(max(self.current() + by, 0), len(self._rows) - 1))

    def _open(self, place: int) -> None:
        conversation = self._rows[place].conversation
        if conversation is not None:
            self.opened.emit(conversation)

    def _conversation(self, place: int) -> str:
        conversation = self._rows[place].conversation
        return "" if conversation is None else str(conversation)

    def _title(self, place: int) -> str:
        return self._rows[place].title

    def _message(self, place: int) -> str:
        return self._rows[place].finding.message
