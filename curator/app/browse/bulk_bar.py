"""What can be done with many conversations at once: one bar, one step, however many they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QWidget

from curator.app.annotate.inspector import AnnotationChange
from curator.app.counted import counted
from curator.app.dialogs.question import ASK_OVER, ask_where_many
from curator.app.session.session import Session
from curator.app.widgets.buttons import LinkButton, QuietButton
from curator.app.widgets.card import Card
from curator.app.widgets.text import Plain
from curator.dataset import Edit
from curator.dataset.errors import CuratorError
from curator.dataset.json_values import Json
from curator.dataset.label import plain_name, spelling
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.dataset import AnnotationPatch
    from curator.project.store.changes import Changes
    from curator.project.store.project import Project
    from curator.project.store.reader import Reader


class BulkBar(Card):
    """Shows how many are chosen and what to do with them."""

    change_requested = Signal(object)
    all_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, padding=8)
        self._words = Plain("", self)
        self._every = LinkButton("", self)
        self._every.clicked.connect(self.all_wanted)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self._words)
        row.addWidget(self._every)
        row.addStretch(1)
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
        removal = (
            (
                self.tr("Remove"),
                AnnotationChange("removed", {"reason": "by hand", "partner": None}),
            ),
            (self.tr("Restore"), AnnotationChange("removed", None)),
        )
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
    ) -> QuietButton:
        button = QuietButton(text, self, icon_name=icon_name)
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


class BulkWork(QObject):
    """Applies one change to many conversations: few at once, many in the background, always one step."""

    AT_ONCE = 200

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session

    def apply(self, ids: Sequence[int], change: AnnotationChange) -> None:
        """Give these conversations the change."""
        project = self._session.project
        if project is None or not ids:
            return
        if len(ids) > ASK_OVER:
            title = self._title(change, 1)
            ask_where_many(
                self._session,
                len(ids),
                title,
                title,
                lambda: self._apply(project, ids, change),
                self,
            )
        else:
            self._apply(project, ids, change)

    def _apply(self, project: "Project", ids: Sequence[int], change: AnnotationChange) -> None:
        if self._session.project is not project:
            return
        author, title = self._session.author, self._title(change, len(ids))
        if len(ids) <= self.AT_ONCE:
            patch = patch_of(project, ids, change, author)
            key = f"{change.field}.{ids[0]}.{change.writing}" if change.writing else ""
            edit = Edit(title, author, (patch,), key) if patch is not None else None
            if edit is not None and self._session.push(edit) is not None:
                self._tell(edit)
            return

        def work(_progress: ProgressCall, _cancelled: CancelledCall) -> "Changes | None":
            with project.reader() as reader:
                patch = patch_of(reader, ids, change, author)
            return None if patch is None else project.apply(Edit(title, author, (patch,)))

        job = self._session.start(title, work)
        job.succeeded.connect(self._done)
        job.failed.connect(self._failed)

    def _title(self, change: AnnotationChange, count: int) -> str:
        names = {
            "status": self.tr("Status {0}"),
            "split": self.tr("Split {0}"),
            "flag": self.tr("Flag"),
            "+tag": self.tr("Add the tag {0}"),
            "-tag": self.tr("Take the tag {0} away"),
            "removed": self.tr("Remove") if change.value else self.tr("Restore"),
            "note": self.tr("Note"),
            "tags": self.tr("Tags"),
        }
        words = names.get(change.field, self.tr("Label {0}")).format(
            change.value or self.tr("none")
        )
        return (
            words
            if count == 1
            else self.tr("{0}: {1}").format(words, counted(count, "conversation"))
        )

    def _done(self, changes: "Changes | None") -> None:
        if changes is not None:
            self._session.take_over(changes)
            self._tell(changes.edit)

    def _tell(self, edit: Edit) -> None:
        """Say what was done where it was done to more than one, with its undo."""
        if len(edit.conversations()) > 1:
            self._session.tell_step(edit.title)

    def _failed(self, error: object) -> None:
        if isinstance(error, CuratorError):
            self._session.tell("error", str(error))


def patch_of(
    reader: "Reader", ids: Sequence[int], change: AnnotationChange, author: str
) -> "AnnotationPatch | None":
    """Return the patch that makes a change; None where all have it already."""
    from curator.project.labels import annotation_patch
    from curator.project.store.label_rows import annotation_values

    if change.field in ("+tag", "-tag"):
        tags = annotation_values(reader, ids, "tags")
        values: list[Json] = [_with_tag(list(each or ()), change) for each in tags]
        return annotation_patch(reader, ids, "tags", values, each=True)
    annotator = author if change.field.startswith("label:") else ""
    return annotation_patch(reader, ids, change.field, change.value, annotator=annotator)


def _with_tag(tags: list[Json], change: AnnotationChange) -> list[Json]:
    known = spelling(str(change.value), map(str, tags))
    without = [tag for tag in tags if tag != known]
    if change.field == "-tag":
        return without
    return tags if known else [*tags, change.value]
