"""The pictures of a project show the one job that is named, wherever this person's jobs are kept."""

from contextlib import closing

import pytest

from curator.app import screenshots
from curator.tune.jobs.table import Job, JobTable


@pytest.mark.parametrize("place", ["CURATOR_STATE", "XDG_DATA_HOME"])
def test_the_named_job_is_found_where_it_was_started(place, tmp_path, monkeypatch):
    for name in ("CURATOR_STATE", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "CURATOR_TRAINER_PYTHON"):
        monkeypatch.setenv(name, "")  # what the pictures set is taken back with it
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(place, str(tmp_path / "mine"))
    with closing(JobTable()) as table:
        mine = table.path
        for token in ("shown", "other"):
            table.add(Job(token, "openai", "https://api", "gpt-4.1-mini"))
    seen = []

    def look(_folder, _project):
        with closing(JobTable()) as table:
            seen.append((table.path, [job.token for job in table.all()]))
        return 0

    monkeypatch.setattr(screenshots, "_take", look)
    assert screenshots.main([str(tmp_path / "out"), str(tmp_path / "p.curator"), "shown"]) == 0
    ((path, tokens),) = seen
    assert tokens == ["shown"]
    assert path != mine
