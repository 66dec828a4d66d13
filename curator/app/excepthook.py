"""What happens to a bug: it is written to the log file and shown once, with a report to copy.

The journal already holds everything the person did, so nothing is lost and the window stays open.
"""

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from curator import __version__
from curator.dataset.small_files import make_folder
from curator.tune.redaction import clear_text

log = logging.getLogger("curator")
LOG_BYTES: Final = 1_000_000

_shown: set[str] = set()
_parents: list[QWidget] = []


def log_file() -> Path:
    """Return where the log lies."""
    from platformdirs import user_log_path

    return user_log_path("curator", appauthor=False) / "curator.log"


def install(window: QWidget) -> None:
    """Send every uncaught exception to the log and to a dialog over this window."""
    _parents[:] = [window]
    sys.excepthook = _hook


def _open_log() -> None:
    """Begin the log file at the first thing worth writing; an uneventful run has none."""
    from logging.handlers import RotatingFileHandler

    if any(isinstance(handler, RotatingFileHandler) for handler in log.handlers):
        return
    try:
        make_folder(log_file().parent)
        writer = RotatingFileHandler(log_file(), maxBytes=LOG_BYTES, backupCount=2)
    except OSError:
        # No place for a log: the dialog still shows the whole report.
        return
    writer.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    log.addHandler(writer)


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    report_bug(error)


def report_bug(error: BaseException) -> None:
    """Log a bug and show it; the same one is shown only once."""
    text = report_of(error)
    _open_log()
    log.error("%s", text)
    place = "".join(traceback.format_tb(error.__traceback__)[-1:]) + type(error).__name__
    if place in _shown or QGuiApplication.instance() is None:
        return
    _shown.add(place)
    from curator.app.dialogs.bug import BugDialog

    dialog = BugDialog(text, log_file(), _parents[0] if _parents else None)
    dialog.open()


def report_of(error: BaseException) -> str:
    """Return what a developer needs to know, without any of the person's data but the traceback."""
    import platform

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    facts = f"Curator {__version__}, Python {platform.python_version()}, Qt {qVersion()}"
    return clear_text(f"{facts}, {platform.platform()}\n\n{''.join(lines)}")
