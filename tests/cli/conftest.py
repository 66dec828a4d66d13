"""Verbs run as people and as scripts run them: every test that asks for curator runs in both modes."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from curator.cli import answer as answers
from curator.cli.main import main
from tests.cli.sample_lines import questions, write
from tests.tune.quick import quick_services  # noqa: F401 - a fixture comes by its name


@pytest.fixture(params=["json", "text"])
def curator(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run a verb with --json and without; returns its exit code and the keys of its answer.

    Without --json the keys are taken from the answer whose lines were printed.
    """
    shown: list[answers.Answer] = []
    show = answers.Answer.show

    def noting(answer: answers.Answer, *, as_json: bool) -> None:
        shown.append(answer)
        show(answer, as_json=as_json)

    monkeypatch.setattr(answers.Answer, "show", noting)

    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        words = [*map(str, arguments)]
        if request.param == "json":
            code = main([*words, "--json"])
            return code, json.loads(capsys.readouterr().out)
        code = main(words)
        told = capsys.readouterr()
        keys = json.loads(answers.to_json(shown[-1].keys))
        if isinstance(keys.get("error"), dict):
            assert told.err.splitlines()[-1:] != []
            assert f"curator: {keys['error']['message']}" in told.err
        else:
            assert told.out.strip(), f"{words} answered people with nothing"
        return code, keys

    return run


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Keep settings and jobs of the tests out of the person's own folders."""
    monkeypatch.setenv("CURATOR_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[..., Path]:
    """Return a maker of a folder that commands fill; the same commands fill it only once for all tests."""

    @cache
    def make(rows: int, *commands: tuple[str, ...]) -> Path:
        folder = tmp_path_factory.mktemp("once")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            for name in ("config", "state"):
                patch.setenv(f"CURATOR_{name.upper()}", str(tmp_path_factory.mktemp(name)))
            write(folder / "f.jsonl", *questions(rows))
            for words in commands:
                assert main([*words, "--json"]) == 0
        return folder

    return make


@pytest.fixture
def copy_of(made_once, capsys, tmp_path) -> Callable[..., Path]:
    """Return a copier: what commands leave in an empty folder with f.jsonl, put into a folder of this test."""

    def copy(rows: int, *commands: tuple[str, ...], to: Path = tmp_path) -> Path:
        made = made_once(rows, *commands)
        capsys.readouterr()
        return Path(shutil.copytree(made, to, dirs_exist_ok=True))

    return copy
