"""One job: its curve while it learns, its events and checkpoints, and what to do when it failed."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QWidget,
)

from curator.app.counted import counted
from curator.app.dates import local_time
from curator.app.pages.train.checkpoint_table import CheckpointTable
from curator.app.pages.train.origin import OriginView
from curator.app.tables.grid import Column, GridView
from curator.app.widgets.buttons import ChipButton, DangerButton, FlatButton, PlainButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.line_chart import LineChart, Series, write_number
from curator.app.widgets.progress_row import duration
from curator.app.widgets.stack import Stack
from curator.app.widgets.text import Muted, Plain, SectionTitle, tip_of
from curator.tune.checkpoint_names import job_name
from curator.tune.jobs.lineage import Lineage
from curator.tune.jobs.loss_curve import Point, best_checkpoint, share_done, verdict
from curator.tune.jobs.table import Job
from curator.tune.jobs.watching import Details
from curator.tune.services.port import Checkpoint, Event, State

LOOKS: Final = {
    State.PREPARING: ("text-muted", "clock"),
    State.UPLOADING: ("accent", "clock"),
    State.CREATING: ("accent", "clock"),
    State.UNCLEAR: ("warning", "warning"),
    State.VALIDATING: ("accent", "clock"),
    State.QUEUED: ("accent", "clock"),
    State.RUNNING: ("accent", "play"),
    State.PAUSED: ("warning", "pause"),
    State.UNKNOWN: ("accent", "clock"),
    State.SUCCEEDED: ("success", "check"),
    State.FAILED: ("danger", "error"),
    State.CANCELLED: ("text-muted", "stop"),
    State.DISCARDED: ("text-muted", "cross"),
}
"""Tone and icon of every state; the word stands beside them."""

_MEASURES: Final = {
    "loss": (
        ("train_loss", "role-user", False),
        ("valid_loss", "role-tool", True),
        ("full_valid_loss", "role-assistant", True),
    ),
    "accuracy": (
        ("train_accuracy", "role-user", False),
        ("valid_accuracy", "role-tool", True),
        ("full_valid_accuracy", "role-assistant", True),
    ),
}
_ACTIVE: Final = frozenset({State.VALIDATING, State.QUEUED, State.RUNNING, State.UNKNOWN})
_EVENTS_MOST: Final = 2_000
_LOSS, _EVENTS, _ORIGIN = 0, 3, 5


class JobView(Card):
    """Shows Details; orders are asked for by signal with the job's token."""

    order_requested = Signal(str, str)
    check_requested = Signal(str)
    discard_requested = Signal(str)
    conversation_requested = Signal(int)
    again_requested = Signal(str)
    download_requested = Signal(str)
    delete_requested = Signal(object)
    origin_requested = Signal(str)
    try_requested = Signal(str)
    evaluate_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._token = ""
        self._job: Job | None = None
        self._conversation: int | None = None
        self._points: tuple[Point, ...] = ()
        self._events: tuple[Event, ...] = ()
        self._best: Checkpoint | None = None
        self.body.addLayout(self._head())
        self._facts = Muted("", self, wrap=True)
        self.body.addWidget(self._facts)
        self.body.addWidget(self._trouble_row())
        self.body.addLayout(self._chips())
        self._stack = Stack(self)
        self._loss = LineChart(self.tr("Loss curve"), self)
        self._accuracy = LineChart(self.tr("Accuracy curve"), self)
        self._numbers = GridView(self.tr("Numbers of the curve"), self, self._number_columns())
        self._news = GridView(self.tr("Events"), self, self._event_columns())
        self._states = CheckpointTable(self)
        self._origin = OriginView(self)
        for page in (
            self._loss, self._accuracy, self._numbers, self._news, self._states, self._origin,
        ):  # fmt: skip
            self._stack.addWidget(page)
        self.body.addWidget(self._stack, 1)

    def show_details(self, details: Details, trouble: str = "") -> None:
        """Show all that is known of a job, and what stands in the way of knowing more."""
        job = details.job
        if job.token != self._token:
            # Where nothing was measured, the events say more than an empty picture.
            self._turn(_EVENTS if job.is_final and not details.points else _LOSS)
        self._token, self._job = job.token, job
        self._points = details.points
        self._best = best_checkpoint(details.checkpoints, details.points)
        self._events = tuple(reversed(details.events[-_EVENTS_MOST:]))
        tone, icon_name = LOOKS[job.status]
        self._chip.set(self.status_words(job), tone, icon_name)
        self._title.setText(job_name(job))
        self._title.setToolTip(tip_of(job.checkpoint or job.base))
        self._facts.setText(self._fact_words(details))
        self._show_trouble(details, trouble)
        self._offer(job)
        if self._stack.currentIndex() == _ORIGIN:
            self.origin_requested.emit(job.token)
        total = next((p.total_steps for p in reversed(self._points) if p.total_steps), None)
        for chart, measure in ((self._loss, "loss"), (self._accuracy, "accuracy")):
            empty = self._waiting_words(job)
            chart.show_series(
                self._series(measure), x_name=self.tr("step"), empty=empty, x_most=total or 0
            )
        self._numbers.table().set_rows(range(len(self._points)))
        self._news.table().set_rows(range(len(self._events)))
        self._states.show_checkpoints(job, details.checkpoints, self._best)

    def show_origin(self, lineage: Lineage) -> None:
        """Show where the checkpoint of the current job comes from."""
        if lineage.job.token == self._token:
            self._origin.show_lineage(lineage)

    def status_words(self, job: Job) -> str:
        """Return a state in the language of the window; a server's own word where we know none."""
        words = {
            State.PREPARING: self.tr("preparing"),
            State.UPLOADING: self.tr("uploading"),
            State.CREATING: self.tr("being created"),
            State.UNCLEAR: self.tr("not clear"),
            State.VALIDATING: self.tr("validating files"),
            State.QUEUED: self.tr("queued"),
            State.RUNNING: self.tr("running"),
            State.PAUSED: self.tr("paused"),
            State.SUCCEEDED: self.tr("succeeded"),
            State.FAILED: self.tr("failed"),
            State.CANCELLED: self.tr("cancelled"),
            State.DISCARDED: self.tr("set aside"),
        }
        return words.get(job.status, job.raw_status or self.tr("no status"))

    def _head(self) -> QHBoxLayout:
        self._chip = Chip("", parent=self)
        self._title = SectionTitle("", self)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = hbox(self._chip, (self._title, 1), spacing=8)
        self._try = PlainButton(self.tr("Try it"), self, icon_name="chat")
        self._try.setToolTip(self.tr("Ask it and its base the same question"))
        self._try.clicked.connect(self._ask_try)
        self._check = PlainButton(self.tr("Check again"), self)
        self._check.setToolTip(self.tr("Look for this job in the server's list"))
        self._check.clicked.connect(partial(self._ask, self.check_requested))
        self._discard = FlatButton(self.tr("Set aside"), self)
        self._discard.clicked.connect(partial(self._ask, self.discard_requested))
        self._pause = PlainButton(self.tr("Pause"), self, icon_name="pause")
        self._resume = PlainButton(self.tr("Resume"), self, icon_name="play")
        self._cancel = DangerButton(self.tr("Cancel the job"), self)
        for button, what in (
            (self._pause, "pause"), (self._resume, "resume"), (self._cancel, "cancel"),
        ):  # fmt: skip
            button.clicked.connect(partial(self._ask_order, what))
        self._more = self._more_button()
        shown = (
            self._try, self._check, self._discard, self._pause, self._resume, self._cancel, self._more,
        )  # fmt: skip
        for each in shown:
            row.addWidget(each)
        return row

    def _more_button(self) -> FlatButton:
        button = FlatButton(self.tr("More"), self)
        menu = QMenu(button)
        self._evaluate = menu.addAction(self.tr("Evaluate it…"))
        self._evaluate.triggered.connect(self._ask_evaluate)
        self._again = menu.addAction(self.tr("Run again…"))
        self._again.triggered.connect(partial(self._ask, self.again_requested))
        self._download = menu.addAction(self.tr("Download its files…"))
        self._download.triggered.connect(partial(self._ask, self.download_requested))
        self._delete = menu.addAction(self.tr("Delete the model…"))
        self._delete.triggered.connect(self._ask_delete)
        button.setMenu(menu)
        return button

    def _trouble_row(self) -> QWidget:
        self._trouble = QWidget(self)
        self._mark = IconPicture("error", "danger", 16, self._trouble)
        side = vbox(self._mark, STRETCH)
        self._reason = Plain("", self._trouble, wrap=True)
        self._reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._open = PlainButton(self.tr("Open the conversation"), self._trouble)
        self._open.clicked.connect(self._ask_open)
        hbox(
            side,
            (self._reason, 1),
            (self._open, 0, Qt.AlignmentFlag.AlignTop),
            parent=self._trouble,
            spacing=8,
            margins=0,
        )
        return self._trouble

    def _chips(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._group = QButtonGroup(self)
        names = (
            self.tr("Loss"), self.tr("Accuracy"), self.tr("Numbers"), self.tr("Events"),
            self.tr("Checkpoints"), self.tr("Origin"),
        )  # fmt: skip
        for place, name in enumerate(names):
            chip = ChipButton(name, self)
            self._group.addButton(chip, place)
            row.addWidget(chip)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(self._turn)
        row.addStretch(1)
        return row

    def _turn(self, place: int) -> None:
        self._group.button(place).setChecked(True)
        self._stack.setCurrentIndex(place)
        if place == _ORIGIN and self._token:
            self.origin_requested.emit(self._token)

    def _series(self, measure: str) -> list[Series]:
        names = {
            "train_loss": self.tr("Training"), "valid_loss": self.tr("Validation"),
            "full_valid_loss": self.tr("Full validation"),
            "train_accuracy": self.tr("Training"), "valid_accuracy": self.tr("Validation"),
            "full_valid_accuracy": self.tr("Full validation"),
        }  # fmt: skip
        return [
            Series(names[key], tone, self._line(key), dashed=dashed)
            for key, tone, dashed in _MEASURES[measure]
        ]

    def _line(self, key: str) -> tuple[tuple[float, float], ...]:
        return tuple((float(p.step), p.values[key]) for p in self._points if key in p.values)

    def _fact_words(self, details: Details) -> str:
        job = details.job
        facts = [job.target, job.base, self.tr("started {0}").format(local_time(job.created))]
        if job.rows:
            facts.append(counted(job.rows, "row"))
        share = share_done(details.points)
        if share is not None and not job.is_final:
            facts.append(self.tr("{0} of the steps done").format(f"{share:.0%}"))
        if job.estimated_finish and not job.is_final:
            left = job.estimated_finish - datetime.now(UTC).timestamp()
            if left > 0:
                facts.append(self.tr("about {0} left").format(duration(left)))
        if job.finished and job.is_final:
            facts.append(self.tr("took {0}").format(duration(job.finished - job.created)))
        if job.trained_tokens:
            facts.append(self.tr("{0} trained").format(counted(job.trained_tokens, "token")))
        return " · ".join(fact for fact in facts if fact)

    def _show_trouble(self, details: Details, trouble: str) -> None:
        job, failure = details.job, details.failure
        words = failure.sentence() if failure else (trouble or job.error or self._verdict_words())
        self._conversation = failure.conversation if failure else None
        grave = job.status is State.FAILED
        self._mark.set("error" if grave else "warning", "danger" if grave else "warning")
        self._reason.setText(words)
        self._trouble.setVisible(bool(words))
        self._open.setVisible(self._conversation is not None)

    def _verdict_words(self) -> str:
        """Say when more training made it worse on what it does not train on."""
        found = verdict(self._points)
        if found is None or not found.rose:
            return ""
        words = self.tr(
            "Validation loss was lowest at step {0}, {1}, and rose to {2} by step {3}: from there on "
            "the training rows were learned by heart."
        ).format(
            f"{found.lowest_step:,}", write_number(found.lowest), write_number(found.last),
            f"{found.last_step:,}",
        )  # fmt: skip
        best = self._best
        if best is None or best.step >= found.last_step:
            return self.tr("{0} Fewer epochs would do.").format(words)
        return self.tr("{0} The checkpoint of step {1} is the best.").format(
            words, f"{best.step:,}"
        )

    def _offer(self, job: Job) -> None:
        unclear = job.status is State.UNCLEAR
        self._check.setVisible(unclear)
        self._discard.setVisible(unclear)
        self._pause.setVisible(job.status is State.RUNNING)
        self._resume.setVisible(job.status is State.PAUSED)
        self._cancel.setVisible(job.status in _ACTIVE or job.status is State.PAUSED)
        is_there = job.status is State.SUCCEEDED and bool(job.checkpoint) and job.deleted is None
        self._try.setVisible(is_there)
        self._evaluate.setEnabled(is_there)
        self._download.setEnabled(job.is_final and bool(job.job))
        self._delete.setEnabled(bool(job.checkpoint) and job.deleted is None)

    def _waiting_words(self, job: Job) -> str:
        if job.is_final:
            return self.tr("This job has no metrics to plot.")
        if job.status is State.UNCLEAR:
            return self.tr("Nothing is known of this job until it is found.")
        return self.tr("The curve begins with the first step the service reports.")

    def _number_columns(self) -> tuple[Column, ...]:
        keys = [key for group in _MEASURES.values() for key, _, _ in group]
        titles = (
            self.tr("Training loss"), self.tr("Validation loss"), self.tr("Full validation loss"),
            self.tr("Training accuracy"), self.tr("Validation accuracy"),
            self.tr("Full validation accuracy"),
        )  # fmt: skip
        read: list[Callable[[int], str]] = [partial(self._number, key) for key in keys]
        return (
            Column(
                self.tr("Step"), lambda row: f"{self._points[row].step:,}", width=64, number=True
            ),
            *(
                Column(title, one, width=152, number=True)
                for title, one in zip(titles, read, strict=True)
            ),
        )

    def _number(self, key: str, row: int) -> str:
        value = self._points[row].values.get(key)
        return "" if value is None else write_number(value)

    def _event_columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("Time"), lambda row: local_time(self._events[row].created), width=136),
            Column(self.tr("Level"), lambda row: self._events[row].level, width=64),
            Column(
                self.tr("Message"),
                lambda row: self._events[row].message,
                stretch=True,
                tip=lambda row: self._events[row].message,
            ),
        )

    def _ask(self, request: SignalInstance) -> None:
        request.emit(self._token)

    def _ask_order(self, what: str) -> None:
        self.order_requested.emit(self._token, what)

    def _ask_try(self) -> None:
        self.try_requested.emit(self._best_name())

    def _ask_evaluate(self) -> None:
        self.evaluate_requested.emit(self._best_name())

    def _best_name(self) -> str:
        """Return the best checkpoint, where the last one is not that."""
        last = "" if self._job is None else self._job.checkpoint
        return self._best.name if self._best and self._best.name else last

    def _ask_delete(self) -> None:
        if self._job is not None:
            self.delete_requested.emit(self._job)

    def _ask_open(self) -> None:
        if self._conversation is not None:
            self.conversation_requested.emit(self._conversation)
