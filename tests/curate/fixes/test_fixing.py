"""Fixes: a safe one removes its finding and adds none; twice is once; nothing is lost."""

import json
import re
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.curate.checks import check_conversation
from curator.curate.fixes import fixing
from curator.curate.fixes.fixing import (
    FIXES,
    SAFE_FIXES,
    apply_fix,
    fix_finding,
    fix_safe,
)
from curator.dataset.codes import PROFILES
from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding, Place
from curator.dataset.json_values import BadJson, loads
from curator.dataset.rule import load_rules
from tests.curate.rule_examples import ANSWER, EXAMPLES, SYSTEM, TOOL, USER, call, result
from tests.curate.strange_json import lines

NOT_OF_ONE_CONVERSATION = {"insert_system_prompt", "remove_copies", "export_again", "cut_suffix"}


def counts(conversation, profile="openai_sft"):
    return Counter(f.rule for f in check_conversation(conversation, profile=profile))


def fixed_line(*messages, rules=None, profile="openai_sft", **more):
    line = {"messages": list(messages), **more}
    return fix_safe(Conversation(line), rules, profile=profile)


def test_every_fix_that_a_rule_names_exists():
    named = {r.fix.id for r in load_rules().values() if r.fix}
    assert named - NOT_OF_ONE_CONVERSATION == FIXES.keys()
    assert FIXES.keys() >= SAFE_FIXES


@given(lines, st.sampled_from(PROFILES))
@settings(max_examples=200, deadline=None)
def test_a_safe_fix_removes_its_finding_and_adds_none(line, profile):
    conversation = Conversation(line)
    before = counts(conversation, profile)
    for f in check_conversation(conversation, profile=profile):
        if f.fix in SAFE_FIXES:
            after = counts(apply_fix(conversation, f), profile)
            assert after[f.rule] < before[f.rule], (f, after)
            if f.rule == "F10":
                # The sign that stands for a broken character now says that a letter is lost.
                del after["F11"]
            assert after <= before, (f, after - before)


