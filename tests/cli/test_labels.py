import json

import pytest

from tests.cli.sample_lines import line, questions, write


@pytest.fixture
def project(curator, tmp_path):
    path = tmp_path / "a.curator"
    curator("new", path)
    curator("import", path, write(tmp_path / "f.jsonl", *questions(9), line("my lost card")))
    return path


def counts(curator, project):
    return curator("label", project, "list")[1]


def test_status_of_all_of_some_and_of_ids(curator, project):
    code, told = curator("label", project, "status", "accepted", "--where", '"lost card"')
    assert (code, told) == (0, {"conversations": 1, "changed": 1})
    assert curator("label", project, "status", "rejected", "--ids", "1,2")[1]["changed"] == 2
    assert counts(curator, project)["statuses"] == {
        "pending": 7,
        "accepted": 1,
        "rejected": 2,
        "skipped": 0,
    }
    assert curator("label", project, "status", "pending")[1] == {"conversations": 10, "changed": 3}


def test_tags_are_added_once_and_taken_away(curator, project):
    assert curator("label", project, "tag", "urgent", "--ids", "1,2")[1]["changed"] == 2
    assert curator("label", project, "tag", "urgent")[1]["changed"] == 8
    assert curator("label", project, "tag", "urgent", "--remove", "--ids", "3")[1]["changed"] == 1
    assert counts(curator, project)["tags"] == {"urgent": 9}
    assert curator("label", project, "list", "--where", "tag:urgent")[1]["conversations"] == 9


def test_label_sets_are_defined_answered_and_cleared(curator, project):
    assert curator("label", project, "define", "intent", "fees", "card")[0] == 0
    assert curator("label", project, "set", "intent", "fees")[1]["changed"] == 10
    assert curator("label", project, "set", "intent", "card", "--ids", "1")[1]["changed"] == 1
    assert curator("label", project, "set", "intent", "--ids", "2")[1]["changed"] == 1
    listed = counts(curator, project)["label_sets"]
    assert listed == [{"name": "intent", "kind": "choice", "counts": {"fees": 8, "card": 1}}]


def test_unknown_answers_and_sets_are_refused(curator, project):
    curator("label", project, "define", "intent", "fees")
    for words in (("intent", "nonsense"), ("mood", "fees")):
        code, told = curator("label", project, "set", *words)
        assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_a_query_that_is_not_understood_changes_nothing(curator, project):
    code, told = curator("label", project, "status", "rejected", "--where", "status:lost")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
    assert counts(curator, project)["statuses"]["rejected"] == 0


def test_ids_that_are_not_there_are_refused(curator, project):
    assert curator("label", project, "status", "accepted", "--ids", "1,99")[0] == 2
    assert curator("label", project, "status", "accepted", "--ids", "one")[0] == 2


def test_labels_travel_as_a_file(curator, project, tmp_path):
    curator("label", project, "define", "intent", "fees", "card")
    curator("label", project, "set", "intent", "fees", "--ids", "1,3")
    curator("label", project, "status", "accepted", "--ids", "3")
    curator("label", project, "tag", "gold", "--ids", "4")
    out = tmp_path / "labels.jsonl"
    assert curator("label", project, "export", out)[1] == {"file": str(out), "lines": 3}
    other = tmp_path / "b.curator"
    curator("new", other)
    curator("import", other, tmp_path / "f.jsonl")
    assert curator("label", other, "import", out)[1] == {"changed": 3, "unknown": 0}
    assert counts(curator, other) == counts(curator, project)
    assert curator("label", other, "import", out)[1]["changed"] == 0


def test_a_labels_file_with_a_fault_names_the_line_and_changes_nothing(curator, project, tmp_path):
    file = write(
        tmp_path / "l.jsonl",
        json.dumps({"label_sets": [{"name": "s", "kind": "choice", "values": ["a"]}]}),
        json.dumps({"source_line": 1, "labels": {"s": "a"}}),
        json.dumps({"source_line": 2, "labels": {"s": "b"}}),
    )
    code, told = curator("label", project, "import", file)
    assert (code, told["error"]["line"]) == (2, 3)
    assert counts(curator, project)["label_sets"] == []


def test_lines_that_name_nobody_are_counted(curator, project, tmp_path):
    file = write(tmp_path / "l.jsonl", json.dumps({"source_line": 99, "status": "accepted"}))
    assert curator("label", project, "import", file)[1] == {"changed": 0, "unknown": 1}
