"""The stock client in strict validation mode finds every endpoint as OpenAI describes it."""

import pytest

from tests.tune.local.conformance import CHECKS, World
from tests.tune.local.conftest import needs_trainer

pytestmark = [needs_trainer, pytest.mark.slow]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("conformance") / "state")
    yield made
    made.server.stop()


@pytest.mark.parametrize(
    ("endpoint", "claim", "holds"), CHECKS, ids=[f"{e} {c}"[:70] for e, c, _ in CHECKS]
)
def test_the_client_finds(world, endpoint, claim, holds):
    holds(world)
