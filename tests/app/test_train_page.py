"""The Train page against a real server: compose, dry run, ask once, start once, follow, mend."""

import json
import os

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit

from curator.app.pages.train import background
from curator.app.pages.train.composer import Composer
from curator.app.pages.train.page import FOLLOW, TrainPage
from curator.app.pages.train.start_dialogs import CallDialog, StartDialog
from curator.app.pages.train.target_dialog import TargetDialog
from curator.app.pages.train.targets_pane import TargetRow
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.dataset.errors import TargetError
from curator.tune.jobs.dry_run import DryRun
from curator.tune.jobs.table import Job, JobTable
from curator.tune.local.options import resolve
from curator.tune.services.port import State
from curator.tune.targets.profiles import derive_target, find_target, save_target
from tests.tune.protocol_server import KEY, Plan, ProtocolServer, accept_then, status

LINE = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    # Whether this machine can train is no matter of these tests.
    monkeypatch.setattr("curator.tune.local.bases.environment.trainer_python", lambda: None)


@pytest.fixture
def server(monkeypatch):
    plan = Plan(file_polls=0, statuses=("queued", "running", "running"))
    with ProtocolServer(plan=plan) as running:
        mine = derive_target("custom", "mine", "My server", {"address": running.url})
        save_target(mine.model_copy(update={"bases": ("gpt-4.1-mini-2025-04-14",)}))
        monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
        yield running


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "train.jsonl").write_text((json.dumps(LINE) + "\n") * 60, "utf-8")
    lines = "".join(json.dumps({"line": n, "conversation": 100 + n}) + "\n" for n in range(1, 61))
    (folder / "train.manifest.jsonl").write_text(lines, "utf-8")
    return folder


@pytest.fixture
def page(qtbot, qapp):
    jobs = Jobs()
    made = TrainPage(Session(jobs), jobs)
    qtbot.addWidget(made)
    made.notices = []
    made.session.notice.connect(lambda notice: made.notices.append(notice.text))
    made.asked = []
    made.open_requested.connect(made.asked.append)
    yield made
    made.close()
    assert jobs.shutdown()


def settle(qtbot, page):
    qtbot.waitUntil(lambda: not page.jobs.running(), timeout=60_000)


def ready(qtbot, page, export):
    page.activated()
    settle(qtbot, page)
    page.targets.choose("mine")
    page.take_export(export)
    settle(qtbot, page)


def probe_words(page):
    shown = page.targets._result.findChildren(QLabel)
    return " ".join(label.text() for label in shown if label.isVisible())


def confirm(qtbot, page):
    def find():
        return [w for w in page.findChildren(StartDialog) if w.isVisible()]

    qtbot.waitUntil(lambda: bool(find()), timeout=60_000)
    find()[0]._confirm()


def test_first_it_lists_targets_and_says_what_is_missing(page, qtbot):
    page.activated()
    settle(qtbot, page)
    rows = {row.target.id: row for row in page.targets.rows()}
    assert {"openai", "azure-v1", "nebius", "bedrock-mantle", "custom"} <= set(rows)
    assert not rows["openai"].is_ready
    assert rows["openai"].key == "missing"
    assert page.targets.current().target.id == "openai"
    assert "2027-01-14" in page.composer._end.text()
    assert "No export yet" in page.composer._folder.text()
    assert set(page.slots()) == set()
    assert not any(button.isEnabled() for button in page._buttons)
    page.show()
    qtbot.waitUntil(lambda: "or set OPENAI_API_KEY" in probe_words(page))
    page.targets.choose("azure-v1")
    qtbot.waitUntil(lambda: "fill in: Resource name" in probe_words(page))


def test_the_connection_test_shows_its_sentences(page, qtbot, server, export):
    ready(qtbot, page, export)
    page.test_target()
    settle(qtbot, page)
    assert page.targets._result._title.text() == "The connection works"
    bases = [page.composer._base.itemText(n) for n in range(page.composer._base.count())]
    assert bases == ["gpt-4.1-mini-2025-04-14", "gpt-6-luna"]
    assert server.methods_used() == {"GET"}
    server.fault("GET", "/models", status(401), always=True)
    page.test_target()
    settle(qtbot, page)
    assert page.targets._result._title.text() == "Jobs cannot start there"


def test_a_dry_run_shows_numbers_and_grows_old(page, qtbot, server, export):
    ready(qtbot, page, export)
    page.dry_run()
    settle(qtbot, page)
    recipe, plan = page._plan
    assert (plan.rows, plan.epochs, recipe.base) == (60, 3, "gpt-4.1-mini-2025-04-14")
    assert server.requests == []
    page.composer.settings.fields["n_epochs"].setText("5")
    assert page._plan is None
    page.dry_run()
    settle(qtbot, page)
    assert page._plan[1].epochs == 5


