import json
from pathlib import Path

import pytest

from tests.cli.sample_lines import line, questions, write


def test_new_makes_a_file_once(curator, tmp_path):
    path = tmp_path / "a.curator"
    assert curator("new", path) == (0, {"project": str(path)})
    assert path.is_file()
    code, told = curator("new", path)
    assert code == 2
    assert "exists already" in told["error"]["message"]
    assert told["error"]["path"] == str(path)


def test_new_gives_the_ending_that_windows_know(curator, tmp_path):
    assert curator("new", tmp_path / "a") == (0, {"project": str(tmp_path / "a.curator")})


def test_new_in_a_folder_that_is_not_there(curator, tmp_path):
    code, told = curator("new", tmp_path / "no" / "a.curator")
    assert code == 2
    assert "no folder" in told["error"]["message"]


def test_import_answers_with_the_keys_of_the_contract(curator, tmp_path):
    project, file = tmp_path / "a.curator", write(tmp_path / "f.jsonl", *questions(12), "{oops")
    curator("new", project)
    code, told = curator("import", project, file)
    assert code == 1
    assert (told["imported"], told["unchanged"], told["rejected"]) == (12, 0, 1)
    source = told["sources"][0]
    assert {"file", "format", "confidence", "records", "imported", "rejected"} <= set(source)
    assert source["file"] == str(file)
    rejected = told["rejected_rows"][0]
    assert (rejected["file"], rejected["line"], rejected["rule"]) == (str(file), 13, "F01")
    assert "{oops" in Path(told["rejects_file"]).read_text("utf-8")


def test_import_twice_adds_nothing(curator, tmp_path):
    project, file = tmp_path / "a.curator", write(tmp_path / "f.jsonl", *questions(3))
    curator("new", project)
    assert curator("import", project, file)[0] == 0
    code, told = curator("import", project, file)
    assert (code, told["imported"], told["unchanged"]) == (0, 0, 3)


def test_import_of_a_file_that_is_none(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    code, told = curator("import", project, tmp_path / "none.jsonl")
    assert code == 2
    assert told["error"]["kind"] == "unreadable_input"


def test_import_of_an_unknown_format(curator, tmp_path):
    project, file = tmp_path / "a.curator", write(tmp_path / "f.jsonl", line("a"))
    curator("new", project)
    code, told = curator("import", project, file, "--format", "sharegpt-3000")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_a_relative_path_is_told_as_given(curator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "f.jsonl", line("a"))
    assert curator("new", "a.curator")[1]["project"] == "a.curator"
    assert curator("import", "a.curator", "f.jsonl")[1]["sources"][0]["file"] == "f.jsonl"


def test_one_unreadable_file_among_several_is_named_and_the_others_get_in(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    good, more = (write(tmp_path / f"{n}.jsonl", *questions(3)) for n in "ab")
    table = write(tmp_path / "table.csv", "a,b", "1,2")
    code, told = curator("import", project, good, table, tmp_path / "none.jsonl", more)
    assert code == 2
    assert told["imported"] + told["unchanged"] == 6
    assert [each["file"] for each in told["unreadable"]] == [
        str(table),
        str(tmp_path / "none.jsonl"),
    ]
    assert told["error"]["kind"] == "unreadable_input"
    assert "table.csv looks like a table" in told["error"]["message"]
    assert "none.jsonl cannot be read" in told["error"]["message"]


@pytest.mark.parametrize(
    "row",
    [
        '{"prompt": "a", "reference_answer": "b"}',
        '{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}',
    ],
)
def test_a_whole_file_of_another_kind_is_one_sentence(curator, tmp_path, row):
    project = tmp_path / "a.curator"
    curator("new", project)
    rows = [row] * 50
    code, told = curator("import", project, write(tmp_path / "pairs.jsonl", *rows))
    assert code == 2
    assert told["error"]["message"].startswith("pairs.jsonl holds no conversations: none of its 50")
    assert sorted(each.name for each in tmp_path.glob("*.*")) == ["a.curator", "pairs.jsonl"]


def test_files_of_other_formats_come_in_and_go_out(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    row = '{"conversations": [{"from": "human", "value": "a%d"}, {"from": "gpt", "value": "b"}]}'
    broken = '{"conversations": [{"from": "human"}]}'
    path = write(tmp_path / "talks.jsonl", row % 1, broken, row % 2)
    code, told = curator("import", project, path)
    assert code == 1
    assert [(s["format"], s["imported"], s["rejected"]) for s in told["sources"]] == [
        ("sharegpt", 2, 1)
    ]
    assert told["rejected_rows"][0]["line"] == 2
    assert "Turn 1" in told["rejected_rows"][0]["reason"]
    pairs = write(tmp_path / "pairs.jsonl", '{"prompt": "c", "completion": "d"}')
    code, told = curator("import", project, pairs, "--format", "prompt_completion")
    assert (code, told["imported"]) == (0, 1)
    code, told = curator("import", project, pairs, "--format", "csv")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
    out = tmp_path / "out"
    code, told = curator("export", project, out, "--format", "sharegpt")
    assert (code, told["losses"], told["files"][0]["rows"]) == (0, {}, 3)
    exported = (out / "train.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in exported[:2]] == [json.loads(row % n) for n in (1, 2)]
    code, told = curator("verify", out)
    assert (code, told["ok"]) == (0, True)
    code, told = curator("train", out, "--target", "openai", "--base", "gpt-4.1-mini", "--dry-run")
    assert code == 2
    assert "Export again as OpenAI chat" in told["error"]["message"]
    code, told = curator("export", project, tmp_path / "no", "--format", "alpaca")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x89PNG\r\n", "not a text file"),
    ],
)
def test_a_packed_file_is_named_with_the_way_out(curator, tmp_path, start, named):
    project = tmp_path / "a.curator"
    curator("new", project)
    packed = tmp_path / "f.jsonl.packed"
    packed.write_bytes(start + bytes(range(256)) * 9)
    code, told = curator("import", project, packed)
    assert code == 2
    assert named in told["error"]["message"]
    assert "; " in told["error"]["message"], "the way out is missing"


def test_an_array_that_begins_with_a_comma_keeps_its_elements(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    array = tmp_path / "a.json"
    array.write_text("[," + ",,".join(questions(2)) + ",]")
    told = curator("import", project, array)[1]
    assert (told["imported"], {row["unit"] for row in told["rejected_rows"]}) == (2, {"element"})


def test_elements_of_an_array_are_called_elements(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    (one, two) = questions(2)
    array = tmp_path / "a.json"
    array.write_text(f"[{one},\n7,\n{two}")
    code, told = curator("import", project, array)
    assert (code, told["imported"], told["rejected"]) == (1, 2, 2)
    number, end = told["rejected_rows"]
    assert (number["line"], number["unit"], number["starts"]) == (2, "element", 2)
    assert number["reason"].startswith("This element is a number")
    assert "has no end" in end["reason"]
    messages = [
        found["message"]
        for found in curator("check", array)[1]["findings"]
        if found["source_line"] is not None
    ]
    assert len(messages) == 2
    assert not any("line is" in message or ": The list" in message for message in messages)


def test_an_empty_file_is_said_to_be_empty(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    (tmp_path / "empty.jsonl").write_text("")
    code, told = curator("import", project, tmp_path / "empty.jsonl")
    assert (code, told["imported"]) == (0, 0)
    assert told["notes"] == ["empty.jsonl is empty; nothing was imported from it."]
