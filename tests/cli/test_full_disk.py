# ruff: noqa: F401, F811 - fixtures come by name
"""A disk that fills up under a verb: one sentence, and what it would have written is whole or not there."""

import json
import shutil

import pytest

from curator.dataset.json_values import loads
from curator.project.exports.verify import verify
from tests.cli.sample_lines import line, questions, write
from tests.cli.test_offers import folder
from tests.project.test_full_disk import fill_up, small_disk

LEFT = (0, 4_096, 20_000, 60_000, 150_000, 400_000)

VERBS = {
    "new": ["new", "b.curator"],
    "import": ["import", "a.curator", "big.jsonl"],
    "fix": ["fix", "a.curator", "--safe"],
    "check": ["check", "a.curator", "--target", "openai,nebius"],
    "dedupe": ["dedupe", "a.curator", "--pairs", "pairs.tsv", "--threshold", "0.3"],
    "label": ["label", "a.curator", "status", "accepted", "--where", '"topic"'],
    "label export": ["label", "a.curator", "export", "said.jsonl"],
    "split": ["split", "a.curator"],
    "undo": ["undo", "a.curator"],
    "export": ["export", "a.curator", "again"],
    "bundle": ["train", "out", "--target", "this-computer", "--base", "desk", "--bundle", "job"],
    "recipe": ["train", "out", "--target", "openai", "--base", "gpt-4.1-mini-2025-04-14",
               "--save-recipe", "desk", "--dry-run"],
    "targets": ["targets", "add", "mine", "--address", "address=http://127.0.0.1:9/v1"],
    "prompts": ["prompts", "add", "brief", "--target", "openai", "--base", "b", "--system", "x" * 9000],
    "models": ["models", "add", "mine", "--name", "second"],
    "models list": ["models", "list"],
    "jobs": ["jobs", "list"],
}  # fmt: skip


WHOLE = {
    "said.jsonl": lambda path: len(path.read_text("utf-8").splitlines()) > 0,
    "pairs.tsv": lambda path: all(
        row.count("\t") == 4 and row.endswith("\n")
        for row in path.read_text("utf-8").splitlines(keepends=True)
    ),
    "again": lambda path: verify(path).ok,
    "job": lambda path: (path / "run.sh").is_file() and (path / "requirements.txt").read_text(),
}
"""What verbs write, and how one knows that it is whole."""


@pytest.fixture
def disk(curator, small_disk, tmp_path_factory, folder, monkeypatch):
    """A small disk with a project, an export, an added base, and a file that is too large for it."""
    monkeypatch.chdir(small_disk)
    monkeypatch.setenv("CURATOR_CONFIG", str(small_disk / "config"))
    monkeypatch.setenv("CURATOR_STATE", str(small_disk / "state"))
    big = tmp_path_factory.mktemp("big") / "big.jsonl"
    write(big, *questions(10), *(line(f"Q{n}", f"{n} " * 4000) for n in range(300)), "{oops" * 9000)
    (small_disk / "big.jsonl").symlink_to(big)
    write(
        small_disk / "f.jsonl",
        *questions(60),
        *(line(f"Many {n}", "same answer") for n in range(90)),
    )
    curator("new", "a.curator")
    curator("import", "a.curator", "f.jsonl")
    assert curator("export", "a.curator", "out")[0] == 0
    curator("models", "add", "mine", "--name", "desk")
    return small_disk


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_on_a_full_disk_is_a_sentence_and_leaves_nothing_half(verb, curator, disk):
    for left in LEFT:
        fill_up(disk, left)
        code, told = curator(*VERBS[verb])  # a traceback would end the test here
        assert code in (0, 1, 2), told
        if isinstance(told.get("error"), dict):
            assert told["error"]["message"].endswith((".", "again"))
        (disk / "filler").unlink()
        for name, is_whole in WHOLE.items():
            made = disk / name
            if made.exists():
                # A verb may fail after it has written this.
                assert is_whole(made), f"{name} is half of it"
                shutil.rmtree(made) if made.is_dir() else made.unlink()
        hidden = [p.name for p in disk.iterdir() if p.name.startswith(".") and "lock" not in p.name]
        assert hidden == []
        for small in [*disk.glob("config/**/*.json"), *disk.glob("state/**/*.json")]:
            assert isinstance(loads(small.read_text("utf-8")), dict), small
        assert curator("models", "list")[0] == 0
        assert curator("count", "a.curator")[0] == 0
        curator("models", "remove", "second")
        (disk / "b.curator").unlink(missing_ok=True)
