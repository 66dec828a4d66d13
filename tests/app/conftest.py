"""Tests of the window: one application, fresh settings, a small project, and nothing left behind."""

import importlib
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from curator.app.main import Curator, make_application
from curator.dataset import ContentPatch, Conversation, Edit, LabelSet, Message
from curator.project.labels import label_sets_patch
from curator.project.store.project import Project
from tests.tune.quick import quick_services  # noqa: F401 - a fixture comes by its name


@pytest.fixture(scope="session")
def qapp_cls():
    return QApplication


@pytest.fixture(autouse=True)
def _fresh_settings(qapp) -> Iterator[None]:
    make_application(["curator"])
    QSettings().clear()
    shutil.rmtree(os.environ["CURATOR_CONFIG"], ignore_errors=True)
    yield
    QSettings().clear()


@pytest.fixture(autouse=True)
def _no_dialog_blocks(monkeypatch) -> None:
    """A modal box that a test did not answer would stop the whole run."""

    def refuse(*_args, **_more):
        raise AssertionError("a test opened a blocking dialog")

    monkeypatch.setattr(QMessageBox, "exec", refuse)
    for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"):
        monkeypatch.setattr(QFileDialog, name, refuse)


@pytest.fixture(autouse=True)
def _quiet_log(caplog) -> Iterator[None]:
    """A warning in the log is a fault of the test or of the app."""
    yield
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record.getMessage() for record in loud]


@pytest.fixture(autouse=True)
def _no_window_survives(qapp) -> Iterator[None]:
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert not left


def without_trainer(patch: pytest.MonkeyPatch) -> None:
    """Let this computer have no trainer.

    Every module that holds the function by name is loaded first: one that came to know it meanwhile
    would keep the replacement for the whole run.
    """
    for name in ("server.service", "server.serve", "bases.adding", "bases.practice", "trainer.measuring",
                 "bundle", "bases.environment"):  # fmt: skip
        module = importlib.import_module(f"curator.tune.local.{name}")
        patch.setattr(module, "trainer_python", lambda: None)


@pytest.fixture
def curator(qapp) -> Iterator[Curator]:
    """The whole window, shown offscreen."""
    made = Curator(qapp)
    made.window.show()
    yield made
    made.window.close()
    made.window.deleteLater()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def project_path(tmp_path) -> Path:
    """A project of twelve conversations with two label sets."""
    path = tmp_path / "support desk.curator"
    project = Project.create(path, "anna")
    ids = project.new_conversation_ids(12)
    lines = (
        Conversation.of(
            (
                Message.of("system", "Be brief."),
                Message.of("user", f"Question {number}"),
                Message.of("assistant", f"Answer {number}"),
            )
        ).to_json()
        for number in range(1, 13)
    )
    patches = tuple(ContentPatch(i, None, line) for i, line in zip(ids, lines, strict=True))
    project.apply(Edit("Write", "anna", patches))
    sets = (
        LabelSet("Intent", "choice", ("card", "transfer", "other"), "What is wanted"),
        LabelSet("Tone", "rating", ("1", "2", "3")),
    )
    project.apply(Edit("Label sets", "anna", (label_sets_patch(project, sets),)))
    project.close()
    return path


@pytest.fixture
def opened(curator, project_path, qtbot) -> Curator:
    """The window with the small project open and the Label page in front."""
    open_in(curator, project_path, qtbot)
    curator.show_page("label")
    return curator


def open_in(curator: Curator, path: Path, qtbot) -> None:
    """Open a project and wait until the window shows it."""
    with qtbot.waitSignal(curator.session.project_changed, timeout=60_000):
        curator.session.open_project(path)
    qtbot.waitUntil(lambda: len(curator.pages) > 1)
