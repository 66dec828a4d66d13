import io
import os
import signal
import sys

import pytest

from curator.cli.progress import Progress


class Pipe(io.StringIO):
    """A stream that notes how much of it was flushed."""

    flushed = 0

    def flush(self):
        self.flushed = len(self.getvalue())


def test_short_work_writes_nothing_into_a_pipe(monkeypatch):
    stream = Pipe()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress()
    progress(1, 2, "Reading")
    progress.close()
    assert stream.getvalue() == ""


def test_long_work_writes_a_line_now_and_then_into_a_pipe_and_each_is_flushed(monkeypatch):
    stream, clock = Pipe(), [0.0]
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress(now=lambda: clock[0])
    for second in range(60):
        clock[0] = float(second)
        progress(second, 60, f"running, loss {9 - second / 10:.1f}")
        assert stream.flushed == len(stream.getvalue())
    lines = stream.getvalue().splitlines()
    assert lines[0] == "running, loss 8.5: 5 of 60"
    assert len(lines) == 6


def test_a_bar_moves_on_while_its_words_change(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress(shown=True)
    for step in range(1, 11):
        progress(step, 10, f"running, loss {1 / step:.3f}")
        shown = stream.getvalue().rsplit("\r", 1)[-1]
        assert f"loss {1 / step:.3f}" in shown
        assert f"{step}/10" in shown
    progress.close()


def test_a_bar_is_shown_on_a_terminal(capsys):
    progress = Progress(shown=True)
    progress(1, 4, "Reading")
    progress(4, 4, "Reading")
    progress(1, 2, "Writing")
    progress.close()
    told = capsys.readouterr().err
    assert "Reading" in told
    assert "Writing" in told


def test_the_first_ctrl_c_asks_and_the_second_stops():
    progress = Progress(shown=False)
    before = signal.getsignal(signal.SIGINT)  # ignored where the tests run in the background
    with progress.listening():
        os.kill(os.getpid(), signal.SIGINT)
        assert progress.cancelled()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
