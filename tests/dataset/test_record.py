import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset import Conversation
from curator.dataset.json_values import BadJson
from curator.dataset.record import KINDS, Kind, Record, looks_like

WORDS = st.text(min_size=1, max_size=8)


def said(role):
    return st.builds(lambda text: {"role": role, "content": text}, WORDS)


PROMPTS = st.lists(st.one_of(said("user"), said("assistant")), max_size=4)
ANSWERS = st.lists(said("assistant"), min_size=1, max_size=2)
PAIRS = st.builds(
    lambda prompt, tools, good, bad: {
        "input": {"messages": prompt, "tools": tools},
        "preferred_output": good,
        "non_preferred_output": bad,
    },
    PROMPTS,
    st.just([{"type": "function", "function": {"name": "f"}}]),
    ANSWERS,
    ANSWERS,
)
TALKS = st.builds(lambda messages: {"messages": messages}, PROMPTS)
ITEMS = st.builds(
    lambda text, reference: {
        "messages": [{"role": "user", "content": text}],
        "reference_answer": reference,
    },
    WORDS,
    WORDS,
)
TEXTS = st.builds(lambda text: {"text": text}, WORDS)


@given(st.one_of(PAIRS, TALKS, ITEMS, TEXTS))
def test_everything_a_line_says_is_counted_and_each_of_it_once(fields):
    record = Record.parse(json.dumps(fields))
    found = sorted(message.text for message in record.counted.messages)
    parts = [fields.get("input", fields).get("messages", [])]
    parts += [fields.get(key, []) for key in ("preferred_output", "non_preferred_output")]
    spoken = [m["content"] for part in parts for m in part]
    spoken += [fields["text"]] if "text" in fields else []
    assert found == sorted(spoken)
    assert record.counted.tools == record.shared.tools


@given(PAIRS)
def test_a_preference_trains_its_answers_alone_and_reads_the_whole_prompt(fields):
    good, bad = Record.of(fields).trained
    for answered, key in ((good, "preferred_output"), (bad, "non_preferred_output")):
        learned = [message.text for message in answered.messages if message.is_trained]
        assert learned == [message["content"] for message in fields[key]]
        prompt = fields["input"]["messages"]
        assert [m.text for m in answered.messages[: len(prompt)]] == [m["content"] for m in prompt]
        assert answered.tools == Conversation(fields["input"]).tools


@given(st.one_of(TALKS, ITEMS, TEXTS))
def test_every_other_kind_trains_as_the_one_line_it_is(fields):
    record = Record.of(fields)
    assert record.trained == (record.shared,) == (record.counted,)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}]}, Kind.CONVERSATION),
        ({"messages": []}, Kind.CONVERSATION),
        ({}, Kind.CONVERSATION),
        ({"messages": [], "id": 3}, Kind.CONVERSATION),
        ({"messages": [{"role": "assistant", "content": "A"}], "id": 3}, Kind.CONVERSATION),
        ({"messages": [{"role": "user", "content": "Hi"}], "answer": "A"}, Kind.REINFORCEMENT),
        ({"messages": [{"role": "user", "content": "Hi"}], "tools": []}, Kind.CONVERSATION),
        ({"input": {"messages": []}}, Kind.PREFERENCE),
        ({"preferred_output": []}, Kind.PREFERENCE),
        ({"instruction": "Say hi", "input": "", "output": "Hi"}, Kind.CONVERSATION),
        ({"text": "Once upon a time"}, Kind.TEXT),
    ],
)
def test_what_a_line_looks_like(fields, kind):
    assert looks_like(fields) is kind


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({}, None, 'no "messages" list'),
        ({"messages": {}}, Kind.CONVERSATION, 'no "messages" list'),
        ({"messages": []}, Kind.PREFERENCE, "supervised method"),
        ({"input": {"messages": []}, "preferred_output": []}, None, "not a list of messages"),
        (
            {"input": {"messages": ["Hi"]}, "preferred_output": [], "non_preferred_output": []},
            None,
            "not a list of messages",
        ),
        ({"text": 5}, None, "a number, not a text"),
    ],
)
def test_what_a_kind_lacks_is_said(fields, kind, words):
    with pytest.raises(BadJson, match=words):
        Record.of(fields, kind)


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.integers(), max_size=2)))
def test_a_line_that_is_no_object_is_refused(value):
    with pytest.raises(BadJson, match="not an object"):
        Record.parse(json.dumps(value))


def test_only_what_has_no_turns_is_bare_text():
    assert Record.of({"text": "Once"}).text == "Once"
    assert Record.of({"messages": [{"role": "assistant", "content": "Once"}]}).text == "Once"
    two = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    assert Record.of(two).text is None
    named = {"messages": [{"role": "user", "content": "a", "name": "ann"}]}
    assert Record.of(named).text is None
    pair = {"input": {"messages": [{"content": "a"}]}, "preferred_output": [{}],
            "non_preferred_output": [{}]}  # fmt: skip
    assert Record.of(pair).text is None


def test_codes_are_for_ever():
    assert KINDS == (Kind.CONVERSATION, Kind.PREFERENCE, Kind.REINFORCEMENT, Kind.TEXT)
