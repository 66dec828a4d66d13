from pathlib import Path

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
