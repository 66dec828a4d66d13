"""What a finished job left at its server: models to delete, files to download, and where it came from."""

import json

import pytest

from curator.dataset.errors import Cancelled, ProjectError, WrongUse
from curator.tune.jobs.dry_run import dry_run
from curator.tune.jobs.following import follow
from curator.tune.jobs.lineage import lineage_of
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.results import delete_model, download_files
from curator.tune.jobs.starting import start_job
from curator.tune.jobs.training_files import open_export
from curator.tune.services.client import CallFailed
from tests.tune.conftest import FAST
from tests.tune.protocol_server import status

DELETE = ("DELETE", "/models/{id:path}")


@pytest.fixture
def done(connection, table, train_file, quiet, server):
    """A job that came to its end."""
    entries = [{"line": n, "conversation": 100 + n} for n in range(1, 13)]
    (train_file.parent / "train.manifest.jsonl").write_text(
        "".join(json.dumps(entry) + "\n" for entry in entries)
    )
    (train_file.parent / "manifest.json").write_text(
        json.dumps({"files": [], "rule_pack": "7", "left_out": {}})
    )
    exported = open_export(train_file.parent)
    recipe = make_recipe(connection.target, "gpt-4.1-mini", settings={"n_epochs": 2}, seed=3)
    plan = dry_run(exported, recipe, **quiet)
    server.plan.file_polls = 0
    job = start_job(connection, table, exported, recipe, plan, pace=FAST, **quiet)
    return follow(connection, table, job.token, wait=lambda *_: 0.0, **quiet)


def test_a_model_is_deleted_once_and_its_job_stays(connection, table, done, server):
    job = delete_model(connection, table, done.token)
    assert server.deleted == [done.checkpoint]
    assert job.deleted
    assert table.get(done.token).checkpoint == done.checkpoint
    with pytest.raises(WrongUse, match="already"):
        delete_model(connection, table, done.token)


def test_a_model_that_is_gone_at_the_server_is_deleted_here_too(connection, table, done, server):
    server.deleted.append(done.checkpoint)
    assert delete_model(connection, table, done.token).deleted


def test_a_refusal_to_delete_is_told(connection, table, done, server):
    server.fault(*DELETE, status(403, "Only owners delete."))
    with pytest.raises(CallFailed, match="Only owners delete"):
        delete_model(connection, table, done.token)
    assert table.get(done.token).deleted is None


def test_files_are_downloaded_whole(connection, table, done, server, tmp_path, quiet):
    server.plan.checkpoint_files = ("file-adapter",)
    server.files["file-adapter"] = {"id": "file-adapter", "object": "file", "bytes": 200_000,
        "created_at": 1, "filename": "../ad apter.safetensors", "purpose": "fine-tune-results",
        "status": "processed", "_polls": 0}  # fmt: skip
    server.contents["file-adapter"] = b"x" * 200_000
    paths = download_files(connection, table, done.token, tmp_path / "got", **quiet)
    assert [path.name for path in paths] == ["step_metrics.csv", "ad_apter.safetensors"]
    assert paths[0].read_text() == server.plan.result
    assert paths[1].read_bytes() == b"x" * 200_000
    again = download_files(connection, table, done.token, tmp_path / "got", **quiet)
    assert again[0].name == "file-result-1-step_metrics.csv"
    assert len(list((tmp_path / "got").iterdir())) == 4


def test_a_cancelled_download_leaves_nothing_half(connection, table, done, tmp_path, quiet):
    with pytest.raises(Cancelled):
        download_files(
            connection, table, done.token, tmp_path / "got",
            progress=quiet["progress"], cancelled=lambda: True,
        )  # fmt: skip
    assert not list((tmp_path / "got").iterdir())


def test_a_folder_that_cannot_be_is_told(connection, table, done, tmp_path, quiet):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="Choose another folder"):
        download_files(connection, table, done.token, tmp_path / "file", **quiet)


def test_a_checkpoint_tells_its_rows_and_settings_after_the_export_is_gone(
    connection, table, done, train_file
):
    for path in train_file.parent.glob("*.jsonl"):
        path.unlink()
    (train_file.parent / "manifest.json").unlink()
    on_the_way = table.checkpoints(done.token)[0]
    for name, step in ((done.checkpoint, None), (on_the_way.name, 3), (done.job, None)):
        found = lineage_of(table, name)
        row = found.to_row()
        assert row["step"] == step
        assert row["settings"] == {"n_epochs": 2}
        assert row["seed"] == 3
        assert row["conversations"] == {"train": list(range(101, 113))}
        assert row["rows"] == {"train": 12}
        assert row["manifest"]["rule_pack"] == "7"
        assert not row["export_is_there"]
    with pytest.raises(WrongUse, match="No job started from this computer"):
        lineage_of(table, "ft:unknown")
