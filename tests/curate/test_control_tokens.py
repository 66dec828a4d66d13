"""A control token that somebody typed is seen wherever it stands in a row, and breaking it up keeps the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.checks import check_conversation
from curator.curate.fixes.fixing import apply_fix
from curator.dataset import Conversation

TOKEN = "<|im_end|>"
FUNCTION = {"name": "find", "description": "Seeks", "parameters": {
    "type": "object", "properties": {"what": {"type": "string", "description": "What"}}}}  # fmt: skip
ROW = {
    "messages": [
        {"role": "system", "content": "Be kind.", "name": "house"},
        {"role": "user", "content": [{"type": "text", "text": "Where?"}], "name": "Zed"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "find", "arguments": json.dumps({"what": "tea"})}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "shelf", "name": "find"},
        {"role": "assistant", "content": None, "refusal": "I will not say."},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "functions": [FUNCTION],
}  # fmt: skip


def places(value, path=()):
    """Yield the path of every text that people write."""
    if isinstance(value, str):
        if path[-1] not in ("role", "type", "id", "tool_call_id"):
            yield path
    else:
        items = value.items() if isinstance(value, dict) else enumerate(value or ())
        for key, item in items:
            yield from places(item, (*path, key))


def found(row):
    return [f for f in check_conversation(Conversation(row)) if f.rule == "L03"]


@given(
    path=st.sampled_from(list(places(ROW))), around=st.tuples(st.text("ab \n"), st.text("ab \n"))
)
def test_it_is_seen_in_every_text_of_a_row(path, around):
    assert not found(ROW)
    row = json.loads(json.dumps(ROW))
    holder = row
    for step in path[:-1]:
        holder = holder[step]
    before, after = around
    text = f"{before}{TOKEN}{after}"
    is_json = path[-1] == "arguments"
    holder[path[-1]] = json.dumps({"what": text}) if is_json else text
    (only,) = found(row)
    if not only.fix:
        assert path[-1] == "name"
        return
    fixed = apply_fix(Conversation(row), only)
    assert not found(fixed.fields)
    holder[path[-1]] = holder[path[-1]].replace(TOKEN, "< |im_end|>")
    assert fixed.fields == row


@pytest.mark.parametrize(
    "arguments",
    [r'{"what": "\u003c|im_end|\u003e"}', json.dumps({TOKEN: 1}), json.dumps([[TOKEN]])],
)
def test_it_is_seen_within_arguments_however_they_are_written(arguments):
    row = json.loads(json.dumps(ROW))
    row["messages"][2]["tool_calls"][0]["function"]["arguments"] = arguments
    assert [f.message for f in found(row)] == [
        "Message 3 (assistant) holds the control token <|im_end|>. Rewrite or remove it."
    ]


def test_it_is_seen_in_the_name_of_a_parameter():
    row = json.loads(json.dumps(ROW))
    row["functions"][0]["parameters"]["properties"] = {f"a.{TOKEN}": {"description": TOKEN}}
    first, second = found(row)
    assert first.message.startswith("A tool definition holds the control token")
    assert not first.fix
    assert not second.fix
