"""How far a project has come is read from what it holds."""

from curator.project import duplicate_tables, duplicates
from curator.project.exports.exporting import export, remember
from curator.project.exports.selection import ExportSettings
from curator.project.queries.milestones import reached
from curator.project.store.project import Project
from tests.project.projects import annotate, import_lines, line


def test_the_milestones_of_the_sample_story(tmp_path):
    with Project.create(tmp_path / "p.curator") as project:
        ids = import_lines(project, [line(f"Question {n}", "Answer") for n in range(12)])
        assert reached(project) == {"fixed"}
        duplicate_tables.keep(project, duplicates.find(project, duplicates.Search("near", 0.8)))
        assert reached(project) == {"fixed", "searched"}
        annotate(project, ids[:1], "split", "train")
        assert reached(project) == {"fixed", "searched", "split"}
        remember(project, export(project, tmp_path / "out", ExportSettings()))
        assert reached(project) == {"fixed", "searched", "split", "exported"}


def test_a_fault_with_an_obvious_fix_is_not_fixed_until_it_is(tmp_path):
    with Project.create(tmp_path / "p.curator") as project:
        (first,) = import_lines(
            project, ['{"messages":[{"role":"human","content":"Q"},{"role":"gpt","content":"A"}]}']
        )
        assert "fixed" not in reached(project)
        annotate(project, [first], "removed", {"reason": "by hand", "partner": None})
        assert "fixed" in reached(project)
        project.undo()
        assert "fixed" not in reached(project)
