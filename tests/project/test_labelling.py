"""Labels travel as a file and always reach the conversation they were given to."""

import json

import pytest

from curator.dataset import LabelSet
from curator.project.labelling import export_labels, import_labels, label_sets_patch
from curator.project.store import Project
from tests.project.projects import annotate, import_lines, line


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.curator", "ann") as project:
        yield project


def tags_of(project):
    found = {id_: project.annotation(id_).tags for id_ in project.ids().tolist()}
    return {id_: list(tags) for id_, tags in found.items() if tags}


def bring(project, path):
    edit, unknown = import_labels(project, path, "ann")
    if edit is not None:
        project.apply(edit)
    return unknown


def labels(tmp_path, *entries):
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    return path


def test_files_of_one_name_are_not_mixed_up(project, tmp_path):
    import_lines(project, [line("a"), line("b")], "day.jsonl", "/monday/day.jsonl")
    second = import_lines(project, [line("c"), line("d")], "day.jsonl", "/tuesday/day.jsonl")
    annotate(project, [second[0]], "tags", ["gold"])
    export_labels(project, tmp_path / "labels.jsonl")
    annotate(project, [second[0]], "tags", [])
    assert bring(project, tmp_path / "labels.jsonl") == 0
    assert tags_of(project) == {second[0]: ["gold"]}


def test_a_place_that_several_conversations_share_names_none(project, tmp_path):
    import_lines(project, [line("a")], "day.jsonl", "/monday/day.jsonl")
    import_lines(project, [line("b")], "day.jsonl", "/tuesday/day.jsonl")
    entries = ({"source": "day.jsonl", "source_line": 1}, {"source_line": 1})
    path = labels(tmp_path, *({**entry, "tags": ["x"]} for entry in entries))
    assert bring(project, path) == 2
    assert tags_of(project) == {}


def test_an_import_that_was_taken_back_is_not_meant(project, tmp_path):
    import_lines(project, [line("a")])
    project.undo()
    again = import_lines(project, [line("a")])
    entries = ({"source": "file.jsonl", "source_line": 1}, {"source_line": 1})
    path = labels(tmp_path, *({**entry, "tags": ["x"]} for entry in entries))
    assert bring(project, path) == 0
    assert tags_of(project) == {again[0]: ["x"]}


def test_an_id_of_another_project_is_not_taken_for_one_of_this(project, tmp_path):
    import_lines(project, [line("a"), line("b")], "mine.jsonl")
    entry = {"conversation": 2, "source": "theirs.jsonl", "source_line": 2, "tags": ["x"]}
    assert bring(project, labels(tmp_path, entry, {"conversation": True, "tags": ["x"]})) == 2
    assert tags_of(project) == {}


def test_a_label_set_comes_along(project, tmp_path):
    ids = import_lines(project, [line("a"), line("b")])
    mood = LabelSet("mood", "choice", ("good", "bad"))
    entries = (
        {"label_sets": [{"name": "mood", "kind": "choice", "values": ["good", "bad"]}]},
        {"source_line": 2, "labels": {"mood": "bad"}},
    )
    assert bring(project, labels(tmp_path, *entries)) == 0
    assert project.labels(ids[1])[0].value == "bad"
    assert label_sets_patch(project, [mood]).before == label_sets_patch(project, [mood]).after
