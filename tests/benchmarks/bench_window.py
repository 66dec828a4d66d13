"""CPU time until the window is on screen, against a bare PySide6 window, each in a fresh process.

Run ``python tests/benchmarks/bench_window.py``; it prints both and their ratio (goal: under 1.6).
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = 9

BARE = """
import sys, time
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication(sys.argv)
window = QMainWindow()
window.resize(1280, 800)
window.show()
while not window.isVisible():
    app.sendPostedEvents()
window.grab()
print(time.process_time())
"""

NAMED = """
import sys, time
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
app = QApplication(sys.argv)
window = QMainWindow()
window.setCentralWidget(QLabel("Hello", alignment=Qt.AlignmentFlag.AlignCenter))
window.resize(1280, 800)
window.show()
while not window.isVisible():
    app.sendPostedEvents()
window.grab()
print(time.process_time())
"""
"""A bare window that names Qt and shows a word: PySide6 makes some 90 enums when Qt is first named."""

OURS = """
import sys, time
from curator.__main__ import _import_qt
from curator.app.preflight import find_trouble
assert find_trouble() is None
import gc
gc.disable()
_import_qt()
from curator.app import excepthook
from curator.app.main import Curator, make_application
app = make_application(['curator'])
window = Curator(app)
excepthook.install(window.window)
window.window.resize(1280, 800)
window.window.show()
window.window.grab()
print(time.process_time())
window.window.close()
"""


def seconds(code: str, cache: str) -> float:
    """Run one program and return the CPU seconds it says it took; its modules are compiled, as installed ones are."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = cache
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure both in turns, so that a busy machine burdens both alike."""
    bare, named, ours = [], [], []
    with tempfile.TemporaryDirectory() as cache:
        seconds(BARE, cache), seconds(NAMED, cache), seconds(OURS, cache)
        for _ in range(RUNS):
            bare.append(seconds(BARE, cache))
            named.append(seconds(NAMED, cache))
            ours.append(seconds(OURS, cache))
    least_bare, least_ours = min(bare), min(ours)
    print(
        f"bare window   {least_bare * 1000:6.0f} ms CPU (median {statistics.median(bare) * 1000:.0f})"
    )
    print(
        f"curator       {least_ours * 1000:6.0f} ms CPU (median {statistics.median(ours) * 1000:.0f})"
    )
    print(f"ratio         {least_ours / least_bare:6.2f}  (goal: under 1.6)")
    print(f"  beside a bare window that names Qt and shows a word: {least_ours / min(named):.2f}")
    print(f"load average  {os.getloadavg()[0]:6.1f}  on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
