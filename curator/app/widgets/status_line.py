"""The bottom line: what runs in the background, where the project lies, and its totals."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt, QTime, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from curator.app.counted import counted
from curator.app.session.background import Job
from curator.app.theme import META_PX, font
from curator.app.widgets.buttons import LinkButton
from curator.app.widgets.layouts import hbox
from curator.app.widgets.text import Elided, Meta

if TYPE_CHECKING:
    from curator.app.widgets.progress_row import ProgressRow


class StatusLine(QWidget):
    """28 px at the bottom of the window; notices_wanted asks for what left unread."""

    notices_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusline")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(28)
        self._place = Elided("", self)
        self._place.setProperty("kind", "meta")
        self._jobs = QHBoxLayout()
        self._jobs.setSpacing(24)
        self._hint = Meta("", self)
        self._totals = Meta("", self)
        self._unread = LinkButton("", self)
        self._unread.setFont(font(META_PX))
        self._unread.clicked.connect(self.notices_wanted)
        self._unread.hide()
        self._saved = Meta("", self)
        hbox(
            (self._place, 1),
            self._jobs,
            self._saved,
            self._unread,
            self._hint,
            self._totals,
            parent=self,
            spacing=16,
            margins=(12, 0, 12, 0),
        )
        self._rows: dict[object, ProgressRow] = {}

    def show_project(self, place: str, totals: str) -> None:
        """Say which project is open and how much is in it."""
        self._place.setText(place)
        self._totals.setText(totals)

    def show_saved(self, *, is_so: bool = True) -> None:
        """Say quietly that the last change is on the disk, or nothing of it."""
        now = QLocale().toString(QTime.currentTime(), QLocale.FormatType.ShortFormat)
        self._saved.setText(self.tr("Saved") if is_so else "")
        self._saved.setToolTip(self.tr("The last change was saved at {0}").format(now))

    def show_unread(self, count: int) -> None:
        """Offer the notices that left unread; none: nothing."""
        self._unread.setText(counted(count, "unread notice"))
        self._unread.setVisible(count > 0)

    def show_hint(self, hint: str) -> None:
        """Say what keys do right now, such as that letters are typed and not obeyed."""
        self._hint.setText(hint)

    def add_job(self, job: Job[object]) -> None:
        """Show a job until it ends."""
        from curator.app.widgets.progress_row import ProgressRow

        row = ProgressRow(job.title, self)
        row.follow(job)
        self._rows[job] = row
        self._jobs.addWidget(row)

    def remove_job(self, job: Job[object]) -> None:
        """Take a finished job away."""
        row = self._rows.pop(job, None)
        if row is not None:
            self._jobs.removeWidget(row)
            row.hide()
            row.deleteLater()
