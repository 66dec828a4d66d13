"""A question to the real local server: the tiny base says something, piece by piece."""

import pytest

from curator.dataset.errors import Cancelled
from curator.tune.evaluation.chatting import Question, ask
from curator.tune.services.client import CallFailed, Connection
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import find_target, with_local_address
from tests.tune.local.conftest import needs_trainer

HELLO = ({"role": "user", "content": "Where is my card?"},)


@pytest.fixture
def connection(server, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(server.state))
    here = with_local_address(find_target("this-computer"), server.base_url)
    with Connection(here, Key(server.token)) as opened:
        yield opened


def test_somebody_unknown_is_told_so(connection):
    with pytest.raises(CallFailed, match="nobody"):
        ask(connection, Question("nobody", HELLO))


@needs_trainer
def test_the_tiny_base_answers_in_pieces_and_can_be_stopped(connection):
    pieces = []
    question = Question("tiny", HELLO, temperature=0.0, max_tokens=12)
    reply = ask(connection, question, on_text=pieces.append)
    assert "".join(pieces) == reply.text
    assert (reply.finish_reason, reply.tokens) == ("length", len(pieces))
    assert 1 <= reply.tokens <= 12
    with pytest.raises(Cancelled):
        ask(connection, Question("tiny", HELLO, 0.0, 400), cancelled=lambda: True)
    again = ask(connection, question)
    assert again.text == reply.text
