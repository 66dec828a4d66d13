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
    code, told = curator("label", other, "import", out)
    assert (code, told) == (0, {"changed": 3, "unknown": 0, "refused": [], "notes": []})
    assert counts(curator, other) == counts(curator, project)
    assert curator("label", other, "import", out)[1]["changed"] == 0


def test_the_label_sets_of_a_file_may_stand_behind_the_answers(curator, project, tmp_path):
    file = write(
        tmp_path / "l.jsonl",
        json.dumps({"source_line": 1, "labels": {"s": "a"}}),
        json.dumps({"label_sets": [{"name": "s", "kind": "choice", "values": ["a"]}]}),
    )
    code, told = curator("label", project, "import", file)
    assert (code, told["changed"]) == (0, 1)


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
    code, told = curator("label", project, "import", file)
    assert (code, told["changed"], told["unknown"]) == (1, 0, 1)
    assert told["refused"] == [{"line": 1, "reason": "Line 99 is not in this project."}]


def test_labels_follow_their_text_and_no_other(curator, tmp_path):
    def project(name, *files):
        curator("new", tmp_path / name)
        curator("import", tmp_path / name, *files)
        return tmp_path / name

    fx = write(tmp_path / "fx.jsonl", *[line(f"x {n}") for n in range(5)])
    fy = write(tmp_path / "fy.jsonl", *[line(f"y {n}") for n in range(5)])
    first = project("a.curator", fx, fy)
    curator("label", first, "define", "src", "x", "y")
    curator("label", first, "set", "src", "x", "--where", "x")
    curator("label", first, "set", "src", "y", "--where", "y")
    curator("label", first, "export", tmp_path / "ab.labels.jsonl")
    write(tmp_path / "fx.jsonl", line("on top"), *[line(f"x {n}") for n in range(4)], line("x 4!"))
    second = project("b.curator", fy, fx)
    code, told = curator("label", second, "import", tmp_path / "ab.labels.jsonl")
    assert (code, told["changed"], told["unknown"]) == (1, 9, 1)
    assert "no conversation here has the text" in told["refused"][0]["reason"].lower() or (
        "another text" in told["refused"][0]["reason"]
    )
    for name in "xy":
        query = f"label:src={name}"
        listed = curator("label", second, "list", "--where", query)[1]
        assert listed["conversations"] == (4 if name == "x" else 5)
        assert curator("label", second, "list", "--where", f"{query} {name}")[1] == listed


def test_names_are_the_same_however_they_are_typed(curator, project):
    composed, decomposed = "Geb\u00fchr", "Gebu\u0308hr "
    curator("label", project, "define", f" {composed}", decomposed, "other", "other ")
    listed = counts(curator, project)["label_sets"]
    assert listed == [{"name": composed, "kind": "choice", "counts": {composed: 0, "other": 0}}]
    told = curator("label", project, "set", decomposed, f"{decomposed} ", "--author", "Ana ")[1]
    assert told["changed"] == 10
    again = curator("label", project, "set", composed, composed, "--author", "Ana")[1]
    assert again["changed"] == 0
    assert curator("label", project, "tag", decomposed)[1]["changed"] == 10
    assert curator("label", project, "tag", f" {composed}")[1]["changed"] == 0
    for query in (f"tag:{decomposed}", f"label:{decomposed}", "by:Ana"):
        listed = curator("label", project, "list", "--where", query.strip())[1]
        assert listed["conversations"] == 10, query
    assert curator("label", project, "tag", decomposed, "--remove")[1]["changed"] == 10
    for words in (("tag", "  "), ("define", " ", "a"), ("define", "s", " ")):
        assert curator("label", project, *words)[0] == 2
