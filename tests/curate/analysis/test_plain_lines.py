"""What the typed decoder reads of a line is what the conversation says."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.curate.analysis.plain_lines import said
from curator.curate.duplicates.compared_text import COMPARISONS, Scope, compared, compared_of
from curator.dataset import Conversation
from curator.project.store.full_text import words_of, words_of_line
from tests.curate.strange_json import json_values

TEXTS = st.text(max_size=6) | st.sampled_from(["a\ud800", " ", "Hello there"])
CALLS = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"])},
    optional={
        "content": TEXTS | st.none() | st.just([{"type": "text", "text": "part"}]),
        "name": TEXTS,
        "weight": st.sampled_from([0, 1]),
        "tool_calls": st.sampled_from([None, [], CALLS]),
        "function_call": st.sampled_from([None, CALLS[0]["function"]]),
        "refusal": st.none() | TEXTS,
        "odd": json_values,
    },
)
LINES = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGES, max_size=4)},
    optional={"tools": st.sampled_from([None, [], CALLS]), "functions": st.just(CALLS)},
)
SCOPES = st.builds(Scope, st.sampled_from(COMPARISONS), st.booleans(), st.booleans())


@settings(max_examples=300, deadline=None)
@given(LINES, SCOPES, st.booleans())
@example({"messages": [{"role": "user", "content": "x"}], "tools": CALLS}, Scope(tools=True), True)
def test_the_texts_of_a_line_are_those_of_its_conversation(value, scope, escaped):
    line = json.dumps(value, ensure_ascii=escaped)
    conversation = Conversation.parse(line)
    assert compared(line, scope) == compared_of(conversation, scope)
    assert words_of_line(line) == words_of(conversation)


def test_only_texts_are_said():
    message = {"role": "user", "content": "Hi", "name": "Ann"}
    assert said(json.dumps({"messages": [message], "more": 1})) == [("user", "Hi")]
    assert said(json.dumps({"messages": [{**message, "tool_calls": CALLS}]})) is None
    assert said("[]") is None
    assert said("{") is None
