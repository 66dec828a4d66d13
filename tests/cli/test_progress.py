import io
import os
import signal
import sys

import pytest

from curator.cli.progress import Progress


def test_nothing_is_shown_where_stderr_is_no_terminal(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress()
    progress(1, 2, "Reading")
    progress.close()
    assert stream.getvalue() == ""


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
