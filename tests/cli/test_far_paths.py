"""A place that no system could hold is told in one sentence, whatever was to be written there."""

import pytest

from tests.cli.sample_lines import questions, write

FAR = {
    "2,000 folders deep": "/".join(["d"] * 2_000) + "/x",
    "a name of 300 letters": "n" * 300,
    "300 Chinese letters": "\u6587" * 300,
    "a path of 20,000 letters": "/".join(["d" * 200] * 100) + "/x",
    "through a file": "f.jsonl/x",
}
VERBS = {
    "new": lambda place: ["new", place],
    "import": lambda place: ["import", place, "f.jsonl"],
    "dedupe": lambda place: ["dedupe", "a.curator", "--pairs", place],
    "label export": lambda place: ["label", "a.curator", "export", place],
    "label import": lambda place: ["label", "a.curator", "import", place],
    "export": lambda place: ["export", "a.curator", place],
    "verify": lambda place: ["verify", place],
    "check": lambda place: ["check", place],
    "count": lambda place: ["count", place],
    "demo": lambda place: ["demo", place, "--no-training", "--no-screenshots"],
    "train": lambda place: [
        *["train", place, "--target", "this-computer", "--base", "tiny", "--dry-run"]
    ],
    "train --bundle": lambda place: [
        *["train", "a.curator", "--target", "this-computer", "--base", "tiny", "--bundle", place]
    ],
    "train --save-recipe": lambda place: [
        *["train", "a.curator", "--target", "this-computer", "--base", "tiny", "--dry-run"],
        *["--save-recipe", place],
    ],
    "prompts add": lambda place: [
        *["prompts", "add", "few", "--target", "this-computer", "--base", "tiny"],
        *["--shots", "2", "--from", place],
    ],
    "models add": lambda place: ["models", "add", place],
    "ablate": lambda place: ["ablate", "a.curator", "--plan", place],
}


MADE = (("new", "a.curator"), ("import", "a.curator", "f.jsonl"))
OTHER = (("new", "b.curator"), ("import", "b.curator", "f.jsonl"))
SLOW = ("train --bundle",)


@pytest.mark.parametrize("kind", FAR)
@pytest.mark.parametrize(
    "verb", [pytest.param(v, marks=pytest.mark.slow) if v in SLOW else v for v in VERBS]
)
def test_a_place_that_cannot_be_is_refused(verb, kind, curator, copy_of, tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of(4, *MADE))
    before = sorted(tmp_path.iterdir())
    code, told = curator(*VERBS[verb](FAR[kind]))
    assert code == 2, told
    assert told["error"]["message"].count("Traceback") == 0
    left = {path.name for path in tmp_path.iterdir() if path not in before}
    # What a reader of the project, a job's own export and the settings put down.
    usual = {"a.curator-shm", "a.curator-wal", "a.export", "state", "config"}
    assert left <= usual


@pytest.mark.parametrize("variable", ["CURATOR_STATE", "CURATOR_CONFIG"])
def test_a_folder_of_ours_that_cannot_be_is_told(variable, curator, tmp_path, monkeypatch):
    monkeypatch.setenv(variable, str(tmp_path / FAR["2,000 folders deep"]))
    write(tmp_path / "f.jsonl", *questions(4))
    curator("new", tmp_path / "a.curator")
    curator("import", tmp_path / "a.curator", tmp_path / "f.jsonl")
    code, told = curator(
        *["train", tmp_path / "a.curator", "--target", "this-computer", "--base", "tiny"],
        *["--save-recipe", "mine", *(["--dry-run"] if variable == "CURATOR_CONFIG" else [])],
    )
    assert code == 2, told


@pytest.mark.parametrize(
    "place", ["..", ".", "/", "out", "out/", "out/..", "a.curator", "b.curator"]
)
@pytest.mark.parametrize("verb", ["label export", "dedupe"])
def test_no_output_takes_the_place_of_a_folder_or_a_project(
    verb, place, curator, copy_of, tmp_path, monkeypatch
):
    monkeypatch.chdir(copy_of(4, *MADE, *OTHER, to=tmp_path / "in"))
    (tmp_path / "in/out").mkdir()
    code, told = curator(*VERBS[verb](place))
    assert (code, told["error"]["kind"]) == (2, "wrong_use"), told
    folder = place not in ("a.curator", "b.curator")
    assert ("it is a folder" if folder else "would be lost") in told["error"]["message"]
    assert curator("count", "a.curator")[1]["conversations"] == 4
    assert curator("count", "b.curator")[1]["conversations"] == 4
    assert not curator("history", "a.curator")[1]["steps"][1:]


def test_no_project_is_called_after_the_folder_above(curator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("..", ".", "/"):
        code, told = curator("new", place)
        assert (code, told["error"]["kind"]) == (2, "project")
