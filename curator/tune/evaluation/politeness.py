"""How many requests a server is asked to bear: pauses that all of them keep, and room between two.

A server that says 429 is left alone by everybody, for as long as it says. Requests then go out one
by one, with room between them that grows with every 429 and shrinks with every reply, until it is as
fast as the server allows.
"""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from curator.tune.services.client import CallFailed

_GROWTH: Final = 2.0
_DECAY: Final = 0.95
_LEAST_S: Final = 0.02
"""Room between two requests after the first 429; less than half of it is none."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How politely: attempts at one question, the first pause between two, and the longest, in seconds."""

    attempts: int = 6
    first_s: float = 1.0
    longest_s: float = 60.0


USUAL_PACE: Final = Pace()


class Stopped(Exception):
    """A question was given up because the work stops."""


@dataclass
class Politeness:
    """What all threads keep to; stop ends every pause."""

    pace: Pace
    stop: threading.Event = field(default_factory=threading.Event)
    replies: int = 0
    _next: float = 0.0
    _room: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for_turn(self) -> None:
        """Wait until the next request may go out; raises Stopped."""
        while True:
            with self._lock:
                left = self._next - time.monotonic()
                if left <= 0:
                    self._next = time.monotonic() + self._room
                    break
            if self.stop.wait(left):
                break
        if self.stop.is_set():
            raise Stopped

    def note_reply(self) -> None:
        """Note that a reply came, so that the server may bear a little more."""
        with self._lock:
            self.replies += 1
            self._room = self._room * _DECAY if self._room > _LEAST_S / 2 else 0.0

    def pause(self, error: CallFailed, failures: int) -> None:
        """Wait after a failure: everybody where the server asks for it, else this thread; raises Stopped."""
        usual: float = min(self.pace.longest_s, self.pace.first_s * 2 ** (failures - 1))
        usual *= random.uniform(0.5, 1.0)
        asked = error.retry_after
        if error.status != 429 and asked is None:
            if self.stop.wait(usual):
                raise Stopped
            return
        with self._lock:
            self._room = min(self.pace.longest_s, max(_LEAST_S, self._room * _GROWTH))
            until = time.monotonic() + (asked if asked else usual)
            self._next = max(self._next, until)
