"""What came of an import: counts, and every line that was left out with its reason."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QWidget

from curator.app.counted import counted
from curator.app.tables.grid import Column, GridView
from curator.app.widgets.buttons import PlainButton, PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.text import Muted, PageTitle

if TYPE_CHECKING:
    from curator.project.imports.report import ImportReport


class ImportReportDialog(Dialog):
    """Shown when something was left out or noted; a clean import needs only a notice."""

    def __init__(self, report: "ImportReport", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import"))
        self.fit(880, 520)
        self._rows = tuple(report.rejected_rows)
        self._rejects = str(report.rejects_file or "")
        self.add(PageTitle(summary(report, self), self))
        for sentence in (*(each.reason for each in report.unreadable), *report.notes):
            self.body.addWidget(Muted(sentence, self, wrap=True))
        words = self.tr(
            "These lines cannot be read as conversations. They are kept in a file beside the "
            "project: fix them there and import that file."
        )
        explained = Muted(words, self, wrap=True)
        explained.setVisible(bool(self._rejects))
        self.body.addWidget(explained)
        self.grid = GridView(self.tr("Lines left out"), self, self._columns())
        self.grid.table().set_rows(range(len(self._rows)))
        self.body.addWidget(self.grid, 1)
        self.body.addLayout(self._buttons())

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("File"), lambda row: Path(self._rows[row].file).name, width=160),
            Column(self.tr("Where"), self._line, width=150),
            Column(self.tr("Rule"), lambda row: self._rows[row].rule, width=64),
            Column(self.tr("Why"), self._reason, stretch=True, tip=self._reason),
        )

    def _buttons(self) -> QHBoxLayout:
        folder = PlainButton(self.tr("Open rejects folder"), self, icon_name="folder")
        folder.clicked.connect(self._open_folder)
        folder.setVisible(bool(self._rejects))
        folder.setToolTip(self._rejects)
        close = PrimaryButton(self.tr("Go on"), self)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        return hbox(folder, STRETCH, close)

    def _line(self, row: int) -> str:
        found = self._rows[row]
        if found.unit == "line":
            return self.tr("line {0}").format(f"{found.line:,}")
        words = self.tr("element {0} (line {1})")
        return words.format(f"{found.line:,}", f"{found.starts:,}")

    def _reason(self, row: int) -> str:
        return self._rows[row].reason

    def _open_folder(self) -> None:
        folder = Path(self._rejects).parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def summary(report: "ImportReport", speaker: QWidget) -> str:
    """Say an import in one line: imported, already there, left out."""
    words = [speaker.tr("{0} imported").format(f"{report.imported:,}")]
    if report.unchanged:
        words.append(speaker.tr("{0} already there").format(f"{report.unchanged:,}"))
    if report.rejected:
        words.append(speaker.tr("{0} left out").format(f"{report.rejected:,}"))
    if report.unreadable:
        files = counted(len(report.unreadable), "file")
        words.append(speaker.tr("{0} cannot be read").format(files))
    return " · ".join(words)
