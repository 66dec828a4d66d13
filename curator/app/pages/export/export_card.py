"""What an export takes, where it goes, and what stands in its way."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from curator.app.counted import counted
from curator.app.widgets.buttons import IconButton, LinkButton, PrimaryButton, allow
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Meta, Muted, Plain, SectionTitle
from curator.formats.registry import WRITTEN, export_name

if TYPE_CHECKING:
    from curator.project.exports.selection import Blocker, ExportSettings, Selection


MOST_RULES: Final = 6


class ExportCard(Card):
    """The settings of an export with a preview; changed tells that they moved."""

    changed = Signal()
    export_requested = Signal()
    blocker_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Export"))
        self.folder = QLineEdit(self)
        self.folder.setAccessibleName(self.tr("Folder"))
        self.browse = IconButton("folder", self.tr("Choose a folder"), self)
        self.format = _choices(
            self,
            self.tr("Format"),
            tuple((export_name(each), each.title) for each in WRITTEN),
        )
        self.statuses = _choices(
            self,
            self.tr("Which conversations"),
            (
                ("auto", self.tr("accepted, or all as long as none is accepted")),
                ("accepted", self.tr("accepted only")),
                ("open", self.tr("accepted and pending")),
            ),
        )
        self.unassigned = _choices(
            self,
            self.tr("Conversations without a split"),
            (
                ("auto", self.tr("train, as long as nothing is split")),
                ("train", self.tr("train")),
                ("leave", self.tr("leave out")),
            ),
        )
        self.query = QLineEdit(self)
        self.query.setAccessibleName(self.tr("Only what matches"))
        self.query.setPlaceholderText(self.tr("everything, or for example tag:gold -label:spam"))
        self.query.setClearButtonEnabled(True)
        self.flagged = QCheckBox(self.tr("Hold back what is flagged"), self)
        self.errors = QCheckBox(self.tr("Leave out what has errors"), self)
        self.summary = Plain("", self, wrap=True)
        self.left_out = Muted("", self, wrap=True)
        self.notes = Muted("", self, wrap=True)
        self.export = PrimaryButton(self.tr("Export"), self, icon_name="export")
        self.export.setMinimumHeight(40)
        self._blockers = QVBoxLayout()
        self._blockers.setSpacing(0)
        self._lay_out()
        self.browse.clicked.connect(self._browse)
        self.format.currentIndexChanged.connect(self.changed)
        self.statuses.currentIndexChanged.connect(self.changed)
        self.unassigned.currentIndexChanged.connect(self.changed)
        self.query.editingFinished.connect(self.changed)
        self.flagged.toggled.connect(self.changed)
        self.errors.toggled.connect(self.changed)
        self.export.clicked.connect(self.export_requested)

    def settings(self) -> "ExportSettings":
        """Return the settings shown."""
        from curator.project.exports.selection import ExportSettings

        return ExportSettings(
            format=self.format.currentData(),
            statuses=self.statuses.currentData(),
            query=self.query.text().strip(),
            hold_out_flagged=self.flagged.isChecked(),
            unassigned=self.unassigned.currentData(),
            skip_errors=self.errors.isChecked(),
        )

    def show_folder(self, folder: Path) -> None:
        """Offer a folder."""
        with QSignalBlocker(self.folder):
            self.folder.setText(str(folder))

    def show_problem(self, text: str) -> None:
        """Say why nothing can be previewed."""
        self.summary.setText(text)
        self.left_out.setText("")
        self.notes.setText("")
        self._show_blockers(())
        allow(self.export, allowed=False, reason=text)

    def show_selection(self, selection: "Selection") -> None:
        """Show what would be exported, what not, and what stops it."""
        parts = [
            f"{selection.rows(name):,} {words}"
            for name, words in (
                ("train", self.tr("train")),
                ("validation", self.tr("validation")),
                ("test", self.tr("test")),
            )
            if selection.rows(name)
        ]
        self.summary.setText(
            self.tr("{0}: {1}").format(
                counted(len(selection.ids), "conversation"), ", ".join(parts)
            )
            if parts
            else self.tr("Nothing would be exported.")
        )
        left = [f"{count:,} {self.reason(name)}" for name, count in selection.left_out.items()]
        self.left_out.setText(self.tr("Left out: {0}.").format(", ".join(left)) if left else "")
        warnings = self.tr("{0} along.").format(
            counted(selection.warnings, "warning goes", "warnings go")
        )
        notes = [*selection.notes, *([warnings] if selection.warnings else [])]
        self.notes.setText(" ".join(notes))
        for label in (self.left_out, self.notes):
            label.setVisible(bool(label.text()))
        self._show_blockers(selection.blockers)
        reason = self.tr("What stands above is in the way of an export.")
        allow(
            self.export,
            allowed=bool(parts) and not selection.blockers,
            reason=reason if parts else self.tr("Nothing would be exported."),
        )

    def reason(self, name: str) -> str:
        """Return why something is left out, in words."""
        words = {
            "removed": self.tr("removed"),
            "filtered": self.tr("outside the filter"),
            "rejected": self.tr("rejected"),
            "skipped": self.tr("skipped"),
            "pending": self.tr("pending"),
            "flagged": self.tr("flagged"),
            "no split": self.tr("without a split"),
            "errors": self.tr("with errors"),
            "damaged in the project file": self.tr("damaged in the project file"),
            "prompt in another split": self.tr("with a prompt of another split"),
        }
        return words.get(name, name)

    def _show_blockers(self, blockers: "tuple[Blocker, ...]") -> None:
        while (item := self._blockers.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        if not blockers:
            return
        count = sum(blocker.count for blocker in blockers)
        words = self.tr("{0} the export. Fix what is wrong, or leave these conversations out.")
        sentence = Plain(
            words.format(counted(count, "error stops", "errors stop")), self, wrap=True
        )
        sentence.setProperty("tone", "danger")
        self._blockers.addWidget(sentence)
        for blocker in blockers[:MOST_RULES]:
            self._blockers.addWidget(self._blocker(blocker))
        if len(blockers) > MOST_RULES:
            words = self.tr("and {0}").format(counted(len(blockers) - MOST_RULES, "more rule"))
            self._blockers.addWidget(Muted(words, self))

    def _blocker(self, blocker: "Blocker") -> QWidget:
        line = QWidget(self)
        show = LinkButton(self.tr("Show"), line)
        show.setProperty("blocker", blocker)
        show.clicked.connect(self._ask_blocker)
        hbox(
            Chip(blocker.rule, "danger", line, icon_name="error"),
            Plain(blocker.title, line),
            Meta(f"× {blocker.count:,}", line),
            STRETCH,
            show,
            parent=line,
            spacing=8,
            margins=0,
        )
        return line

    def _ask_blocker(self) -> None:
        self.blocker_requested.emit(self.sender().property("blocker"))

    def _lay_out(self) -> None:
        self.body.setSpacing(12)
        self.body.addWidget(SectionTitle(self.tr("Export"), self))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        place = hbox((self.folder, 1), self.browse, spacing=4)
        for row, words in enumerate(
            (
                self.tr("Into"),
                self.tr("Format"),
                self.tr("Take"),
                self.tr("Unassigned"),
                self.tr("Filter"),
            )
        ):
            grid.addWidget(Muted(words, self), row, 0)
        grid.addLayout(place, 0, 1)
        fields = (self.format, self.statuses, self.unassigned, self.query)
        for row, field in enumerate(fields, 1):
            grid.addWidget(field, row, 1)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self.flagged)
        self.body.addWidget(self.errors)
        for label in (self.summary, self.left_out, self.notes):
            self.body.addWidget(label)
        self.body.addWidget(self.export)
        self.body.addLayout(self._blockers)
        self.body.addStretch(1)

    def _browse(self) -> None:
        start = str(Path(self.folder.text()).parent)
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Export into"), start)
        if chosen:
            self.folder.setText(chosen)


def _choices(parent: QWidget, name: str, entries: tuple[tuple[str, str], ...]) -> QComboBox:
    box = ComboBox(parent)
    box.setAccessibleName(name)
    for key, words in entries:
        box.addItem(words, key)
    return box
