"""Checking a project or a file in bulk, for several targets."""

import gzip
import json

import pytest

from curator.curate.checks import check_conversation
from curator.dataset import Conversation
from curator.dataset.errors import Cancelled, WrongUse
from curator.project import Project
from curator.project.check_report import RuleCount, in_order_of_gravity
from curator.project.checking import check_file, check_project, found_by_rule, profiles_named
from curator.project.imports.file_form import BareFile
from tests.project.projects import annotate, import_lines, line

TWO_ANSWERS = json.dumps(
    {
        "messages": [{"role": "user", "content": "Hi"}]
        + [{"role": "assistant", "content": "Yes"}] * 2
    }
)
OPEN_END = json.dumps(
    {
        "messages": [
            {"role": "user", "content": "Hi there"},
            {"role": "assistant", "content": "Yes"},
            {"role": "user", "content": "And?"},
        ]
    }
)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", "ann") as made:
        yield made


def good(n):
    return [line(f"Question number {i}?", f"Answer {i}.") for i in range(n)]


def test_stored_findings_are_counted_for_the_projects_own_rules(project):
    lines = [*good(60), line("x", source="forum"), OPEN_END]
    ids = import_lines(project, lines)
    report = check_project(project)
    assert report.conversations == 62
    assert (report.targets["openai"].errors, report.targets["openai"].warnings) == (1, 1)
    assert report.targets["openai"].conversations_with_errors == 1
    assert report.rules == {"S03": RuleCount("error", 1), "S12": RuleCount("warning", 1)}
    keys = report.to_json()
    assert keys["findings"][0] == {
        "conversation": ids[60],
        "source_line": 61,
        "turn": None,
        "rule": "S03",
        "severity": "error",
        "message": 'The key "source" is not part of a training line. Move it to the metadata.',
        "fix": "move_key_to_metadata",
        "conversations": [],
    }
    assert json.loads(json.dumps(keys)) == keys


def test_each_target_has_its_own_gravity(project):
    import_lines(project, [*good(60), TWO_ANSWERS, OPEN_END])
    names = ("openai", "azure", "together", "trl")
    report = check_project(project, profiles_named(names))
    errors = {name: report.targets[name].conversations_with_errors for name in names}
    assert errors == {"openai": 0, "azure": 2, "together": 1, "trl": 1}
    assert report.rules["S12"].severity == "error"
    assert report.rules["S12"].count == 1
    assert len([f for f in report.findings if f.finding.rule == "S12"]) == 1


def test_both_ways_of_counting_agree(project):
    import_lines(project, [*good(5), TWO_ANSWERS, OPEN_END, line("x", a=1, b=2)])
    stored = check_project(project)
    anew = check_project(
        project, {"openai": "openai_sft", "again": "openai_sft", "nebius": "nebius"}
    )
    assert anew.targets["openai"] == stored.targets["openai"]
    assert anew.rules == stored.rules


def test_removed_conversations_do_not_count(project):
    ids = import_lines(project, [*good(60), line("x", source="forum")])
    annotate(project, ids[-1:], "removed", {"reason": "duplicate", "partner": None})
    assert check_project(project).rules == {}
    assert check_project(project, profiles_named(["azure"])).rules == {}
    assert found_by_rule(project, "S03") == []


def test_rules_on_the_whole_dataset_name_their_conversations(project):
    ids = import_lines(project, [*good(8), line("Question number 3?", "Answer 3.")])
    report = check_project(project)
    by_rule = {f.finding.rule: f for f in report.findings}
    assert by_rule["D01"].conversation is None
    assert by_rule["D03"].conversations == (ids[8],)
    annotate(project, ids[:4], "split", "train")
    annotate(project, ids[4:], "split", "test")
    rules = check_project(project).rules
    assert rules["D05"] == RuleCount("error", 2)


def test_two_findings_of_the_same_words_keep_their_own_conversations(project):
    lines = good(8)
    lines += [line("Question number 3?", "Another."), line("Question number 5?", "Another.")]
    import_lines(project, lines)
    for targets in (None, profiles_named(["openai", "azure"])):
        report = check_project(project, targets)
        found = [f.conversations for f in report.findings if f.finding.rule == "D06"]
        assert found == [(4, 9), (6, 10)]
        assert report.rules["D06"].count == 4


def test_only_the_rules_asked_for(project):
    import_lines(project, [line("x", source="forum"), OPEN_END])
    for targets in (None, profiles_named(["azure"])):
        assert set(check_project(project, targets, ["S12"]).rules) == {"S12"}
    with pytest.raises(WrongUse, match="no rule"):
        check_project(project, rules=["Z99"])


def test_limit_cuts_the_list_and_not_the_counts(project):
    import_lines(project, [line(f"q{i}", source="x") for i in range(30)])
    report = check_project(project, limit=5)
    assert len(report.findings) == 5
    assert report.rules["S03"].count == 30


def test_findings_of_one_rule(project):
    ids = import_lines(project, [line("x", source="forum"), line("y"), line("z", origin=1)])
    assert [f.conversation for f in found_by_rule(project, "S03")] == [ids[0], ids[2]]


