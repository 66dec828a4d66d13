import json

import pytest

from curator.curate.analysis.tokens import count_conversation, counter
from curator.dataset import Conversation
from tests.cli.sample_lines import line, questions, write

FAULTY = json.dumps(
    {
        "messages": [
            {"role": "human", "content": "Hi"},
            {"role": "gpt", "content": "Hello", "weight": True},
        ]
    }
)


@pytest.fixture
def project(curator, tmp_path):
    path = tmp_path / "a.curator"
    curator("new", path)
    curator("import", path, write(tmp_path / "f.jsonl", *questions(60), FAULTY))
    return path


def test_check_answers_with_the_keys_of_the_contract(curator, project):
    code, told = curator("check", project)
    assert code == 1
    assert told["conversations"] == 61
    assert set(told["targets"]["openai"]) == {
        "errors",
        "warnings",
        "infos",
        "conversations_with_errors",
        "conversations_with_warnings",
    }
    assert told["rules"]["S05"] == {"severity": "error", "count": 2}
    finding = next(f for f in told["findings"] if f["rule"] == "S05")
    assert {"conversation", "source_line", "turn", "rule", "severity", "message", "fix"} <= set(
        finding
    )
    assert (finding["conversation"], finding["source_line"], finding["turn"]) == (61, 61, 1)


def test_check_of_a_file_says_the_same_as_of_its_project(curator, project, tmp_path):
    of_project = curator("check", project)[1]
    of_file = curator("check", tmp_path / "f.jsonl")[1]
    assert of_file["rules"] == of_project["rules"]
    assert of_file["targets"] == of_project["targets"]


def test_check_of_clean_data_exits_0(curator, tmp_path):
    code, told = curator("check", write(tmp_path / "f.jsonl", *questions(60)))
    assert (code, told["rules"]) == (0, {})


def test_warnings_alone_exit_0_and_strict_makes_them_count(curator, tmp_path):
    file = write(tmp_path / "f.jsonl", *questions(12))
    path = tmp_path / "p.curator"
    curator("new", path)
    curator("import", path, file)
    for what in (file, path):
        code, told = curator("check", what)
        assert {rule["severity"] for rule in told["rules"].values()} == {"warning"}
        assert code == 0
        assert curator("check", what, "--strict")[0] == 1
        assert curator("check", what, "--strict", "--rules", "S05")[0] == 0


def test_check_of_a_file_is_as_strict_as_a_service_and_import_as_lenient_as_a_person(
    curator, tmp_path
):
    array = tmp_path / "f.json"
    array.write_text("[" + ",".join(questions(60)) + "]", "utf-8")
    code, told = curator("check", array)
    assert code == 1
    assert told["rules"]["F03"] == {"severity": "error", "count": 1}
    assert (told["conversations"], told["unit"]) == (60, "element")
    path = tmp_path / "p.curator"
    curator("new", path)
    assert curator("import", path, array)[0] == 0
    assert curator("check", path)[0] == 0


def test_every_count_of_a_check_is_the_sum_of_its_rules(curator, tmp_path):
    twice = questions(3)
    lines = [*questions(12), *twice, *twice, FAULTY, '{"messages":[', "", "[]"]
    file = write(tmp_path / "f.jsonl", *lines)
    path = tmp_path / "p.curator"
    curator("new", path)
    curator("import", path, file)
    for what in (file, path):
        told = curator("check", what)[1]
        (target,) = told["targets"].values()
        for severity, name in (("error", "errors"), ("warning", "warnings"), ("info", "infos")):
            counts = [r["count"] for r in told["rules"].values() if r["severity"] == severity]
            assert sum(counts) == target[name], (what, severity)
        listed = [f for f in told["findings"] for _ in f["conversations"] or [None]]
        assert len(listed) == sum(rule["count"] for rule in told["rules"].values())


