"""A disk that fills up, real where the tests may mount one."""

import os
import subprocess

import pytest

from curator.dataset import ContentPatch, Edit
from curator.dataset.errors import ProjectError
from curator.project import Project
from curator.project.store.bulk import Bulk
from tests.project.building import columns_of, import_lines, line, write

MEGABYTE = 1_000_000


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of three megabytes."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill_up(folder, leave: int = 0) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            file.truncate(max(0, file.tell() - leave))


def test_a_full_disk_refuses_edits_in_one_sentence_and_loses_nothing(small_disk):
    path = small_disk / "a.curator"
    with Project.create(path, author="ann") as project:
        (id_,) = write(project, line("kept"))
        fill_up(small_disk)
        big = ContentPatch(id_, line("kept"), line("x" * MEGABYTE))
        with pytest.raises(ProjectError, match="disk is full"):
            project.apply(Edit("E", "a", (big,)))
        segment, columns = columns_of([line("y" * MEGABYTE)])
        with pytest.raises(ProjectError, match="disk is full"), Bulk(project) as bulk:
            bulk.add(segment, columns, source=bulk.add_source("/a", "a"))
        assert project.content(id_) == line("kept")
        (small_disk / "filler").unlink()
        project.apply(Edit("E", "a", (ContentPatch(id_, line("kept"), line("now")),)))
    with Project.open(path) as project:
        assert project.content(id_) == line("now")
        assert [step.title for step in project.journal()] == ["E", "New"]


def test_a_project_on_a_full_disk_can_still_be_read(small_disk):
    path = small_disk / "a.curator"
    with Project.create(path) as project:
        import_lines(project, [line("a"), line("b")])
    fill_up(small_disk)
    with pytest.raises(ProjectError, match="free space"):
        Project.open(path)
    with Project.open(path, read_only=True) as project:
        assert project.contents([1, 2]) == [line("a"), line("b")]


def test_a_project_that_cannot_be_made_leaves_nothing(small_disk):
    fill_up(small_disk)
    with pytest.raises(ProjectError, match=r"full|space"):
        Project.create(small_disk / "a.curator")
    assert [each.name for each in small_disk.iterdir()] == ["filler"]
