"""The Evaluate page: choosing, asking, stopping, going on, and what a run found."""

from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator.app.page import OpenRequest
from curator.app.pages.evaluate import page as evaluate
from curator.app.widgets.diff_text import DiffText
from curator.dataset import AnnotationPatch, ContentPatch, Edit
from curator.project.labels import annotation_patch
from curator.project.store import evaluation_rows as rows
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import State
from curator.tune.targets.profiles import derive_target, save_target
from tests.app.conftest import open_in
from tests.tune.protocol_server import KEY, ProtocolServer, status

CHAT = ("POST", "/chat/completions")


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for place in ("bases.environment", "server.service"):
        monkeypatch.setattr(f"curator.tune.local.{place}.trainer_python", lambda: None)
    monkeypatch.setattr("curator.tune.local.replies.llama_engine.is_here", lambda: False)
    with ProtocolServer() as running:
        mine = derive_target("custom", "mine", "My server", {"address": running.url})
        save_target(mine.model_copy(update={"bases": ("weak", "strong")}))
        monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
        yield running


def answer(body):
    """The strong model answers as demonstrated but for question 3, the weak one only to that."""
    number = body["messages"][-1]["content"].split()[-1]
    is_right = (body["model"] == "strong") != (number == "3")
    return f"Answer {number}" if is_right else f"No answer to {number}"


@pytest.fixture
def page(curator, project_path, server, qtbot):
    open_in(curator, project_path, qtbot)
    ids = tuple(range(1, 9))
    split = AnnotationPatch("split", ids, ("",), ("test",))
    curator.session.push(Edit("Split", "anna", (split,)))
    server.plan.answer = answer
    made = curator.show_page("evaluate")
    rest(curator, qtbot)
    return made


def rest(curator, qtbot):
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=30_000)


def choose(page):
    page.setup.base.setCurrentIndex(page.setup.base.findText("weak (base) · My server"))
    page.setup.tried.setCurrentIndex(page.setup.tried.findText("strong (base) · My server"))


@pytest.fixture
def evaluated(page, curator, qtbot):
    choose(page)
    curator.menus.run("evaluate.start")
    qtbot.waitUntil(lambda: page._shown is not None, timeout=30_000)
    rest(curator, qtbot)
    return page


def test_an_evaluation_shows_figures_with_the_difference(evaluated, server):
    assert len(server.bodies) == 16
    shown = evaluated._shown
    assert (shown.comparison.wins, shown.comparison.losses) == (7, 1)
    table = evaluated.figures.view.table()
    words = [table.index(0, column).data() for column in range(table.columnCount())]
    assert words[0] == "right answers"
    assert words[1].startswith("12.5%")
    assert words[2].startswith("87.5%")
    assert words[3].startswith("+75.0%")
    assert "better on 7, worse on 1" in evaluated.figures.sentence.text()
    assert evaluated.state.text() == "8 questions"
    assert not evaluated.resume.isVisible()


def test_what_got_worse_stands_first_with_its_words_marked(evaluated, curator, qtbot):
    evaluated.chips[evaluate.REPLIES].click()
    items = evaluated.replies._items
    assert [item.verdict for item in items] == ["worse"] + ["better"] * 7
    assert (items[0].conversation, items[0].question) == (3, "Question 3")
    words = evaluated.replies.area.widget().findChildren(DiffText)
    assert [label.text().count("line-through") for label in words][2:] != [0, 0]
    curator.menus.run("conversation.next")
    assert evaluated.replies.view.current_row() == 1
    evaluated.replies.view.setFocus()
    QTest.keyClick(evaluated.replies.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: curator.front.page_id == "write")
    assert curator.session.current == items[1].conversation


def test_the_page_says_what_changed_since(evaluated, curator, qtbot):
    project = curator.session.project
    before = project.content(4)
    patch = ContentPatch(4, before, before.replace("Question 4", "Another question"))
    curator.session.push(Edit("Edit", "anna", (patch,)))
    curator.show_page("write")
    curator.show_page("evaluate")
    rest(curator, qtbot)
    assert evaluated.state.text() == "8 questions · 1 conversation has changed since"


def test_replies_without_labels_have_no_matrix(evaluated):
    evaluated.chips[evaluate.MATRIX].click()
    assert evaluated.matrix.table.rowCount() == 0
    assert "no labels" in evaluated.matrix.about.text()