def test_a_dry_run_that_lacks_something_says_so_where_it_was_asked_for(page, qtbot, server, export):
    ready(qtbot, page, export)
    page.composer._base.setCurrentText("")
    page.dry_run()
    assert page.card._state.text().startswith("Name the base model to train")


def test_a_dry_run_without_an_export_says_what_is_missing(page, qtbot):
    page.activated()
    settle(qtbot, page)
    page.card.run_requested.emit()
    assert "There is no export yet" in page.card._state.text()


def test_a_wrong_number_is_said_at_the_field(page, qtbot, server, export):
    ready(qtbot, page, export)
    field = page.composer.settings.fields["n_epochs"]
    field.setText("9000")
    field.editingFinished.emit()
    assert "between 1 and 100" in page.composer.settings.fault.text()
    assert field.property("state") == "wrong"
    page.dry_run()
    assert page._plan is None
    field.setText("3")
    field.editingFinished.emit()
    assert page.composer.settings.fault.text() == ""


def test_start_asks_once_starts_once_and_follows_to_the_end(page, qtbot, server, export):
    ready(qtbot, page, export)
    assert {"train.start", "train.dry_run", "train.target_test"} <= set(page.slots())
    assert all(button.isEnabled() for button in page._buttons)
    page.start()
    confirm(qtbot, page)
    assert page._stack.currentIndex() == FOLLOW
    qtbot.waitUntil(lambda: any("succeeded" in text for text in page.notices), timeout=60_000)
    settle(qtbot, page)
    assert server.count("POST", "/fine_tuning/jobs") == 1
    view = page.pane.view
    assert view._title.text().startswith("gpt-4.1-mini-2025-04-14 tuned ")
    assert view._title.toolTip().startswith("ft:gpt-4.1-mini")
    assert [point.step for point in view._points] == [1, 2, 3, 4, 5, 6]
    assert len(view._events) == 7
    assert [one.step for one in view._states._checkpoints] == [3, 6]
    assert view._cancel.isHidden()
    assert page.rail_count() is None
    assert "Training: from 2 to" in view._loss.accessibleDescription()


def test_not_yet_starts_nothing(page, qtbot, server, export):
    ready(qtbot, page, export)
    page.start()
    qtbot.waitUntil(lambda: bool(page.findChildren(StartDialog)), timeout=60_000)
    page.findChildren(StartDialog)[0].reject()
    settle(qtbot, page)
    assert server.requests == []


def test_a_job_can_be_cancelled(page, qtbot, server, export):
    server.plan.statuses = ("running",) * 10_000
    ready(qtbot, page, export)
    page.start()
    confirm(qtbot, page)
    qtbot.waitUntil(lambda: "train.cancel" in page.slots(), timeout=60_000)
    assert page.rail_count() == 1
    page.slots()["train.cancel"]()
    settle(qtbot, page)
    assert next(iter(server.jobs.values()))["status"] == "cancelled"
    assert page.follower.chosen().status is State.CANCELLED


def test_a_failed_job_opens_the_conversation_it_names(page, qtbot, server, export):
    table = JobTable()
    table.add(
        Job("t", "mine", server.url, "b", job="ftjob-9", status=State.FAILED, export=str(export),
            error='Invalid file format. Example 7 contains an extra "weight".')
    )  # fmt: skip
    table.close()
    page.activated()
    settle(qtbot, page)
    page._turn(FOLLOW)
    view = page.pane.view
    assert "line 7 (conversation 107)" in view._reason.text()
    assert not view._open.isHidden()
    view._open.click()
    assert (page.asked[-1].page, page.asked[-1].conversation) == ("write", 107)


def test_an_unclear_job_is_checked_again_or_set_aside(page, qtbot, server, export):
    server.fault("POST", "/fine_tuning/jobs", accept_then(status(502)))
    table = JobTable()
    server.files["file-1"] = {"id": "file-1", "status": "processed"}
    body = {"model": "b", "training_file": "file-1", "metadata": {"curator_token": "here"}}
    made = server.make_job(body)
    made["status"] = "paused"
    for token in ("here", "gone"):
        table.add(Job(token, "mine", server.url, "b", status=State.UNCLEAR, error="?"))
    table.close()
    page.activated()
    settle(qtbot, page)
    page.pane.choose("gone")
    settle(qtbot, page)
    assert not page.pane.view._check.isHidden()
    page.pane.view._check.click()
    settle(qtbot, page)
    assert "does not show this job" in page.pane.view._reason.text()
    page.pane.view._discard.click()
    settle(qtbot, page)
    assert page.follower.chosen().status is State.DISCARDED
    page.pane.choose("here")
    settle(qtbot, page)
    page.pane.view._check.click()
    qtbot.waitUntil(lambda: page.follower.chosen().job == made["id"], timeout=60_000)
    assert server.count("POST", "/fine_tuning/jobs") == 0
    made["status"] = "cancelled"
    qtbot.waitUntil(lambda: page.follower.unfinished == 0, timeout=60_000)
    settle(qtbot, page)


