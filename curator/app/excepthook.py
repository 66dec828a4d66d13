"""What happens to a bug: it is written to the log file and shown once, with a report to copy.

The journal already holds everything the person did, so nothing is lost and the window stays open.
"""

import logging
import platform
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final

from platformdirs import user_log_path
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from curator import __version__
from curator.app.widgets.buttons import PlainButton, PrimaryButton
from curator.app.widgets.text import Quiet, SectionTitle

log = logging.getLogger("curator")
LOG_BYTES: Final = 1_000_000

_shown: set[str] = set()
_parents: list[QWidget] = []


def log_file() -> Path:
    """Return where the log lies."""
    return user_log_path("curator", appauthor=False) / "curator.log"


def install(window: QWidget) -> None:
    """Send every uncaught exception to the log and to a dialog over this window."""
    _parents[:] = [window]
    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        writer = RotatingFileHandler(log_file(), maxBytes=LOG_BYTES, backupCount=2, delay=True)
    except OSError:
        # No place for a log: the dialog still shows the whole report.
        writer = None
    if writer is not None:
        writer.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        log.addHandler(writer)
    sys.excepthook = _hook


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    report_bug(error)


def report_bug(error: BaseException) -> None:
    """Log a bug and show it; the same one is shown only once."""
    text = report_of(error)
    log.error("%s", text)
    place = "".join(traceback.format_tb(error.__traceback__)[-1:]) + type(error).__name__
    if place in _shown or QGuiApplication.instance() is None:
        return
    _shown.add(place)
    dialog = BugDialog(text, _parents[0] if _parents else None)
    dialog.open()


def report_of(error: BaseException) -> str:
    """Return what a developer needs to know, without any of the person's data but the traceback."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    facts = f"Curator {__version__}, Python {platform.python_version()}, Qt {qVersion()}"
    return f"{facts}, {platform.platform()}\n\n{''.join(lines)}"


class BugDialog(QDialog):
    """Says that something went wrong inside the app, and offers the report."""

    def __init__(self, report: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        from PySide6.QtCore import Qt

        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.resize(640, 420)
        self._report = report
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(SectionTitle(self.tr("Curator made a mistake"), self))
        words = self.tr(
            "Everything you did is saved. You can go on; please send this report to the makers "
            "so that it does not happen again. It is also in {0}."
        )
        column.addWidget(Quiet(words.format(log_file()), self, wrap=True))
        box = QPlainTextEdit(report, self)
        box.setReadOnly(True)
        box.setProperty("kind", "mono")
        box.setAccessibleName(self.tr("Report"))
        column.addWidget(box, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        copy = PlainButton(self.tr("Copy the report"), self, icon_name="copy")
        copy.clicked.connect(self._copy)
        close = PrimaryButton(self.tr("Go on"), self)
        close.clicked.connect(self.accept)
        row.addWidget(copy)
        row.addWidget(close)
        column.addLayout(row)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
