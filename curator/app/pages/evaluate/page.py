"""Evaluating: candidates answer the test questions; figures, the confusion matrix and what changed."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from curator.app.counted import counted
from curator.app.dates import local_time
from curator.app.page import OpenRequest, Page
from curator.app.pages.evaluate import background
from curator.app.pages.evaluate.background import Choices, RunLine, Shown
from curator.app.pages.evaluate.figures import FiguresPane
from curator.app.pages.evaluate.matrix import MatrixPane
from curator.app.pages.evaluate.replies import RepliesPane
from curator.app.pages.evaluate.setup_card import SetupCard
from curator.app.session.background import Job, Jobs, Work
from curator.app.session.session import Session
from curator.app.widgets.buttons import ChipButton, PlainButton
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.progress_row import ProgressRow
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.stack import Stack
from curator.app.widgets.text import Muted
from curator.dataset.errors import CuratorError

FIGURES, MATRIX, REPLIES, EMPTY = range(4)
_DONE: Final = "done"
_RUN_PX: Final = 320


class EvaluatePage(Page):
    """Who is asked what, the runs so far, and what they found."""

    page_id = "evaluate"
    title = "Evaluate"
    icon = "calculator"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._runs: tuple[RunLine, ...] = ()
        self._shown: Shown | None = None
        self._unfilled: set[int] = set()
        self._asking: Job[str] | None = None
        self._can_ask = False
        self._wanted = ""
        self.add_action("evaluate.report")
        self.add_action("evaluate.start", primary=True)
        self.setup = SetupCard(self)
        self.runs = ComboBox(self)
        self.runs.setAccessibleName(self.tr("Run"))
        self.runs.setFixedWidth(_RUN_PX)
        self.state = Muted("", self, wrap=True)
        self.resume = PlainButton(self.tr("Go on"), self, icon_name="play")
        self.progress = ProgressRow(self.tr("Evaluating"), self)
        self.figures, self.matrix = FiguresPane(self), MatrixPane(self)
        self.replies = RepliesPane(self)
        self.empty = EmptyState(self.icon, "", "", "", self)
        names = (self.tr("Figures"), self.tr("Confusion matrix"), self.tr("Replies"))
        self.chips = tuple(ChipButton(name, self) for name in names)
        self._stack = Stack(self)
        for pane in (self.figures, self.matrix, self.replies, self.empty):
            self._stack.addWidget(pane)
        self.main = self.figures.view
        self._lay_out()
        self._connect()
        self._turn(FIGURES)
        self._show_empty()

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer asking, stopping, the report, and stepping through replies."""
        slots: dict[str, Callable[[], object]] = {}
        if self.session.project is None:
            return slots
        if self._asking is not None:
            slots["evaluate.stop"] = self.stop
        elif self._can_ask and self.setup.is_ready() and not self.session.is_read_only:
            slots["evaluate.start"] = self.start
        if self._shown is not None and self._shown.items:
            slots["evaluate.report"] = self.write_report
            if self._stack.currentIndex() == REPLIES:
                slots["conversation.next"] = partial(self.replies.go, 1)
                slots["conversation.previous"] = partial(self.replies.go, -1)
        return slots

    def activated(self) -> None:
        """Read who can be asked, and the runs: jobs and the terminal may have made more."""
        project = self.session.project
        if project is None:
            return
        job = self.session.start(
            self.tr("Looking for candidates"), background.read_choices(project)
        )
        job.succeeded.connect(self._show_choices)
        job.failed.connect(self.session.notify_failure)

    def open(self, request: OpenRequest) -> None:
        """Choose the checkpoint that another page asks about, as soon as it is offered."""
        self._wanted = request.detail

    def first_control(self) -> QWidget | None:
        """Return the first candidate, where there is anybody to ask."""
        return self.setup.base if self.setup.isVisible() else super().first_control()

    @property
    def is_asking(self) -> bool:
        """Whether a run is being asked."""
        return self._asking is not None

    def start(self) -> None:
        """Ask the chosen candidates the chosen questions."""
        project = self.session.project
        if project is None or self._asking is not None:
            return
        try:
            request = self.setup.request()
        except CuratorError as error:
            self.session.notify_failure(error)
            return
        self._follow(background.begin(project, request))

    def go_on(self) -> None:
        """Ask what the run at hand has no reply to yet."""
        project, line = self.session.project, self._line()
        if project is not None and line is not None and self._asking is None:
            self._follow(background.go_on(project, line.token))

    def stop(self) -> None:
        """Stop asking; what came so far stays, and the run can go on."""
        if self._asking is not None:
            self._asking.cancel()
            self.state.setText(self.tr("Stopping: replies on their way are waited for."))

    def write_report(self) -> None:
        """Ask for a place and write the report there."""
        project, shown = self.session.project, self._shown
        if project is None or shown is None:
            return
        suggested = project.path.with_name(f"evaluation {shown.line.token}.html")
        name, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Report"),
            str(suggested),
            self.tr("HTML (*.html);;PDF (*.pdf);;Markdown (*.md)"),
        )
        if name:
            self.report_to(Path(name))

    def report_to(self, path: Path) -> None:
        """Write the report of the run at hand, by its ending as HTML, PDF or Markdown."""
        project, shown = self.session.project, self._shown
        if project is None or shown is None:
            return
        try:
            work = background.write(project, shown, path)
        except CuratorError as error:
            self.session.notify_failure(error)
            return
        job = self.session.start(self.tr("Writing the report"), work)
        job.succeeded.connect(self._report_written)
        job.failed.connect(self.session.notify_failure)

    def _report_written(self, path: Path) -> None:
        self.session.notify("success", self.tr("The report is written."), str(path))

    def _lay_out(self) -> None:
        self.body.setSpacing(12)
        self.body.addWidget(self.setup)
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (*self.chips, self.runs):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.progress)
        row.addWidget(self.resume)
        self._faces = QWidget(self)
        column = QVBoxLayout(self._faces)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.state)
        column.addWidget(self._stack, 1)
        self.body.addWidget(self._faces, 1)
        self.progress.hide()

    def _connect(self) -> None:
        self.setup.changed.connect(self._light)
        self.runs.currentIndexChanged.connect(self._read_run)
        self.resume.clicked.connect(self.go_on)
        for place, chip in enumerate(self.chips):
            chip.clicked.connect(partial(self._turn, place))
        self.matrix.opened.connect(self._open_conversation)
        self.replies.opened.connect(self._open_conversation)
        self.empty.pressed.connect(self._way_out)
        self.empty.guide_requested.connect(partial(self.action_requested.emit, "help.guide"))
        self.session.project_changed.connect(self._project_changed)

    def _turn(self, place: int) -> None:
        for at, chip in enumerate(self.chips):
            chip.setChecked(at == place)
        if self._shown is not None:
            self._fill(place)
        views = (self.figures.view, self.matrix.view, self.replies.view)
        self.main = views[place]
        self._light()

    def _fill(self, place: int) -> None:
        """Bring a face to the front, filled with the run at hand."""
        panes = (self.figures, self.matrix, self.replies)
        if self._shown is not None and place in self._unfilled:
            self._unfilled.discard(place)
            panes[place].show_run(self._shown)
        self._stack.setCurrentIndex(place)

    def _face(self) -> int:
        return next((at for at, chip in enumerate(self.chips) if chip.isChecked()), FIGURES)

    def _light(self) -> None:
        line = self._line()
        can_go_on = line is not None and line.state != _DONE and self._asking is None
        self.resume.setVisible(can_go_on and not self.session.is_read_only)
        has_runs = bool(self._runs)
        for widget in (*self.chips, self.runs):
            widget.setVisible(has_runs)
        self.slots_changed.emit()

    def _follow(self, work: Work[str]) -> None:
        job = self.session.start(self.tr("Evaluating"), work)
        self._asking = job
        self.progress.follow(job)  # type: ignore[arg-type]
        self.progress.show()
        self.state.setText("")
        job.failed.connect(self.session.notify_failure)
        job.ended.connect(partial(self._ended, job))
        self._light()

    def _ended(self, job: Job[str]) -> None:
        if job is not self._asking:
            return
        self._asking = None
        self.progress.hide()
        self._shown = None
        self.state.setText("")
        self._light()
        self.activated()

    def _project_changed(self) -> None:
        if self.is_front:
            self.activated()

    def _show_choices(self, choices: Choices) -> None:
        self._can_ask = bool(choices.asked)
        self.setup.setVisible(self._can_ask)
        self.setup.offer(choices.asked, choices.label_sets)
        if self._wanted:
            self.setup.choose_tried(self._wanted)
            self._wanted = ""
        before = self._line()
        is_new = [line.token for line in choices.runs] != [line.token for line in self._runs]
        self._runs = choices.runs
        entries = [(self._run_words(line), line.token) for line in choices.runs]
        at = 0
        if before is not None and not is_new:
            at = next((n for n, r in enumerate(self._runs) if r.token == before.token), 0)
        self.runs.offer(entries, entries[at][0] if entries else "")
        self._show_empty()
        self._read_run()
        self._light()
        if self.is_front and not self.has_focus:
            self.set_initial_focus()

    def _run_words(self, line: RunLine) -> str:
        when = local_time(line.at / 1000)
        return f"{when} · {', '.join(line.names)}"

    def _line(self) -> RunLine | None:
        at = self.runs.currentIndex()
        return self._runs[at] if 0 <= at < len(self._runs) else None

    def _read_run(self) -> None:
        project, line = self.session.project, self._line()
        if project is None or line is None:
            self._shown = None
            self._stack.setCurrentIndex(EMPTY)
            return
        job = self.session.start(
            self.tr("Reading the evaluation"), background.read_run(project, line.token)
        )
        job.succeeded.connect(self._show_run)
        job.failed.connect(self.session.notify_failure)

    def _show_run(self, shown: Shown) -> None:
        line = self._line()
        if line is None or shown.line.token != line.token:
            return
        self._shown = shown
        # Each face is filled when it is first seen: all three at once would be a turn too long.
        self._unfilled = {FIGURES, MATRIX, REPLIES}
        self._fill(self._face())
        self.state.setText(self._state_words(shown))
        self._light()

    def _state_words(self, shown: Shown) -> str:
        line, words = shown.line, counted(shown.line.items, "question")
        if shown.changed:
            changed = counted(shown.changed, "conversation has", "conversations have")
            words = " · ".join((words, self.tr("{0} changed since").format(changed)))
        if line.state == _DONE:
            return words
        whole = line.items * len(line.names)
        have = self.tr("{0} of {1}").format(f"{line.replies:,}", counted(whole, "reply"))
        if line.state == "running":
            return " · ".join((words, have))
        return " · ".join(filter(None, (words, have, self.tr("stopped"), line.reason)))

    def _show_empty(self) -> None:
        if self._can_ask or self._runs:
            self.empty.set_message(
                self.tr("Nothing was evaluated yet"),
                self.tr(
                    "Choose whom to ask above and press Evaluate: every candidate answers the "
                    "questions of the test split, and the figures come with their intervals."
                ),
                self.tr("Evaluate"),
            )
        else:
            self.empty.set_message(
                self.tr("No model available yet"),
                self.tr(
                    "Set up the trainer of this computer, or give the key of a service, on the "
                    "Train page. What can be asked can be evaluated."
                ),
                self.tr("Go to Train"),
            )

    def _way_out(self) -> None:
        if self._can_ask:
            self.action_requested.emit("evaluate.start")
        else:
            self.open_requested.emit(OpenRequest("train"))

    def _open_conversation(self, conversation: int) -> None:
        self.open_requested.emit(OpenRequest("write", conversation))
