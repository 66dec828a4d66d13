import pytest

from curator.project import Project
from curator.project.imports.importing import import_files
from curator.project.queries.index import Index
from curator.project.store.bulk import import_hashes
from tests.project.building import import_lines, line


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="ann") as made:
        yield made


def test_hashes_of_an_import_taken_back_do_not_count(project):
    import_lines(project, [line("a")], import_hash=[7])
    import_lines(project, [line("b")], import_hash=[8])
    project.undo()
    assert import_hashes(project).tolist() == [7]
    project.redo()
    assert import_hashes(project).tolist() == [7, 8]


def test_a_file_can_be_imported_again_after_an_undo(project, tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text(f"{line('a')}\n{line('b')}\n", "utf-8")

    def bring_in() -> tuple[int, int]:
        report = import_files(project, [file], progress=lambda *_: None, cancelled=lambda: False)
        return report.imported, report.unchanged

    assert bring_in() == (2, 0)
    assert bring_in() == (0, 2)
    index = Index(project.path)
    project.undo()
    assert bring_in() == (2, 0)
    index.reload(project)
    assert (index.counts()["all"], index.counts()["removed"]) == (2, 2)
    project.undo()
    project.redo()
    index.reload(project)
    assert index.counts()["all"] == 2
    index.close()
