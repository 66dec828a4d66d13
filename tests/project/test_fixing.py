"""Safe fixes over a project: one step, undone at once, nothing lost."""

import json
from dataclasses import replace

import pytest

from curator.dataset import Conversation
from curator.dataset.errors import Cancelled
from curator.project import Project, fixing
from curator.project.fixing import fix_one, fix_project
from curator.project.imports.importing import import_files
from tests.project.projects import annotate, import_lines, line

HUMAN = json.dumps(
    {
        "messages": [{"role": "human", "content": "Hi"}, {"role": "gpt", "content": "Yes"}],
        "source": "forum",
    }
)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", "ann") as made:
        yield made


def test_safe_fixes_are_one_edit_that_undo_takes_back(project):
    ids = import_lines(project, [line("fine"), HUMAN, line("x", origin=[1])])
    edits, report = fix_project(project, author="ann")
    assert report.to_json() == {"fixed": {"S03": 2, "S05": 2}, "conversations": 2}
    (edit,) = edits
    project.apply(edit)
    assert [m.role for m in project.conversation(ids[1]).messages] == ["user", "assistant"]
    assert project.annotation(ids[1]).metadata == {"source": "forum"}
    assert project.annotation(ids[2]).metadata == {"origin": [1]}
    assert fix_project(project)[1].conversations == 0
    project.undo()
    assert project.content(ids[1]) == HUMAN
    assert project.annotation(ids[1]).metadata == {}


def test_dry_run_shows_before_and_after(project):
    (id_,) = import_lines(project, [HUMAN])
    edits, report = fix_project(project, dry_run=True)
    assert edits == []
    (shown,) = report.preview
    assert (shown.conversation, shown.before) == (id_, HUMAN)
    assert Conversation.parse(shown.after).messages[0].role == "user"
    assert shown.moved == {"source": "forum"}


def test_only_the_rules_asked_for(project):
    import_lines(project, [HUMAN])
    assert fix_project(project, ["S05"])[1].to_json()["fixed"] == {"S05": 2}


def test_removed_conversations_stay_as_they_are(project):
    ids = import_lines(project, [HUMAN])
    annotate(project, ids, "removed", {"reason": "x", "partner": None})
    assert fix_project(project)[0] == []


def test_large_fixes_come_in_pieces(project, monkeypatch):
    monkeypatch.setattr(fixing, "CHUNK", 4)
    import_lines(project, [line(f"q{i}", source=i) for i in range(10)])
    edits, report = fix_project(project)
    assert [len(edit.conversations()) for edit in edits] == [4, 4, 2]
    for edit in edits:
        project.apply(edit)
    assert report.conversations == 10
    assert fix_project(project)[0] == []


def test_metadata_that_is_there_is_not_overwritten(project):
    ids = import_lines(project, [line("x", source="forum", kept="a")])
    annotate(project, ids, "metadata", {"source": "mail", "kept": "a"})
    (edit,) = fix_project(project)[0]
    project.apply(edit)
    assert project.annotation(ids[0]).metadata == {
        "source": "mail",
        "source (2)": "forum",
        "kept": "a",
    }


def test_a_repeated_key_is_written_again(project):
    raw = '{"messages":[{"role":"user","content":"a","content":"a"},{"role":"assistant","content":"c"}]}'
    (id_,) = import_lines(project, [raw])
    (finding,) = project.findings(id_)
    edit = fix_one(project, id_, finding, "ann")
    project.apply(edit)
    assert project.content(id_).count("content") == 2
    assert fix_one(project, id_, finding, "ann") is None


def test_one_finding_is_fixed_by_itself(project):
    (id_,) = import_lines(project, [HUMAN])
    finding = next(f for f in project.findings(id_) if f.rule == "S03")
    edit = fix_one(project, id_, finding)
    assert edit.title == "Fix S03"
    project.apply(edit)
    assert project.conversation(id_).messages[0].role == "human"


def test_fix_can_be_stopped(project):
    import_lines(project, [HUMAN])
    with pytest.raises(Cancelled):
        fix_project(project, cancelled=lambda: True)


def test_no_fix_and_no_search_for_copies_drops_one_of_two_values(project, tmp_path):
    path = tmp_path / "twice.jsonl"
    tail = '{"role":"user","content":"x"},{"role":"gpt","content":"y"}'
    lines = [
        f'{{"messages":[{{"role":"user","content":"{n}"}}],"messages":[{tail}]}}' for n in "ab"
    ]
    path.write_text("\n".join([*lines, f'{{"messages":[{tail}]}}', ""]), "utf-8")
    report = import_files(project, [path], progress=lambda *_: None, cancelled=lambda: False)
    assert (report.imported, report.unchanged) == (3, 0)
    ids = project.ids().tolist()
    assert [project.findings(id_)[0].rule for id_ in ids] == ["F08", "F08", "S05"]
    assert len(set(project.column("content_hash").tolist())) == 3
    edits, report = fix_project(project)
    assert report.conversations == 1
    project.apply(edits[0])
    assert [project.content(id_) for id_ in ids[:2]] == lines
    for finding in project.findings(ids[0]):
        assert not finding.fix
        assert fix_one(project, ids[0], replace(finding, fix="map_role")) is None


def test_undo_brings_back_what_only_the_line_itself_shows(project):
    twice = '{"messages":[{"role":"user","role":"user","content":"Hi"},{"role":"assistant","content":"Yes"}]}'
    (one,) = import_lines(project, [twice])
    before = project.findings(one)
    assert [found.rule for found in before] == ["F14"]
    edits, _ = fix_project(project, author="ann")
    project.apply(edits[0])
    assert project.findings(one) == ()
    project.undo()
    assert project.content(one) == twice
    assert project.findings(one) == before
