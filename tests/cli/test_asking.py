import pytest

from curator.cli.main import main
from curator.dataset.resources import resource
from curator.tune.targets.profiles import read_target, save_target
from tests.tune.protocol_server import KEY, ProtocolServer, cut_mid_stream, status

ASK = ("ask", "--target", "here", "--candidate", "gpt-6-luna")
CHAT = ("POST", "/chat/completions")


@pytest.fixture
def server(monkeypatch):
    """A service on loopback, known as the target "here"."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with ProtocolServer() as running:
        custom = read_target(resource("targets", "custom.json"))
        save_target(
            custom.model_copy(
                update={"id": "here", "address": {"address": running.url}, "key_env": "HERE_KEY"}
            )
        )
        monkeypatch.setenv("HERE_KEY", KEY)
        yield running


def test_a_question_is_answered_with_the_promised_keys(curator, server):
    words = ("--system", "Be brief.", "--temperature", "0", "--max-tokens", "3")
    code, told = curator(*ASK, *words, "Where is it?")
    assert code == 0
    assert told == {
        "candidate": "gpt-6-luna",
        "reply": "You asked: Where ",
        "finish_reason": "length",
        "tokens": 3,
    }
    sent = server.bodies[-1]
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert (sent["temperature"], sent["max_completion_tokens"]) == (0.0, 3)


def test_without_json_the_reply_stands_alone(server, capsys):
    assert main([*ASK, "Hello."]) == 0
    assert capsys.readouterr().out == "You asked: Hello. Your card arrives in five days.\n"


@pytest.mark.parametrize("fault", [status(401, KEY), status(404, "gone"), cut_mid_stream()])
def test_a_failure_is_exit_1_without_the_key(curator, server, fault):
    server.fault(*CHAT, fault)
    code, told = curator(*ASK, "Hello.")
    assert (code, told["error"]["kind"]) == (1, "target")
    assert KEY not in told["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        (*ASK, " "),
        (*ASK, "--max-tokens", "0", "Hello."),
        ("ask", "--target", "nowhere", "--candidate", "x", "Hello."),
        ("ask", "Hello."),
    ],
)
def test_wrong_use_is_exit_2(curator, words):
    code, told = curator(*words)
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
