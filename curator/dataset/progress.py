"""How long work tells how far it is, and how it hears that the user wants it to stop.

Work takes both as plain functions, so that it knows neither the window nor the terminal. It asks
between two pieces of work and stops there by raising errors.Cancelled.
"""

from collections.abc import Callable

ProgressCall = Callable[[int, int, str], None]
"""Takes what is done, what there is in all (0: unknown), and what is being done."""

CancelledCall = Callable[[], bool]
"""Tells whether the user stopped the work; asked from the thread that works."""


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Tell nobody."""


def never_cancelled() -> bool:
    """Tell that the work goes on."""
    return False
