"""What files of each format become, and what a ShareGPT export looks like; as in test_export_golden."""

from pathlib import Path

import pytest

from curator.project.exports.exporting import export
from curator.project.exports.selection import ExportSettings
from curator.project.imports.importing import import_files
from curator.project.store.project import Project
from tests.golden.test_export_golden import project_with_everything

INPUTS = Path(__file__).parent / "formats_in"


@pytest.mark.parametrize("name", ["sharegpt.jsonl", "alpaca.json", "prompt_completion.jsonl"])
def test_files_of_other_formats_become_what_they_became(tmp_path, equals_golden, name):
    made = tmp_path / "made"
    made.mkdir()
    with Project.create(tmp_path / "a.curator", "anna") as project:
        report = import_files(
            project, [INPUTS / name], progress=lambda *_: None, cancelled=lambda: False
        )
        lines = [text for _, text in project.iterate()]
    told = [f"{row.line}\t{row.rule}\t{row.reason}" for row in report.rejected_rows]
    (source,) = report.sources
    assert (source.format, len(lines), len(told)) == (
        Path(name).stem, source.imported, source.rejected
    )  # fmt: skip
    (made / "conversations.jsonl").write_text("".join(f"{each}\n" for each in lines), "utf-8")
    (made / "refused.tsv").write_text("".join(f"{each}\n" for each in told), "utf-8")
    equals_golden(made, f"formats_{Path(name).stem}")


def test_a_sharegpt_export_is_what_it_was(tmp_path, equals_golden):
    with project_with_everything(tmp_path / "parcels.curator") as project:
        export(project, tmp_path / "out", ExportSettings("sharegpt", skip_errors=True))
    # The manifest and the card are those of any export.
    for path in ("manifest.json", "README.md"):
        (tmp_path / "out" / path).unlink()
    equals_golden(tmp_path / "out", "export_sharegpt")
