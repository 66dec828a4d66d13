"""What was exported: files, sizes, hashes, what was left out, and where to go from here."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from curator.app.pages.export.numbers import NumberTable, in_bytes
from curator.app.widgets.buttons import LinkButton, PlainButton, PrimaryButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.text import Elided, Muted, SectionTitle

if TYPE_CHECKING:
    from curator.project.exports.verify import Verification


class ResultCard(Card):
    """The last export of the project."""

    folder_requested = Signal()
    verify_requested = Signal()
    train_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Last export"))
        self._title = SectionTitle(self.tr("Last export"), self)
        self._state = Chip("", "success", self)
        self._place = Elided("", self)
        self.table = NumberTable(
            (
                self.tr("file"),
                self.tr("conversations"),
                self.tr("size"),
                self.tr("SHA-256, first part"),
            ),
            self.tr("Exported files"),
            self,
        )
        self._left_out = Muted("", self, wrap=True)
        self.train = PrimaryButton(self.tr("Start training"), self, icon_name="play")
        self.open = PlainButton(self.tr("Open folder"), self, icon_name="folder")
        self.verify = LinkButton(self.tr("Verify it"), self)
        head = hbox(self._title, self._state, (self._place, 1), spacing=8)
        foot = hbox(self.train, self.open, self.verify, STRETCH, spacing=8)
        self.body.setSpacing(12)
        self.body.addLayout(head)
        self.body.addWidget(self.table)
        self.body.addWidget(self._left_out)
        self.body.addLayout(foot)
        self.train.clicked.connect(self.train_requested)
        self.open.clicked.connect(self.folder_requested)
        self.verify.clicked.connect(self.verify_requested)
        self.folder: Path | None = None

    def show_export(self, facts: dict[str, Any], *, fresh: bool, reasons: list[str]) -> None:
        """Show an export as the project remembers it; fresh says that it was made just now."""
        from curator.project.exports.exporting import is_trainable

        self.folder = Path(facts["folder"])
        there = self.folder.is_dir()
        if fresh:
            self._state.set(self.tr("re-read and proved"), "success", "check")
        elif there:
            self._state.set(self.tr("from before"), "text-muted")
        else:
            self._state.set(self.tr("moved or deleted"), "warning", "warning")
        self._place.setText(str(self.folder))
        self.table.show_rows(
            [
                (
                    Path(file["path"]).name,
                    f"{file['rows']:,}",
                    in_bytes(file["bytes"]),
                    file["sha256"][:16],
                )
                for file in facts["files"]
            ]
        )
        self._left_out.setText(
            self.tr("Left out: {0}.").format(", ".join(reasons)) if reasons else ""
        )
        self._left_out.setVisible(bool(reasons))
        for button in (self.open, self.verify):
            button.setEnabled(there)
        trains = is_trainable(facts)
        self.train.setEnabled(there and trains)
        self.train.setToolTip(
            "" if trains else self.tr("Jobs train from OpenAI chat; export in that format.")
        )

    def show_verification(self, found: "Verification") -> None:
        """Show the outcome of checking the files again."""
        if found.ok:
            self._state.set(self.tr("verified"), "success", "check")
            return
        self._state.set(self.tr("damaged"), "danger", "error")
        self._left_out.setText(" ".join(found.problems[:5]))
        self._left_out.show()
