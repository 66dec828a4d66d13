"""Worker processes that end when the program that started them is killed, instead of waiting for ever."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Watch, in a worker process, over the one that it works for; give it to a pool as initializer."""
    # Ctrl+C in a terminal reaches workers too, but only the parent may decide what becomes of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    # Nobody is left to take an answer; a normal exit would wait for the pool's pipes.
    os._exit(1)
