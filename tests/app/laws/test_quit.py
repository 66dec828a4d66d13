"""Law: closing the window ends the local server and what answers, unless a job trains; and it is said."""

import json
import os
import subprocess
import sys

import pytest
from PySide6.QtWidgets import QLabel

from curator.app.dialogs.confirm import Question
from curator.tune.local.job_folders import local_root
from curator.tune.local.server.announcement import running
from curator.tune.local.server.processes import birth


@pytest.fixture
def local_server(tmp_path, curator, qtbot):
    """A real local server of this user's state folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "curator.tune.local.server.serve"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    qtbot.waitUntil(lambda: running() is not None, timeout=60_000)
    yield process
    process.kill()
    process.wait()


def make_job(status: str) -> None:
    folder = local_root() / "jobs" / "ftjob-0000000000000001"
    folder.mkdir(parents=True)
    # A worker that is alive: this very process.
    state = {"status": status, "created_at": 1, "pid": os.getpid(), "born": birth(os.getpid())}
    (folder / "state.json").write_text(json.dumps(state), "utf-8")


def test_the_window_takes_an_idle_server_with_it(curator, local_server, capfd):
    make_job("succeeded")
    assert curator.window.close()
    assert local_server.wait(timeout=60) is not None
    assert running() is None
    assert "local server was stopped" in capfd.readouterr().err


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_job_at_work_keeps_its_server_and_is_spoken_of(curator, local_server, capfd, status):
    make_job(status)
    assert not curator.window.close()
    (box,) = curator.window.findChildren(Question)
    assert any("goes on after the window is closed" in w.text() for w in box.findChildren(QLabel))
    box.reject()
    assert curator.window.isVisible()
    assert not curator.window.close()
    boxes = [b for b in curator.window.findChildren(Question) if b.isVisible()]
    boxes[-1]._confirm()
    assert not curator.window.isVisible()
    assert local_server.poll() is None
    assert "still trains" in capfd.readouterr().err


def test_without_a_server_nothing_is_said(curator, capfd):
    assert curator.window.close()
    assert capfd.readouterr().err == ""
