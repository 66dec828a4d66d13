"""Verbs run as people and as scripts run them: every test that asks for curator runs in both modes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from curator.cli import answer as answers
from curator.cli.main import main
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
