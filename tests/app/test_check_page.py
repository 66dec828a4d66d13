"""The Check page: what it lists, how it is worked by keys, and its fixes."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from curator.app.page import OpenRequest
from curator.app.pages.check import fixer
from curator.app.pages.check import page as page_module
from curator.app.pages.check.findings import changes_of, changes_of_lines, marked
from curator.app.pages.check.page import CheckPage
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.curate.checks import check_conversation
from curator.curate.fixes.fixing import apply_fix
from curator.dataset import Conversation, Edit, SettingPatch
from curator.dataset.errors import WrongUse
from curator.dataset.rule import load_rules
from curator.project import Project
from tests.project.projects import import_lines, line
from tests.tune.local.conftest import needs_trainer

HUMAN = json.dumps(
    {"messages": [{"role": "human", "content": "Hi"}, {"role": "gpt", "content": "Yes"}]}
)
SECRET = line("Use AKIA" + "IOSFODNN7EXAMPLE now", "I will not.")
TWO = json.dumps(
    {
        "messages": [{"role": "user", "content": "Hello"}]
        + [{"role": "assistant", "content": "Yes"}] * 2
    }
)


def make_project(path: Path, lines) -> Path:
    project = Project.create(path, "ann")
    import_lines(project, lines)
    project.close()
    return path


@pytest.fixture
def page(qtbot, tmp_path):
    """The page with a project of 60 good and four faulty conversations."""
    lines = [line(f"Question number {n}?", f"Answer {n}.") for n in range(60)]
    lines += [HUMAN, line("x", source="forum"), SECRET, TWO]
    yield from shown(qtbot, make_project(tmp_path / "a.curator", lines))


def shown(qtbot, path):
    jobs = Jobs()
    session = Session(jobs, "ann")
    made = CheckPage(session, jobs)
    qtbot.addWidget(made)
    made.is_front = True
    made.resize(1080, 800)
    made.show()
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        session.open_project(path)
    rest(qtbot, made)
    yield made
    session.close_project()
    jobs.shutdown()


def rest(qtbot, page):
    """Wait until nothing is at work."""
    qtbot.waitUntil(
        lambda: not page.jobs.running() and not page._reload_soon.isActive(), timeout=20_000
    )


def rules(page):
    return [rule for rule, _, _ in page.rules._rules]


def choose(page, rule):
    page.rules.view.go_to(rules(page).index(rule))


def test_rules_come_gravest_first_with_counts_and_the_matrix_is_filled(page):
    assert rules(page) == ["S05", "S03", "P01", "S13"]
    assert page.rules.table.index(0, 1).data() == "2"
    assert page.subtitle.text() == "4 errors in 3 conversations · 1 warning in 1 conversation"
    assert page.matrix.tiles["openai_sft"].facts().startswith("takes 61 of 64 conversations")
    assert page.matrix.tiles["azure"].facts().startswith("takes 60 of 64 conversations")


def test_the_header_counts_what_the_chips_the_rail_and_the_list_count(qtbot, tmp_path):
    """What comes from comparing conversations is told apart, and nothing is left out or counted twice."""
    lines = [line("Same question?", f"Answer {n}.") for n in range(4)]
    lines += [line(f"Question number {n}?", f"Answer {n}.") for n in range(60)]
    lines += [HUMAN, line("x", source="forum"), TWO, TWO]
    for page in shown(qtbot, make_project(tmp_path / "b.curator", lines)):
        counts = page.session.counts()
        listed = dict.fromkeys(("error", "warning"), 0)
        compared = 0
        for rule, severity, count in page.rules._rules:
            if load_rules()[rule].scope == "dataset":
                compared += count
            else:
                listed[severity] += count
        assert compared
        assert page.rail_count() == counts["errors"]
        assert page.subtitle.text() == (
            f"{listed['error']} errors in {counts['errors']} conversations · "
            f"{listed['warning']} warnings in {counts['warnings']} conversations · "
            f"{compared} from comparing all"
        )
        choose(page, next(rule for rule in rules(page) if load_rules()[rule].scope == "dataset"))
        assert "from comparing all" in page.head._id.text()


@needs_trainer
def test_a_base_of_this_computer_counts_by_its_own_tokenizer(qtbot, tmp_path):
    """What is too long for the base the project is written for, as check at the terminal says it."""
    lines = [line(f"Question number {n}?", f"Answer {n}.") for n in range(12)]
    lines.append(line("Tell me all.", "one two three four " * 500))
    path = make_project(tmp_path / "own.curator", lines)
    with Project.open(path) as project:
        project.apply(Edit("Base", "ann", (SettingPatch("base_model", None, "tiny"),)))
    for page in shown(qtbot, path):
        assert "L01" in rules(page)
        choose(page, "L01")
        assert (page.list.row().conversation, len(page.list._rows)) == (13, 1)
        assert "1,024" in page.list.row().finding.message


@pytest.mark.parametrize("why", ["cannot be read", "too many"])
def test_where_the_base_cannot_count_the_page_says_that_counts_are_estimates(
    qtbot, tmp_path, monkeypatch, why
):
    """A finding of the base's own limit would else be missing without a word."""

    def counted(own, *_):
        raise WrongUse(f"The tokens of {own.base.name} cannot be counted: no trainer.")

    if why == "too many":
        monkeypatch.setattr("curator.app.pages.check.findings.MEASURED_UP_TO", 1)
    monkeypatch.setattr("curator.tune.jobs.base_counts.OwnCount.counted", counted)
    path = make_project(tmp_path / "own.curator", [line("Hi?", "Yes.")] * 3)
    with Project.open(path) as project:
        project.apply(Edit("Base", "ann", (SettingPatch("base_model", None, "tiny"),)))
    for page in shown(qtbot, path):
        assert page._estimated.isVisibleTo(page)
        assert page._estimated.text().startswith("Token counts are estimates")
        assert "tiny" in page._estimated.text()


