"""Files and folders of any name a disk allows: imported, refused lines saved, exported, opened again."""

import os
import sys
from pathlib import Path

import pytest

from curator.project.exports.exporting import export
from curator.project.exports.verify import verify
from curator.project.imports.importing import import_files
from curator.project.store.project import Project
from tests.project.projects import annotate, line

NAMES = (
    (b"p.curator", b"caf\xe9.jsonl"),
    (b"p\xe9.curator", b"f.jsonl"),
    (b"a\nb?#%.curator", b"x\ny.jsonl"),
    (b"p" * 200 + b".curator", b"y" * 249 + b".jsonl"),
    ("漢".encode() * 60 + b".curator", "字".encode() * 70 + b".jsonl"),
)


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text exist under Linux only")
@pytest.mark.parametrize(("project_name", "file_name"), NAMES, ids=range(len(NAMES)))
def test_any_name_a_disk_allows(tmp_path, project_name, file_name):
    file = tmp_path / os.fsdecode(file_name)
    file.write_text(f"{line('q')}\nno json\n")
    path = tmp_path / os.fsdecode(project_name)
    with Project.create(path, author="an\ud800") as project:
        report = import_files(project, [file], progress=lambda *_: None, cancelled=lambda: False)
        assert (report.imported, report.rejected) == (1, 1)
        assert report.rejects_file.read_text() == "no json\n"
        annotate(project, [1], "note", "x")
        export(project, tmp_path / "out")
    with Project.open(path) as project:
        assert project.count() == 1
        assert [Path(each.path).suffix for each in project.sources()] == [".jsonl"]
    assert verify(tmp_path / "out").problems == ()