def test_one_conversation_is_one_conversation(curator, tmp_path):
    told = curator("check", write(tmp_path / "f.jsonl", *questions(1)))[1]
    assert any(f["message"].startswith("1 conversation;") for f in told["findings"])


def test_check_for_several_targets_and_some_rules(curator, project):
    code, told = curator("check", project, "--target", "openai,nebius", "--rules", "S11")
    assert code == 1
    assert set(told["targets"]) == {"openai", "nebius"}
    assert set(told["rules"]) == {"S11"}


def test_check_tells_no_more_findings_than_the_limit(curator, project):
    assert len(curator("check", project, "--limit", 1)[1]["findings"]) == 1


@pytest.mark.parametrize("option", [("--target", "nowhere"), ("--rules", "Z99")])
def test_check_refuses_unknown_names(curator, project, option):
    code, told = curator("check", project, *option)
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_fix_mends_and_a_dry_run_does_not(curator, project):
    told = curator("fix", project, "--safe", "--dry-run")[1]
    assert told == {"fixed": {"S05": 2, "S11": 1}, "conversations": 1}
    assert curator("check", project, "--rules", "S05")[0] == 1
    assert curator("fix", project, "--safe")[1] == told
    assert curator("check", project, "--rules", "S05,S11")[0] == 0
    assert curator("fix", project, "--safe")[1] == {"fixed": {}, "conversations": 0}


def test_fix_of_some_rules_leaves_the_others(curator, project):
    assert curator("fix", project, "--safe", "--rules", "S11")[1]["fixed"] == {"S11": 1}
    assert curator("check", project, "--rules", "S05")[0] == 1


def test_fix_without_safe_is_refused(curator, project):
    assert curator("fix", project)[1]["error"]["kind"] == "wrong_use"


def test_count_equals_the_formula(curator, tmp_path):
    lines = [*questions(5), line("Straße, 漢字 and 😀")]
    file = write(tmp_path / "f.jsonl", *lines)
    expected = [count_conversation(Conversation.parse(x), counter("o200k_base")) for x in lines]
    code, told = curator("count", file, "--base", "gpt-4.1-mini", "--each")
    assert code == 0
    assert told["conversations"] == 6
    assert told["tokens"] == sum(each.total for each in expected)
    assert told["trained_tokens"] == sum(each.trained for each in expected)
    assert told["encoding"] == "o200k_base"
    assert told["exact"] is True
    assert told["over_limit"] == 0
    assert [each["tokens"] for each in told["each"]] == [each.total for each in expected]
    assert told["each"][5] == {
        "conversation": None,
        "source_line": 6,
        "tokens": expected[5].total,
        "exact": True,
    }


def test_count_of_a_project_equals_that_of_its_file(curator, project, tmp_path):
    for option in (("--base", "gpt-3.5-turbo"), ("--encoding", "o200k_harmony"), ()):
        of_project = curator("count", project, *option)[1]
        of_file = curator("count", tmp_path / "f.jsonl", *option)[1]
        assert of_project["tokens"] == of_file["tokens"]
        assert of_project["encoding"] == of_file["encoding"]


def test_count_for_an_unknown_base_says_so(curator, tmp_path):
    told = curator("count", write(tmp_path / "f.jsonl", line("a")), "--base", "my-own-7b")[1]
    assert told["exact"] is False
    assert "my-own-7b" in told["note"]


def test_count_with_an_unknown_encoding_is_refused(curator, tmp_path):
    file = write(tmp_path / "f.jsonl", line("a"))
    assert curator("count", file, "--encoding", "nope")[0] == 2


def test_malformed_data_is_told_line_by_line(curator, development_data):
    folder = development_data / "bad"
    truth = (folder / "malformed.truth.tsv").read_text("utf-8").splitlines()[1:]
    code, told = curator("check", folder / "malformed.jsonl", "--limit", 10_000)
    found = {finding["source_line"] for finding in told["findings"]}
    bad = {int(row.split("\t")[0]) for row in truth}
    assert code == 1
    assert bad - found == set()
