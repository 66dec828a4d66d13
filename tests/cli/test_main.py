import json
import subprocess
import sys
from pathlib import Path

import pytest

import curator as package
from curator.cli.main import build_parser, main


def run(*arguments):
    command = [sys.executable, "-m", "curator", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_version_and_help_exit_0():
    done = run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"curator {package.__version__}")
    help_text = run("-h")
    assert help_text.returncode == 0
    assert "dedupe" in help_text.stdout


def test_a_verb_loads_no_qt():
    code = (
        "import sys; from curator.cli.main import main; main(['targets', 'list', '--json']); "
        "sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["split"], ["dedupe", "x.curator", "--preset", "nope"], ["label", "x.curator"]],
)
def test_wrong_use_is_told_as_json_with_exit_2(arguments, curator):
    code, told = curator(*arguments)
    assert code == 2
    assert told["error"]["kind"] == "wrong_use"
    assert set(told["error"]) == {"kind", "message", "path", "line"}


def test_a_project_that_is_not_there_is_told(curator, tmp_path):
    code, told = curator("split", tmp_path / "no.curator")
    assert code == 2
    assert told["error"]["kind"] == "unreadable_input"
    assert told["error"]["path"] == str(tmp_path / "no.curator")


def test_a_file_that_is_no_project_is_told(curator, tmp_path):
    path = tmp_path / "notes.curator"
    path.write_text("just words")
    code, told = curator("split", path)
    assert code == 2
    assert told["error"]["kind"] == "project"


def test_without_json_the_reason_goes_to_stderr(capsys, tmp_path):
    assert main(["verify", str(tmp_path / "none")]) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.startswith("curator: ")


def test_ctrl_c_ends_without_a_traceback(curator, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("curator.tune.commands.jobs_rows", interrupted)
    code, told = curator("jobs", "list")
    assert code == 130
    assert told["error"]["kind"] == "cancelled"


def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m curator -h | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("mode", ["", "--json"])
def test_an_answer_that_cannot_be_written_is_one_sentence(mode, tmp_path):
    command = f"{sys.executable} -m curator new {tmp_path / 'a.curator'} {mode} > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().strip() == (
        "curator: The answer cannot be written: No space left on device."
    )


def test_every_verb_has_help():
    for verb in next(a for a in build_parser()._actions if a.dest == "verb").choices:
        with pytest.raises(SystemExit) as ended:
            main([verb, "-h"])
        assert ended.value.code == 0


def test_json_stands_alone_on_stdout(tmp_path):
    done = run("new", tmp_path / "a.curator", "--json")
    assert json.loads(done.stdout) == {"project": str(tmp_path / "a.curator")}
    assert done.stderr == ""
