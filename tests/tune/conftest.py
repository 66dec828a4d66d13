"""A protocol server per test, a job table of its own, and no key store or proxy of the machine."""

from datetime import date

import pytest

from curator.dataset.resources import resource
from curator.tune.jobs.table import JobTable
from curator.tune.jobs.uploads import Pace
from curator.tune.services.client import Connection
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import Target, read_target
from tests.tune.protocol_server import KEY, ProtocolServer

FAST = Pace(file_polls=(0.01,), file_patience=1.0, lookups=(0.0, 0.01), retry=0.01, retry_most=0.05)


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch, tmp_path):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CURATOR_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def running_server():
    with ProtocolServer() as running:
        yield running


@pytest.fixture
def server(running_server):
    return running_server.reset()


@pytest.fixture
def table(tmp_path):
    kept = JobTable(tmp_path / "jobs.sqlite")
    yield kept
    kept.close()


@pytest.fixture
def target(server) -> Target:
    openai = read_target(resource("targets", "openai.json"))
    # The service's last days come; the tests of its protocol stay.
    assert openai.end_of_life is not None
    far = openai.end_of_life.model_copy(
        update={"create": date(2999, 1, 1), "serve": date(2999, 1, 8)}
    )
    lasting = {"base_url": server.url, "end_of_life": far, "prices": "custom"}
    return openai.model_copy(update=lasting)


@pytest.fixture
def connection(target):
    with Connection(target, Key(KEY), read_s=5.0) as open_one:
        yield open_one


@pytest.fixture
def train_file(tmp_path):
    path = tmp_path / "train.jsonl"
    line = '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n'
    path.write_text(line * 12, "utf-8")
    return path


@pytest.fixture
def quiet():
    """Arguments of work that reports to nobody and is never cancelled."""
    return {"progress": lambda *_: None, "cancelled": lambda: False}
