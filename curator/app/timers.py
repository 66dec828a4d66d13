"""Timers that fire once."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def single_shot(parent: QObject, ms: int, then: Callable[[], object]) -> QTimer:
    """Return a timer that calls then once, so many milliseconds after its last start()."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(then)
    return timer
