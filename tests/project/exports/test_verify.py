import json

import pytest

from curator.dataset.errors import Cancelled, UnreadableInput
from curator.project.exports import manifest
from curator.project.exports.exporting import export
from curator.project.exports.verify import verify
from curator.project.store.project import Project
from tests.project.projects import import_lines, line


@pytest.fixture
def folder(tmp_path):
    with Project.create(tmp_path / "p.curator") as project:
        import_lines(project, [line(f"Question {n}", f"Answer {n}") for n in range(5)])
        export(project, tmp_path / "out")
    return tmp_path / "out"


def test_a_sound_export_verifies(folder):
    assert verify(folder).to_json() == {"ok": True, "files": 1, "rows": 5, "problems": []}


def damage(folder, name, change):
    path = folder / name
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("train.jsonl", lambda raw: raw.replace(b"Answer 3", b"Answer X"), "SHA-256 differs"),
        ("train.jsonl", lambda raw: raw[:-20], "line 5: F01"),
        ("train.jsonl", lambda raw: raw + b"\n", "has 6 lines, not the 5 exported"),
        ("train.jsonl", lambda raw: raw.replace(b"user", b"usr"), "train.jsonl, line 1: S"),
        ("train.manifest.jsonl", lambda raw: raw.replace(b":2,", b":9,", 1), "one by one"),
        ("train.manifest.jsonl", lambda raw: raw + b"x", "is damaged"),
        ("README.md", lambda raw: b"", "README.md is missing or was changed"),
    ],
)
def test_every_damage_is_told(folder, name, change, problem):
    damage(folder, name, change)
    found = verify(folder)
    assert not found.ok
    assert any(problem in each for each in found.problems), found.problems


@pytest.mark.parametrize("name", ["train.jsonl", "train.manifest.jsonl", "README.md"])
def test_missing_files_are_told(folder, name):
    (folder / name).unlink()
    assert any(f"{name} is missing" in each for each in verify(folder).problems)


def test_files_that_do_not_belong_are_told(folder):
    (folder / "more.jsonl").write_text("{}\n")
    assert verify(folder).problems == ("more.jsonl is no part of the export.",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cannot be used"),
        ("[]", "holds no JSON object"),
        ('{"files":[{"path":"../../etc/passwd","rows":1,"bytes":1,"sha256":""}]}', "does not list"),
        ('{"files":[],"curator_export":99}', "another version"),
    ],
)
def test_a_damaged_manifest_is_unreadable(folder, text, reason):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(UnreadableInput, match=reason):
        verify(folder)


def test_other_folders_are_no_exports(tmp_path):
    with pytest.raises(UnreadableInput, match="is no folder"):
        verify(tmp_path / "nowhere")
    with pytest.raises(UnreadableInput, match="it is no export of Curator"):
        verify(tmp_path)


def test_verifying_can_be_stopped(folder):
    with pytest.raises(Cancelled):
        verify(folder, cancelled=lambda: True)


def test_a_line_leads_to_its_conversation(folder):
    entry = json.loads((folder / "train.manifest.jsonl").read_text().splitlines()[2])
    assert manifest.conversation_of(folder, "train.jsonl", 3) == entry["conversation"]
    assert manifest.conversation_of(folder, "train.jsonl", 99) is None
    assert manifest.conversation_of(folder, "test.jsonl", 1) is None