def test_check_can_be_stopped(project):
    import_lines(project, good(3))
    with pytest.raises(Cancelled):
        check_project(project, profiles_named(["azure"]), cancelled=lambda: True)


def test_names_of_targets():
    assert profiles_named(()) == {"openai": "openai_sft"}
    assert profiles_named(["trl", "nebius", "mine"], {"mine": "azure"}) == {
        "trl": "trl",
        "nebius": "nebius",
        "mine": "azure",
    }
    with pytest.raises(WrongUse, match="choose from openai"):
        profiles_named(["opanai"])


def test_gravest_rules_come_first():
    rules = {
        "S12": RuleCount("warning", 9),
        "S03": RuleCount("error", 1),
        "S07": RuleCount("error", 3),
    }
    assert in_order_of_gravity(rules) == ["S07", "S03", "S12"]


def bare(path, data):
    path.write_bytes(data)
    return BareFile(path)


def test_a_bare_file_is_checked_without_a_project(tmp_path):
    lines = [*good(11), " ", "{oops", line("Question number 3?", "Another."), OPEN_END, ""]
    file = bare(tmp_path / "a.jsonl", "\n".join(lines).encode())
    report = check_file(file)
    assert report.conversations == 14
    assert report.targets["openai"].conversations_with_errors == 1
    found = {f.finding.rule: f for f in report.findings}
    assert found["F01"].source_line == 13
    assert found["F06"].source_line == 12
    assert found["S12"].source_line == 15
    assert found["D06"].conversations == (4, 14)
    assert (found["D06"].conversation, found["D06"].source_line) == (None, 4)
    two = check_file(file, profiles_named(["openai", "azure"]))
    assert two.targets["openai"] == report.targets["openai"]
    assert two.targets["azure"].conversations_with_errors == 2


ROWS = good(12)
PRETTY = [json.dumps(json.loads(row), indent=2) for row in ROWS]


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("F04", b"\xef\xbb\xbf" + "\n".join(ROWS).encode()),
        ("F05", "\n".join(ROWS).encode("utf-16")),
        ("F05", "\n".join(ROWS).encode("utf-16-be")),
        ("F05", "\n".join(ROWS).encode("utf-32")),
        ("F03", ("[" + ",".join(ROWS) + "]").encode()),
        ("F03", ("[\n" + ",\n".join(ROWS) + ",\n]\n").encode()),
        ("F03", json.dumps([json.loads(row) for row in ROWS], indent=1).encode()),
        ("F15", "\n".join(PRETTY).encode()),
        ("F15", "\r".join(ROWS).encode()),
        ("F15", ("\r\n".join(ROWS[:6]) + "\r" + "\n".join(ROWS[6:])).encode()),
        ("F15", json.dumps({"data": [json.loads(row) for row in ROWS]}).encode()),
        ("F15", gzip.compress("\n".join(ROWS).encode())),
        ("F01", ("\n".join([*ROWS, ROWS[0] + " " + ROWS[1]])).encode()),
        ("F01", ("\n".join([*ROWS, ROWS[0] + ROWS[1]])).encode()),
    ],
)
def test_what_a_service_refuses_in_the_form_of_a_file_is_an_error(tmp_path, rule, data):
    report = check_file(bare(tmp_path / "a.jsonl", data))
    assert report.has_errors
    assert rule in {found.finding.rule for found in report.findings}
    assert report.rules[rule].severity == "error"
    # Its conversations are looked at all the same.
    assert report.conversations >= 12


@pytest.mark.parametrize("between", ["", " "])
def test_all_objects_on_one_line_are_an_error(tmp_path, between):
    report = check_file(bare(tmp_path / "a.jsonl", between.join(ROWS).encode()))
    assert report.rules["F01"].severity == "error"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_the_usual_forms_of_a_file_are_no_errors(tmp_path, end):
    for last in ("", end):
        report = check_file(bare(tmp_path / "a.jsonl", (end.join(ROWS) + last).encode()))
        assert not report.has_errors, report.rules


def test_a_file_over_the_limit_of_one_target_only(tmp_path, monkeypatch):
    monkeypatch.setattr("curator.project.imports.file_form._MEGABYTE", 1)
    file = bare(tmp_path / "a.jsonl", "\n".join(ROWS).encode())
    report = check_file(file, profiles_named(["openai", "trl"]))
    assert report.targets["openai"].errors == 1
    assert report.targets["trl"].errors == 0
    assert report.rules["F07"].severity == "error"


@pytest.mark.data
def test_malformed_file(development_data):
    path = development_data / "bad" / "malformed.jsonl"
    report = check_file(BareFile(path))
    bad = {f.source_line for f in report.findings if not f.conversations and f.source_line}
    truth = (development_data / "bad" / "malformed.truth.tsv").read_text().splitlines()[1:]
    assert bad == {int(row.split("\t")[0]) for row in truth}


def test_stored_and_direct_findings_are_the_same(project):
    text = line("Use AKIA" + "IOSFODNN7EXAMPLE now", source=1)
    (id_,) = import_lines(project, [text])
    assert project.findings(id_) == check_conversation(Conversation.parse(text), raw=text)
