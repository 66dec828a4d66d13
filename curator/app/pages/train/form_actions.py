"""What fills the form of a new job: kept recipes, past jobs, the trainer, and bases of one's own."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QInputDialog

from curator.app.pages.train import background
from curator.app.pages.train.composer import Composer
from curator.app.pages.train.targets_pane import TargetRow, TargetsPane
from curator.app.session.background import Jobs
from curator.app.session.background import Work as WorkCall
from curator.app.session.session import Session
from curator.dataset.errors import CuratorError
from curator.tune.jobs.recipe import Recipe


class FormActions(QObject):
    """Carries out what the form asks for; targets_read carries the targets as they are now."""

    targets_read = Signal(object)

    def __init__(
        self, composer: Composer, targets: TargetsPane, session: Session, jobs: Jobs
    ) -> None:
        super().__init__(composer)
        self._composer = composer
        self._targets = targets
        self._session = session
        self._jobs = jobs
        self._added = ""
        composer.recipes.chosen.connect(self._load)
        composer.recipes.removed.connect(self._remove)
        composer.recipes.keep_requested.connect(self._keep)
        composer.base_folder_requested.connect(self._ask_folder)
        composer.base_file_requested.connect(self._ask_file)
        composer.base_hub_requested.connect(self._ask_hub)
        targets.setup.trainer_requested.connect(self._set_up_trainer)
        targets.setup.practice_requested.connect(self._fetch_practice)

    def read(self) -> None:
        """Offer the recipes there are."""
        self._names(background.read_recipes)

    def fill(self, recipe: Recipe) -> None:
        """Type what a recipe says."""
        self._targets.choose(recipe.target.id)
        row = self._targets.current()
        if row is None or row.target.id != recipe.target.id:
            words = self.tr("The target {0} is not in the list, so the recipe cannot be used.")
            self._session.notify("warning", words.format(recipe.target.label))
            return
        self._composer.fill(recipe)

    def add_base(self, source: str) -> None:
        """Add a base of one's own by a folder, a GGUF file or a hub id, then choose it."""
        job = self._jobs.start(
            self.tr("Adding the base model"), partial(background.add_base, source)
        )
        job.succeeded.connect(self._base_added)
        job.failed.connect(self._session.notify_failure)

    def _load(self, name: str) -> None:
        self._session.run(
            self.tr("Reading the recipe"), partial(background.read_recipe, name), self.fill
        )

    def _keep(self, name: str) -> None:
        try:
            recipe = self._composer.recipe()
        except CuratorError as error:
            self._composer.set_message(str(error))
            return
        self._names(partial(background.keep_recipe, name, recipe))

    def _remove(self, name: str) -> None:
        self._names(partial(background.remove_recipe_named, name))

    def _names(self, work: WorkCall[tuple[str, ...]]) -> None:
        self._session.run(self.tr("Recipes"), work, self._composer.recipes.show_names)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self._composer, self.tr("Folder of a Hugging Face model")
        )
        if folder:
            self.add_base(folder)

    def _ask_file(self) -> None:
        kinds = self.tr("GGUF files (*.gguf);;All files (*)")
        file, _ = QFileDialog.getOpenFileName(self._composer, self.tr("GGUF file"), "", kinds)
        if file:
            self.add_base(str(Path(file)))

    def _ask_hub(self) -> None:
        dialog = QInputDialog(self._composer)
        dialog.setWindowTitle(self.tr("A base model of the hub"))
        dialog.setLabelText(self.tr("Its name there, as owner/name"))
        dialog.setOkButtonText(self.tr("Fetch"))
        dialog.textValueSelected.connect(self._hub_named)
        dialog.open()

    def _hub_named(self, name: str) -> None:
        if name.strip():
            self.add_base(name.strip())

    def _base_added(self, name: str) -> None:
        self._added = name
        self._session.run(
            self.tr("Reading the targets"), background.read_targets, self._choose_added
        )

    def _choose_added(self, rows: tuple[TargetRow, ...]) -> None:
        self.targets_read.emit(rows)
        self._composer.choose_base(self._added)
        words = self.tr("{0} can be trained now.").format(self._added)
        self._session.notify("success", words)

    def _set_up_trainer(self) -> None:
        self._set_up(self.tr("Setting up the trainer"), background.set_up_trainer)

    def _fetch_practice(self) -> None:
        self._set_up(self.tr("Fetching the practice base"), background.fetch_practice)

    def _set_up(self, title: str, work: WorkCall[tuple[TargetRow, ...]]) -> None:
        self._targets.setup.set_busy(busy=True)
        job = self._jobs.start(title, work)
        job.progressed.connect(self._targets.setup.show_progress)
        job.succeeded.connect(self.targets_read)
        job.failed.connect(self._session.notify_failure)
        job.ended.connect(self._targets.choose_again)
