"""All jobs of all targets and projects in one table, and the chosen one beneath."""

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSplitter, QWidget

from curator.app.dates import local_time
from curator.app.pages.train.job_view import LOOKS, JobView
from curator.app.tables.grid import Column, GridView
from curator.app.theme import META_PX, font
from curator.app.widgets.chip import paint_chip
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.layouts import vbox
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.stack import Stack
from curator.tune.checkpoint_names import names_of
from curator.tune.jobs.table import Job
from curator.tune.jobs.watching import Details

_TABLE_PX: Final = 176
"""The header and five jobs."""


class JobsPane(QWidget):
    """The jobs; job_chosen carries the token of the row that was chosen."""

    job_chosen = Signal(str)
    new_requested = Signal()
    guide_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs: tuple[Job, ...] = ()
        self.names: Mapping[str, str] = {}
        self._troubles: dict[str, str] = {}
        self.view = JobView(self)
        self._grid = GridView(self.tr("Jobs"), self, self._columns(), one_row=True)
        self._grid.current_row_changed.connect(self._choose)
        self._empty = EmptyState(
            "train",
            self.tr("No job yet"),
            self.tr("A job appears here when you start one, and stays, whatever happens to it."),
            self.tr("Compose a job"),
            self,
        )
        self._empty.pressed.connect(self.new_requested)
        self._empty.guide_requested.connect(self.guide_requested)
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.addWidget(self._grid)
        splitter.addWidget(self.view)
        splitter.setStretchFactor(0, 0)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_TABLE_PX, 3 * _TABLE_PX])
        SplitterState(splitter, "train-jobs")
        self._stack = Stack(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(splitter)
        vbox(self._stack, parent=self, margins=0)

    @property
    def chosen(self) -> str:
        """The token of the job shown beneath, empty for none."""
        row = self._grid.current_row()
        return self._jobs[row].token if row is not None and row < len(self._jobs) else ""

    def name_of(self, model: str) -> str:
        """Return what a base or checkpoint is called; an id that none of the jobs made stays as it is."""
        return self.names.get(model, model)

    def show_jobs(self, jobs: Sequence[Job]) -> None:
        """Show the jobs, newest first; the chosen one stays chosen."""
        before = self.chosen
        moved = [job.token for job in jobs] != [job.token for job in self._jobs]
        self._jobs = tuple(jobs)
        self.names = names_of(self._jobs)
        self._stack.setCurrentIndex(1 if self._jobs else 0)
        if not moved:
            self._grid.table().refresh()
            return
        self._grid.table().set_rows(range(len(self._jobs)))
        if self._jobs:
            tokens = [job.token for job in self._jobs]
            self._grid.go_to(tokens.index(before) if before in tokens else 0)

    def choose(self, token: str) -> None:
        """Choose a job by its token."""
        tokens = [job.token for job in self._jobs]
        if token in tokens:
            self._grid.go_to(tokens.index(token))

    def show_details(self, details: Details, trouble: str | None = None) -> None:
        """Show what is known of a job, where it is the chosen one; None keeps the trouble known."""
        token = details.job.token
        if trouble is not None:
            self._troubles[token] = trouble
        if token == self.chosen:
            self.view.show_details(details, self._troubles.get(token, ""))

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("Status"), self._status, width=132, paint=self._paint_status),
            Column(
                self.tr("Base model"),
                lambda row: self.name_of(self._jobs[row].base),
                width=208,
                tip=lambda row: self._jobs[row].base,
            ),
            Column(
                self.tr("Checkpoint"),
                lambda row: self.name_of(self._jobs[row].checkpoint),
                stretch=True,
                tip=lambda row: self._jobs[row].checkpoint or self._jobs[row].error,
            ),
            Column(self.tr("Target"), lambda row: self._jobs[row].target, width=120),
            Column(self.tr("Rows"), lambda row: f"{self._jobs[row].rows:,}", number=True, width=72),
            Column(self.tr("Started"), lambda row: local_time(self._jobs[row].created), width=136),
        )

    def _status(self, row: int) -> str:
        return self.view.status_words(self._jobs[row])

    def _paint_status(self, painter: QPainter, rect: QRect, row: int) -> None:
        tone, icon_name = LOOKS[self._jobs[row].status]
        words = self._status(row)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(META_PX))
        width = min(rect.width(), painter.fontMetrics().horizontalAdvance(words) + 32)
        place = QRectF(rect.left(), rect.center().y() - 9.5, width, 20)
        paint_chip(painter, place, words, tone, icon_name)

    def _choose(self, row: int) -> None:
        if row < len(self._jobs):
            self.job_chosen.emit(self._jobs[row].token)
