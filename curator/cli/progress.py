"""How far the work is, on stderr of a terminal, and whether the user wants it to stop."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any


@dataclass
class Progress:
    """The bar of one verb; call it with done, total and what is being done."""

    shown: bool = field(default_factory=lambda: sys.stderr.isatty())
    _bar: Any = None
    _what: str = ""
    _interrupted: bool = False

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Show how far the work is; a new word begins a new bar."""
        if not self.shown:
            return
        if self._bar is None or what != self._what:
            self._begin(total, what)
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)

    def cancelled(self) -> bool:
        """Tell whether Ctrl+C was pressed; the work stops at its next safe point."""
        return self._interrupted

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _begin(self, total: int, what: str) -> None:
        from tqdm import tqdm

        self.close()
        self._what = what
        self._bar = tqdm(total=total or None, desc=what or None, leave=False, file=sys.stderr)

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
