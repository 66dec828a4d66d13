"""What a reply says as it comes: the same text in the end, and nothing too early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.tune.local.replies.stream_decoder import StreamDecoder
from curator.tune.local.server.answers import ApiError
from curator.tune.local.server.chat_requests import read_chat

HELLO = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def decode(self, ids, *, skip_special_tokens=False):
        return bytes(ids).decode("utf-8", "replace")


def said(text, stops=()):
    decoder, pieces = StreamDecoder(Bytes(), stops), []
    for token in text.encode():
        pieces.append(decoder.take(token))
        if decoder.stopped:
            break
    return [*pieces, decoder.rest()], decoder.stopped


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
    decoder = StreamDecoder(Bytes(), ())
    assert [decoder.take(0xC3), decoder.rest()] == ["", "\ufffd"]


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
        ({"top_p": 0}, "top_p", "invalid_value"),
        ({"frequency_penalty": 0.5}, "frequency_penalty", "unsupported_parameter"),
        ({"tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools", "invalid_value"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", "unsupported_parameter"),
        ({"reasoning_effort": "high"}, "reasoning_effort", "unsupported_parameter"),
        ({"max_token": 3}, "max_token", "unknown_parameter"),
        ({"stream_options": {"usage": True}}, "stream_options", "unknown_parameter"),
        ({"response_format": {"type": "xml"}}, "response_format", "unsupported_parameter"),
    ],
)
def test_a_request_that_is_none_names_its_parameter(more, param, code):
    with pytest.raises(ApiError) as caught:
        read_chat({**HELLO, **more})
    assert (caught.value.status, caught.value.param, caught.value.code) == (400, param, code)


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    "part", [IMAGE, {"type": "input_audio", "input_audio": {}}, {"type": "file", "file": {}}]
)
def test_what_a_base_cannot_read_is_refused_and_not_left_out(part):
    text = {"type": "text", "text": "What is this?"}
    with pytest.raises(ApiError, match=part["type"]) as caught:
        read_chat({**HELLO, "messages": [{"role": "user", "content": [text, part]}]})
    assert (caught.value.param, caught.value.code) == ("messages", "unsupported_content")


def test_a_request_keeps_what_templates_read():
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}], "name": "x"}
    echoed = {**message, "refusal": None, "annotations": [], "audio": None, "function_call": None}
    asked = read_chat({**HELLO, "messages": [echoed], "stop": "a", "seed": -1, "n": 3})
    sent = asked.for_replies("tiny", None)
    assert sent[2]["messages"] == [{**message, "annotations": []}]
    assert (sent[2]["stop"], sent[2]["seed"], sent[2]["max_tokens"]) == (["a"], 1, None)


def test_replies_without_a_seed_are_drawn_anew():
    seeds = {read_chat(HELLO).for_replies("tiny", None)[0]["seed"] for _ in range(20)}
    assert len(seeds) > 10


def test_a_tool_choice_of_none_shows_no_tools():
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    for choice, shown in ((None, tools), ("auto", tools), ("none", None)):
        asked = read_chat({**HELLO, "tools": tools, "tool_choice": choice})
        assert asked.for_replies("tiny", None)[0]["tools"] == shown


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 9}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def schema(value, **more):
    told = {"name": "it", "schema": value, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": told, **more}}


def test_a_schema_that_replies_can_be_held_to_is_taken():
    taken = {**PERSON, "$defs": {"a": PERSON}, "description": "x"}
    assert read_chat({**HELLO, **schema(taken)}).for_replies("t", None)[0]["schema"] == taken
    assert read_chat({**HELLO, "response_format": {"type": "text"}}).response_format


@pytest.mark.parametrize(
    "wrong",
    [
        schema(None), schema([]), schema({"type": "person"}), schema(PERSON, more=1),
        schema({"type": "string", "pattern": "a+"}), schema({"oneOf": []}), schema({"not": {}}),
        schema({"properties": {"a": {"type": "integer", "minimum": 3}}}), schema({"$ref": "#/x"}),
        schema({"properties": {"a": {"items": {"format": "date"}}}}), schema({"anyOf": {}}),
        {"response_format": {"type": "json_schema"}}, {"response_format": {"type": "json_schema",
        "json_schema": {"name": "x", "schema": {}, "extra": 1}}}, schema({"properties": []}),
    ],
)  # fmt: skip
def test_a_schema_that_would_be_kept_by_half_is_refused(wrong):
    with pytest.raises(ApiError, match="response_format") as caught:
        read_chat({**HELLO, **wrong})
    assert (caught.value.status, caught.value.param) == (400, "response_format")
