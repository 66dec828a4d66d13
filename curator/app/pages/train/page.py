"""Training: choose a target, see what a start would do, start once, and follow every job to its end."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QSplitter,
    QWidget,
)

from curator.app.page import OpenRequest, Page
from curator.app.pages.train import background
from curator.app.pages.train.auto_values import AutoValues
from curator.app.pages.train.composer import Composer
from curator.app.pages.train.export_chooser import ExportChooser
from curator.app.pages.train.finished_jobs import FinishedJobActions
from curator.app.pages.train.form_actions import FormActions
from curator.app.pages.train.job_follower import JobFollower
from curator.app.pages.train.jobs_pane import JobsPane
from curator.app.pages.train.plan_card import PlanCard
from curator.app.pages.train.start_dialogs import CallDialog, StartDialog
from curator.app.pages.train.target_dialog import TargetChoice, TargetDialog
from curator.app.pages.train.targets_pane import TargetRow, TargetsPane
from curator.app.session.background import Job as Work
from curator.app.session.background import Jobs, Progress
from curator.app.session.background import Work as WorkCall
from curator.app.session.session import Session, failure_words
from curator.app.widgets.buttons import ChipButton
from curator.app.widgets.layouts import hbox
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.stack import Stack
from curator.dataset.errors import CuratorError
from curator.tune.jobs.dry_run import DryRun
from curator.tune.jobs.recipe import Recipe
from curator.tune.jobs.table import Job
from curator.tune.services.probing import Probe

COMPOSE, FOLLOW = 0, 1
_FIRST_LOOK_MS: Final = 400
_COMPOSE_MOST_PX: Final = 1440

T = TypeVar("T")


class TrainPage(Page):
    """Targets, composer and dry run on one side; all jobs on the other."""

    page_id = "train"
    title = "Train"
    icon = "train"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._plan: tuple[Recipe, DryRun] | None = None
        self._planning: Work[DryRun] | None = None
        self._asks_after_plan = False
        self._kept = ""
        self._buttons = (
            self.add_action("train.target_test"),
            self.add_action("train.start", primary=True),
        )
        self.targets = TargetsPane(self)
        self.main = self.targets.list
        self.composer = Composer(self)
        self.card = PlanCard(self)
        self.pane = JobsPane(self)
        self.follower = JobFollower(self.pane, session, jobs)
        self.chooser = ExportChooser(self, self.composer)
        AutoValues(self.composer, session)
        self.form_actions = FormActions(self.composer, self.targets, session, jobs)
        self.finished_jobs = FinishedJobActions(self.pane.view, session, jobs)
        self._stack = Stack(self)
        self._stack.addWidget(self._compose_side())
        self._stack.addWidget(self.pane)
        self.body.setSpacing(12)
        self.body.addLayout(self._chips())
        self.body.addWidget(self._stack, 1)
        self._sides.idClicked.connect(self._turn)
        self.slots_changed.connect(self._light_buttons)
        self.follower.changed.connect(self._jobs_moved)
        self.targets.target_chosen.connect(self._target_chosen)
        self.targets.add_requested.connect(self._add_target)
        self.targets.edit_requested.connect(self._edit_target)
        self.form_actions.targets_read.connect(self._show_targets)
        self.finished_jobs.repeated.connect(self._repeat)
        self.finished_jobs.changed.connect(self.follower.take)
        self.composer.changed.connect(self._plan_is_old)
        self.chooser.chosen.connect(self.slots_changed)
        self.composer.export_requested.connect(
            partial(self.open_requested.emit, OpenRequest("export"))
        )
        self.card.run_requested.connect(self.dry_run)
        self.card.call_requested.connect(self.show_call)
        self.pane.new_requested.connect(partial(self._turn, COMPOSE))
        self.pane.guide_requested.connect(partial(self.action_requested.emit, "help.guide"))
        self.pane.view.conversation_requested.connect(self._open_conversation)
        self.pane.view.try_requested.connect(partial(self._go, "try"))
        self.pane.view.evaluate_requested.connect(partial(self._go, "evaluate"))
        self._light_buttons()
        self.follower.begin()

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer what the chosen target, export and job allow."""
        slots: dict[str, Callable[[], object]] = {}
        row = self.targets.current()
        if row is not None and row.is_ready:
            slots["train.target_test"] = self.test_target
        if row is not None and row.is_addressed and self.composer.export is not None:
            slots["train.dry_run"] = self.dry_run
            if row.is_ready:
                slots["train.start"] = self.start
        chosen = self.follower.chosen()
        if chosen is not None and chosen.is_followed:
            slots["train.cancel"] = self.follower.cancel_chosen
        return slots

    def activated(self) -> None:
        """Read targets and jobs, and the last export, and follow what is still at work."""
        self._run(self.tr("Reading the targets"), background.read_targets, self._show_targets)
        self.follower.read()
        self.form_actions.read()
        self.chooser.offer()

    def open(self, request: OpenRequest) -> None:
        """Take the export folder another page hands over in the request's detail."""
        if request.detail:
            self._turn(COMPOSE)
            self.take_export(Path(request.detail))

    def rail_count(self) -> int | None:
        """Return how many jobs are at work, None for none."""
        return self.follower.unfinished or None

    def take_export(self, folder: Path) -> None:
        """Train on an export folder, as it is now."""
        self.chooser.take(folder)

    def test_target(self) -> None:
        """Ask the chosen server three free questions."""
        row = self.targets.current()
        if row is None:
            return
        self.targets.show_probe(None, self.tr("Asking {0} …").format(row.target.label))
        job = self.session.start(
            self.tr("Testing the connection"), partial(background.ask_target, row.target)
        )
        job.succeeded.connect(self._show_probe)
        job.failed.connect(self._probe_failed)

    def dry_run(self) -> None:
        """Count what a start would do; nothing leaves this computer."""
        recipe, export = self._recipe(), self.composer.export
        if export is None:
            self.card.show_nothing(self._no_export())
        if recipe is None or export is None:
            return
        if self._planning is not None:
            self._planning.cancel()
        self.card.show_nothing(self.tr("Counting …"))
        job = self.session.start(
            self.tr("Dry run"), partial(background.plan, recipe, export.folder)
        )
        self._planning = job
        job.progressed.connect(self._plan_progress)
        job.succeeded.connect(lambda found: self._show_plan(recipe, found))
        job.failed.connect(self._plan_failed)

    def _no_export(self) -> str:
        return self.tr("There is no export yet: export the project, or choose a folder.")

    def start(self) -> None:
        """Ask once and start; without a dry run that fits, make that first."""
        recipe = self._recipe()
        if recipe is None:
            return
        if self._plan is None or self._plan[0] != recipe:
            self._asks_after_plan = True
            self.dry_run()
            return
        found = self._plan[1]
        if found.errors:
            self.session.notify("warning", found.errors[0])
            return
        StartDialog(self.composer.base_words, found, self._start_confirmed, self).open()

    def show_call(self) -> None:
        """Show the exact call of a start as Python, curl and a verb."""
        recipe, export = self._recipe(), self.composer.export
        if export is None:
            self.card.show_nothing(self._no_export())
        elif recipe is not None:
            has_validation = export.validation_rows > 0
            CallDialog(
                recipe, has_validation=has_validation, folder=export.folder, parent=self
            ).open()

    def _compose_side(self) -> QWidget:
        splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.targets.setMinimumWidth(240)
        self.composer.setMinimumWidth(320)
        self.composer.set_beside(self.card)
        for widget, share in ((self.targets, 0), (self.composer, 1)):
            splitter.addWidget(widget)
            splitter.setStretchFactor(splitter.count() - 1, share)
        splitter.setSizes([260, 860])
        SplitterState(splitter, "train-composer")
        # On a very wide screen lines would grow too long to read.
        holder, side = QWidget(self), QWidget(self)
        holder.setMaximumWidth(_COMPOSE_MOST_PX)
        for outer, inner in ((holder, splitter), (side, holder)):
            row = hbox((inner, _COMPOSE_MOST_PX), parent=outer, margins=0)
        row.addStretch(1)
        return side

    def _chips(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._sides = QButtonGroup(self)
        for place, words in ((COMPOSE, self.tr("New job")), (FOLLOW, self.tr("Jobs"))):
            chip = ChipButton(words, self)
            self._sides.addButton(chip, place)
            row.addWidget(chip)
        self._sides.button(COMPOSE).setChecked(True)
        row.addStretch(1)
        self.every = ChipButton(self.tr("All projects"), self)
        self.every.setToolTip(self.tr("Show the jobs of other projects too"))
        self.every.toggled.connect(self.follower.show_all)
        self.every.hide()
        row.addWidget(self.every)
        return row

    def _turn(self, side: int) -> None:
        self._stack.setCurrentIndex(side)
        self._sides.button(side).setChecked(True)
        self._show_other_projects()

    def _show_other_projects(self) -> None:
        """Offer the jobs of other projects where there are any."""
        count = self.follower.of_other_projects
        self.every.setText(self.tr("All projects {0}").format(f"{count:,}"))
        self.every.setVisible(bool(count) and self._stack.currentIndex() == FOLLOW)

    def _repeat(self, recipe: Recipe) -> None:
        self._turn(COMPOSE)
        self.form_actions.fill(recipe)

    def _light_buttons(self) -> None:
        """Grey out what cannot be done now; the card at the left says what is missing."""
        slots = self.slots()
        for button in self._buttons:
            button.setEnabled(button.action_id in slots)

    def _jobs_moved(self) -> None:
        self._show_other_projects()
        self.count_changed.emit()
        self.slots_changed.emit()

    def _run(self, title: str, work: WorkCall[T], then: Callable[[T], object]) -> None:
        """Start work whose failure is told as a notice."""
        self.session.run(title, work, then)

    def _show_targets(self, rows: tuple[TargetRow, ...]) -> None:
        self.targets.show_rows(rows)
        self.slots_changed.emit()

    def _target_chosen(self, row: TargetRow) -> None:
        project = self.session.project
        self.composer.name_checkpoints({**self.pane.names, **row.names})
        self.composer.show_target(row.for_project(str(project.path) if project else ""))
        self.slots_changed.emit()

    def _show_probe(self, found: Probe) -> None:
        self.targets.show_probe(found)
        self.composer.offer_served(found.bases)

    def _probe_failed(self, error: object) -> None:
        self.targets.show_probe(None, failure_words(error))

    def _add_target(self) -> None:
        # Not the rows of the page: those come from the background and may still be on their way.
        dialog = TargetDialog(background.shipped_targets(), parent=self)
        dialog.chosen.connect(self._keep_target)
        dialog.open()

    def _edit_target(self, row: TargetRow) -> None:
        dialog = TargetDialog({}, row.target, self)
        dialog.chosen.connect(self._keep_target)
        dialog.open()

    def _keep_target(self, choice: TargetChoice) -> None:
        keep = partial(background.keep_target, choice.target, choice.key)
        self._kept = choice.target.id
        job = self.jobs.start(self.tr("Keeping the target"), keep)
        job.succeeded.connect(self._target_kept)
        job.failed.connect(self.session.notify_failure)
        # The target itself is kept even where its key could not be.
        job.failed.connect(self.activated)

    def _target_kept(self, rows: tuple[TargetRow, ...]) -> None:
        self._show_targets(rows)
        self.targets.choose(self._kept)

    def _recipe(self) -> Recipe | None:
        try:
            recipe = self.composer.recipe()
        except CuratorError as error:
            self.composer.set_message(str(error))
            # The composer's line may be out of sight below.
            self.card.show_nothing(str(error))
            return None
        self.composer.set_message("")
        return recipe

    def _plan_is_old(self) -> None:
        if self._plan is not None:
            self._plan = None
            self.card.show_nothing(self.tr("Something changed: the last dry run no longer fits."))

    def _plan_progress(self, progress: Progress) -> None:
        if progress.total:
            words = self.tr("Counting row {0} of {1}")
            self.card.show_working(words.format(f"{progress.done:,}", f"{progress.total:,}"))

    def _show_plan(self, recipe: Recipe, found: DryRun) -> None:
        self._planning = None
        self._plan = (recipe, found)
        self.card.show_plan(found)
        asks, self._asks_after_plan = self._asks_after_plan, False
        if asks:
            self.start()

    def _plan_failed(self, error: object) -> None:
        self._planning, self._asks_after_plan = None, False
        self.card.show_nothing(failure_words(error))

    def _start_confirmed(self) -> None:
        export = self.composer.export
        if self._plan is None or export is None:
            return
        recipe, found = self._plan
        project = self.session.project
        place = str(project.path) if project is not None else ""
        work = partial(background.start, recipe, export.folder, found, place)
        job = self.jobs.start(self.tr("Starting the job"), work)
        job.succeeded.connect(self._started)
        job.failed.connect(self.session.notify_failure)
        job.ended.connect(self.follower.show_newest)
        self._turn(FOLLOW)
        # By then the job stands in the table as "uploading".
        QTimer.singleShot(_FIRST_LOOK_MS, self.follower.show_newest)

    def _started(self, job: Job) -> None:
        words = self.tr("The job {0} has started at {1}.")
        self.session.notify("success", words.format(job.job, job.target))

    def _open_conversation(self, conversation: int) -> None:
        self.open_requested.emit(OpenRequest("write", conversation=conversation))

    def _go(self, page: str, checkpoint: str) -> None:
        self.open_requested.emit(OpenRequest(page, detail=checkpoint))
