"""Expected files: a test names a folder it made and the one here that it must equal, byte for byte."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def equals_golden(request) -> Callable[[Path, str], None]:
    """Compare a folder with tests/golden/NAME, or, with --update-golden, take it over."""
    here = Path(__file__).parent

    def compare(made: Path, name: str) -> None:
        expected = here / name
        if request.config.getoption("--update-golden"):
            shutil.rmtree(expected, ignore_errors=True)
            shutil.copytree(made, expected)
        assert _names(made) == _names(expected)
        for file in _names(made):
            assert (made / file).read_bytes().decode() == (expected / file).read_bytes().decode()

    return compare


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
