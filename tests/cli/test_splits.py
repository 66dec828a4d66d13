import json

import pytest

from curator.dataset import Edit, SettingPatch
from curator.project import Project
from curator.project.queries.index import Index
from curator.project.store.derive import is_stale
from tests.cli.sample_lines import line, questions, write


@pytest.fixture
def project(curator, tmp_path):
    path = tmp_path / "a.curator"
    curator("new", path)
    same = [line("The same question?", f"Answer {n}.") for n in range(6)]
    curator("import", path, write(tmp_path / "f.jsonl", *questions(94), *same))
    return path


def test_split_answers_with_the_keys_of_the_contract(curator, project):
    code, told = curator("split", project, "--train", 0.8, "--validation", 0.1, "--test", 0.1)
    assert code == 0
    assert told["train"] + told["validation"] + told["test"] == 100
    assert abs(told["train"] - 80) <= 6
    assert told["groups"] == 95
    assert (told["straddling_groups"], told["leaks"]) == (0, 0)


def test_split_by_counts(curator, project):
    told = curator("split", project, "--train", 0, "--validation", 10, "--test", 20)[1]
    assert (told["train"], told["validation"], told["test"]) == (70, 10, 20)


def test_a_dry_run_assigns_nothing(curator, project):
    curator("split", project, "--dry-run")
    assert curator("label", project, "list", "--where", "split:none")[1]["conversations"] == 100


@pytest.mark.parametrize("shares", [("0.5", "0.1", "0.1"), ("-1", "1", "1"), ("nan", "0.5", "0.5")])
def test_shares_that_make_no_whole_are_refused(curator, project, shares):
    arguments = zip(("--train", "--validation", "--test"), shares, strict=True)
    code, told = curator("split", project, *(f"{name}={value}" for name, value in arguments))
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_dedupe_answers_with_the_keys_of_the_contract(curator, tmp_path):
    project, pairs = tmp_path / "b.curator", tmp_path / "pairs.tsv"
    curator("new", project)
    words = "one two three four five six seven eight nine ten eleven twelve"
    file = write(
        tmp_path / "g.jsonl", line(words), line(words + " thirteen"), line("other"), line("other")
    )
    curator("import", project, file)
    code, told = curator("dedupe", project, "--threshold", 0.7, "--pairs", pairs, "--dry-run")
    assert code == 0
    assert told == {
        "pairs": 2,
        "clusters": 2,
        "removed": 2,
        "kept": 2,
        "measure": "w3",
        "threshold": 0.7,
        "left_out": ["system", "tools"],
        "not_compared": 0,
        "shared": [],
    }
    rows = [row.split("\t") for row in pairs.read_text("utf-8").splitlines()]
    assert rows[0] == ["a_line", "b_line", "similarity", "a", "b"]
    assert [row[:2] for row in rows[1:]] == [["1", "2"], ["3", "4"]]
    exact = curator("dedupe", project, "--preset", "exact")[1]
    assert (exact["removed"], exact["measure"]) == (1, "exact")
    assert curator("dedupe", project, "--threshold", 0.7)[1]["removed"] == 1
    assert curator("label", project, "list")[1]["conversations"] == 2


@pytest.mark.parametrize(
    "wrong",
    [("--threshold", "1.5"), ("--preset", "semantic"), ("--keep", "nicest"), ("--compare", "x")],
)
def test_dedupe_refuses_what_it_does_not_know(curator, project, wrong):
    assert curator("dedupe", project, *wrong)[0] == 2


def test_export_and_verify(curator, project, tmp_path):
    curator("split", project)
    folder = tmp_path / "out"
    code, told = curator("export", project, folder)
    assert code == 0
    assert {"files", "left_out", "manifest", "losses"} <= set(told)
    assert sum(file["rows"] for file in told["files"]) == 100
    assert set(told["files"][0]) == {"path", "split", "rows", "bytes", "sha256"}
    assert curator("verify", folder) == (
        0,
        {"ok": True, "files": 3, "rows": 100, "problems": []},
    )
    train = folder / "train.jsonl"
    train.write_bytes(train.read_bytes()[:-20] + b"\n")
    code, told = curator("verify", folder)
    assert (code, told["ok"]) == (1, False)
    assert told["problems"]


def test_errors_stop_an_export_and_can_be_left_out(curator, tmp_path):
    project, folder = tmp_path / "c.curator", tmp_path / "out"
    curator("new", project)
    bad = json.dumps({"messages": [{"role": "user", "content": "Hello?"}]})
    curator("import", project, write(tmp_path / "g.jsonl", *questions(12), bad))
    code, told = curator("export", project, folder)
    assert (code, told["error"]["kind"]) == (1, "gate_failed")
    assert not folder.exists()
    code, told = curator("export", project, folder, "--skip-errors")
    assert (code, told["left_out"]["errors"]) == (0, 1)


def test_verify_of_a_folder_that_is_no_export(curator, tmp_path):
    code, told = curator("verify", tmp_path)
    assert (code, told["error"]["kind"]) == (2, "unreadable_input")


def test_an_export_counts_for_the_base_model_of_now(curator, project, tmp_path):
    with Project.open(project) as opened:
        before = Index(opened.path).tokens.sum()
        opened.apply(Edit("x", "a", (SettingPatch("base_model", None, "gpt-3.5-turbo"),)))
    assert curator("export", project, tmp_path / "out")[0] == 0
    told = json.loads((tmp_path / "out/manifest.json").read_bytes())
    with Project.open(project) as opened:
        assert not is_stale(opened)
        assert (told["encoding"], told["tokens"]) == (
            "cl100k_base",
            Index(opened.path).tokens.sum(),
        )
    assert before > 0
