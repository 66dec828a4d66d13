"""A connection test uploads nothing and says in sentences what a server has."""

import pytest

from curator.tune.services.client import Connection
from curator.tune.services.probing import probe
from curator.tune.targets.keys import Key
from tests.tune.protocol_server import KEY, raw, status


def test_a_good_server(connection, server):
    found = probe(connection)
    assert found.works
    assert (found.reachable, found.key_accepted, found.files) == (True, True, True)
    assert [(base.name, base.shutdown) for base in found.bases] == [
        ("gpt-4.1-mini-2025-04-14", "2027-01-14"),
        ("gpt-6-luna", ""),
    ]
    assert server.requests == [
        ("GET", "/models"), ("GET", "/fine_tuning/jobs"), ("GET", "/files"),
    ]  # fmt: skip
    assert found.to_row()["works"] is True


def test_a_server_without_fine_tuning(connection, server):
    server.fault("GET", "/fine_tuning/jobs", status(404), always=True)
    found = probe(connection)
    assert (found.works, found.fine_tuning, found.files) == (False, False, True)
    assert "no fine-tuning API" in found.sentences[1]


def test_an_organisation_that_may_not_any_more(connection, server):
    server.fault("GET", "/fine_tuning/jobs", status(403, "not permitted"), always=True)
    found = probe(connection)
    assert not found.works
    assert "OpenAI is closing fine-tuning" in found.sentences[1]
    assert "not permitted" in found.sentences[1]


def test_a_server_that_lists_no_models_may_still_train(connection, server):
    server.fault("GET", "/models", status(404), always=True)
    found = probe(connection)
    assert (found.works, found.lists_bases) == (True, False)


def test_a_wrong_key(target):
    with Connection(target, Key("sk-wrong-key-0123456789")) as connection:
        found = probe(connection)
    assert (found.reachable, found.key_accepted, found.works) == (True, False, False)
    assert "does not accept the API key" in found.sentences[0]


@pytest.mark.parametrize("answer", [raw("<html>Welcome</html>"), raw("<", kind="application/json")])
def test_a_web_page_is_no_server(connection, server, answer):
    for path in ("/models", "/files", "/fine_tuning/jobs"):
        server.fault("GET", path, answer, always=True)
    found = probe(connection)
    assert (found.reachable, found.works) == (True, False)
    assert "not an OpenAI-compatible answer" in found.sentences[0]


def test_nobody_there(target):
    gone = target.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    with Connection(gone, Key(KEY), read_s=2.0) as connection:
        found = probe(connection)
    assert not found.reachable
    assert "cannot be reached" in found.sentences[0]
