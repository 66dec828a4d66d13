"""Calls, their answers and their definitions: each call answered once, behind it, before the next turn."""

import json
import socket
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.checks import check_conversation
from curator.curate.checks.schema import schema_of
from curator.curate.fixes.fixing import fix_safe
from curator.dataset import Conversation
from tests.curate.strange_json import json_values

USER = {"role": "user", "content": "Which?"}
ANSWER = {"role": "assistant", "content": "That one."}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def calls(*ids, **more):
    made = [
        {"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in ids
    ]
    return {"role": "assistant", "tool_calls": made, **more}


def answer(call_id):
    return {"role": "tool", "tool_call_id": call_id, "content": "9"}


def rules(*messages, tools=(TOOL,)):
    found = check_conversation(Conversation({"messages": list(messages), "tools": list(tools)}))
    return [(f.rule, f.place.message) for f in found if f.rule in {"T04", "T05", "T17", "T18"}]


@pytest.mark.parametrize(
    "messages",
    [
        (USER, calls("a"), answer("a"), ANSWER),
        (USER, calls("a", "b"), answer("b"), answer("a"), ANSWER),
        (USER, calls("a"), answer("a"), calls("b"), answer("b"), ANSWER),
        (USER, calls("a")),
        (USER, calls("a", "b")),
    ],
)
def test_a_call_with_one_answer_in_its_turn_is_right(messages):
    assert rules(*messages) == []


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ((USER, calls("a"), answer("a"), answer("a"), ANSWER), [("T17", 3)]),
        ((USER, calls("a"), answer("a"), ANSWER, answer("a"), ANSWER), [("T04", 4), ("T17", 4)]),
        ((USER, calls("a"), USER, answer("a"), ANSWER), [("T05", 1), ("T04", 3)]),
        ((USER, answer("a"), calls("a"), ANSWER), [("T04", 1), ("T05", 2)]),
        ((USER, calls("a", "a"), answer("a"), ANSWER), [("T18", 1)]),
        ((USER, calls("a"), answer("a"), ANSWER, calls("a"), answer("a"), ANSWER), [("T18", 4)]),
        ((USER, calls("a", "b"), answer("a")), [("T05", 1)]),
        ((USER, calls("a"), answer(""), ANSWER), [("T05", 1), ("T04", 2)]),
    ],
)
def test_what_breaks_the_order_of_calls_and_answers_is_found(messages, found):
    assert rules(*messages) == found


def test_an_answer_in_the_old_form_needs_its_call():
    called = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "f", "arguments": "{}"},
    }
    told = {"role": "function", "name": "f", "content": "9"}
    assert rules(USER, called, told, ANSWER) == []
    assert rules(USER, told, ANSWER) == [("T04", 1)]
    assert rules(USER, called, told, ANSWER, called, told, ANSWER) == []


def test_arguments_in_which_a_key_has_two_values_are_an_error():
    for arguments, is_wrong in (('{"x":1,"x":2}', True), ('{"x":1,"x":1}', False)):
        called = calls("a")
        called["tool_calls"][0]["function"]["arguments"] = arguments
        found = check_conversation(Conversation({"messages": [USER, called], "tools": [TOOL]}))
        assert [(f.rule, f.fix) for f in found] == ([("T02", "")] if is_wrong else [])


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"type": "string"}, "the type"),
        ({"type": ["object", "null"]}, "the type"),
        ({}, "no type"),
        ({"properties": {"x": {"type": "string"}}}, "no type"),
        ({"type": "objekt"}, "objekt"),
        ({"type": "object", "properties": ["x"]}, "properties"),
        ({"type": "object", "properties": {"x": "string"}}, "properties.x"),
        ({"type": "object", "properties": {"x": {"type": "str"}}}, "properties.x"),
        ({"type": "object", "properties": {"x": {"required": True}}}, "required"),
        ({"type": "object", "required": "x"}, "required"),
        ({"type": "object", "required": [1]}, "required"),
        ({"type": "object", "properties": {"x": {"enum": "a"}}}, "enum"),
        ({"type": "object", "properties": {"x": {"minimum": "1"}}}, "minimum"),
    ],
)
def test_parameters_that_are_no_object_schema_are_named(parameters, said):
    assert said in schema_of(parameters).problem
    line = {
        "messages": [USER, ANSWER],
        "tools": [{**TOOL, "function": {"name": "f", "parameters": parameters}}],
    }
    assert "T19" in {f.rule for f in check_conversation(Conversation(line))}


