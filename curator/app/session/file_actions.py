"""The ways into a project: open, new, import, drop, sample; each asks what it must and starts a job."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtWidgets import QWidget

from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.resources import resource
from curator.dataset.small_files import make_folder

if TYPE_CHECKING:
    from PySide6.QtWidgets import QFileDialog

    from curator.project.imports.report import ImportReport
    from curator.project.store.project import Project

SUFFIX: Final = ".curator"
SAMPLE: Final = "support_desk.jsonl"
SAMPLE_LABELS: Final = "support_desk.labels.jsonl"


class FileDialogs:
    """Asks for paths with the system's own dialogs; tests put another one in its place."""

    def open_project(self, parent: QWidget, title: str, kinds: str) -> Path | None:
        """Ask for one existing file."""
        return _path(_dialogs().getOpenFileName(parent, title, str(documents()), kinds)[0])

    def new_project(self, parent: QWidget, title: str, suggested: Path, kinds: str) -> Path | None:
        """Ask where a new file shall lie."""
        return _path(_dialogs().getSaveFileName(parent, title, str(suggested), kinds)[0])

    def files(self, parent: QWidget, title: str, kinds: str) -> tuple[Path, ...]:
        """Ask for files to read."""
        chosen, _kind = _dialogs().getOpenFileNames(parent, title, str(documents()), kinds)
        return tuple(Path(name) for name in chosen)

    def folder(self, parent: QWidget, title: str) -> Path | None:
        """Ask for a folder."""
        return _path(_dialogs().getExistingDirectory(parent, title, str(documents())))


class FileActions(QObject):
    """Opens and fills projects; what came of an import is shown through show_report."""

    def __init__(
        self, window: QWidget, session: Session, jobs: Jobs, file_dialogs: FileDialogs | None = None
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._jobs = jobs
        self.file_dialogs = file_dialogs or FileDialogs()
        self.show_report: Callable[[ImportReport], object] = _ignore
        self.begin_writing: Callable[[], object] = _nothing

    def open(self) -> None:
        """Ask for a project and open it."""
        kinds = self.tr("Curator projects (*.curator);;All files (*)")
        path = self.file_dialogs.open_project(self._window, self.tr("Open project"), kinds)
        if path is not None:
            self._session.open_project(path)

    def new(self) -> None:
        """Ask where a new project shall lie and make it."""
        path = self._ask_new(documents() / f"{self.tr('conversations')}{SUFFIX}")
        if path is not None:
            self._session.new_project(path)

    def write(self) -> None:
        """Ask where a new project shall lie, make it, and begin its first conversation."""
        path = self._ask_new(documents() / f"{self.tr('conversations')}{SUFFIX}")
        if path is not None:
            self._session.new_project(path).succeeded.connect(self._begin_writing)

    def _begin_writing(self, _opened: object) -> None:
        self.begin_writing()

    def import_files(self) -> None:
        """Ask for files and bring them in; without an open project one is made beside the first."""
        self._warm_up()
        kinds = self.tr("Conversations (*.jsonl *.json *.jsonl.gz *.txt);;All files (*)")
        paths = self.file_dialogs.files(self._window, self.tr("Import files"), kinds)
        if paths:
            self.bring(paths)

    def sample(self) -> None:
        """Open the sample project, made from the shipped sample the first time."""
        path = self.sample_path()
        if path.exists():
            self._session.open_project(path)
            return
        try:
            make_folder(path.parent)
        except OSError as error:
            words = self.tr("{0} cannot be made: {1}.").format(path.parent, error.strerror)
            self._session.notify("error", words)
            return
        self._make_and_import(path, (resource("samples", SAMPLE),))

    def sample_path(self) -> Path:
        """Return where the sample project lies, whether it was made yet or not."""
        return documents() / "Curator" / f"{self.tr('support desk sample')}{SUFFIX}"

    def take(self, paths: Sequence[Path]) -> None:
        """Open a dropped project, or import dropped files."""
        projects = [path for path in paths if path.suffix == SUFFIX]
        if projects:
            self._session.open_project(projects[0])
        others = [path for path in paths if path.suffix != SUFFIX]
        if projects or not others:
            return
        if any(path.is_file() for path in others):
            # What is no file among them is named by the import.
            self.bring(others)
        else:
            words = self.tr("{0} is no file. Drop the files that hold the conversations.")
            self._session.notify("error", words.format(others[0].name))

    def bring(self, paths: Sequence[Path]) -> None:
        """Import files into the open project, or into a new one beside the first file."""
        if self._session.project is None:
            beside = free_name(paths[0].with_name(paths[0].name.split(".")[0] + SUFFIX))
            self._make_and_import(beside, tuple(paths))
        elif self._session.is_read_only:
            self._session.notify(
                "warning",
                self.tr("This project is open for looking only, so nothing can be imported."),
            )
        else:
            self._import(tuple(paths))

    def _warm_up(self) -> None:
        """Let the workers of an import load while somebody still chooses the files."""
        base_model = self._session.setting("base_model")

        def work() -> None:
            from curator.project.imports.parts import warm_up
            from curator.project.store.derive import terms_of

            warm_up(terms_of(base_model, None).encoding)

        # No job: it is nobody's work yet, and an import that comes first does the same itself.
        Thread(target=work, name="curator-warm-up", daemon=True).start()

    def _make_and_import(self, path: Path, files: tuple[Path, ...]) -> None:
        job = self._session.new_project(path)

        def go_on(_opened: object) -> None:
            self._import(files)

        job.succeeded.connect(go_on)

    def _import(self, paths: tuple[Path, ...]) -> None:
        project = self._session.project
        if project is None:
            return

        def work(progress: ProgressCall, cancelled: CancelledCall) -> "ImportReport":
            from curator.project.imports.importing import import_files

            report = import_files(project, paths, progress=progress, cancelled=cancelled)
            if paths == (resource("samples", SAMPLE),):
                _label_sample(project)
            return report

        names = ", ".join(path.name for path in paths[:2]) + (", …" if len(paths) > 2 else "")
        # What comes of it is this project's: it is dropped once another one is open.
        job = self._session.run(self.tr("Importing {0}").format(names), work, self._imported)
        job.ended.connect(self._session.reload)

    def _imported(self, report: "ImportReport") -> None:
        self.show_report(report)

    def _ask_new(self, suggested: Path) -> Path | None:
        kinds = self.tr("Curator projects (*.curator)")
        path = self.file_dialogs.new_project(self._window, self.tr("New project"), suggested, kinds)
        if path is None:
            return None
        return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def _label_sample(project: "Project") -> None:
    """Apply what annotators said of the sample, so that filters and splits have something to show."""
    from curator.project.label_files import import_labels

    said = import_labels(project, resource("samples", SAMPLE_LABELS), project.author)
    if said.edit is not None:
        project.apply(said.edit)


def _dialogs() -> "type[QFileDialog]":
    from PySide6.QtWidgets import QFileDialog

    return QFileDialog


def documents() -> Path:
    """Return the folder where people keep their files."""
    place = QStandardPaths.StandardLocation.DocumentsLocation
    return Path(QStandardPaths.writableLocation(place) or Path.home())


def free_name(path: Path) -> Path:
    """Return the path, or one with a number behind it where something lies there already."""
    number, candidate = 2, path
    while candidate.exists():
        candidate = path.with_name(f"{path.stem} {number}{path.suffix}")
        number += 1
    return candidate


def _path(chosen: str) -> Path | None:
    return Path(chosen) if chosen else None


def _ignore(_report: object) -> None:
    return None


def _nothing() -> None:
    return None
