"""The two services on loopback, and connections to them."""

import pytest

from curator.tune.client import Connection
from curator.tune.keys import Key
from curator.tune.targets import Target, find_target
from tests.tune.protocol_server import KEY
from tests.tune.services.fireworks_server import ACCOUNT, FireworksServer
from tests.tune.services.together_server import TogetherServer


@pytest.fixture
def together():
    with TogetherServer() as running:
        yield running


@pytest.fixture
def fireworks():
    with FireworksServer() as running:
        yield running


@pytest.fixture
def together_target(together) -> Target:
    return find_target("together").model_copy(update={"base_url": together.root})


@pytest.fixture
def fireworks_target(fireworks) -> Target:
    address = f"{fireworks.root}/v1/accounts/{{account}}"
    update = {"base_url": address, "address": {"account": ACCOUNT}}
    return find_target("fireworks").model_copy(update=update)


@pytest.fixture(params=["together", "fireworks"])
def service(request):
    """Each of the two: its server, its target and an open connection to it."""
    server = request.getfixturevalue(request.param)
    target = request.getfixturevalue(f"{request.param}_target")
    with Connection(target, Key(KEY), read_s=5.0) as connection:
        yield server, target, connection
