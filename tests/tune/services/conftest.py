"""The services with an SDK of their own, on loopback, and connections to them."""

import pytest

from curator.tune.services.client import Connection
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import Target, find_target
from tests.tune.protocol_server import KEY
from tests.tune.services.together_server import TogetherServer


@pytest.fixture
def together():
    with TogetherServer() as running:
        yield running


@pytest.fixture
def together_target(together) -> Target:
    return find_target("together").model_copy(update={"base_url": together.root})


@pytest.fixture(params=["together"])
def service(request):
    """Each of them: its server, its target and an open connection to it."""
    server = request.getfixturevalue(request.param)
    target = request.getfixturevalue(f"{request.param}_target")
    with Connection(target, Key(KEY), read_s=5.0) as connection:
        yield server, target, connection
