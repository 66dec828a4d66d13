"""Project files that are damaged, of another version or no project at all: one sentence, never a traceback."""

import os
import shutil
import sqlite3
from types import SimpleNamespace

import pytest

from curator.cli import counting
from curator.tune.local.trainer.measuring import Row
from tests.cli.sample_lines import questions

READING = [
    ["check"], ["fix", "--safe", "--dry-run"], ["fix", "--safe"], ["count"], ["dedupe"],
    ["dedupe", "--preset", "exact"], ["split"], ["history"], ["undo"], ["redo"],
    ["label", "list"], ["label", "status", "accepted", "--where", '"topic"'],
    ["label", "export", "said.jsonl"], ["label", "define", "mood", "good"],
    ["export", "out", "--statuses", "open"], ["import", "f.jsonl"],
    ["train", "--target", "openai", "--base", "gpt-4.1-mini-2025-04-14", "--dry-run"],
]  # fmt: skip
"""Every verb that is given a project; its words besides the project."""


@pytest.fixture
def project(copy_of, tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of(30, ("new", "a.curator"), ("import", "a.curator", "f.jsonl")))
    return tmp_path / "a.curator"


def words(verb, path):
    """Put the project where a verb wants it."""
    return [verb[0], path, *verb[1:]]


def version(number):
    def make(path):
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.close()

    return make


def another_program(path):
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE moz_places (id INTEGER)")
    connection.close()


def cut(share):
    def make(path):
        raw = path.read_bytes()
        path.write_bytes(raw[: int(share * len(raw))])

    return make


def folder(path):
    path.unlink()
    path.mkdir()


BROKEN = {
    "version 0": version(0),
    "version -1": version(-1),
    "a newer version": version(99),
    "half of it": cut(0.5),
    "its first kilobyte": cut(0.01),
    "nothing": lambda path: path.write_bytes(b""),
    "random bytes": lambda path: path.write_bytes(os.urandom(40_000)),
    "a header and random bytes": lambda path: path.write_bytes(
        path.read_bytes()[:100] + os.urandom(40_000)
    ),
    "another program's": another_program,
    "a folder": folder,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_project_file_that_is_none_is_one_sentence(kind, curator, project):
    BROKEN[kind](project)
    for verb in READING:
        code, told = curator(*words(verb, "a.curator"))
        assert code == 2, (verb, told)
        assert told["error"]["kind"] in ("project", "unreadable_input"), verb
        assert "a.curator" in told["error"]["message"]
        assert "\n" not in told["error"]["message"]


def test_a_flipped_bit_is_named_by_every_verb_that_reads_texts(curator, project, tmp_path):
    raw = project.read_bytes()
    assert raw.count(b"about topic 84?") > 1  # the text, and its title
    for place in [at for at in range(len(raw)) if raw.startswith(b"about topic 84?", at)]:
        raw = raw[:place] + b"\xe1" + raw[place + 1 :]
    broken = tmp_path / "broken.curator"
    broken.write_bytes(raw)
    shutil.copy(broken, tmp_path / "again.curator")
    for verb in READING:
        code, told = curator(*words(verb, "broken.curator"))
        assert code in (0, 1), (verb, told)
        if verb[0] in ("check", "count", "export") or "near" in verb:
            assert (code, told["damaged"]) == (1, [13]), verb
    rows = {
        row
        for split in ("train", "validation", "test")
        for row in (tmp_path / "out" / f"{split}.jsonl").read_text("utf-8").splitlines()
    }
    assert rows == {line for at, line in enumerate(questions(30), 1) if at != 13}
    assert curator("verify", "out")[0] == 0


def test_a_count_by_the_tokenizer_of_a_base_names_a_damaged_text_too(curator, project, monkeypatch):
    class Counts:
        limit = 100
        base = SimpleNamespace(name="small")

        def counted(self, rows, cancelled):
            return ((row, Row(tokens=7)) for row in rows)

    monkeypatch.setattr(counting, "_own", lambda name: Counts())
    raw = project.read_bytes()
    project.write_bytes(raw.replace(b"about topic 84?", b"about topic 85?"))
    code, told = curator("count", "a.curator")
    assert (code, told["conversations"], told["damaged"]) == (1, 29, [13])


def test_whose_text_is_damaged_is_said_to_people(curator, project, capsys):
    from curator.cli.main import main

    raw = project.read_bytes()
    project.write_bytes(raw.replace(b"about topic 84?", b"about topic 85?"))
    assert main(["check", "a.curator"]) == 1
    assert "The text of conversation 13 is damaged in the project file" in capsys.readouterr().out
    assert main(["export", "a.curator", "out"]) == 1
    told = capsys.readouterr().out
    assert "conversation 13 is damaged" in told
    assert "left out: damaged in the project file 1" in told
