"""Verbs run as scripts run them: in this process with --json, or as a program of their own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from curator.cli.main import main


@pytest.fixture
def curator(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run a verb with --json; returns its exit code and its one object."""

    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        code = main([*map(str, arguments), "--json"])
        told = capsys.readouterr().out
        return code, json.loads(told)

    return run


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Keep settings and jobs of the tests out of the person's own folders."""
    monkeypatch.setenv("CURATOR_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