def test_following_begins_again_after_a_restart(page, qtbot, server, export):
    server.files["file-1"] = {"id": "file-1", "status": "processed"}
    made = server.make_job({"model": "b", "training_file": "file-1"})
    table = JobTable()
    table.add(Job("t", "mine", server.url, "b", job=made["id"], status=State.QUEUED))
    table.close()
    page.activated()
    qtbot.waitUntil(lambda: any("succeeded" in text for text in page.notices), timeout=60_000)
    settle(qtbot, page)
    assert server.methods_used() == {"GET"}


def test_trouble_is_shown_at_the_job_and_the_job_stays(page, qtbot, server, monkeypatch):
    table = JobTable()
    table.add(Job("t", "mine", server.url, "b", job="ftjob-404", status=State.RUNNING))
    table.close()
    page.activated()
    qtbot.waitUntil(lambda: "does not know" in page.pane.view._reason.text(), timeout=60_000)
    assert page.follower.unfinished == 1


def add_dialog(page, qtbot):
    page._add_target()
    return page.findChildren(TargetDialog)[-1]


def test_a_target_is_added_before_the_list_is_there(page, qtbot):
    assert not page.targets.rows()
    assert "address" in add_dialog(page, qtbot)._fields


def test_a_target_is_added_with_its_address_mended(page, qtbot, server):
    page.activated()
    settle(qtbot, page)
    dialog = add_dialog(page, qtbot)
    dialog._name.setText("team")
    dialog._fields["address"].setText("http://gpu.example.org/v1/chat/completions")
    dialog._rate.setCurrentIndex(1)
    dialog._keep()
    assert "clear text" in dialog._fault.text()
    assert dialog._fields["address"].text() == "http://gpu.example.org/v1"
    assert "CURATOR_TEAM_KEY" in dialog._note.text()
    dialog._keep()
    settle(qtbot, page)
    kept = find_target("team")
    assert (kept.url, kept.learning_rate.kind) == ("http://gpu.example.org/v1", "absolute")
    assert page.targets.current().target.id == "team"


def test_the_form_is_walked_from_top_to_bottom(page, qtbot, server):
    page.activated()
    settle(qtbot, page)
    dialog = add_dialog(page, qtbot)
    names, widget = [], dialog.nextInFocusChain()
    while widget is not dialog:
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            names.append(widget.accessibleName() or widget.text())
        widget = widget.nextInFocusChain()
    form = ["Kind", "Short name", "Shown as", "Base URL", "Learning rate is", "API key"]
    assert names == [*form, "Cancel", "Keep"]
    dialog.reject()


def test_a_target_is_added_only_once_there_is_one_to_begin_from(page, qtbot):
    assert not page.targets._add.isEnabled()
    page.activated()
    settle(qtbot, page)
    assert page.targets._add.isEnabled()


@pytest.mark.parametrize(
    ("name", "address", "words"),
    [("", "https://x.org/v1", "short name"), ("a b", "https://x.org/v1", "cannot name"),
     ("ok", "", "Fill in"), ("ok", "x.org", "not a web address")],
)  # fmt: skip
def test_a_wrong_form_says_what_is_wrong(page, qtbot, server, name, address, words):
    page.activated()
    settle(qtbot, page)
    dialog = add_dialog(page, qtbot)
    dialog._name.setText(name)
    dialog._fields["address"].setText(address)
    dialog._keep()
    assert words in dialog._fault.text()
    dialog.reject()


def test_without_a_key_store_the_variable_is_named_and_the_target_kept(page, qtbot, server):
    page.activated()
    settle(qtbot, page)
    page.targets.choose("openai")
    page.targets._edit.click()
    dialog = page.findChildren(TargetDialog)[-1]
    assert dialog._key.echoMode() == QLineEdit.EchoMode.Password
    dialog._key.setText("sk-proj-SomethingSecret-123456")
    dialog._keep()
    settle(qtbot, page)
    assert any("OPENAI_API_KEY" in text for text in page.notices)
    assert "SomethingSecret" not in " ".join(page.notices)
    for folder in (os.environ["CURATOR_CONFIG"], os.environ["CURATOR_STATE"]):
        for root, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(root, name), "rb") as stream:  # noqa: PTH118, PTH123
                    assert b"SomethingSecret" not in stream.read()


