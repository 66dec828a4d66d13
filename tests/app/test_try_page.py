"""The Try page against a real server: choose, ask, watch, stop, keep, and every way it can break."""

import os
from contextlib import closing

import pytest
from PySide6.QtCore import Qt

from curator.app.pages.try_out.exchange import Prompt
from curator.app.pages.try_out.page import EMPTY, WORK
from curator.dataset import AnnotationPatch, Edit
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import State
from curator.tune.targets.profiles import derive_target, save_target
from tests.app.conftest import open_in
from tests.tune.protocol_server import KEY, ProtocolServer, cut_mid_stream, raw, status

BASE, TUNED = "gpt-4.1-mini-2025-04-14", "ft:gpt-4.1-mini:desk"
CHAT = ("POST", "/chat/completions")


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    # Whether this machine can train is no matter of these tests.
    monkeypatch.setattr("curator.tune.local.bases.environment.trainer_python", lambda: None)


@pytest.fixture
def server(monkeypatch):
    with ProtocolServer() as running:
        save_target(derive_target("custom", "mine", "My server", {"address": running.url}))
        monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
        with closing(JobTable()) as table:
            table.add(
                Job("t", "mine", running.url, BASE, job="ftjob-1", status=State.SUCCEEDED,
                    checkpoint=TUNED, suffix="desk")
            )  # fmt: skip
        yield running


@pytest.fixture
def page(curator, project_path, qtbot):
    open_in(curator, project_path, qtbot)
    made = curator.show_page("try")
    made.notices = []
    made.session.notice.connect(lambda notice: made.notices.append(notice))
    settle(qtbot, made)
    return made


def settle(qtbot, page):
    qtbot.waitUntil(lambda: not page.jobs.running() and not page.is_asking, timeout=60_000)


