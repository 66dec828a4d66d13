"""Whatever keeps something under a name refuses the names that other systems or we keep for ourselves."""

import json

import pytest

from curator.dataset.errors import WrongUse
from curator.tune.jobs.results import download_files
from curator.tune.local.bases import adding
from curator.tune.named_files import NamedFiles
from curator.tune.targets.profiles import derive_target

RESERVED = ["CON", "nul", "Lpt1", "com9.txt", "aux.json"]
OURS = [
    "origin.json", "Origin.JSON", "org/origin.json", "config.json", "model.safetensors", "tiny",
    "Practice", "a/NUL", "con/a", "jobs.sqlite", "end.", "worker.log",
]  # fmt: skip


@pytest.mark.parametrize("name", [*RESERVED, *OURS])
def test_a_base_has_no_name_that_is_not_free(tmp_path, monkeypatch, name):
    folder = tmp_path / "base"
    folder.mkdir()
    monkeypatch.setattr(adding, "fault_of", lambda *_: "")
    with pytest.raises(WrongUse, match="cannot be a base's name"):
        adding.add(str(folder), lambda *_: None, lambda: False, name=name)
    assert not list((tmp_path / "state").rglob("*.json"))
    kept = adding.add(str(folder), lambda *_: None, lambda: False, name="org/my-base.v2")
    assert kept.name == "org/my-base.v2"


@pytest.mark.parametrize("name", RESERVED)
def test_recipes_prompts_and_targets_neither(tmp_path, name):
    files = NamedFiles(lambda: tmp_path, "recipe")
    with pytest.raises(WrongUse, match="cannot name a recipe"):
        files.write(name, {})
    with pytest.raises(WrongUse, match="cannot name a target"):
        derive_target("custom", name.lower(), "", {"address": "http://127.0.0.1:1/v1"})
    assert files.write("console", {}).is_file()


@pytest.mark.parametrize("name", [*RESERVED, "x" * 400 + ".csv"])
def test_a_download_gets_a_name_that_can_be_written(connection, server, table, tmp_path, name):
    from curator.tune.jobs.table import Job
    from curator.tune.services.port import State

    table.add(Job("tok", "openai", server.url, "b", job="j", status=State.SUCCEEDED,
                  result_files=("file-result-1",)))  # fmt: skip
    server.fault("GET", "/fine_tuning/jobs/{id}/checkpoints", _none)
    server.fault("GET", "/files/{id}", _named(name))
    (path,) = download_files(
        connection,
        table,
        "tok",
        tmp_path / "out",
        progress=lambda *_: None,
        cancelled=lambda: False,
    )
    assert path.read_text().startswith("step,")
    assert len(path.name) < 200
    assert path.name.lower() not in {each.lower() for each in RESERVED}


async def _none(_server, _request, _go):
    from starlette.responses import JSONResponse

    return JSONResponse({"object": "list", "data": [], "has_more": False})


def _named(name):
    async def answer(_server, request, go):
        from starlette.responses import JSONResponse

        right = json.loads((await go(request)).body)
        return JSONResponse({**right, "filename": name})

    return answer
