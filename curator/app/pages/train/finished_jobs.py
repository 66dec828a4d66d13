"""What can be done with a job that was: run it again, fetch its files, delete its model, see its origin."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from curator.app.dialogs.confirm import Question
from curator.app.pages.train import background
from curator.app.pages.train.background import JobsState
from curator.app.pages.train.job_view import JobView
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.tune.checkpoint_names import checkpoint_name
from curator.tune.jobs.table import Job


class FinishedJobActions(QObject):
    """Carries out what the view asks for; repeated carries the recipe to fill the form with, changed what is known."""

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
        work = partial(background.download, token, folder)
        self._session.run(self.tr("Downloading"), work, partial(self._downloaded, folder))

    def delete(self, token: str) -> None:
        """Delete the fine-tuned model of a job at its server."""
        job = self._jobs.start(self.tr("Deleting the model"), partial(background.delete, token))
        job.succeeded.connect(self._deleted)
        job.failed.connect(self._session.notify_failure)

    def _again(self, token: str) -> None:
        self._session.run(
            self.tr("Reading the job"), partial(background.recipe_again, token), self.repeated.emit
        )

    def _read_origin(self, token: str) -> None:
        self._session.run(
            self.tr("Reading the origin"),
            partial(background.read_origin, token),
            self._view.show_origin,
        )

    def _ask_folder(self, token: str) -> None:
        folder = QFileDialog.getExistingDirectory(self._view, self.tr("Where the files go"))
        if folder:
            self.download(token, Path(folder))

    def _ask_delete(self, job: Job) -> None:
        words = self.tr(
            "{0} at {1} is deleted for good, and nobody can ask it any more. The job, its curve and "
            "its origin stay here."
        ).format(checkpoint_name(job), job.target)
        title, verb = self.tr("Delete this model?"), self.tr("Delete the model")
        go = partial(self.delete, job.token)
        no = self.tr("Keep it")
        Question(title, words, verb, go, self._view, no=no, is_danger=True).open()

    def _downloaded(self, folder: Path, paths: tuple[Path, ...]) -> None:
        names = ", ".join(path.name for path in paths[:3]) + (", …" if len(paths) > 3 else "")
        words = self.tr("{0} came into {1}.").format(names, folder)
        self._session.notify(
            "success", words, action_text=self.tr("Show"), action=partial(_show_folder, folder)
        )

    def _deleted(self, known: JobsState) -> None:
        self.changed.emit(known)
        self._session.notify("success", self.tr("The model is deleted; its job stays in the list."))


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
