"""What a reply says as it comes: the same text in the end, and nothing too early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.tune.local.answers import ApiError
from curator.tune.local.chat_requests import read_request
from curator.tune.local.speech import Speech

HELLO = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def decode(self, ids, *, skip_special_tokens=False):
        return bytes(ids).decode("utf-8", "replace")


def said(text, stops=()):
    speech, pieces = Speech(Bytes(), stops), []
    for token in text.encode():
        pieces.append(speech.take(token))
        if speech.stopped:
            break
    return [*pieces, speech.rest()], speech.stopped


@given(
    st.text(alphabet="abé卡👩", max_size=12),
    st.lists(st.text(alphabet="abé", min_size=1), max_size=3),
)
def test_what_is_said_is_the_text_before_the_first_stop(text, stops):
    pieces, stopped = said(text, stops)
    places = [text.find(stop) for stop in stops if stop in text]
    assert stopped == bool(places)
    whole = "".join(pieces)
    assert not any(stop in whole for stop in stops)
    if not places:
        assert whole == text
    else:
        assert text.startswith(whole)


@pytest.mark.parametrize(
    ("text", "stops", "pieces"),
    [
        ("ab", (), ["a", "b", ""]),
        ("é!", (), ["", "é", "!", ""]),
        ("a-->", ["-->"], ["a", "", "", "", ""]),
        ("a--b", ["-->"], ["a", "", "", "--b", ""]),
        ("a--", ["-->"], ["a", "", "", "--"]),
    ],
)
def test_what_may_begin_a_stop_text_waits(text, stops, pieces):
    assert said(text, stops)[0] == pieces


def test_half_a_character_at_the_end_is_said_as_such():
    speech = Speech(Bytes(), ())
    assert [speech.take(0xC3), speech.rest()] == ["", "\ufffd"]


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"model": None}, "model", "invalid_value"),
        ({"messages": [{"content": "x"}]}, "messages", "invalid_value"),
        ({"messages": "x"}, "messages", "invalid_value"),
        ({"n": 17}, "n", "invalid_value"),
        ({"temperature": "hot"}, "temperature", "invalid_value"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "invalid_value"),
        ({"stop": ""}, "stop", "invalid_value"),
        ({"stop": ["a"] * 5}, "stop", "invalid_value"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs", "invalid_value"),
        ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
        ({"top_p": 0.9}, "top_p", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
    ],
)
def test_a_request_that_is_none_names_its_parameter(more, param, code):
    with pytest.raises(ApiError) as caught:
        read_request({**HELLO, **more})
    assert (caught.value.status, caught.value.param, caught.value.code) == (400, param, code)


def test_a_request_keeps_what_templates_read():
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}], "name": "x"}
    asked = read_request({**HELLO, "messages": [message], "stop": "a", "seed": -1, "top_p": 1.0})
    sent = asked.for_reply("tiny", None, 2)
    assert sent["messages"] == [message]
    assert (sent["stop"], sent["seed"], sent["max_tokens"]) == (["a"], 1, None)
