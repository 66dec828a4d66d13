"""What a person said of a conversation stays with its text, wherever it travels."""

import gzip
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.dataset import Edit, LabelSet
from curator.dataset.label import plain_name, spelling
from curator.project.label_files import export_labels, import_labels
from curator.project.labels import label_sets_patch
from curator.project.store.project import Project
from tests.project.projects import annotate, edit, import_lines, line

MOOD = LabelSet("mood", "choice", ("good", "bad"))
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.curator", "ann") as project:
        project.apply(Edit("Sets", "ann", (label_sets_patch(project, [MOOD]),)))
        yield project


def file(tmp_path, *entries, encoding="utf-8"):
    path = tmp_path / "labels.jsonl"
    path.write_bytes("".join(f"{json.dumps(each)}\n" for each in entries).encode(encoding))
    return path


def bring(project, path):
    report = import_labels(project, path, "ann")
    if report.edit is not None:
        project.apply(report.edit)
    return report


def tags_by_text(project):
    return {
        project.titles([id_])[0]: list(project.annotation(id_).tags)
        for id_ in project.ids().tolist()
        if project.annotation(id_).tags
    }


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8),
    st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8),
    st.integers(0, 8),
)
def test_a_label_reaches_its_own_text_or_is_refused(there, here, cut):
    """Files of the same names, with other rows, in another order: no text gets another one's tag."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.jsonl"
        with Project.create(Path(folder) / "a.curator", "ann") as first:
            ids = import_lines(first, [line(text) for text in there], "day.jsonl")
            for id_, text in zip(ids, there, strict=True):
                annotate(first, [id_], "tags", [f"tag of {text}"])
            export_labels(first, path)
        with Project.create(Path(folder) / "b.curator", "ann") as second:
            for part in (here[:cut], here[cut:]):
                if part:
                    import_lines(second, [line(text) for text in part], "day.jsonl")
            report = bring(second, path)
            for text, tags in tags_by_text(second).items():
                assert tags == [f"tag of {text}"]
            # A text that stands once on both sides is certain.
            for text in set(there):
                if there.count(text) == here.count(text) == 1:
                    assert tags_by_text(second)[text] == [f"tag of {text}"]
            assert all(refused.reason.endswith(".") for refused in report.refused)
            taken = len(there) - len(report.refused)
            assert len(tags_by_text(second)) <= taken


def test_a_line_of_a_text_that_was_edited_since_is_refused(project, tmp_path):
    (one,) = import_lines(project, [line("a")])
    annotate(project, [one], "tags", ["x"])
    export_labels(project, tmp_path / "labels.jsonl")
    annotate(project, [one], "tags", [])
    edit(project, one, line("another"))
    (refused,) = bring(project, tmp_path / "labels.jsonl").refused
    assert refused.line == 2
    assert "holds another text here" in refused.reason
    assert tags_by_text(project) == {}


def test_copies_are_told_apart_by_their_place(project, tmp_path):
    ids = import_lines(project, [line("a"), line("b"), line("a")])
    annotate(project, [ids[2]], "tags", ["x"])
    export_labels(project, tmp_path / "labels.jsonl")
    annotate(project, [ids[2]], "tags", [])
    assert bring(project, tmp_path / "labels.jsonl").refused == ()
    assert project.annotation(ids[2]).tags == ("x",)
    with Project.create(tmp_path / "q.curator", "ann") as other:
        import_lines(other, [line("z"), line("a"), line("z"), line("a")], "other.jsonl")
        (refused,) = bring(other, tmp_path / "labels.jsonl").refused
        assert "2 conversations have this text (2, 4)" in refused.reason


def test_two_lines_that_say_otherwise_of_one_text_are_not_both_taken(project, tmp_path):
    import_lines(project, [line("a")])
    path = file(tmp_path, {"source_line": 1, "tags": ["x"]}, {"source_line": 1, "tags": ["y"]})
    (refused,) = bring(project, path).refused
    assert refused.line == 2
    assert tags_by_text(project) == {"a": ["x"]}


def test_old_files_are_taken_where_all_their_ids_are_ours(project, tmp_path):
    import_lines(project, [line("a"), line("b")], "x.jsonl")
    import_lines(project, [line("c")], "y.jsonl")
    ours = [
        {"conversation": 1, "source_line": 1, "source": "x.jsonl", "tags": ["1"]},
        {"conversation": 3, "source_line": 1, "source": "y.jsonl", "tags": ["3"]},
    ]
    report = bring(project, file(tmp_path, *ours))
    assert report.refused == ()
    assert "2 lines do not say for which texts" in report.notes[0]
    assert tags_by_text(project) == {"a": ["1"], "c": ["3"]}
    # One id that is not ours: the file is of another project, whose rows may be other ones.
    ours[1]["conversation"] = 2
    assert [each.line for each in bring(project, file(tmp_path, *ours)).refused] == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_label_files_may_have_every_encoding_an_import_may(project, tmp_path, encoding):
    import_lines(project, [line("a")])
    path = file(tmp_path, {"source_line": 1, "tags": ["ä"]}, encoding=encoding)
    bring(project, path)
    assert tags_by_text(project) == {"a": ["\xe4"]}
    path.write_bytes(gzip.compress(path.read_bytes().replace(b"x", b"y")))
    assert bring(project, path).edit is None


def test_null_is_no_answer_and_changes_nothing(project, tmp_path):
    (one,) = import_lines(project, [line("a")])
    said = {"labels": {"mood": "good"}, "status": "accepted", "tags": ["x"], "note": "n"}
    bring(project, file(tmp_path, {"source_line": 1, **said, "flag": True}))
    before = project.annotation(one), project.labels(one)
    nothing = {"labels": {"mood": None}, "answers": {"bo": None, "cy": {"mood": None}}}
    silent = dict.fromkeys(("status", "tags", "note", "flag"))
    assert bring(project, file(tmp_path, {"source_line": 1, **nothing, **silent})).edit is None
    assert (project.annotation(one), project.labels(one)) == before


def test_names_that_look_equal_are_equal(project, tmp_path):
    (one,) = import_lines(project, [line("a")])
    sets = {"label_sets": [{"name": "fee ", "values": ["Geb\u00fchr", "na\u00efve "]}]}
    answers = {"Ana": {"fee": "Gebu\u0308hr"}, "ana": {" fee": "nai\u0308ve"}}
    assert (
        bring(project, file(tmp_path, sets, {"source_line": 1, "answers": answers})).refused == ()
    )
    found = {(each.label_set, each.annotator, each.value) for each in project.labels(one)}
    assert found == {("fee", "Ana", "Geb\u00fchr"), ("fee", "ana", "na\u00efve")}
    twice = {"Ana": {"fee": "Geb\u00fchr"}, "Ana ": {"fee": "na\u00efve"}}
    (refused,) = bring(project, file(tmp_path, {"source_line": 1, "answers": twice})).refused
    assert "two answers of Ana" in refused.reason


def test_what_an_older_version_spelled_otherwise_is_still_found(project, tmp_path):
    old = LabelSet("intent ", "choice", ("Gebu\u0308hr", "b"))
    project.apply(Edit("Sets", "ann", (label_sets_patch(project, [old]),)))
    (one,) = import_lines(project, [line("a")])
    bring(project, file(tmp_path, {"source_line": 1, "labels": {"intent": "Geb\u00fchr"}}))
    assert [(each.label_set, each.value) for each in project.labels(one)] == [
        ("intent ", "Gebu\u0308hr")
    ]


@settings(max_examples=300)
@given(names)
def test_a_name_has_one_form(name):
    plain = plain_name(name)
    assert plain_name(plain) == plain
    assert plain_name(f" {name}\t") == plain
    assert spelling(f"{name} ", [plain]) == plain