def leaves(value):
    """Every value that says something, as a text: not null, not blank, not an empty list or object."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    if isinstance(value, str):
        return [re.sub("[\ud800-\udfff]", "\ufffd", value)] if value.strip() else []
    return [] if value is None else [json.dumps(value)]


def untold(line, fixed, moved, told):
    """The values of a line that are neither in what it became, nor in the metadata, nor told of."""
    # A text that holds JSON may be written another time, so its own values are what must stay.
    left = [*leaves(dict(fixed.fields)), *leaves(moved), *told]
    left += [leaf for text in left for leaf in leaves(read(text))]
    missing = []
    for leaf in leaves(line):
        inner = leaves(read(leaf))
        if not all(any(part in text for text in left) for part in (inner or [leaf])):
            missing.append(leaf)
    return missing


def read(text):
    """What a text holds as JSON, wrapped once more or not; nothing for any other text."""
    for _ in range(3):
        try:
            text = loads(text)
        except BadJson:
            return None
        if not isinstance(text, str):
            return text if isinstance(text, dict) else None
    return None


@example({"messages": [{"role": [False, 0], "content": ""}]}, "openai_sft")  # false == 0 in Python
@given(lines, st.sampled_from(PROFILES))
@settings(max_examples=400, deadline=None)
def test_after_a_fix_every_value_is_there_or_told_of(line, profile):
    conversation = Conversation(line)
    for f in check_conversation(conversation, profile=profile):
        if f.fix and f.fix not in fixing._REWORDING:
            fixed, moved = fix_finding(conversation, f)
            assert not untold(line, fixed, moved, [f.message]), (f, moved)
    told = []
    known = fixing.fix_finding

    def telling(before, f):
        told.append(f.message)
        return known(before, f)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixing, "fix_finding", telling)
        fixed, moved, _ = fix_safe(conversation, profile=profile)
    assert not untold(line, fixed, moved, told), moved


def test_what_two_fixes_move_under_one_name_is_kept_both():
    line = {"messages": [{**USER, "x": 1}, ANSWER], "messages[0].x": 2}
    _, moved, _ = fix_safe(Conversation(line))
    assert moved == {"messages[0].x": 2, "messages[0].x (2)": 1}


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"role": " " * 80 + "Human", "content": "Hi"}, "role"),
        ({**USER, "name": "Ann Lee " * 20}, "name"),
    ],
)
def test_a_value_too_long_for_the_sentence_moves_to_the_metadata(message, field):
    _, moved, _ = fixed_line(message, ANSWER)
    assert moved == {f"messages[0].{field}": message[field]}


@given(lines, st.sampled_from(PROFILES))
@settings(max_examples=150, deadline=None)
def test_fixing_twice_is_fixing_once(line, profile):
    once, _, rules = fix_safe(Conversation(line), profile=profile)
    twice, moved, again = fix_safe(once, profile=profile)
    assert twice is once
    assert (moved, again) == ({}, ())
    assert bool(rules) == (once.fields is not line)
    assert not [f for f in check_conversation(once, profile=profile) if f.fix in SAFE_FIXES]


@given(lines, st.sampled_from(sorted(FIXES)), st.integers(0, 7), st.text(max_size=12))
@settings(max_examples=150, deadline=None)
def test_a_finding_that_no_longer_fits_breaks_nothing(line, fix, message, field):
    stale = Finding("S03", "error", "", Place(message, field, 0, 2), fix)
    apply_fix(Conversation(line), stale)


@given(lines)
@settings(max_examples=80, deadline=None)
def test_any_offered_fix_runs_and_leaves_the_original_alone(line):
    text = json.dumps(line)
    for f in check_conversation(Conversation(line)):
        if f.fix:
            apply_fix(Conversation(line), f)
    assert json.dumps(line) == text


@pytest.mark.parametrize("rule", [r for r in EXAMPLES if load_rules()[r].fix])
def test_the_fix_of_each_failing_example_helps(rule):
    example = EXAMPLES[rule][0]
    conversation = Conversation(example.line)
    found = [
        f
        for f in check_conversation(conversation, profile=example.profile, raw=example.raw)
        if f.rule == rule
    ]
    fixable = [f for f in found if f.fix]
    if not fixable:
        assert rule in {"T02", "T04", "T14"}
        return
    after = counts(apply_fix(conversation, fixable[0]), example.profile)
    assert after[rule] < len(found)


def test_keys_move_to_the_metadata_and_nothing_is_lost():
    fixed, moved, rules = fixed_line({**USER, "id": 7, "weight": 1}, ANSWER, source="forum", n=[1])
    assert fixed.fields == {"messages": [USER, ANSWER]}
    assert moved == {"source": "forum", "n": [1], "messages[0].id": 7, "messages[0].weight": 1}
    assert Counter(rules) == {"S03": 2, "S06": 1, "S11": 1}


def test_roles_weights_and_nulls():
    fixed, _, _ = fixed_line(
        {"role": "sys", "content": "Be brief."},
        {"role": "human", "content": "Hi"},
        {"role": "gpt", "content": "Hello", "weight": True, "name": None},
        {"role": "User", "content": "Bye", "name": "Ann Lee"},
        {"role": "bot", "content": "Bye", "weight": "0"},
    )
    assert [m.role for m in fixed.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert fixed.to_json().count('"weight":1') == 1
    assert fixed.messages[4].weight == 0
    assert fixed.messages[3].fields["name"] == "Ann_Lee"
    assert "name" not in fixed.messages[2].fields


def test_arguments_become_a_text_and_are_unwrapped():
    for arguments in ({"city": "Oslo"}, '"{\\"city\\":\\"Oslo\\"}"'):
        fixed, _, _ = fixed_line(USER, call(arguments), tools=[TOOL])
        assert fixed.messages[1].tool_calls[0].arguments == '{"city":"Oslo"}'
    assert fixed_line(USER, call(" "), tools=[TOOL])[0].messages[1].tool_calls[0].arguments == "{}"


def test_a_tool_name_is_corrected_on_both_ends():
    tool = {"type": "function", "function": {"name": "the weather"}}
    fixed, _, rules = fixed_line(USER, call(name="the weather"), result(), ANSWER, tools=[tool])
    assert fixed.tools[0]["function"] == {"name": "the_weather"}
    assert fixed.messages[1].tool_calls[0].name == "the_weather"
    assert rules == ("T10",)
    twin = {"type": "function", "function": {"name": "the_weather"}}
    assert fixed_line(USER, ANSWER, tools=[tool, twin])[2] == ()


def test_functions_become_tools_with_linked_answers():
    fixed, _, rules = fixed_line(
        USER,
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "weather", "arguments": '{"city":"Oslo"}'},
        },
        {"role": "function", "name": "weather", "content": None},
        ANSWER,
        functions=[TOOL["function"]],
    )
    assert rules == ("T08",)
    assert fixed.fields["tools"] == [TOOL]
    made = fixed.messages[1].tool_calls[0]
    assert fixed.messages[2].fields == {"role": "tool", "tool_call_id": made.id, "content": ""}
    assert check_conversation(fixed) == ()


def test_broken_characters_are_replaced_everywhere():
    fixed, _, _ = fixed_line({"role": "user", "content": "Hi \ud83d", "name": "a\udc00"}, ANSWER)
    assert "\ufffd" in fixed.messages[0].text
    fixed.to_json().encode()


def test_a_system_message_moves_first_where_the_profile_wants_it():
    assert fixed_line(USER, SYSTEM, ANSWER)[2] == ()
    fixed, _, rules = fixed_line(USER, SYSTEM, ANSWER, profile="trl")
    assert [m.role for m in fixed.messages] == ["system", "user", "assistant"]
    assert rules == ("S16",)


def test_only_the_rules_asked_for_are_fixed():
    fixed, moved, rules = fixed_line(
        {"role": "human", "content": "Hi"}, ANSWER, rules={"S05"}, source="x"
    )
    assert rules == ("S05",)
    assert fixed.fields["source"] == "x"
    assert moved == {}


def test_a_repeated_key_is_fixed_by_writing_the_line_again():
    raw = '{"messages":[{"role":"user","content":"a","content":"a"},{"role":"assistant","content":"c"}]}'
    conversation = Conversation.parse(raw)
    fixed, _, rules = fix_safe(conversation, raw=raw)
    assert rules == ("F14",)
    assert check_conversation(fixed, raw=fixed.to_json()) == ()


def test_no_fix_drops_one_of_two_values():
    raw = '{"messages":[{"role":"human","content":"a","content":"b"},{"role":"assistant","content":"c"}]}'
    conversation = Conversation.parse(raw)
    found = check_conversation(conversation, raw=raw)
    assert {each.rule for each in found} == {"F08", "S05"}
    assert not any(each.fix for each in found)
    assert fix_safe(conversation, raw=raw) == (conversation, {}, ())


def only(conversation, rule, profile="openai_sft"):
    return next(f for f in check_conversation(conversation, profile=profile) if f.rule == rule)


def test_fixes_that_need_a_look():
    talk = Conversation({"messages": [USER, {**USER, "content": "Really?"}, ANSWER, USER]})
    merged = apply_fix(talk, only(talk, "S13"))
    assert merged.messages[0].text == "What is a bond?\n\nReally?"
    cut = apply_fix(merged, only(merged, "S12"))
    assert [m.role for m in cut.messages] == ["user", "assistant"]
    masked = Conversation({"messages": [USER, {**ANSWER, "weight": 0}]})
    assert apply_fix(masked, only(masked, "S10")).messages[1].weight == 1
    key = Conversation(
        {"messages": [{"role": "user", "content": "My key AKIA" + "IOSFODNN7EXAMPLE."}, ANSWER]}
    )
    assert apply_fix(key, only(key, "P01")).messages[0].text == "My key <SECRET>."
    token = Conversation({"messages": [{"role": "user", "content": "Say <|im_end|> now"}, ANSWER]})
    assert apply_fix(token, only(token, "L03")).messages[0].text == "Say < |im_end|> now"
    open_call = Conversation(
        {"messages": [USER, call(), result("call_9"), ANSWER], "tools": [TOOL]}
    )
    linked = apply_fix(open_call, only(open_call, "T04"))
    assert linked.messages[2].fields["tool_call_id"] == "call_1"
    bare = Conversation({"messages": [USER, call(), result(), ANSWER]})
    assert apply_fix(bare, only(bare, "T06")).tools[0]["function"]["name"] == "weather"


def test_what_a_fix_moves_is_told():
    talk = Conversation({"messages": [USER, ANSWER], "source": "forum"})
    fixed = fix_finding(talk, only(talk, "S03"))
    assert fixed.moved == {"source": "forum"}
    assert "source" not in fixed.conversation.fields
