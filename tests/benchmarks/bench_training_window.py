"""How much memory the window takes while this computer trains: at most 50 MB more than before.

python -m tests.benchmarks.bench_training_window

A person at the real window (offscreen, with a home of their own) splits and exports the sample, looks
at the Train page, and starts a job of the tiny base. The memory is the resident set of the window's
process alone, seen twenty times a second; the server and the worker are processes of their own. What
the window had before is counted when the question "Start this job?" stands there and nothing more is
loaded: the dry run that belongs to it counts tokens, and its vocabulary takes 30 to 60 MB.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

MOST_MORE_MB = 50
PATIENCE_S = 900
NEVER_HERE = ("torch", "transformers", "peft", "accelerate", "tokenizers", "xllamacpp", "gguf")


class Patience:
    """What a story needs of a test's robot: to wait, while the window lives on."""

    def waitUntil(self, holds: Callable[[], bool], timeout: int = 0) -> None:  # noqa: N802
        """Wait until something holds."""
        from PySide6.QtTest import QTest

        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError("it never came")
            QTest.qWait(20)

    def waitExposed(self, window: object) -> None:  # noqa: N802
        """Wait until a window is on the screen."""
        self.waitUntil(window.isVisible)


class Scale:
    """Watches this process's resident memory from a thread."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._ends = threading.Event()
        self.most = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ends.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ends.wait(0.05):
            self.most = max(self.most, self._process.memory_info().rss)


def main() -> int:
    """Go through the story and print the figures; the exit code is 1 where the window grew too much."""
    with tempfile.TemporaryDirectory(prefix="curator-bench-") as home:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME",
                     "CURATOR_CONFIG", "CURATOR_STATE"):  # fmt: skip
            os.environ[name] = str(Path(home) / name.lower())
            Path(os.environ[name]).mkdir()
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        return _story()


def _settled() -> float:
    """Return the window's memory in MB once it loads nothing more (a vocabulary, for the dry run)."""
    import psutil
    from PySide6.QtTest import QTest

    seen = [0.0]
    while len(seen) < 40 or max(seen[-40:]) - min(seen[-40:]) > 1:
        QTest.qWait(500)
        seen.append(psutil.Process().memory_info().rss / 2**20)
    return seen[-1]


def _story() -> int:
    from curator.app.main import make_application
    from curator.tune.local.server import service
    from tests.journeys.annotator import Annotator

    person = Annotator(make_application(["curator"]), Patience())
    person.starts()
    person.tries_the_sample()
    person.presses("Ctrl+5")
    person.waits_for("errors stop the export")
    person.clicks("Leave out what has errors")
    person.waits_until(lambda: person.can_click("Export"))
    person.presses("Ctrl+E")
    person.waits_for("^re-read and proved$")
    person.clicks("Start training")
    person.waits_for("rows to train on")
    person.clicks("Dry run")
    person.waits_for("tokens")
    person.waits_until(lambda: person.can_click("Start training"))
    person.clicks("Start training")
    person.waits_for(r"^Start this job\?$")
    before = _settled()
    scale = Scale()
    person.clicks("Start training")
    person.waits_for("^succeeded$")
    person.clicks("Numbers")
    person.waits_until(lambda: len(person.rows("Numbers of the curve")) > 3)
    steps = len(person.rows("Numbers of the curve"))
    scale.stop()
    foreign = sorted(name for name in NEVER_HERE if name in sys.modules)
    person.leaves()
    service.stop()
    more = scale.most / 2**20 - before
    print(f"before the job {before:.0f} MB, at most {scale.most / 2**20:.0f} MB while it ran "
          f"({more:+.0f}, at most +{MOST_MORE_MB}); {steps} steps shown")  # fmt: skip
    print(f"trainer's packages in the window's process: {', '.join(foreign) or 'none'}")
    return int(more > MOST_MORE_MB or bool(foreign))


if __name__ == "__main__":
    sys.exit(main())
