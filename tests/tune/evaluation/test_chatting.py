"""A reply comes piece by piece, and whatever breaks it is one sentence without the key."""

import traceback

import pytest

from curator.dataset.errors import Cancelled
from curator.tune.evaluation.chatting import Question, Reply, ask
from curator.tune.services.client import CallFailed, Connection
from curator.tune.targets.keys import Key
from tests.tune.protocol_server import (
    KEY,
    cut_mid_stream,
    raw,
    said_mid_stream,
    silence,
    status,
)

CHAT = ("POST", "/chat/completions")
HELLO = Question("gpt-6-luna", ({"role": "user", "content": "Where is it?"},))


def failure(connection, **more):
    with pytest.raises(CallFailed) as caught:
        ask(connection, HELLO, **more)
    assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert caught.value.__context__ is None
    return caught.value


def test_a_reply_comes_in_pieces_and_whole(connection, server):
    pieces = []
    reply = ask(connection, HELLO, on_text=pieces.append)
    assert reply.text == "You asked: Where is it? Your card arrives in five days."
    assert "".join(pieces) == reply.text
    assert (reply.candidate, reply.finish_reason, reply.tokens) == ("gpt-6-luna", "stop", 11)
    assert len(pieces) == 11
    assert server.count(*CHAT) == 1


def test_settings_travel_only_where_they_are_given(connection, server):
    ask(connection, HELLO)
    assert set(server.bodies[-1]) == {"model", "messages", "stream"}
    chosen = Question(HELLO.candidate, HELLO.messages, temperature=0.0, max_tokens=3)
    reply = ask(connection, chosen)
    assert server.bodies[-1]["temperature"] == 0.0
    assert (reply.tokens, reply.finish_reason) == (3, "length")


def test_speed_is_measured_from_the_first_piece(connection, server):
    server.plan.reply_pause = 0.02
    reply = ask(connection, HELLO)
    assert 0 < reply.first_s < reply.seconds
    assert 10 < reply.tokens_per_second < 60


def test_one_piece_alone_has_no_speed():
    assert Reply("x", "Hi", "stop", 1, 0.5, 0.4).tokens_per_second == 0.0


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (status(401, "no"), 401, "does not accept the API key"),
        (status(404, "no such model"), 404, "does not know what was asked for"),
        (status(429, "slow"), 429, "asks to slow down"),
        (status(500, "oops"), 500, "error of its own (500)"),
        (raw("<html><body>Hello</body></html>"), None, "a web page"),
        (raw("<html>", kind="application/json"), None, "not an OpenAI-compatible"),
        (raw("[1]", kind="application/json"), None, "not an OpenAI-compatible"),
        (raw("data: [DONE]\n\n", kind="text/event-stream"), None, "not an OpenAI-compatible"),
        (raw("data: {broken\n\n", kind="text/event-stream"), None, "not an OpenAI-compatible"),
        (raw('data: {"x": 1}\n\n', kind="text/event-stream"), None, "not an OpenAI-compatible"),
        (cut_mid_stream(), None, "broke while answering a question"),
        (cut_mid_stream(quietly=True), None, "broke in the middle of the answer"),
        (said_mid_stream(f"no memory for {KEY}"), None, "no memory for [key]"),
    ],
)
def test_every_fault_is_one_sentence(connection, server, fault, code, words):
    server.fault(*CHAT, fault)
    error = failure(connection)
    assert words in str(error)
    assert error.status == code


def test_what_came_before_the_cut_was_handed_on(connection, server):
    server.fault(*CHAT, cut_mid_stream())
    pieces = []
    assert failure(connection, on_text=pieces.append).code == "connection_lost"
    assert "".join(pieces) == "I began"


def test_a_server_that_says_nothing_is_given_up(target, server):
    server.fault(*CHAT, silence(1.0))
    with Connection(target, Key(KEY), read_s=0.1) as connection:
        assert failure(connection).code == "timeout"


def test_stopping_takes_hold_between_two_pieces(connection, server):
    server.plan.reply_pause = 0.01
    pieces = []
    with pytest.raises(Cancelled):
        ask(connection, HELLO, on_text=pieces.append, cancelled=lambda: len(pieces) == 2)
    assert len(pieces) == 2


def test_an_echoed_key_is_not_shown(target):
    wrong = "sk-proj-AnotherWrongKey-0123456789abcdef"
    with Connection(target, Key(wrong)) as connection:
        error = failure(connection)
    assert wrong not in str(error)
    assert "[key]" in str(error)
