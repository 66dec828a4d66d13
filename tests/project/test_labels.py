"""Labels travel as a file and always reach the conversation they were given to."""

import json

import pytest

from curator.curate.labels import labels_that_count
from curator.dataset import AnnotationPatch, Edit, Label, LabelSet
from curator.dataset.errors import UnreadableInput
from curator.project.label_files import export_labels, import_labels
from curator.project.labels import label_sets_patch, last_answers
from curator.project.store import label_rows
from curator.project.store.project import Project
from tests.project.projects import annotate, import_lines, line


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.curator", "ann") as project:
        yield project


def tags_of(project):
    found = {id_: project.annotation(id_).tags for id_ in project.ids().tolist()}
    return {id_: list(tags) for id_, tags in found.items() if tags}


def bring(project, path):
    report = import_labels(project, path, "ann")
    if report.edit is not None:
        project.apply(report.edit)
    return len(report.refused)


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


MOOD = LabelSet("mood", "choice", ("good", "bad"))
TONE = LabelSet("tone", "rating", ("1", "2", "3"))


def answer(project, annotator, label_set, **by_id):
    for id_, value in by_id.items():
        number = int(id_.removeprefix("c"))
        patch = AnnotationPatch(f"label:{label_set}", (number,), (None,), (value,), annotator)
        project.apply(Edit("Label", annotator, (patch,)))


def all_labels(project):
    return [label for id_ in project.ids().tolist() for label in project.labels(id_)]


def test_who_said_what_travels(project, tmp_path):
    import_lines(project, [line("a"), line("b"), line("c")])
    project.apply(Edit("Sets", "ann", (label_sets_patch(project, [MOOD, TONE]),)))
    answer(project, "ann", "mood", c1="good", c2="bad")
    answer(project, "bo", "mood", c1="bad", c3="good")
    answer(project, "", "tone", c1="3")
    assert export_labels(project, tmp_path / "all.jsonl", "bo") == 3
    told = [json.loads(each) for each in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert told[1]["labels"] == {"mood": "bad", "tone": "3"}
    assert told[1]["answers"] == {"": {"tone": "3"}, "ann": {"mood": "good"}, "bo": {"mood": "bad"}}
    with Project.create(tmp_path / "q.curator", "cy") as other:
        import_lines(other, [line("a"), line("b"), line("c")])
        report = import_labels(other, tmp_path / "all.jsonl", "cy")
        other.apply(report.edit)
        assert report.refused == report.notes == ()
        assert all_labels(other) == all_labels(project)
        assert len(all_labels(other)) == 5
        assert import_labels(other, tmp_path / "all.jsonl", "cy").edit is None


def test_labels_without_a_name_are_the_readers_own(project, tmp_path):
    (one,) = import_lines(project, [line("a")])
    project.apply(Edit("Sets", "ann", (label_sets_patch(project, [MOOD, TONE]),)))
    entry = {
        "source_line": 1,
        "answers": {"bo": {"mood": "bad"}},
        "labels": {"mood": "bad", "tone": "2"},
    }
    bring(project, labels(tmp_path, entry))
    assert project.labels(one) == (Label(one, "mood", "bo", "bad"), Label(one, "tone", "ann", "2"))


def test_answers_that_are_offered_no_more_travel_too(project, tmp_path):
    import_lines(project, [line("a"), line("b")])
    project.apply(Edit("Sets", "ann", (label_sets_patch(project, [MOOD, TONE]),)))
    answer(project, "ann", "mood", c1="good", c2="bad")
    answer(project, "ann", "tone", c1="1")
    fewer = LabelSet("mood", "choice", ("good", "so so"))
    project.apply(Edit("Sets", "ann", (label_sets_patch(project, [fewer]),)))
    export_labels(project, tmp_path / "all.jsonl")
    with Project.create(tmp_path / "q.curator", "ann") as other:
        import_lines(other, [line("a"), line("b")])
        other.apply(import_labels(other, tmp_path / "all.jsonl", "ann").edit)
        assert all_labels(other) == all_labels(project)


@pytest.mark.parametrize(
    "entry",
    [
        {"labels": ["mood"]},
        {"labels": {"mood": "sad"}},
        {"labels": {"moods": "good"}},
        {"answers": {"bo": "good"}},
        {"status": "done"},
        {"labels": {"mood": True}},
        {"tags": "gold"},
        {"note": 3},
        {"flag": "no"},
        {"label_sets": {"name": "mood"}},
        {"label_sets": [{"kind": "choice"}]},
        {"label_sets": [], "past_answers": []},
    ],
)
def test_a_line_at_fault_is_named(project, tmp_path, entry):
    import_lines(project, [line("a")])
    project.apply(Edit("Sets", "ann", (label_sets_patch(project, [MOOD]),)))
    path = labels(tmp_path, {"source_line": 1, "tags": ["x"]}, {"source_line": 1, **entry})
    with pytest.raises(UnreadableInput, match=r"^Line 2 of") as caught:
        import_labels(project, path, "ann")
    assert (caught.value.path, caught.value.line) == (str(path), 2)


def test_an_export_that_fails_leaves_the_file_before_it_alone(project, tmp_path):
    import_lines(project, [line("a")])
    (tmp_path / "labels.jsonl").mkdir()
    with pytest.raises(OSError, match=r"labels\.jsonl"):
        export_labels(project, tmp_path / "labels.jsonl")
    assert sorted(each.name for each in tmp_path.iterdir() if "labels" in each.name) == [
        "labels.jsonl"
    ]


def test_the_answers_given_last_come_first(project):
    import_lines(project, [line("a"), line("b"), line("c")])
    project.apply(Edit("Sets", "ann", (label_sets_patch(project, [TONE]),)))
    assert last_answers(project, [TONE], "ann") == {"tone": []}
    answer(project, "ann", "tone", c1="1", c2="3")
    answer(project, "bo", "tone", c1="2")
    answer(project, "ann", "tone", c3="1")
    assert last_answers(project, [TONE], "ann") == {"tone": ["1", "3"]}
    project.undo()
    assert last_answers(project, [TONE], "ann") == {"tone": ["3", "1"]}


def test_the_project_and_the_rule_agree_on_the_label_that_counts(project):
    import_lines(project, [line("a"), line("b")])
    for annotator, value in (("ana", "good"), ("bo", "bad"), ("cy", "good")):
        patch = AnnotationPatch("label:mood", (1,), (None,), (value,), annotator)
        project.apply(Edit("Label", annotator, (patch,)))
    project.apply(
        Edit("Label", "bo", (AnnotationPatch("label:tone", (1, 2), (None,), ("3",), "bo"),))
    )
    rows = {(id_, name): value for id_, name, value in label_rows.labels_that_count(project)}
    assert rows == {(1, "mood"): "bad", (1, "tone"): "3", (2, "tone"): "3"}
    for id_ in (1, 2):
        for name, value in labels_that_count(project.labels(id_)).items():
            assert rows[id_, name] == value
    assert label_rows.labels_that_count(project, "mood") == [(1, "mood", "bad")]
