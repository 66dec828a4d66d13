"""An export killed at any moment leaves the earlier export whole, or the new one, and nothing between."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from curator.project.exports.exporting import export
from curator.project.exports.verify import verify
from curator.project.store.project import Project
from tests.project.projects import annotate, import_lines, line

_EXPORT = """
import sys
from curator.project.store.project import Project
from curator.project.exports.exporting import export
project = Project.open(sys.argv[1], read_only=True)
print("ready", flush=True)
while True:
    export(project, sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
@pytest.mark.timeout(300)
def test_kill_9_never_leaves_anything_partial(tmp_path):
    times = int(os.environ.get("CURATOR_KILLS", "15"))
    target = tmp_path / "there"
    target.mkdir()
    with Project.create(tmp_path / "p.curator") as project:
        ids = import_lines(project, [line(f"Question {n}", "Answer " * 50) for n in range(2_000)])
        for round_number in range(times):
            annotate(project, ids[round_number : round_number + 1], "status", "rejected")
            if round_number % 2:
                export(project, target / "out")
            worker = subprocess.Popen(
                [sys.executable, "-c", _EXPORT, str(project.path), str(target / "out")],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert worker.stdout is not None
            with worker.stdout:
                worker.stdout.readline()
                time.sleep(random.uniform(0, 0.12))
                worker.send_signal(signal.SIGKILL)
                worker.wait()
            if (target / "out").exists():
                found = verify(target / "out")
                assert found.ok, found.problems
                assert found.rows in (2_000 - round_number - 1, 2_000 - round_number)
        export(project, target / "out")
        assert [path.name for path in target.iterdir()] == ["out"]
        assert verify(target / "out").rows == 2_000 - times
