"""Labels in and out as a file, from the window: the twin of ``curator label import`` and ``export``."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from curator.app.counted import counted
from curator.app.session.background import Jobs
from curator.app.session.file_actions import FileActions
from curator.app.session.session import Session
from curator.dataset.errors import WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.dataset import Edit
    from curator.project.label_files import LabelReport
    from curator.project.store.changes import Changes
    from curator.project.store.reader import Reader

ENDING = ".labels.jsonl"


class LabelFiles(QObject):
    """Asks for the file and starts the job; an import is one step that undo takes back."""

    def __init__(
        self, window: QWidget, session: Session, jobs: Jobs, file_actions: FileActions
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._jobs = jobs
        self._file_actions = file_actions

    def import_labels(self) -> None:
        """Ask for a file of labels and take it in."""
        kinds = self.tr("Labels (*.jsonl);;All files (*)")
        path = self._file_actions.file_dialogs.open_project(
            self._window, self.tr("Import labels"), kinds
        )
        author = self._session.author
        if path is None:
            return
        reports: list[LabelReport] = []

        def work(
            reader: "Reader", _progress: ProgressCall, _cancelled: CancelledCall
        ) -> "Edit | None":
            from curator.project.label_files import import_labels

            reports.append(import_labels(reader, path, author))
            return reports[0].edit

        def tell(applied: "tuple[Changes, ...]") -> None:
            self._imported(path.name, applied, reports[0])

        job = self._session.push_later(self.tr("Importing labels from {0}").format(path.name), work)
        if job is not None:
            job.succeeded.connect(tell)

    def export_labels(self) -> None:
        """Ask for a name and write who answered what."""
        project, author = self._session.project, self._session.author
        if project is None:
            return
        suggested = project.path.with_suffix(ENDING)
        kinds = self.tr("Labels (*.jsonl)")
        path = self._file_actions.file_dialogs.new_project(
            self._window, self.tr("Export labels"), suggested, kinds
        )
        if path is None:
            return

        def work(_progress: ProgressCall, _cancelled: CancelledCall) -> tuple[Path, int]:
            from curator.project.label_files import export_labels

            try:
                with project.reader() as reader:
                    return path, export_labels(reader, path, author)
            except OSError as error:
                raise WrongUse(f"{path} cannot be written: {error.strerror}.") from error

        self._session.run(
            self.tr("Exporting labels to {0}").format(path.name), work, self._exported
        )

    def _imported(self, name: str, applied: "tuple[Changes, ...]", report: "LabelReport") -> None:
        count = sum(len(changes.conversations) for changes in applied)
        words = self.tr("{0} labelled").format(counted(count, "conversation"))
        notes = " ".join(report.notes)
        if applied:
            self._session.notify_step(words, notes)
        elif not report.refused:
            self._session.notify("success", words, notes)
        if not report.refused:
            return
        left_out = self.tr("{0} · {1} refused").format(words, counted(len(report.refused), "line"))

        def show() -> None:
            from curator.app.dialogs.refused_lines import RefusedLinesDialog

            RefusedLinesDialog(name, left_out, report.refused, self._window).open()

        self._session.notify("warning", left_out, notes, self.tr("Show the list"), show)

    def _exported(self, result: tuple[Path, int]) -> None:
        path, count = result
        words = self.tr("Labels of {0} are in {1}").format(
            counted(count, "conversation"), path.name
        )
        self._session.notify("success", words, str(path.parent))
