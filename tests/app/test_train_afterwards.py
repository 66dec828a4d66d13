# ruff: noqa: F401, F811 - fixtures come by name
"""Recipes, graders, and what is done with a job that was: again, files, model, origin."""

import json
from contextlib import closing
from typing import ClassVar

import pytest
from PySide6.QtWidgets import QSystemTrayIcon

from curator.app.dialogs.confirm import Question
from curator.app.pages.train.origin import ranges
from curator.app.pages.train.page import COMPOSE
from curator.app.session.job_end_notice import notify_desktop
from curator.tune.jobs.recipes import recipe_names
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import State
from tests.app.test_train_page import (
    _own_state,
    confirm,
    export,
    page,
    ready,
    server,
    settle,
)

GRADER = {"type": "string_check", "name": "g", "operation": "eq",
          "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}  # fmt: skip


def type_in(page, **values):
    for name, value in values.items():
        page.composer.settings.fields[name].setText(value)


@pytest.fixture
def done(page, server, export, qtbot):
    """A job that was started from the form and came to its end."""
    ready(qtbot, page, export)
    type_in(page, n_epochs="5")
    page.composer.settings._suffix.setText("desk")
    page.start()
    confirm(qtbot, page)

    def at_end():
        chosen = page.follower.chosen()
        return chosen is not None and chosen.status is State.SUCCEEDED

    qtbot.waitUntil(at_end, timeout=60_000)
    settle(qtbot, page)
    return page.follower.chosen()


def test_a_recipe_is_kept_filled_in_and_removed(page, server, export, qtbot):
    ready(qtbot, page, export)
    type_in(page, n_epochs="7")
    page.composer.settings._seed.setText("11")
    kept = page.composer.recipe()
    page.composer.recipes.keep_requested.emit("desk")
    settle(qtbot, page)
    assert recipe_names() == ("desk",)
    page.targets.choose("nebius")
    assert page.composer.recipe().target.id == "nebius"
    page.composer.recipes.chosen.emit("desk")
    settle(qtbot, page)
    assert page.targets.current().target.id == "mine"
    assert page.composer.recipe() == kept
    page.composer.recipes.removed.emit("desk")
    settle(qtbot, page)
    assert recipe_names() == ()
    assert not page.composer.recipes._open.isEnabled()


def test_a_form_that_is_wrong_is_not_kept(page, server, export, qtbot):
    ready(qtbot, page, export)
    type_in(page, n_epochs="many")
    page.composer.recipes.keep_requested.emit("desk")
    assert "number" in page.composer.settings.fault.text()
    settle(qtbot, page)
    assert recipe_names() == ()


def test_a_reinforcement_job_goes_with_its_grader_and_project(
    page,
    server,
    tmp_path,
    qtbot,
):
    row = {"messages": [{"role": "user", "content": "U"}], "answer": "A"}
    folder = tmp_path / "rows"
    folder.mkdir()
    for name in ("train", "validation"):
        (folder / f"{name}.jsonl").write_text((json.dumps(row) + "\n") * 12)
    ready(qtbot, page, folder)
    settings = page.composer.settings
    assert not settings._grader.isVisibleTo(page)
    page.composer._method.setCurrentIndex(page.composer._method.findData("rft"))
    assert settings._grader.isVisibleTo(page)
    settings._grader.setPlainText("{")
    page.start()
    assert "not valid JSON" in settings.fault.text()
    settings._grader.setPlainText(json.dumps(GRADER))
    settings._wandb.setText("desk")
    page.start()
    confirm(qtbot, page)
    qtbot.waitUntil(lambda: bool(server.bodies), timeout=60_000)
    assert server.bodies[-1]["method"]["reinforcement"]["grader"] == GRADER
    assert server.bodies[-1]["integrations"] == [{"type": "wandb", "wandb": {"project": "desk"}}]
    settle(qtbot, page)


def test_examples_of_graders_are_taken_by_the_protocol(page, server, export, qtbot):
    from curator.app.pages.train.settings_card import _EXAMPLES
    from curator.tune.jobs.graders import KINDS, check_grader

    for example in _EXAMPLES:
        page.composer.settings._take_example(example)
        typed = json.loads(page.composer.settings._grader.toPlainText())
        assert check_grader(typed, KINDS) == example


def test_a_job_is_run_again_from_the_form(page, done, qtbot):
    type_in(page, n_epochs="1")
    page.pane.view.again_requested.emit(done.token)
    settle(qtbot, page)
    assert page._stack.currentIndex() == COMPOSE
    again = page.composer.recipe()
    assert (again.settings["n_epochs"], again.suffix, again.base) == (5, "desk", done.base)


def test_files_come_into_a_folder(page, done, server, tmp_path, qtbot):
    page.finished_jobs.download(done.token, tmp_path / "got")
    settle(qtbot, page)
    assert (tmp_path / "got" / "step_metrics.csv").read_text() == server.plan.result
    assert any("step_metrics.csv came" in notice for notice in page.notices)


def test_a_model_is_deleted_after_one_question(page, done, server, qtbot):
    page.pane.view._ask_delete()
    (question,) = page.findChildren(Question)
    question._confirm()
    settle(qtbot, page)
    assert server.deleted == [done.checkpoint]
    assert not page.pane.view._delete.isEnabled()
    assert page.follower.chosen().deleted


def test_the_origin_tells_settings_and_rows(page, done, export, qtbot):
    (export / "train.manifest.jsonl").unlink()
    page.pane.view._turn(5)
    settle(qtbot, page)
    form = page.pane.view._origin._form
    shown = {
        form.itemAt(row, form.ItemRole.LabelRole).widget().text():
        form.itemAt(row, form.ItemRole.FieldRole).widget().text()
        for row in range(form.rowCount())
    }  # fmt: skip
    assert shown["Checkpoint"].startswith("desk tuned ")
    assert shown["Its id"] == done.checkpoint
    assert "n_epochs 5" in shown["Settings"]
    assert shown["Rows"] == "60 to train on"
    assert shown["Conversations"] == "101-160"


def test_ranges_of_ids():
    assert ranges([3, 1, 2, None, 7, 9, 10]) == "1-3, 7, 9-10"
    assert ranges([]) == ""
    assert ranges(range(0, 1_000, 2)).endswith(" …")


class _Tray(QSystemTrayIcon):
    """A tray as desktops have it; offscreen has none."""

    told: ClassVar[list[tuple[str, str]]] = []

    @staticmethod
    def isSystemTrayAvailable():  # noqa: N802 - Qt's name
        return True

    @staticmethod
    def supportsMessages():  # noqa: N802 - Qt's name
        return True

    def show(self):
        pass

    def showMessage(self, title, words, *_):  # noqa: N802 - Qt's name
        self.told.append((title, words))


def test_the_desktop_is_told_only_while_nobody_looks(qtbot, qapp, monkeypatch):
    from PySide6.QtWidgets import QWidget

    monkeypatch.setattr("curator.app.session.job_end_notice.QSystemTrayIcon", _Tray)
    _Tray.told.clear()
    window = QWidget()
    qtbot.addWidget(window)
    icon = notify_desktop(window, "Training has ended", "b at t: succeeded")
    assert icon is not None
    assert _Tray.told == [("Training has ended", "b at t: succeeded")]
    monkeypatch.setattr(window, "isActiveWindow", lambda: True)
    assert notify_desktop(window, "Training has ended", "x") is None
    assert len(_Tray.told) == 1
    icon.deleteLater()


def test_the_table_on_disk_knows_the_deleted_model(page, done, qtbot):
    page.finished_jobs.delete(done.token)
    settle(qtbot, page)
    table = JobTable()
    assert table.get(done.token).deleted
    table.close()


def test_a_job_whose_entry_is_damaged_is_named_once(page, qtbot):
    with closing(JobTable()) as table:
        table.add(Job("whole", "openai", "https://api", "gpt-4.1-mini"))
        table.add(Job("broken", "openai", "https://api", "gpt-4.1-mini"))
        table._db.execute("UPDATE job SET body = '[]' WHERE token = 'broken'")
    page.follower._begun = False  # as when the window begins
    page.follower.read()
    settle(qtbot, page)
    page.follower.read()
    settle(qtbot, page)
    (words,) = [each for each in page.notices if "damaged" in each]
    assert "job broken" in words
