"""The dialog of a bug: what it means for the person, and the report to send."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from curator.app.widgets.buttons import PlainButton, PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.text import Quiet, SectionTitle


class BugDialog(Dialog):
    """Says that something went wrong inside the app, and offers the report."""

    def __init__(self, report: str, log_file: Path, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.fit(640, 420)
        self._report = report
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(SectionTitle(self.tr("Curator made a mistake"), self))
        words = self.tr(
            "Everything you did is saved. You can go on; please send this report to the makers "
            "so that it does not happen again. It is also in {0}."
        )
        column.addWidget(Quiet(words.format(log_file), self, wrap=True))
        box = QPlainTextEdit(report, self)
        box.setReadOnly(True)
        box.setProperty("kind", "mono")
        box.setAccessibleName(self.tr("Report"))
        column.addWidget(box, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        copy = PlainButton(self.tr("Copy the report"), self, icon_name="copy")
        copy.clicked.connect(self._copy)
        close = PrimaryButton(self.tr("Go on"), self)
        close.clicked.connect(self.accept)
        row.addWidget(copy)
        row.addWidget(close)
        column.addLayout(row)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