def put_question(qtbot, page, text="Where is it?"):
    page.question.text.setPlainText(text)
    qtbot.keyClick(page.question.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def into_the_test_split(page, *ids):
    patch = AnnotationPatch("split", ids, ("",), ("test",))
    assert page.session.push(Edit("Split", "anna", (patch,))) is not None


def test_with_nobody_to_ask_the_page_leads_to_train(page, qtbot):
    assert page._stack.currentIndex() == EMPTY
    assert page.slots() == {}
    assert page.empty.button.hasFocus()
    asked = []
    page.open_requested.connect(asked.append)
    page.empty.button.click()
    assert asked[0].page == "train"


def test_the_newest_checkpoint_stands_beside_its_base(server, page):
    assert page._stack.currentIndex() == WORK
    left, right = (side.candidate() for side in page.sides)
    assert (left.name, right.name) == (BASE, TUNED)
    assert right.label.startswith("desk tuned ")
    assert "try.ask" not in page.slots()


def test_ctrl_enter_asks_both_and_shows_how_fast_it_went(server, page, qtbot):
    page.question.longest.setValue(5)
    put_question(qtbot, page)
    assert page.is_asking
    assert page.question.stop.isVisible()
    assert set(page.slots()) == {"try.stop"}
    settle(qtbot, page)
    assert [body["model"] for body in sorted(server.bodies, key=lambda b: b["model"])] == [
        TUNED,
        BASE,
    ]
    assert server.bodies[0]["temperature"] == 0.0
    assert server.bodies[0]["max_completion_tokens"] == 5
    for side in page.sides:
        assert side.text.toPlainText() == "You asked: Where is it? "
        assert side._state.text == "cut at the longest reply"
        assert side._facts_text.text().startswith("5 tokens")


def test_a_reply_of_blanks_is_called_that(server, page, qtbot):
    server.plan.reply = "  \n  "
    put_question(qtbot, page)
    settle(qtbot, page)
    for side in page.sides:
        assert side._facts_text.text().startswith("nothing but blanks")


def test_a_reply_is_seen_while_it_comes_and_can_be_stopped(server, page, qtbot):
    server.plan.reply, server.plan.reply_pause = "word " * 400, 0.02
    put_question(qtbot, page)
    qtbot.waitUntil(lambda: page.sides[0].text.toPlainText().count("word") > 3, timeout=60_000)
    page.slots()["try.stop"]()
    assert not page.is_asking
    settle(qtbot, page)
    assert page.sides[0]._state.text == "stopped"
    assert "word" in page.sides[0].text.toPlainText()
    assert "try.keep_left" not in page.slots()
    assert not page.notices


def test_a_test_question_brings_its_demonstrated_answer(server, page, qtbot):
    ids = [int(one) for one in page.session.index.ids]
    into_the_test_split(page, ids[2], ids[4])
    page.take_test_question()
    assert page.question.text.toPlainText() == "Question 3"
    assert page.question.expected.toPlainText() == "Answer 3"
    assert page.question.prompt().system == "Be brief."
    page.take_test_question()
    assert page.question.text.toPlainText() == "Question 5"
    page.take_test_question()
    assert page.question.text.toPlainText() == "Question 3"
    page.ask()
    settle(qtbot, page)
    assert [m["role"] for m in server.bodies[0]["messages"]] == ["system", "user"]
    page.question.text.setPlainText("Something else")
    assert page.question.prompt().conversation is None
    assert not page.question._expected_holder.isVisible()


def test_without_a_test_split_the_way_out_is_told(server, page):
    page.take_test_question()
    assert "test split" in page.notices[0].text
    assert page.notices[0].action_text == "Go to splits"


def test_an_exchange_is_kept_with_who_said_it_and_can_be_undone(server, page, qtbot):
    ids = [int(one) for one in page.session.index.ids]
    into_the_test_split(page, ids[0])
    page.take_test_question()
    page.ask()
    settle(qtbot, page)
    before = page.session.project.count()
    page.slots()["try.keep_right"]()
    project = page.session.project
    assert project.count() == before + 1
    new = max(int(one) for one in page.session.index.ids)
    kept = project.conversation(new)
    assert [m.role for m in kept.messages] == ["system", "user", "assistant"]
    assert kept.messages[-1].text.startswith("You asked: Question 1")
    annotation = project.annotation(new)
    assert annotation.metadata == {"said_by": TUNED, "target": "mine"}
    assert annotation.split == "test"
    page.session.undo()
    assert page.session.index.row_of(new) is None or new not in page.session.index.ids


def test_a_question_of_this_session_comes_back_with_its_replies(server, page, qtbot):
    for text in ("First?", "Second?"):
        put_question(qtbot, page, text)
        settle(qtbot, page)
    past = page.inspector()
    assert [past.list.item(n).text() for n in range(2)] == ["Second?", "First?"]
    past.list.setCurrentRow(1)
    assert page.question.text.toPlainText() == "First?"
    assert page.sides[1].text.toPlainText().startswith("You asked: First?")
    page.slots()["try.keep_left"]()
    new = max(int(one) for one in page.session.index.ids)
    assert page.session.project.conversation(new).messages[0].text == "First?"


@pytest.mark.parametrize(
    ("fault", "words", "left_over"),
    [
        (status(401, f"bad key {KEY}"), "does not accept the API key", ""),
        (raw("<html>Welcome</html>"), "a web page", ""),
        (cut_mid_stream(), "broke while answering", "I began"),
    ],
)
def test_what_breaks_is_said_on_its_side_with_the_way_out(
    server, page, qtbot, fault, words, left_over
):
    server.fault(*CHAT, fault, always=True)
    put_question(qtbot, page)
    settle(qtbot, page)
    for side in page.sides:
        assert side._state.text == "no answer"
        assert words in side._reason.text()
        assert KEY not in side._reason.text()
        assert side.text.toPlainText() == left_over
        assert side.train.isVisible()
        assert not side.keep.isVisible()
    server.clear_faults()
    page.ask()
    settle(qtbot, page)
    assert page.sides[0]._state.text == "answered"
    assert not page.sides[0].train.isVisible()


def test_any_name_the_service_knows_can_be_typed(server, page, qtbot):
    page.sides[1].who.setCurrentText("gpt-6-luna")
    put_question(qtbot, page)
    settle(qtbot, page)
    assert {body["model"] for body in server.bodies} == {BASE, "gpt-6-luna"}


def test_choices_stay_when_the_page_comes_back(server, page, curator, qtbot):
    page.sides[0].who.setCurrentText("gpt-6-luna")
    curator.show_page("write")
    curator.show_page("try")
    settle(qtbot, page)
    assert page.sides[0].candidate().name == "gpt-6-luna"


def test_a_job_table_that_cannot_be_read_is_said(server, page, qtbot, monkeypatch, tmp_path):
    place = tmp_path / "blocked"
    place.write_text("a file where a folder should be")
    monkeypatch.setenv("CURATOR_STATE", str(place))
    page.activated()
    settle(qtbot, page)
    assert page._stack.currentIndex() == EMPTY
    assert page.empty.button.text() == "Look again"
    monkeypatch.setenv("CURATOR_STATE", os.fspath(tmp_path / "state"))
    page.empty.button.click()
    settle(qtbot, page)
    assert page._stack.currentIndex() == WORK


def test_a_long_demonstrated_answer_shows_whole_lines_and_scrolls_only_downwards(page):
    card = page.question
    card.take(Prompt("Why?", demonstrated="A long answer of many words. " * 60, conversation=1))
    assert card.expected.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    height = card.expected.maximumHeight()
    assert height % card.expected.fontMetrics().lineSpacing() <= 4
    card.take(Prompt("Why?", demonstrated="Because.", conversation=1))
    assert card.expected.maximumHeight() < height
