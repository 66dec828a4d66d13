import json

import pytest

from curator.project.exports import exporting
from curator.project.exports.exporting import export
from curator.project.exports.lines import parts
from curator.project.exports.selection import ExportSettings, select
from curator.project.imports.importing import import_files
from curator.project.store.project import Project
from tests.project.projects import annotate, edit, line

TEXTS = [line(f"Question {n}", f"Answer {n} é") for n in range(12)]
PRETTY = json.dumps(json.loads(line("Spread", "out")), indent=1)


@pytest.fixture
def filled(tmp_path, request):
    raw = request.param
    (tmp_path / "in.jsonl").write_bytes(raw.encode())
    with Project.create(tmp_path / "p.curator") as project:
        import_files(
            project,
            [tmp_path / "in.jsonl"],
            progress=lambda *_: None,
            cancelled=lambda: False,
        )
        yield project


@pytest.mark.parametrize(
    "filled",
    [
        "\n".join(TEXTS),
        "\r\n".join(TEXTS),
        "\r".join(TEXTS),
        "[" + ",".join(TEXTS) + "]",
        "[" + ",\n".join(TEXTS) + "]",
        "\n\n".join(TEXTS),
    ],
    indirect=True,
)
def test_whatever_stood_between_the_lines_a_line_end_stands_there_now(filled, tmp_path):
    export(filled, tmp_path / "out")
    raw = (tmp_path / "out/train.jsonl").read_bytes()
    assert raw == "".join(text + "\n" for text in TEXTS).encode()


@pytest.mark.parametrize("filled", ["\n".join([*TEXTS[:5], PRETTY, *TEXTS[5:]])], indirect=True)
def test_an_object_spread_over_lines_between_neighbours_becomes_one_line(filled, tmp_path):
    export(filled, tmp_path / "out")
    lines = (tmp_path / "out/train.jsonl").read_text().splitlines()
    assert [json.loads(each) for each in lines] == [
        json.loads(filled.content(id_)) for id_ in filled.ids().tolist()
    ]


@pytest.mark.parametrize("filled", ["\n".join(TEXTS)], indirect=True)
@pytest.mark.parametrize("limits", [(1 << 16, 1 << 20), (1, 1), (1 << 16, 100)])
def test_splits_edits_and_gaps_break_the_runs(filled, tmp_path, monkeypatch, limits):
    monkeypatch.setattr(exporting, "_TOGETHER", limits[0])
    monkeypatch.setattr(exporting, "_BLOCK", limits[1])
    annotate(filled, [2, 3, 9], "split", "test")
    annotate(filled, [6], "status", "rejected")
    edit(filled, 8, line("Edited", "now"))
    export(filled, tmp_path / "out", ExportSettings(unassigned="train"))
    for split, ids in (("test", [2, 3, 9]), ("train", [1, 4, 5, 7, 8, 10, 11, 12])):
        raw = (tmp_path / f"out/{split}.jsonl").read_text("utf-8")
        assert raw == "".join(filled.content(id_) + "\n" for id_ in ids)
        named = (tmp_path / f"out/{split}.manifest.jsonl").read_text().splitlines()
        assert [json.loads(each)["conversation"] for each in named] == ids


@pytest.mark.parametrize("filled", ["\n".join(TEXTS)], indirect=True)
def test_neighbours_are_taken_in_one_slice(filled):
    selection = select(filled, ExportSettings())
    (batch,) = parts(filled, selection, lambda: False)
    assert [len(part.ids) for part in batch] == [12]
