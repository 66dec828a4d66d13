"""Only regular files are read, wherever a verb takes a path: nothing hangs, fills up or trips."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from curator.cli.main import main
from tests.cli.sample_lines import questions, write

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices and /proc")

SECONDS = 20


@pytest.fixture
def run(capsys):
    """Run a verb for so long at most; returns its exit code and what it printed."""

    def stop(*_):
        raise AssertionError("it waits for ever")

    def ran(*words):
        before = signal.signal(signal.SIGALRM, stop)
        signal.alarm(SECONDS)
        try:
            code = main([*map(str, words)])
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
        told = capsys.readouterr()
        return code, told.out, told.err

    return ran


@pytest.fixture
def odd(tmp_path, run, monkeypatch):
    """A folder with a project, a good export, and things that are no files under usual names."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "c.jsonl", *questions(30))
    run("new", "p.curator")
    run("import", "p.curator", "c.jsonl")
    run("split", "p.curator", "--train", "0.8", "--validation", "0.1", "--test", "0.1")
    assert run("export", "p.curator", "good")[0] == 0
    for name in ("pipe", "pipe.curator"):
        os.mkfifo(name)
    for name in ("zero", "zero.curator"):
        Path(name).symlink_to("/dev/zero")
    for name in ("folder", "folder.curator"):
        Path(name).mkdir()
    return tmp_path


ODD = ("pipe", "zero", "folder", ".", "/", "/proc/self/mem", "/proc/self/status", "a\0b")
READERS = (
    ("import", "p.curator", "ODD"),
    ("check", "ODD"),
    ("count", "ODD"),
    ("label", "p.curator", "import", "ODD"),
    ("label", "ODD", "list"),
    ("split", "ODD"),
    ("dedupe", "ODD"),
    ("fix", "ODD", "--safe"),
    ("history", "ODD"),
    ("export", "ODD", "out"),
    ("import", "ODD", "c.jsonl"),
    ("verify", "ODD"),
    ("train", "ODD", "--target", "this-computer", "--base", "tiny", "--dry-run"),
    ("train", "good", "--target", "openai", "--base", "gpt-4.1-mini", "--grader", "ODD"),
    ("prompt", "add", "x", "--target", "t", "--base", "b", "--system-file", "ODD"),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("json_", [(), ("--json",)], ids=["text", "json"])
def test_what_is_no_file_is_refused_in_one_sentence(odd, run, json_):
    for verb in READERS:
        for name in ODD:
            words = [name if word == "ODD" else word for word in verb]
            code, out, err = run(*words, *json_)
            assert code == 2, words
            message = json.loads(out)["error"]["message"] if json_ else err.strip().splitlines()[-1]
            assert message.endswith("."), words
            assert "\0" not in message, words


@pytest.mark.timeout(600)
def test_a_project_that_is_no_file_is_refused(odd, run):
    for name in ("pipe.curator", "zero.curator", "folder.curator"):
        for verb in (
            ("check",),
            ("count",),
            ("history",),
            ("label", "list"),
            ("import", "c.jsonl"),
        ):
            words = (verb[0], name, *verb[1:])
            code, _, err = run(*words)
            assert code == 2, words
            assert err.strip().splitlines()[-1].endswith("."), words


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name", ["train.jsonl", "validation.jsonl", "train.manifest.jsonl", "README.md"]
)
def test_an_export_folder_with_something_else_in_it(odd, run, name):
    file = odd / "good" / name
    assert file.is_file()
    file.unlink()
    for put in (
        lambda: os.mkfifo(file),
        lambda: file.symlink_to("/dev/zero"),
        lambda: file.symlink_to("/proc/self/mem"),
        lambda: file.mkdir(),
    ):
        put()
        code, _, _ = run("verify", "good")
        assert code == 1
        if name == "train.jsonl":
            for more in (("--dry-run",), ("--bundle", "b")):
                code, _, _ = run(
                    "train", "good", "--target", "this-computer", "--base", "tiny", *more
                )
                assert code == 2
        if file.is_dir() and not file.is_symlink():
            file.rmdir()
        else:
            file.unlink()