def test_parameters_that_lack_nothing_but_the_type_get_it():
    for parameters in ({}, {"properties": {"x": {"type": "string"}}, "required": ["x"]}):
        for tools in (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]},
            {"functions": [{"name": "f", "parameters": parameters}]},
        ):
            line = Conversation({"messages": [USER, ANSWER], **tools})
            fixed, moved, fixes = fix_safe(line, rules={"T19"})
            assert (moved, fixes) == ({}, ("T19",))
            assert '"type":"object"' in fixed.to_json()
            assert "T19" not in {f.rule for f in check_conversation(fixed)}


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"properties": {"x": {"type": "integer"}}}, {"x": 1.0}, ""),
        ({"properties": {"x": {"type": "integer"}}}, {"x": True}, "“x”"),
        ({"properties": {"x": {"minimum": 2}}}, {"x": 1}, "“x”"),
        ({"properties": {"x": {"items": {"type": "string"}}}}, {"x": ["a", 1]}, "“x[1]”"),
        ({"properties": {"x": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}, {"x": 1}, "“x”"),
        (
            {"properties": {"x": {"$ref": "#/$defs/X"}}, "$defs": {"X": {"const": 1}}},
            {"x": 2},
            "“x”",
        ),
        ({"properties": {"x": {"$ref": "http://192.0.2.1/x"}}}, {"x": 2}, "192.0.2.1"),
        ({"properties": {"x": {"pattern": "(a+)+$"}}}, {"x": "a" * 60 + "!"}, ""),
        ({"properties": {"x": {"pattern": "("}}}, {"x": "a"}, ""),
        (
            {"patternProperties": {"(a+)+$": {}}, "additionalProperties": False},
            {"a" * 60 + "!": 1},
            "",
        ),
        ({"$ref": "#"}, {"x": 1}, ""),
        ({"additionalProperties": False}, {"x": 1}, "not in the definition"),
        ({"required": ["x"]}, {}, "“x” is missing"),
    ],
)
def test_arguments_are_held_against_the_schema(schema, value, said, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    found = schema_of({"type": "object", **schema}).misfit(value)
    assert said in found
    assert bool(found) == bool(said)


@given(json_values, json_values)
@settings(max_examples=300, deadline=None)
def test_no_schema_is_too_odd(parameters, value):
    schema_of(parameters).misfit(value)
    if isinstance(parameters, dict):
        schema_of({"type": "object", "properties": parameters, **parameters}).misfit(value)


KEYWORDS = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "required",
        "enum",
        "$ref",
        "$schema",
        "anyOf",
        "not",
        "minimum",
        "additionalProperties",
        "pattern",
        "multipleOf",
        "uniqueItems",
        "const",
        "$id",
        "definitions",
    ]
)
SCHEMAS = st.recursive(
    st.sampled_from(
        [
            "object",
            "string",
            "#",
            "#/definitions/a",
            "http://x/",
            0,
            1.5,
            Decimal("1e400"),
            True,
            None,
            [],
        ]
    ),
    lambda inner: st.dictionaries(KEYWORDS, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)


@given(SCHEMAS, json_values)
@settings(max_examples=500, deadline=None)
def test_no_schema_of_known_words_is_too_odd(parameters, value):
    schema_of(parameters).misfit(value)
    schema_of({"type": "object", "properties": {"a": parameters}}).misfit({"a": value})


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "a", "type": "function", "name": "f", "arguments": "{}"},
        {"id": "a", "type": "function", "function": {"name": "f", "input": {"x": 1}}},
    ],
)
def test_what_may_be_the_missing_part_of_a_call_stays(entry):
    line = {"messages": [USER, {"role": "assistant", "tool_calls": [entry]}], "tools": [TOOL]}
    fixed, moved, _ = fix_safe(Conversation(line))
    assert json.dumps(entry.get("arguments", {"x": 1})) in json.dumps(fixed.fields["messages"])
    assert moved == {}


def test_a_message_that_says_it_under_another_name_keeps_its_words():
    fixed, moved, _ = fix_safe(
        Conversation({"messages": [{"role": "user", "value": "Hi"}, ANSWER]})
    )
    assert fixed.fields["messages"][0]["value"] == "Hi"
    assert moved == {}