def test_the_counts_of_a_service_s_base_are_no_estimates_of_its_own(page):
    assert not page._estimated.isVisibleTo(page)


def test_rail_counts_conversations_with_errors(page):
    assert page.rail_count() == 3


def test_a_rule_lists_its_findings_and_shows_the_place_and_the_repair(page):
    choose(page, "P01")
    row = page.list.row()
    assert (row.conversation, row.finding.rule) == (63, "P01")
    assert "AKIA" not in page.list.table.index(0, 2).data()
    assert page.detail.fix.text() == "Mask it"
    assert not page.detail._changes.isHidden()


def test_f_mends_the_finding_and_undo_brings_it_back(page, qtbot):
    choose(page, "S03")
    page.list.view.setFocus()
    qtbot.keyClick(page.list.view, Qt.Key.Key_F)
    rest(qtbot, page)
    assert "S03" not in rules(page)
    assert page.session.project.annotation(62).metadata == {"source": "forum"}
    page.session.undo()
    rest(qtbot, page)
    assert "S03" in rules(page)


def test_enter_opens_the_conversation_in_write(page, qtbot):
    choose(page, "S05")
    with qtbot.waitSignal(page.open_requested) as opened:
        page.list.view.row_opened.emit(0)
    assert (opened.args[0].page, opened.args[0].conversation) == ("write", 61)


def test_all_safe_repairs_are_shown_first_and_are_one_step(page, qtbot):
    page.slots()["check.fix_safe"]()
    qtbot.waitUntil(lambda: page.fixer.dialog is not None, timeout=30_000)
    dialog = page.fixer.dialog
    assert dialog.apply.text() == "Fix 2 conversations"
    assert not dialog.back.isEnabled()
    dialog.on.click()
    assert dialog.back.isEnabled()
    dialog.accept()
    rest(qtbot, page)
    assert rules(page) == ["P01", "S13"]
    assert page.session.project.undo_title().startswith("Fix safe findings")


def test_cancel_changes_nothing(page, qtbot):
    page.slots()["check.fix_safe"]()
    qtbot.waitUntil(lambda: page.fixer.dialog is not None, timeout=30_000)
    page.fixer.dialog.done(QDialog.DialogCode.Rejected)
    rest(qtbot, page)
    assert rules(page) == ["S05", "S03", "P01", "S13"]


def test_large_repairs_go_to_the_background(page, qtbot, monkeypatch):
    monkeypatch.setattr(fixer, "AT_ONCE", 1)
    page._fix_rule()
    qtbot.waitUntil(lambda: page.fixer.dialog is not None, timeout=30_000)
    page.fixer.dialog.accept()
    monkeypatch.setattr(fixer, "AT_ONCE", 0)
    rest(qtbot, page)
    assert "S05" not in rules(page)
    page.slots()["check.fix_safe"]()
    qtbot.waitUntil(lambda: page.fixer.dialog is not None, timeout=30_000)
    page.fixer.dialog.accept()
    qtbot.waitUntil(lambda: "S03" not in rules(page), timeout=30_000)
    rest(qtbot, page)
    assert page.session.index.counts()["errors"] == 1


def test_another_target_has_other_findings(page, qtbot):
    page.matrix.tiles["azure"].click()
    rest(qtbot, page)
    assert rules(page) == ["S05", "S03", "S14", "P01"]
    choose(page, "S14")
    assert page.list.row().conversation == 64


def test_keys_step_through_findings_and_tiles(page, qtbot):
    choose(page, "S05")
    page.slots()["check.next"]()
    assert page.list.current() == 1
    page.slots()["check.previous"]()
    assert page.list.current() == 0
    tiles = list(page.matrix.tiles.values())
    tiles[0].setFocus()
    qtbot.waitUntil(tiles[0].hasFocus)
    qtbot.keyClick(tiles[0], Qt.Key.Key_Right)
    assert tiles[1].hasFocus()


