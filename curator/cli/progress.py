"""How far the work is, on stderr, and whether the user wants it to stop.

A terminal gets a bar. A pipe or a log file gets a line now and then, and none for short work.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

_QUIET_S: Final = 5.0
"""Work that is done sooner writes nothing into a log."""

_BETWEEN_S: Final = 10.0
"""Lines of a log are at least so far apart."""


@dataclass
class Progress:
    """The bar of one verb; call it with done, total and what is being done."""

    shown: bool = field(default_factory=lambda: sys.stderr.isatty())
    now: Callable[[], float] = time.monotonic
    _bar: Any = None
    _total: int = 0
    _what: str = ""
    _next_line: float = 0.0
    _interrupted: bool = False

    def __post_init__(self) -> None:
        self._next_line = self.now() + _QUIET_S

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Show how far the work is; other words with the same total go on with the same bar."""
        if not self.shown:
            self._log(done, total, what)
            return
        if self._bar is None or total != self._total or done < self._bar.n:
            self._begin(done, total, what)
        self._bar.update(done - self._bar.n)
        if what != self._what:
            # A loss that changes with every step: the bar must show it and stay where it is.
            self._what = what
            self._bar.set_description(what)

    def cancelled(self) -> bool:
        """Tell whether Ctrl+C was pressed; the work stops at its next safe point."""
        return self._interrupted

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _begin(self, done: int, total: int, what: str) -> None:
        from tqdm import tqdm

        self.close()
        self._what, self._total = what, total
        self._bar = tqdm(
            total=total or None, initial=done, desc=what or None, leave=False, file=sys.stderr
        )

    def _log(self, done: int, total: int, what: str) -> None:
        now = self.now()
        if now < self._next_line:
            return
        self._next_line = now + _BETWEEN_S
        far = f"{done:,} of {total:,}" if total else f"{done:,}" if done else ""
        print(": ".join(filter(None, (what, far))), file=sys.stderr, flush=True)

    @contextmanager
    def listening(self) -> Iterator["Progress"]:
        """Let the first Ctrl+C ask the work to stop, and a second one stop it at once."""
        try:
            before = signal.signal(signal.SIGINT, self._interrupt)
        except ValueError:  # not the main thread: whoever started it listens
            yield self
            return
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)
            self.close()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
