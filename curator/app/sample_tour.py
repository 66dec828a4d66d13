"""The tour of the sample, step by step: one line above the pages says what comes next and leads there."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QFrame, QWidget

from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.app.widgets.buttons import IconButton, PlainButton
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import hbox
from curator.app.widgets.text import Muted, Plain

if TYPE_CHECKING:
    from curator.app.session.background import Jobs
    from curator.project.store.project import Project

STEPS: Final = (
    ("fixed", "check"),
    ("searched", "duplicates"),
    ("split", "export"),
    ("exported", "export"),
    ("trained", "train"),
    ("", "try"),
)
"""Each step's milestone and the page where it is done; the last one is never over."""

_HIDDEN: Final = "story/hidden"
_LOOK_AFTER_MS: Final = 400


class TourBar(QFrame):
    """Shown while the sample is open; page_requested names the page of the next step."""

    page_requested = Signal(str)

    def __init__(
        self, session: Session, jobs: "Jobs", sample: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("kind", "tour")
        self._session = session
        self._sample = sample
        self._page = ""
        self._is_sample = False
        self._count = Muted("", self)
        self._words = Plain("", self)
        self._go = PlainButton("", self)
        self._go.clicked.connect(self._ask_page)
        self._hide = IconButton("close", self.tr("Hide the tour of the sample"), self)
        self._hide.clicked.connect(self._put_away)
        hbox(
            IconPicture("sparkle", "accent", 16, self),
            self._count,
            (self._words, 1),
            self._go,
            self._hide,
            parent=self,
            spacing=8,
            margins=(24, 6, 16, 6),
        )
        # Several things often change at once; one look is enough.
        self._soon = single_shot(self, _LOOK_AFTER_MS, self.look)
        session.edited.connect(self._something_changed)
        jobs.finished.connect(self._something_changed)
        self.hide()

    @property
    def step(self) -> int:
        """Which step comes next, 0-based."""
        return next(place for place, (_, page) in enumerate(STEPS) if page == self._page)

    def follow_project(self) -> None:
        """Look whether the project open now is the sample."""
        project = self._session.project
        self._is_sample = project is not None and project.path == self._sample
        self.look()

    def look(self) -> None:
        """Read how far the sample has come, and say what comes next."""
        project = self._session.project
        is_hidden = bool(QSettings().value(_HIDDEN))
        if project is None or not self._is_sample or is_hidden:
            self.hide()
            return
        done = self._reached(project)
        place = next(n for n, (milestone, _) in enumerate(STEPS) if milestone not in done)
        self._page = STEPS[place][1]
        words, button = self._texts()[place]
        self._count.setText(self.tr("Step {0} of {1}").format(place + 1, len(STEPS)))
        self._words.setText(words)
        self._go.setText(button)
        self.show()

    def _reached(self, project: "Project") -> frozenset[str]:
        from curator.project.queries.milestones import reached
        from curator.tune.jobs.table import JobTable
        from curator.tune.services.port import State
        from curator.tune.targets.profiles import state_folder

        done = reached(project)
        if not (state_folder() / "jobs.sqlite").is_file():
            return done
        with closing(JobTable()) as table:
            trained = any(
                job.status is State.SUCCEEDED and job.project == str(project.path)
                for job in table.all()
            )
        return done | {"trained"} if trained else done

    def _texts(self) -> tuple[tuple[str, str], ...]:
        return (
            (self.tr("Fix all that has a safe fix, in one step."), self.tr("Go to Check")),
            (self.tr("Look for conversations that repeat others."), self.tr("Go to Duplicates")),
            (self.tr("Split what is left: train, validation, test."), self.tr("Go to the split")),
            (
                self.tr("Export the training files; leave out what still has errors."),
                self.tr("Go to the export"),
            ),
            (
                self.tr("Train the tiny base on them, on this computer, for nothing."),
                self.tr("Go to Train"),
            ),
            (
                self.tr("Ask the base and what became of it the same question."),
                self.tr("Go to Try"),
            ),
        )

    def _something_changed(self, _news: object) -> None:
        if self._is_sample:
            self._soon.start()

    def _ask_page(self) -> None:
        self.page_requested.emit(self._page)

    def _put_away(self) -> None:
        QSettings().setValue(_HIDDEN, 1)
        self.hide()
