"""Which export is trained on: the project's last one as it is now, or a folder a person chose."""

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from curator.app.page import Page
from curator.app.pages.train import background
from curator.app.pages.train.composer import Composer, ExportChoice
from curator.app.session.background import Job
from curator.app.timers import single_shot

_LOOK_AFTER_MS: Final = 400


class ExportChooser(QObject):
    """Keeps the composer's export true: one made anew, changed or deleted is noticed.

    chosen follows whenever it was read.
    """

    chosen = Signal()

    def __init__(self, page: Page, composer: Composer) -> None:
        super().__init__(page)
        self._page = page
        self._session = page.session
        self._composer = composer
        self._reading: Job[ExportChoice | None] | None = None
        self._soon = single_shot(self, _LOOK_AFTER_MS, self.offer)
        composer.folder_requested.connect(self._ask)
        page.session.edited.connect(self._look_again)
        page.jobs.finished.connect(self._look_again)

    def offer(self) -> None:
        """Take the last export, or read the folder again that a person chose."""
        taken = self._composer.export
        is_ours = taken is None or taken.is_last or not taken.folder.is_dir()
        if self._session.project is None:
            self._show(None)
        else:
            self._read(None if is_ours or taken is None else taken.folder)

    def take(self, folder: Path) -> None:
        """Train on this folder."""
        self._read(folder)

    def _read(self, folder: Path | None) -> None:
        look = partial(background.look_at_export, self._session.project, folder)
        self._reading = self._session.start(self.tr("Reading the export"), look)
        self._reading.succeeded.connect(self._show)
        self._reading.failed.connect(self._session.notify_failure)

    def _show(self, export: ExportChoice | None) -> None:
        self._composer.show_export(export)
        self.chosen.emit()

    def _look_again(self, news: object) -> None:
        """Look once more a moment after an edit or other work ended, an export for example."""
        if self._page.is_front and news is not self._reading:
            self._soon.start()

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._page, self.tr("Folder of an export"))
        if folder:
            self.take(Path(folder))
