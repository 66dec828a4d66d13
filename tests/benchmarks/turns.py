"""How long the window is deaf: the CPU time of each turn of the event loop, and whose work it was.

A turn is what happens between two chances to take a key. What our own steps spend (the calls they
make into Qt included) is told apart from what Qt does by itself afterwards: style, layout, paint.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop

IDLE_SECONDS = 0.25
"""Without a turn of work for so long, the window has come to rest."""

LIMIT_MS = 8.0


class Turns:
    """Runs the event loop turn by turn and keeps what each one took, in milliseconds of CPU."""

    def __init__(self) -> None:
        self.all: list[float] = []
        self.own: list[float] = []
        self._own = 0.0
        self._depth = 0

    def watch(self, kind: type, *names: str) -> None:
        """Count what these methods take as our own."""
        for name in names:
            setattr(kind, name, self._counted(getattr(kind, name)))

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def counted(*args: Any) -> Any:
            self._depth += 1
            began = time.thread_time()
            try:
                return method(*args)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._own += (time.thread_time() - began) * 1000

        return counted

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Measure one turn."""
        self._own = 0.0
        began = time.thread_time()
        yield
        spent = (time.thread_time() - began) * 1000
        if spent > 0.1:
            self.all.append(spent)
            self.own.append(self._own)

    def run(self, first: Callable[[], object] | None = None) -> None:
        """Do something, then run the loop until the window is at rest."""
        if first is not None:
            with self.turn():
                first()
        loop = QAbstractEventDispatcher.instance()
        until = time.perf_counter() + IDLE_SECONDS
        while time.perf_counter() < until:
            known = len(self.all)
            with self.turn():
                loop.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
            if len(self.all) > known:
                until = time.perf_counter() + IDLE_SECONDS
            else:
                time.sleep(0.001)

    def at_once(self, first: Callable[[], object]) -> None:
        """Do something and what the loop has to do for it now, without what waits for a timer."""
        with self.turn():
            first()
        loop = QAbstractEventDispatcher.instance()
        for _ in range(4):
            with self.turn():
                loop.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)

    def say(self, name: str) -> None:
        """Print the longest turn and the 95th percentile, all of it and our share; then begin anew."""
        worst, usual = max(self.all, default=0.0), percentile(self.all, 95)
        own, own_usual = max(self.own, default=0.0), percentile(self.own, 95)
        over = " OVER" if worst > LIMIT_MS else ""
        print(
            f"{name:<44}{worst:>7.1f}{usual:>7.1f}   ours{own:>7.1f}{own_usual:>7.1f}"
            f"{len(self.all):>7} turns{over}"
        )
        self.all, self.own = [], []


def percentile(values: list[float], share: int) -> float:
    """Return the value that this share (in per cent) of the values does not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else 0.0
