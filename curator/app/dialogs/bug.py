"""The dialog of a bug: what it means for the person, and the report to send."""

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from curator.app.widgets.buttons import PlainButton, PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.text import Elided, Muted, SectionTitle


class BugDialog(Dialog):
    """Says that something went wrong inside the app, and offers the report."""

    def __init__(self, report: str, log_file: Path, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.fit(640, 420)
        self._report = report
        words = self.tr(
            "Everything you did is saved. You can go on; please send this report to the makers "
            "so that it does not happen again. It is also in this file:"
        )
        # A path is one word to Qt, which would make the dialog as wide as it is.
        place = Elided("", self)
        place.setText(str(log_file))
        box = QPlainTextEdit(report, self)
        box.setReadOnly(True)
        box.setProperty("kind", "mono")
        box.setAccessibleName(self.tr("Report"))
        copy = PlainButton(self.tr("Copy the report"), self, icon_name="copy")
        copy.clicked.connect(self._copy)
        close = PrimaryButton(self.tr("Go on"), self)
        close.clicked.connect(self.accept)
        row = hbox(STRETCH, copy, close)
        self.add(
            SectionTitle(self.tr("Curator made a mistake"), self),
            Muted(words, self, wrap=True),
            place,
            (box, 1),
            row,
        )

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
