"""Python's collector, run by the window's own thread and by no other.

Whichever thread happens to allocate runs the collector, and what it throws away may be a Qt object,
which only the window's thread may touch: a background job that allocates much could end the program.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

LOOK_MS: Final = 100
"""How often the collector may run: seldom enough to cost nothing, often enough to stay short."""


class Collector(QObject):
    """Collects as Python would, generation by generation, from a timer of the window's thread."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> int:
        """Collect the generations that have grown over their threshold; returns how many."""
        done = 0
        for generation, threshold in enumerate(gc.get_threshold()):
            # Collecting one generation is what makes the next one's count grow.
            if not threshold or gc.get_count()[generation] <= threshold:
                break
            gc.collect(generation)
            done += 1
        return done