def test_the_call_is_shown_and_copied(page, qtbot, server, export):
    ready(qtbot, page, export)
    page.show_call()
    dialog = page.findChildren(CallDialog)[-1]
    dialog._copy()
    text = QApplication.clipboard().text()
    assert "client.fine_tuning.jobs.create(" in text
    assert KEY not in text
    assert "CURATOR_MINE_KEY" in text
    dialog.close()


def test_another_page_can_hand_an_export_over(page, qtbot, server, export):
    from curator.app.page import OpenRequest

    page.activated()
    settle(qtbot, page)
    page.open(OpenRequest("train", detail=str(export)))
    settle(qtbot, page)
    assert page.composer.export.rows == 60


def test_every_control_has_a_name(page, qtbot, server, export):
    ready(qtbot, page, export)
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QPlainTextEdit

    for kind in (QAbstractButton, QLineEdit, QComboBox, QPlainTextEdit):
        for widget in page.findChildren(kind):
            inside = isinstance(widget.parentWidget(), QComboBox)
            corner = widget.metaObject().className() == "QTableCornerButton"
            assert inside or corner or widget.accessibleName() or getattr(widget, "text", str)(), (
                widget
            )


@pytest.mark.parametrize("target", ["openai", "azure-v1", "nebius", "bedrock-mantle"])
def test_no_form_is_pushed_out_of_a_narrow_window(page, qtbot, target):
    page.activated()
    settle(qtbot, page)
    page.targets.choose(target)
    inside = page.composer.widget()
    assert inside.minimumSizeHint().width() <= page.composer.minimumWidth()


def local_row(**more):
    return TargetRow(find_target("this-computer"), "not needed", is_own=False, **more)


def test_this_computer_offers_to_set_its_trainer_up(page, qtbot, monkeypatch, export):
    asked = []

    def set_up(_progress, _cancelled):
        asked.append("trainer")
        return (local_row(trainer=True),)

    monkeypatch.setattr(background, "set_up_trainer", set_up)
    page.targets.show_rows((local_row(),))
    page.take_export(export)
    settle(qtbot, page)
    setup = page.targets.setup
    assert not setup._trainer.isHidden()
    assert setup._practice.isHidden()
    assert "train.start" not in page.slots()
    setup._trainer.click()
    settle(qtbot, page)
    assert asked == ["trainer"]
    assert setup._trainer.isHidden()
    assert not setup._practice.isHidden()
    assert setup._practice.isEnabled()
    assert {"train.start", "train.dry_run"} <= set(page.slots())
    page.targets.show_rows((local_row(trainer=True, practice=True),))
    assert setup.isHidden()


def test_a_set_up_that_fails_says_why_and_can_be_tried_again(page, qtbot, monkeypatch):
    def fail(_progress, _cancelled):
        raise TargetError("No CPU build of torch can be had.")

    monkeypatch.setattr(background, "set_up_trainer", fail)
    page.targets.show_rows((local_row(),))
    page.targets.setup._trainer.click()
    assert not page.targets.setup._trainer.isEnabled()
    settle(qtbot, page)
    assert page.notices == ["No CPU build of torch can be had."]
    qtbot.waitUntil(page.targets.setup._trainer.isEnabled)


def test_rare_settings_show_when_asked_for(page, qtbot):
    page.targets.show_rows((local_row(trainer=True),))
    settings, rank = page.composer.settings, page.composer.settings.fields["rank"]
    assert not settings.fields["n_epochs"].isVisibleTo(page)
    settings.change.click()
    assert settings.fields["n_epochs"].isVisibleTo(page)
    assert rank.isHidden()
    settings.more.click()
    assert not rank.isHidden()
    rank.setText("4")
    page.composer._base.setCurrentText("tiny")
    sent = page.composer.recipe().arguments("f", "", "t")["metadata"]
    assert sent["curator.options"] == '{"rank":4}'
    page.targets.show_rows((TargetRow(find_target("openai"), "key store", is_own=False),))
    assert page.composer.settings.more.isHidden()


def test_a_choice_left_at_auto_is_no_setting(page, qtbot):
    card = page.composer.settings
    card.offer(find_target("this-computer"), "sft")
    assert "auto" not in card.choices()["settings"].values()
    card.fields["optimizer"].setCurrentText("adagrad")
    assert card.choices()["settings"]["optimizer"] == "adagrad"


