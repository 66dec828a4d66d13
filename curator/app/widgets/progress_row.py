"""One line of progress: what, how far, how long still, and a way to stop."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from curator.app.session.background import Job, Progress
from curator.app.widgets.buttons import IconButton
from curator.app.widgets.layouts import hbox
from curator.app.widgets.text import Meta, Plain


class ProgressRow(QWidget):
    """Shows a Progress; cancel_requested follows a press on Cancel."""

    cancel_requested = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Plain(title, self)
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(120)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName(title)
        self._facts = Meta("", self)
        self.cancel = IconButton("close", self.tr("Cancel"), self, size=12)
        self.cancel.clicked.connect(self.cancel_requested)
        hbox(self._title, self._bar, self._facts, self.cancel, parent=self, spacing=8, margins=0)

    def follow(self, job: Job[object]) -> None:
        """Show the news of a job and let the button cancel it."""
        job.progressed.connect(self.show_progress)
        self.cancel_requested.connect(job.cancel)
        self.show_progress(job.progress)

    def show_progress(self, progress: Progress) -> None:
        """Show how far the work is."""
        if progress.share is None:
            self._bar.setRange(0, 0)
        else:
            self._bar.setRange(0, 1000)
            self._bar.setValue(int(progress.share * 1000))
        self._facts.setText(self.describe(progress))

    def describe(self, progress: Progress) -> str:
        """Say a progress in words: how many of how many, and the time left."""
        words = [progress.what] if progress.what else []
        if progress.total > 0:
            words.append(self.tr("{0} of {1}").format(f"{progress.done:,}", f"{progress.total:,}"))
        if progress.seconds_left is not None:
            words.append(self.tr("{0} left").format(duration(progress.seconds_left)))
        return " · ".join(words)


def duration(seconds: float) -> str:
    """Write a time the way people say it: 8 s, 3 min, 2 h 5 min."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
