"""The verbs undo, redo and history."""

from tests.cli.sample_lines import questions, write


def test_steps_are_taken_back_brought_back_and_listed(curator, tmp_path):
    project = tmp_path / "a.curator"
    curator("new", project)
    assert curator("history", project) == (0, {"steps": []})
    curator("import", project, write(tmp_path / "f.jsonl", *questions(5)))
    assert curator("undo", project)[1]["step"]["title"] == "Import f.jsonl"
    assert curator("undo", project) == (0, {"step": None, "conversations": 0})
    assert curator("redo", project)[1]["conversations"] == 5
    curator("label", project, "status", "accepted", "--author", "ann")
    curator("label", project, "tag", "x", "--ids", "3", "--author", "ben")
    code, told = curator("undo", project)
    assert (code, told["step"]["title"], told["step"]["author"]) == (0, "Tag x", "ben")
    assert (told["conversations"], set(told["step"])) == (
        1,
        {"id", "title", "author", "at", "state"},
    )
    assert curator("label", project, "list")[1]["tags"] == {}
    steps = curator("history", project)[1]["steps"]
    assert [(step["title"], step["state"]) for step in steps] == [
        ("Tag x", "undone"),
        ("Set status accepted", "done"),
        ("Import f.jsonl", "done"),
    ]
    assert len(curator("history", project, "--limit", 1)[1]["steps"]) == 1
    assert curator("history", project, "--limit", 0)[0] == 2
    assert curator("history", project, "--limit", 10**20)[0] == 0
    assert curator("redo", project)[1]["step"]["title"] == "Tag x"
    assert curator("redo", project)[1]["step"] is None
    assert curator("label", project, "list")[1]["tags"] == {"x": 1}
