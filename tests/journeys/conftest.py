"""Stories through the real window: a home of their own for every story, and nothing left behind."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from curator.app.main import make_application
from tests.journeys.annotator import Annotator
from tests.tune.quick import quick_services  # noqa: F401 - a fixture comes by its name


@pytest.fixture
def people(qapp, qtbot, tmp_path, monkeypatch, caplog) -> Iterator[Callable[[], Annotator]]:
    """Make annotators, each with a window, who share one fresh home; a warning logged is a fault."""

    def refuse(*_args, **_more):
        raise AssertionError("a story met a dialog that nobody answers")

    monkeypatch.setattr(QMessageBox, "exec", refuse)
    for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"):
        monkeypatch.setattr(QFileDialog, name, refuse)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    # The stories go the same way whether or not this machine can train.
    for place in ("bases.environment", "server.service"):
        monkeypatch.setattr(f"curator.tune.local.{place}.trainer_python", lambda: None)
    make_application(["curator"])
    QSettings().clear()
    shutil.rmtree(os.environ["CURATOR_CONFIG"], ignore_errors=True)
    made: list[Annotator] = []

    def somebody() -> Annotator:
        made.append(Annotator(qapp, qtbot))
        return made[-1].starts()

    yield somebody
    for each in made:
        each.leaves()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    QSettings().clear()
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record.getMessage() for record in loud]


@pytest.fixture
def annotator(people) -> Annotator:
    """One person at a fresh window."""
    return people()