def test_a_cell_of_the_matrix_has_its_conversations(page, curator, server, qtbot):
    values = ("card", "transfer", "other", "card", "transfer", "other", "card", "card")
    project, ids = curator.session.project, tuple(range(1, 9))
    patch = annotation_patch(project, ids, "label:Intent", values, annotator="anna", each=True)
    curator.session.push(Edit("Label", "anna", (patch,)))
    server.plan.answer = lambda body: "It is card."
    curator.show_page("write")
    curator.show_page("evaluate")
    rest(curator, qtbot)
    choose(page)
    page.setup.tried.setCurrentIndex(0)
    page.setup.label_set.setCurrentIndex(page.setup.label_set.findData("Intent"))
    curator.menus.run("evaluate.start")
    qtbot.waitUntil(lambda: page._shown is not None, timeout=30_000)
    page.chips[evaluate.MATRIX].click()
    assert page.matrix.table.rows == ("card", "other", "transfer")
    page.matrix.view.setFocus()
    page.matrix.view.go_to(1, 0)
    assert page.matrix._conversations == [3, 6]
    QTest.keyClick(page.matrix.view, Qt.Key.Key_Down)
    assert page.matrix._conversations == [2, 5]
    words = page.matrix.table.index(2, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert words == "right transfer, said card: 2"
    page.matrix.list.setFocus()
    QTest.keyClick(page.matrix.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: curator.front.page_id == "write")
    assert curator.session.current == 2


def test_a_run_that_broke_off_is_told_and_goes_on(page, curator, server, qtbot):
    told = []
    curator.session.notice.connect(lambda notice: told.append((notice.level, notice.text)))
    choose(page)
    server.fault(*CHAT, status(401, KEY), always=True)
    curator.menus.run("evaluate.start")
    qtbot.waitUntil(lambda: bool(told), timeout=30_000)
    rest(curator, qtbot)
    assert told[0][0] == "error"
    assert KEY not in told[0][1]
    assert page.resume.isVisible()
    assert "stopped" in page.state.text()
    server.clear_faults()
    page.resume.click()
    qtbot.waitUntil(lambda: not page.is_asking and not page.resume.isVisible(), timeout=30_000)
    rest(curator, qtbot)
    assert page._shown.line.state == rows.DONE
    assert len(server.bodies) == 16


def test_a_run_is_stopped_and_its_replies_stay(page, curator, server, qtbot):
    asked = []

    def slow(body):
        import time

        asked.append(1)
        time.sleep(0.05)
        return answer(body)

    server.plan.answer = slow
    choose(page)
    curator.menus.run("evaluate.start")
    qtbot.waitUntil(lambda: bool(asked), timeout=30_000)
    assert "evaluate.start" not in page.slots()
    curator.menus.run("evaluate.stop")
    qtbot.waitUntil(lambda: not page.is_asking, timeout=30_000)
    rest(curator, qtbot)
    line = page._line()
    assert (line.state, line.replies) == (rows.STOPPED, len(server.bodies))
    assert page.resume.isVisible()


def test_a_filter_that_is_not_understood_is_told(page, curator, server, qtbot):
    told = []
    curator.session.notice.connect(lambda notice: told.append(notice.text))
    choose(page)
    page.setup.where.setText("split:nowhere")
    curator.menus.run("evaluate.start")
    qtbot.waitUntil(lambda: bool(told), timeout=30_000)
    assert "not understood" in told[0]
    page.setup.where.clear()
    page.setup.base.setEditText("nobody at all")
    curator.menus.run("evaluate.start")
    assert "names no candidate" in told[1]
    assert server.bodies == []


@pytest.mark.parametrize("ending", ["html", "md", "pdf"])
def test_a_report_is_written(evaluated, curator, qtbot, tmp_path, ending):
    path = tmp_path / f"r.{ending}"
    evaluated.report_to(path)
    rest(curator, qtbot)
    if ending == "pdf":
        raw = path.read_bytes()
        assert raw.startswith(b"%PDF-")
        assert len(raw) > 5_000
    else:
        assert "strong" in path.read_text("utf-8")


@pytest.mark.parametrize("name", ["gone/r.html", "gone/r.pdf", "r.txt"])
def test_a_report_that_cannot_be_written_is_told(evaluated, curator, qtbot, tmp_path, name):
    told = []
    curator.session.notice.connect(lambda notice: told.append(notice.level))
    (tmp_path / "gone").write_text("a file where a folder is wanted")
    evaluated.report_to(tmp_path / name)
    rest(curator, qtbot)
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["error"]


def test_a_checkpoint_that_train_sends_is_chosen_beside_its_base(page, curator, qtbot):
    with closing(JobTable()) as table:
        table.add(
            Job("t", "mine", "http://x/v1", "weak", job="ftjob-1", status=State.SUCCEEDED,
                checkpoint="ft:weak:desk", suffix="desk")
        )  # fmt: skip
    curator.show_page("write")
    page.open(OpenRequest("evaluate", detail="ft:weak:desk"))
    curator.show_page("evaluate")
    rest(curator, qtbot)
    first, second = page.setup.request().candidates
    assert (first.model, second.model) == ("weak", "ft:weak:desk")


def test_without_anybody_to_ask_the_page_leads_to_train(
    curator, project_path, server, qtbot, monkeypatch
):
    monkeypatch.delenv("CURATOR_MINE_KEY")
    open_in(curator, project_path, qtbot)
    page = curator.show_page("evaluate")
    rest(curator, qtbot)
    assert page.empty.button.text() == "Go to Train"
    page.empty.button.click()
    assert curator.front.page_id == "train"
