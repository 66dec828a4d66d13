"""What can be done with a job that was: run it again, fetch its files, delete its model, see its origin."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from curator.app.pages.train import background
from curator.app.pages.train.background import Known
from curator.app.pages.train.job_view import JobView
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.widgets.buttons import DangerButton, QuietButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.text import PageTitle, Plain
from curator.dataset.errors import CuratorError
from curator.tune.checkpoint_names import checkpoint_name
from curator.tune.jobs.table import Job


class Afterwards(QObject):
    """Answers the view's wishes; repeated carries the recipe to fill the form with, changed what is known."""

    repeated = Signal(object)
    changed = Signal(object)

    def __init__(self, view: JobView, session: Session, jobs: Jobs) -> None:
        super().__init__(view)
        self._view = view
        self._session = session
        self._jobs = jobs
        view.again_requested.connect(self._again)
        view.download_requested.connect(self._ask_folder)
        view.delete_requested.connect(self._ask_delete)
        view.origin_requested.connect(self._read_origin)

    def download(self, token: str, folder: Path) -> None:
        """Fetch the files a server offers of a job into a folder."""
        work = background.download(token, folder)
        job = self._session.start(self.tr("Downloading"), work)
        job.succeeded.connect(partial(self._downloaded, folder))
        job.failed.connect(self._tell)

    def delete(self, token: str) -> None:
        """Delete the fine-tuned model of a job at its server."""
        job = self._jobs.start(self.tr("Deleting the model"), background.delete(token))
        job.succeeded.connect(self._deleted)
        job.failed.connect(self._tell)

    def _again(self, token: str) -> None:
        job = self._session.start(self.tr("Reading the job"), background.recipe_again(token))
        job.succeeded.connect(self.repeated)
        job.failed.connect(self._tell)

    def _read_origin(self, token: str) -> None:
        job = self._session.start(self.tr("Reading the origin"), background.read_origin(token))
        job.succeeded.connect(self._view.show_origin)
        job.failed.connect(self._tell)

    def _ask_folder(self, token: str) -> None:
        folder = QFileDialog.getExistingDirectory(self._view, self.tr("Where the files go"))
        if folder:
            self.download(token, Path(folder))

    def _ask_delete(self, job: Job) -> None:
        question = DeleteQuestion(job, partial(self.delete, job.token), self._view)
        question.open()

    def _downloaded(self, folder: Path, paths: tuple[Path, ...]) -> None:
        names = ", ".join(path.name for path in paths[:3]) + (", …" if len(paths) > 3 else "")
        words = self.tr("{0} came into {1}.").format(names, folder)
        self._session.tell(
            "success", words, action_text=self.tr("Show"), action=partial(_show_folder, folder)
        )

    def _deleted(self, known: Known) -> None:
        self.changed.emit(known)
        self._session.tell("success", self.tr("The model is deleted; its job stays in the list."))

    def _tell(self, error: object) -> None:
        if isinstance(error, CuratorError):
            self._session.tell("error", str(error))


class DeleteQuestion(Dialog):
    """Asks once before a model is deleted at its server, for good."""

    def __init__(self, job: Job, go: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Delete the model"))
        self.setMinimumWidth(480)
        self._go = go
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(PageTitle(self.tr("Delete this model?"), self))
        words = self.tr(
            "{0} at {1} is deleted for good, and nobody can ask it any more. The job, its curve and "
            "its origin stay here."
        )
        column.addWidget(Plain(words.format(checkpoint_name(job), job.target), self, wrap=True))
        row = QHBoxLayout()
        row.addStretch(1)
        keep = QuietButton(self.tr("Keep it"), self)
        keep.clicked.connect(self.reject)
        delete = DangerButton(self.tr("Delete the model"), self)
        delete.clicked.connect(self._confirm)
        row.addWidget(keep)
        row.addWidget(delete)
        column.addLayout(row)
        keep.setFocus()

    def _confirm(self) -> None:
        self._go()
        self.accept()


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
