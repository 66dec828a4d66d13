"""The rules of one conversation: examples, and laws that hold for any JSON."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.checks import (
    check_conversation,
    dispatch,
    explain_rejected,
    finding,
    needs_reading,
    plain_findings,
)
from curator.dataset.codes import PROFILES
from curator.dataset.conversation import Conversation
from curator.dataset.rule import load_rules
from tests.curate.rule_examples import EXAMPLES
from tests.curate.strange_json import json_values, lines, plain_lines

RULES = load_rules()


def found(example):
    findings = check_conversation(
        Conversation(example.line),
        profile=example.profile,
        limit=example.limit,
        tokens=example.tokens,
        raw=example.raw,
    )
    return [f.rule for f in findings]


@pytest.mark.parametrize("rule", EXAMPLES)
def test_example_that_fails_and_example_that_passes(rule):
    failing, passing = EXAMPLES[rule]
    assert rule in found(failing)
    assert rule not in found(passing)


def test_every_rule_on_conversations_has_both_examples_and_a_function():
    scoped = {r.id for r in RULES.values() if r.scope in ("conversation", "message")}
    assert scoped == EXAMPLES.keys()
    assert {rule for rule, _ in dispatch.CHECKS} == scoped


def test_plain_conversation_is_clean_in_every_profile_but_reinforcement():
    line = {"messages": [{"role": r, "content": r} for r in ("system", "user", "assistant")]}
    for profile in PROFILES:
        expected = ["S19"] if profile == "openai_rft" else []
        assert [f.rule for f in check_conversation(Conversation(line), profile=profile)] == expected


@given(lines, st.sampled_from(PROFILES))
@settings(max_examples=300, deadline=None)
def test_no_json_makes_a_check_raise(line, profile):
    for f in check_conversation(Conversation(line), profile=profile, limit=10, tokens=11):
        assert f.rule in RULES
        assert "{" not in f.message or "{" in json.dumps(line)
        f.message.encode()
        f.place.field.encode("utf-8", "surrogatepass")


@given(json_values)
@settings(deadline=None)
def test_a_line_that_is_no_list_of_messages_is_refused_or_found(value):
    text = json.dumps(value).encode()
    rule, reason = explain_rejected(text)
    assert bool(rule) == bool(reason)
    if not rule:
        assert isinstance(value["messages"], list)


@given(plain_lines, st.sampled_from(PROFILES))
@settings(max_examples=300, deadline=None)
def test_short_way_finds_what_the_long_way_finds(line, profile):
    conversation = Conversation(line)
    raw = conversation.to_json()
    for tokens in (None, 40, 95, 101):
        quick = check_conversation(conversation, profile=profile, limit=100, tokens=tokens, raw=raw)
        assert quick == dispatch._check(conversation, profile, 100, tokens, raw)


@given(plain_lines, st.sampled_from(PROFILES))
@settings(max_examples=200, deadline=None)
def test_kernel_short_way_equals_check(line, profile):
    messages = line["messages"]
    texts = "\n".join(m["content"] for m in messages)
    if not needs_reading(texts) and all(m["content"].strip() for m in messages) and messages:
        roles = tuple(m["role"] for m in messages)
        assert plain_findings(roles, profile) == check_conversation(
            Conversation(line), profile=profile
        )


SECRET_TEXTS = {
    "OpenAI or Anthropic key": "sk-proj-" + "a1B2c3D4" * 4,
    "GitHub token": "ghp_" + "a1B2c3" * 6,
    "Hugging Face token": "hf_" + "aBcDeFgHiJ" * 3 + "1",
    "AWS key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "Google API key": "AIza" + "a1B2c" * 7,
    "Slack token": "xoxb-" + "123456789012-" * 2 + "abcdef",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
    "password in an address": "postgres://ann:s3cret@db.bank.org/x",
    "Stripe key": "sk_live_" + "a1B2c3D4" * 3,
}


@pytest.mark.parametrize(("kind", "text"), SECRET_TEXTS.items())
def test_secret_is_named_by_kind_and_place_and_never_told(kind, text):
    line = {
        "messages": [
            {"role": "user", "content": f"Here: {text} ok"},
            {"role": "assistant", "content": "Thanks"},
        ]
    }
    secrets = [f for f in check_conversation(Conversation(line)) if f.rule == "P01"]
    assert [kind in f.message for f in secrets] == [True]
    assert text not in secrets[0].message
    place = secrets[0].place
    assert line["messages"][0]["content"][place.start : place.end] in text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to ann.lee@bank.org today", "e-mail address"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "IBAN"),
        ("Amex 3782 822463 10005", "card number"),
        ("Call +47 22 86 44 00", "phone number"),
        ("Call +1 (415) 555-2671", "phone number"),
        ("Call +86 138 1234 5678", "phone number"),
        ("GB82 WEST 1234 5698 7654 32", "IBAN"),
    ],
)
def test_personal_data_is_found(text, kind):
    line = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "Ok"}]}
    messages = [f.message for f in check_conversation(Conversation(line)) if f.rule == "P02"]
    assert len(messages) == 1
    assert kind in messages[0]


@pytest.mark.parametrize(
    "text",
    [
        "In 2023 and 2024 we sold 1234 5678 pieces",
        "Order 4111 1111 1111 1112",
        "x = +1.234567890 and 5 +12",
        "DE89 3704 0044 0532 0130 01",
        # A number that no country has, and check digits of no country's form.
        "between +999 123 456 789 and +1 000 234 5678",
        "XX82 WEST 1234 5698 7654 32",
        "see user@localhost or a@example.org",
        "1111 1111 1111 1111",
        "version 1.2.3.4, risk-free desk-sk-2",
    ],
)
def test_harmless_text_is_left_alone(text):
    line = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "Ok"}]}
    assert check_conversation(Conversation(line)) == ()


def test_places_count_python_characters():
    text = "😀é <|im_start|> x"
    line = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "Ok"}]}
    (f,) = check_conversation(Conversation(line))
    assert text[f.place.start : f.place.end] == "<|im_start|>"
    assert f.message.startswith("Message 1 (user)")


REASONS = {
    b'{"messages": [{"role": "us': ("F01", "ends in the middle"),
    b'{"messages": []': ("F01", "ends in the middle"),
    b'{"messages": [],}': ("F01", "comma stands before }"),
    b'{"messages": [1,]}': ("F01", "comma stands before ]"),
    b"{'messages': []}": ("F01", "single quotes"),
    b'{"a": None}': ("F01", "Python word"),
    b'{"a": 1}{"b": 2}': ("F01", "second value"),
    b'{"a": 1} x': ("F01", "something stands after the end"),
    b'\xef\xbb\xbf{"messages": []}': ("F01", "byte-order mark"),
    b'{"a": "b\tc"}': ("F01", "a TAB"),
    b'{"a": "\\x"}': ("F01", "escape"),
    b'{"a": 1 "b": 2}': ("F01", "comma is missing"),
    b'{"a": 1, // note\n}': ("F01", "comment"),
    b"\x00\x00\x00": ("F01", "NUL"),
    b"[" * 100_000: ("F01", "nested too deeply"),
    b'{"a":' * 100_000: ("F01", "nested too deeply"),
    b'{"a": ' + b"9" * 5000 + b"}": ("F01", "digit"),
    b'{"a": NaN}': ("F09", "NaN"),
    b'{"a": -Infinity}': ("F09", "-Infinity"),
    b'{"a": "caf\xe9"}': ("F05", "Latin-1"),
    b'{"a": "\xed\xa0\xbd"}': ("F05", "half of a pair"),
    b'{"a": "\xc0\xaf"}': ("F05", "UTF-8 never has"),
    b'{"a": "\xf4\x90\x80\x80"}': ("F05", "UTF-8 never has"),
    b'{"a": "\xe2\x82': ("F05", "middle of a character"),
    b'[{"role": "user", "content": "a"}]': ("F02", '{"messages": [...]}'),
    b"null": ("F02", "null"),
    b'"text"': ("F02", "a text"),
    b'{"conversations": []}': ("S01", "ShareGPT"),
    b'{"prompt": "a", "completion": "b"}': ("S01", "completion"),
    b'{"messages": "a"}': ("S01", "a text"),
    b'{"messages": []}': ("S02", "empty"),
}


@pytest.mark.parametrize("line", REASONS, ids=[str(n) for n in range(len(REASONS))])
def test_reason_of_a_refused_line(line):
    rule, words = REASONS[line]
    got, reason = explain_rejected(line)
    assert got == rule
    assert words in reason
    assert reason.endswith(".")


def test_good_line_has_no_reason():
    assert explain_rejected(b'{"messages": [{"role": "user", "content": "a"}]}') == ("", "")


@pytest.mark.data
def test_malformed_file_is_refused_or_found_as_its_truth_says(development_data):
    expected = {
        **dict.fromkeys(("truncated", "trailing_comma", "single_quotes", "two_objects"), "F01"),
        "bom_in_line": "F01",
        "invalid_utf8": "F05",
        "nan_literal": "F09",
        "lone_surrogate": "F10",
        "not_object": "F02",
        "wrong_key": "S01",
        "messages_empty": "S02",
        "missing_content": "S07",
        "content_wrong_type": "S23",
        "no_assistant": "S09",
        "last_not_assistant": "S12",
        "bad_tool_arguments": "T01",
    }
    folder = development_data / "bad"
    rows = (folder / "malformed.jsonl").read_bytes().split(b"\n")
    truth = [
        row.split("\t")[:2] for row in (folder / "malformed.truth.tsv").read_text().splitlines()[1:]
    ]
    assert len(truth) == 16
    bad = {int(line) for line, _ in truth}
    for number, kind in truth:
        assert expected[kind] in rules_of(rows[int(number) - 1])
    for number, row in enumerate(rows, 1):
        if row and number not in bad:
            assert rules_of(row) == []


def rules_of(row):
    rule, _ = explain_rejected(row)
    if rule:
        return [rule]
    text = row.decode()
    return [f.rule for f in check_conversation(Conversation.parse(text), raw=text)]


@pytest.mark.data
def test_json_test_suite_never_breaks_the_explanation(development_data):
    for path in sorted((development_data / "bad" / "jsontestsuite").iterdir()):
        data = path.read_bytes()
        rule, reason = explain_rejected(data)
        assert rule in ("F01", "F02", "F05", "F09", "S01", "S02"), path.name
        assert reason.endswith("."), path.name
        if path.name.startswith("n_"):
            assert rule in ("F01", "F05", "F09"), path.name
        if path.name.startswith("y_"):
            assert rule in ("F02", "S01"), path.name
        json_in_text = {"messages": [{"role": "user", "content": data.decode("utf-8", "replace")}]}
        check_conversation(Conversation(json_in_text))


def test_numbers_people_read_start_at_one_and_values_fill_the_words():
    f = finding("S12", "azure", role="user")
    assert (f.severity, f.fix) == ("error", "drop_tail")
    assert "{" not in f.message


@given(
    st.one_of(
        st.binary(max_size=40),
        st.text("{}[]\",:'\\ aeNI\x00\t\ufeff0", max_size=30).map(str.encode),
    )
)
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_explained(line):
    rule, reason = explain_rejected(line)
    assert (rule in ("F01", "F02", "F05", "F09", "S01", "S02")) == bool(reason)
    assert reason.endswith(".") or not reason


def test_deep_nesting_that_still_parses_is_checked():
    text = '{"messages":[{"role":"user","content":"a","x":' + "[" * 400 + "]" * 400 + "}]}"
    assert "S06" in [f.rule for f in check_conversation(Conversation.parse(text), raw=text)]


def test_hostile_texts_take_no_time():
    began = time.perf_counter()
    for piece in (
        "-----BEGIN PRIVATE KEY-----",
        "eyJ-",
        "sk-",
        "a@",
        "+1 2",
        "<|",
        "1234 ",
        "a.b@c.",
    ):
        line = {"messages": [{"role": "user", "content": piece * (60_000 // len(piece))}]}
        check_conversation(Conversation(line))
    assert time.perf_counter() - began < 4


def test_a_very_long_talk_with_tools_is_checked_quickly():
    turns = []
    for n in range(1_500):
        made = {
            "id": f"c{n}",
            "type": "function",
            "function": {"name": "weather", "arguments": "{}"},
        }
        turns.append({"role": "assistant", "tool_calls": [made]})
        turns.append({"role": "tool", "tool_call_id": f"c{n}", "content": "ok"})
    line = {"messages": turns, "parallel_tool_calls": False}
    began = time.perf_counter()
    rules = {f.rule for f in check_conversation(Conversation(line))}
    assert time.perf_counter() - began < 1
    assert rules == {"S12", "S17", "T06"}
