"""The annotator's whole story on the sample, through the real command line."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from curator.cli.main import main
from curator.dataset.resources import resource
from curator.project.store.project import Project
from tests.house.inspection import ROOT

SAMPLE = resource("samples", "support_desk.jsonl")
REFUSED = {"F01", "F02", "F05", "F09", "S01", "S02"}
NOT_HERE = {
    "F06",  # blank lines are counted, not findings
    "S16",  # an error at other targets only
    "D03",  # exact copies, near-duplicates: found by dedupe
    "D04",
}


@pytest.fixture(scope="module")
def defects():
    """What was planted: rules by line."""
    planted = defaultdict(set)
    for row in resource("samples", "DEFECTS.tsv").read_text("utf-8").splitlines()[1:]:
        line, rule, _ = row.split("\t")
        planted[int(line)].add(rule)
    return planted


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The demo, once for all tests; its answer."""
    folder = tmp_path_factory.mktemp("story")
    answer = folder / "answer.json"
    with pytest.MonkeyPatch.context() as patch, answer.open("w") as out:
        patch.setenv("CURATOR_STATE", str(folder / "state"))
        patch.setattr("sys.stdout", out)
        code = main(["demo", str(folder / "tour"), "--no-training", "--no-screenshots", "--json"])
    told = json.loads(answer.read_text())
    assert code == 0, told
    return told


def run(capsys, *arguments):
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def result(tour, name):
    return next(step["result"] for step in tour["steps"] if step["name"] == name)


@pytest.fixture
def project(tmp_path, capsys):
    """The sample, freshly imported."""
    path = tmp_path / "desk.curator"
    run(capsys, "new", path)
    code, told = run(capsys, "import", path, SAMPLE)
    assert code == 1
    return path, told


def test_import_refuses_what_cannot_be_read_and_says_where(project, defects):
    _, told = project
    planted = {(line, rule) for line, rules in defects.items() for rule in rules if rule in REFUSED}
    assert {(row["line"], row["rule"]) for row in told["rejected_rows"]} == planted
    assert told["imported"] == 196
    assert Path(told["rejects_file"]).is_file()


def test_every_other_defect_is_found_where_it_was_planted(project, defects, capsys):
    path, _ = project
    code, told = run(capsys, "check", path, "--limit", 5000)
    with Project.open(path, read_only=True) as reader:
        lines = dict(zip(reader.ids().tolist(), reader.column("source_line").tolist(), strict=True))
    found = defaultdict(set)
    for finding in told["findings"]:
        for conversation in finding["conversations"] or [finding["conversation"]]:
            found[lines[conversation]].add(finding["rule"])
    missing = {
        line: rules - found[line]
        for line, rules in defects.items()
        if rules - found[line] - REFUSED - NOT_HERE
    }
    assert missing == {}
    assert code == 1


def test_no_error_is_found_where_none_was_planted(project, defects, capsys):
    path, _ = project
    _, told = run(capsys, "check", path, "--limit", 5000)
    errors = {f["source_line"] for f in told["findings"] if f["severity"] == "error"}
    assert errors - set(defects) - {None} == set()


def test_the_same_file_again_adds_nothing_even_after_fixes(project, capsys):
    path, _ = project
    run(capsys, "fix", path, "--safe")
    _, told = run(capsys, "import", path, SAMPLE)
    assert (told["imported"], told["unchanged"]) == (0, 196)


def test_repaired_rejects_get_in(project, capsys):
    path, told = project
    rejects = Path(told["rejects_file"])
    fixed = (
        rejects.read_bytes().replace(b'no."},]}', b'no."}]}').replace(b'four."},]}', b'four."}]}')
    )
    rejects.write_bytes(fixed)
    _, again = run(capsys, "import", path, rejects)
    assert again["imported"] == 1


def test_duplicates_are_the_planted_ones(project, defects, capsys, tmp_path):
    path, _ = project
    pairs = tmp_path / "pairs.tsv"
    _, told = run(capsys, "dedupe", path, "--dry-run", "--threshold", "0.8", "--pairs", pairs)
    rows = [row.split("\t") for row in pairs.read_text().splitlines()[1:]]
    lines = {line for line, rules in defects.items() if rules & {"D03", "D04"}}
    assert {int(row[0]) for row in rows} | {int(row[1]) for row in rows} == lines
    assert (told["pairs"], told["clusters"], told["removed"]) == (3, 3, 3)


def test_the_story_ends_with_a_proved_export(tour):
    assert result(tour, "verify") == {
        "ok": True,
        "files": 3,
        "rows": result(tour, "verify")["rows"],
        "problems": 0,
    }
    assert result(tour, "verify")["rows"] > 140
    assert result(tour, "split")["straddling_groups"] == 0
    assert result(tour, "split")["leaks"] == 0


def test_the_story_tells_where_everything_lies(tour):
    assert Path(tour["project"]).is_file()
    assert (Path(tour["export"]) / "manifest.json").is_file()
    assert set(tour) == {
        "steps",
        "project",
        "export",
        "job",
        "checkpoint",
        "comparison",
        "screenshots",
    }
    assert all(set(step) == {"name", "result", "seconds"} for step in tour["steps"])


def test_unedited_rows_leave_byte_for_byte(tour):
    originals = set(SAMPLE.read_bytes().split(b"\n"))
    exported = [
        line
        for path in Path(tour["export"]).glob("t*.jsonl")
        if "manifest" not in path.name
        for line in path.read_bytes().split(b"\n")
        if line
    ]
    unedited = sum(line in originals for line in exported)
    assert unedited > 0.9 * len(exported)


def test_the_dry_run_says_what_it_costs_and_until_when(tour):
    told = result(tour, "dry run")
    assert told["rows"] > 100
    assert told["tokens"] > 10_000
    assert told["currency"] == "USD"
    assert told["prices_of"]


def test_the_same_story_exports_the_same_bytes(tour, tmp_path, capsys):
    code, again = run(capsys, "demo", tmp_path / "again", "--no-training", "--no-screenshots")
    assert code == 0
    for split in ("train", "validation", "test"):
        first = (Path(tour["export"]) / f"{split}.jsonl").read_bytes()
        assert (Path(again["export"]) / f"{split}.jsonl").read_bytes() == first


def test_the_story_needs_nothing_of_the_checkout(tour):
    assert str(ROOT) not in tour["project"]
