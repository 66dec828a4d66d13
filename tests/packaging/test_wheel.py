"""The wheel holds all the app needs: installed into an empty environment it tells the whole story."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.inspection import ROOT, name, tracked_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel; what it depends on is lent by the one that runs the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    found = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    site = Path(found.stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python


def run(python, folder, *arguments):
    surroundings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(python), *arguments],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_wheel_holds_every_module_and_resource(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"curator/{place}" if place.startswith("resources/") else place
        for place in map(name, tracked_files())
        if place.startswith(("curator/", "resources/"))
    }
    assert sorted(wanted - inside) == []


def test_it_finds_its_resources_where_it_is_installed(installed, tmp_path):
    code = (
        "import curator.dataset.resources as r, curator; "
        "print(curator.__file__); print(r.resource('samples', 'DEFECTS.tsv').is_file())"
    )
    done = run(installed, tmp_path, "-c", code)
    place, there = done.stdout.split()
    assert there == "True"
    assert str(ROOT) not in place


def test_it_tells_the_sample_story(installed, tmp_path):
    done = run(
        installed,
        tmp_path,
        "-m",
        "curator",
        "demo",
        "tour",
        "--no-training",
        "--no-screenshots",
        "--json",
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(done.stdout)
    results = {step["name"]: step["result"] for step in told["steps"]}
    assert results["verify"]["ok"] is True
    assert (tmp_path / told["export"] / "train.jsonl").stat().st_size > 10_000
