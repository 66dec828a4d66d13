"""What can be done with many conversations at once: one bar, one step, however many they are."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from curator.app.annotate.annotating import REMOVE, RESTORE, AnnotationChange
from curator.app.widgets.buttons import FlatButton, LinkButton
from curator.app.widgets.card import Card
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.text import Plain
from curator.dataset.label import plain_name


class BulkBar(Card):
    """Shows how many are chosen and what to do with them."""

    change_requested = Signal(object)
    all_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, padding=8)
        self._words = Plain("", self)
        self._every = LinkButton("", self)
        self._every.clicked.connect(self.all_wanted)
        row = hbox(self._words, self._every, STRETCH, spacing=4)
        status = (
            (self.tr("Accept"), AnnotationChange("status", "accepted")),
            (self.tr("Reject"), AnnotationChange("status", "rejected")),
            (self.tr("Skip"), AnnotationChange("status", "skipped")),
            (self.tr("Back to pending"), AnnotationChange("status", "pending")),
        )
        split = (
            (self.tr("Train"), AnnotationChange("split", "train")),
            (self.tr("Validation"), AnnotationChange("split", "validation")),
            (self.tr("Test"), AnnotationChange("split", "test")),
            (self.tr("No split"), AnnotationChange("split", "")),
        )
        mark = (
            (self.tr("Flag"), AnnotationChange("flag", value=True)),
            (self.tr("Take the flag away"), AnnotationChange("flag", value=False)),
            (self.tr("Add a tag…"), AnnotationChange("+tag", "")),
            (self.tr("Take a tag away…"), AnnotationChange("-tag", "")),
        )
        removal = ((self.tr("Remove"), REMOVE), (self.tr("Restore"), RESTORE))
        for text, icon_name, entries in (
            (self.tr("Status"), "check", status),
            (self.tr("Split"), "split", split),
            (self.tr("Mark"), "tag", mark),
            (self.tr("Remove"), "trash", removal),
        ):
            row.addWidget(self._menu_button(text, icon_name, entries))
        self.body.setContentsMargins(12, 4, 8, 4)
        self.body.addLayout(row)
        self.hide()

    def show_chosen(self, chosen: int, matching: int) -> None:
        """Show how many are chosen of those that match; nothing below two."""
        self.setVisible(chosen > 1)
        self._words.setText(self.tr("{0} chosen").format(f"{chosen:,}"))
        self._every.setText(self.tr("Choose all {0} that match").format(f"{matching:,}"))
        self._every.setVisible(chosen < matching)

    def _menu_button(
        self, text: str, icon_name: str, entries: Sequence[tuple[str, AnnotationChange]]
    ) -> FlatButton:
        button = FlatButton(text, self, icon_name=icon_name)
        menu = QMenu(button)
        for words, change in entries:
            menu.addAction(words).setData(change)
        menu.triggered.connect(self._chosen)
        button.setMenu(menu)
        return button

    def _chosen(self, entry: object) -> None:
        change = entry.data()  # type: ignore[attr-defined]
        if change.field in ("+tag", "-tag"):
            name, accepted = QInputDialog.getText(self, self.tr("Tag"), self.tr("Tag"))
            if not accepted or not plain_name(name):
                return
            change = AnnotationChange(change.field, plain_name(name))
        self.change_requested.emit(change)