def test_the_default_system_prompt_is_inserted_where_it_lacks(qtbot, tmp_path):
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    *json.loads(line(f"q{n}"))["messages"],
                ]
            }
        )
        for n in range(60)
    ]
    bare = [line("without one"), line("without one too")]
    for page in shown(qtbot, make_project(tmp_path / "d.curator", [*lines, *bare])):
        choose(page, "S15")
        assert page.detail.fix.text() == "Insert the default system prompt"
        page.slots()["check.fix_one"]()
        rest(qtbot, page)
        assert page.session.project.conversation(62).system_prompt == "Be brief."
        assert "S15" not in rules(page)


def test_a_finding_on_several_lists_each_and_they_can_be_gone_through(qtbot, tmp_path):
    lines = [line(f"Question number {n}?") for n in range(60)]
    lines += [line("Question number 3?", "Another answer.")]
    for page in shown(qtbot, make_project(tmp_path / "f.curator", lines)):
        choose(page, "D06")
        shown_ids = [page.list.table.index(at, 0).data() for at in range(2)]
        assert shown_ids == ["4", "61"]
        assert page.detail.walk.text() == "Go through all 2"
        with qtbot.waitSignal(page.open_requested) as opened:
            page.detail.walk.click()
        assert (opened.args[0].page, opened.args[0].ids) == ("label", (4, 61))


def test_a_large_project_counts_for_every_target_only_when_asked(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "COUNT_BY_ITSELF_UP_TO", 2)
    for page in shown(qtbot, make_project(tmp_path / "g.curator", [HUMAN, SECRET, TWO])):
        assert page.matrix.tiles["azure"].facts() == "Not checked yet"
        page.slots()["check.run"]()
        rest(qtbot, page)
        assert page.matrix.tiles["azure"].facts().startswith("takes 0 of 3")


def test_a_rule_can_be_shown_in_the_table(page, qtbot):
    choose(page, "S03")
    with qtbot.waitSignal(page.open_requested) as opened:
        page.head.show_all.click()
    assert (opened.args[0].page, opened.args[0].detail) == ("write", "rule:S03")


def test_exact_copies_lead_to_the_duplicates_page(qtbot, tmp_path):
    lines = [line(f"Question number {n}?") for n in range(60)]
    for page in shown(qtbot, make_project(tmp_path / "e.curator", [*lines, lines[0]])):
        choose(page, "D03")
        with qtbot.waitSignal(page.open_requested) as opened:
            page.slots()["check.fix_one"]()
        assert opened.args[0].page == "duplicates"


def test_clean_project_says_so_and_leads_on(qtbot, tmp_path):
    lines = [line(f"Question number {n}?", f"Answer {n}.") for n in range(60)]
    for page in shown(qtbot, make_project(tmp_path / "b.curator", lines)):
        assert page._empty._title.text() == "Nothing found"
        with qtbot.waitSignal(page.open_requested) as opened:
            page._empty.button.click()
        assert opened.args[0].page == "duplicates"
        assert "check.fix_safe" not in page.slots()


def test_empty_project_says_what_to_do(qtbot, tmp_path):
    for page in shown(qtbot, make_project(tmp_path / "c.curator", [])):
        assert page._empty._title.text() == "Nothing to check yet"
        assert page._stack.currentWidget() is page._empty
        assert page.matrix.isHidden()
        with qtbot.waitSignal(page.action_requested) as asked:
            page._empty.button.click()
        assert asked.args == ["file.import"]
        assert page._empty.button.text() == "Import files"
        with qtbot.waitSignal(page.action_requested) as asked:
            page._empty.button.click()
        assert asked.args == ["file.import"]


def test_changes_name_message_and_key():
    conversation = Conversation.parse(HUMAN)
    (finding, *_) = check_conversation(conversation)
    (change,) = changes_of(conversation, apply_fix(conversation, finding))
    assert (change.message, change.part) == (0, "role")
    assert "".join(s.text for s in change.after) == "user"
    (line_change,) = changes_of_lines('{"messages":[],"messages":[]}', '{"messages":[]}')
    assert line_change.part == "messages"


def test_place_is_marked_inside_a_long_text():
    text = "a " * 400 + "<|im_end|>" + " b" * 400
    conversation = Conversation.parse(line(text))
    finding = next(f for f in check_conversation(conversation) if f.rule == "L03")
    place = marked(conversation, finding)
    assert place.mark == "<|im_end|>"
    assert place.before.startswith("… ")
    assert place.after.endswith(" …")
    whole = marked(conversation, check_conversation(Conversation({"messages": []}))[0])
    assert whole.before.splitlines()[1] == "assistant: An answer."


def test_another_page_can_ask_for_a_rule(page, qtbot):
    page.open(OpenRequest("check", detail="P01"))
    assert page.rules.current() == "P01"
    assert page.list.row().conversation == 63
    page.open(OpenRequest("check"))
    assert page.rules.current() == "P01"


def test_a_rule_asked_for_before_the_findings_are_there_is_shown_then(page, qtbot):
    with qtbot.waitSignal(page.session.project_changed):
        page.session.reload()
    page.open(OpenRequest("check", detail="S03"))
    rest(qtbot, page)
    assert page.rules.current() == "S03"