def test_what_is_left_open_says_what_it_will_be(page, qtbot):
    page.targets.show_rows((local_row(trainer=True),))
    page.composer._base.setCurrentText("tiny")
    settings = page.composer.settings
    qtbot.waitUntil(lambda: "Epochs: auto: 30" in settings._summary.text(), timeout=60_000)
    assert settings.fields["batch_size"].placeholderText() == "auto: 8"
    assert settings.fields["method"].currentText() == "auto: full"
    settle(qtbot, page)
    chosen = page.composer.recipe()
    resolved = resolve(chosen.arguments("", "", ""), tiny=True)
    assert (resolved.epochs, resolved.batch_size, resolved.method) == (30, 8, "full")
    settings.fields["n_epochs"].setText("7")
    settings._check_fields()
    assert "Epochs: 7" in settings._summary.text()
    page.targets.show_rows((TargetRow(find_target("openai"), "key store", is_own=False),))
    page.composer._base.setCurrentText("gpt-4.1-mini-2025-04-14")
    qtbot.waitUntil(lambda: "the service chooses" in settings._summary.text(), timeout=60_000)
    settle(qtbot, page)


@pytest.mark.parametrize("way", ["lora", "qlora", "full", "prompt", "head"])
def test_only_the_settings_of_the_chosen_way_are_offered(page, qtbot, way):
    page.targets.show_rows((local_row(trainer=True),))
    page.composer._base.setCurrentText("tiny")
    settings = page.composer.settings
    settings.change.setChecked(True)
    settings.more.setChecked(True)
    field = settings.fields["method"]
    field.setCurrentIndex(field.findData(way))
    settle(qtbot, page)

    def shown():
        return {name for name, each in settings.fields.items() if not each.isHidden()}

    target = find_target("this-computer")
    used = {s.name for s in target.settings("sft") if not s.ways or way in s.ways}
    qtbot.waitUntil(lambda: shown() == used, timeout=60_000)
    assert ("rank" in used) == (way in ("lora", "qlora"))
    assert ("virtual_tokens" in used) == (way == "prompt")
    settle(qtbot, page)


def test_the_three_dates_of_a_base_are_shown_where_it_is_chosen(qtbot):
    composer = Composer()
    qtbot.addWidget(composer)
    composer.show_target(find_target("azure-v1"))
    composer.choose_base("gpt-4o-2024-08-06")
    for day in ("2026-10-01", "2027-04-01", "2027-10-01"):
        assert day in composer._end.text()
    composer.choose_base("gpt-oss-20b")
    assert composer._end.text() == ""


def test_settings_that_unfold_beneath_the_edge_come_into_sight(page, qtbot, server, export):
    page.resize(1024, 520)
    page.show()
    ready(qtbot, page, export)
    composer = page.composer
    qtbot.mouseClick(composer.settings.change, Qt.MouseButton.LeftButton)
    first = next(iter(composer.settings.fields.values()))

    def is_seen():
        top = first.mapTo(composer.viewport(), first.rect().topLeft()).y()
        return 0 <= top <= composer.viewport().height() - first.height()

    qtbot.waitUntil(is_seen)


@pytest.mark.parametrize(("memory", "words"), [(None, "the service"), (2**30, "the trainer")])
def test_the_dry_run_says_who_chooses_the_epochs(page, qtbot, memory, words):
    plan = DryRun(60, 0, 0, 100, True, 3, False, None, None, "host", 0, (), (), memory=memory)
    page.card.show_plan(plan)
    said = " ".join(label.text() for label in page.card.findChildren(QLabel))
    assert f"as {words}" in said


def test_before_a_target_is_known_no_grader_is_asked_for(page):
    page.show()
    page.composer.settings.change.click()
    assert not page.composer.settings._grader.isVisible()


def test_checkpoints_of_other_projects_are_no_base_here():
    """A checkpoint learned from another project's rows; its name holds what was typed there."""
    from curator.app.pages.train.targets_pane import TargetRow
    from curator.tune.jobs.table import Job
    from curator.tune.targets.profiles import find_target

    mine = ("ft:tiny:this-computer:desk:01", Job(token="a", target="this-computer", base_url="", base="tiny",
                                                 project="/data/mine.curator"))  # fmt: skip
    other = ("ft:tiny:this-computer:clinic:02", Job(token="b", target="this-computer", base_url="", base="tiny",
                                                    project="/data/other.curator"))  # fmt: skip
    row = TargetRow(find_target("this-computer"), "", False, checkpoints=(mine, other))
    offered = row.for_project("/data/mine.curator").bases
    assert mine[0] in offered
    assert other[0] not in offered
    assert offered[: len(row.target.bases)] == row.target.bases
