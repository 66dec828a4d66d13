"""The tools that read the whole house: import rules, ruff and mypy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.inspection import ROOT

pytestmark = pytest.mark.xdist_group("house")


def _run(*command: str) -> None:
    program = Path(sys.executable).with_name(command[0])
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [str(program), *command[1:]],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"


def test_ruff_finds_nothing():
    _run("ruff", "check", "--no-fix", "--quiet", ".")


def test_ruff_would_format_nothing():
    _run("ruff", "format", "--check", "--quiet", ".")


@pytest.mark.timeout(300)
def test_the_rooms_keep_their_walls():
    _run("lint-imports", "--no-logo")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_mypy_finds_nothing():
    _run("mypy", "--no-error-summary", "--no-pretty")
