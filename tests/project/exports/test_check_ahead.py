import os
import signal

import pytest

from curator.dataset.errors import Cancelled
from curator.project.exports import check_ahead
from curator.project.exports.check_ahead import CheckAhead
from curator.project.exports.strict_check import check_file
from tests.project.projects import line


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "f.jsonl"
    lines = [line(f"{n}", "x" * 50).encode() for n in range(400)]
    lines[123] = b"nonsense"
    path.write_bytes(b"\n".join([*lines, b""]))
    return path


def told_in_parts(ahead, path, size=9_000):
    raw = path.read_bytes()
    for begin in range(size, len(raw), size):
        ahead.hand_out(path, raw.rfind(b"\n", 0, begin) + 1)


def test_other_processes_find_what_one_finds(path, monkeypatch):
    monkeypatch.setattr(check_ahead, "_RANGE_BYTES", 1_000)
    with CheckAhead(check_ahead.WORTH_BYTES) as ahead:
        assert (ahead._pool is not None) == ((os.cpu_count() or 1) > 1)
        told_in_parts(ahead, path)
        found = ahead.result(path)
    assert found == check_file(path)
    assert [problem.line for problem in found.problems] == [124]


def test_little_is_checked_without_a_process(path):
    with CheckAhead(1_000) as ahead:
        told_in_parts(ahead, path)
        assert ahead._pool is None
        assert ahead.result(path) == check_file(path)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_process_is_done_without(path, monkeypatch):
    monkeypatch.setattr(check_ahead, "_RANGE_BYTES", 1_000)
    with CheckAhead(check_ahead.WORTH_BYTES) as ahead:
        told_in_parts(ahead, path)
        for process in list((ahead._pool._processes if ahead._pool else {}).values()):
            os.kill(process.pid, signal.SIGKILL)
        assert ahead.result(path) == check_file(path)


def test_checking_can_be_stopped(path):
    with CheckAhead(check_ahead.WORTH_BYTES) as ahead, pytest.raises(Cancelled):
        ahead.result(path, cancelled=lambda: True)
