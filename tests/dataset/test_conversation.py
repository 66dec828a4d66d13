"""A conversation is a view that loses nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset import Conversation, Message
from curator.dataset.json_values import BadJson

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=8), json_values, max_size=4), st.lists(json_values, max_size=4)
)
def test_any_object_with_messages_survives_unchanged(extra, messages):
    fields = {**extra, "messages": messages}
    conversation = Conversation(fields)
    assert Conversation.parse(conversation.to_json()).fields == fields
    # every property answers, whatever the file held
    assert isinstance(conversation.title, str)
    assert isinstance(conversation.system_prompt, str)
    for message in conversation.messages:
        assert isinstance(message.text, str)
        assert isinstance(message.tool_calls, tuple)


def test_title_is_the_first_user_turn_on_one_line():
    conversation = Conversation.of(
        [Message.of("system", "S"), Message.of("user", " Where\nis  it? ")]
    )
    assert conversation.title == "Where is it?"
    assert conversation.system_prompt == "S"


def test_a_title_that_goes_on_says_so():
    def title(text):
        return Conversation.of([Message.of("user", text)]).title

    assert title("x" * 80) == "x" * 80
    assert title("x" * 81) == "x" * 79 + "…"
    assert title("y" * 78 + " zz") == "y" * 78 + "…"
    assert title("one" + " " * 500 + "two") == "one…"
    assert title("one" + " " * 500) == "one"


def test_changing_one_message_keeps_the_others_and_unknown_keys():
    line = '{"id":7,"messages":[{"role":"user","content":"a","x":1},{"role":"assistant","content":"b"}]}'
    conversation = Conversation.parse(line)
    first, second = conversation.messages
    changed = conversation.replace(messages=[first.fields, second.replace(content="c").fields])
    assert changed.to_json() == line.replace('"b"', '"c"')
    assert conversation.to_json() == line


def test_weight_zero_is_not_trained():
    assert Message.of("assistant", "a").is_trained
    assert not Message.of("assistant", "a", weight=0).is_trained
    assert not Message.of("user", "a").is_trained


def test_parts_give_the_text():
    parts = [
        {"type": "text", "text": "one"},
        {"type": "image_url"},
        {"type": "text", "text": "two"},
    ]
    assert Message({"role": "user", "content": parts}).text == "one\ntwo"


@pytest.mark.parametrize("line", ["[]", "3", '{"a":1}', '{"messages":{}}', "", "{"])
def test_what_is_no_conversation_is_refused(line):
    with pytest.raises(BadJson):
        Conversation.parse(line)
