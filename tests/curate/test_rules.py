"""The rule pack as data: whole sentences, sources, and the services' own words for the same fault."""

import re
import string

import pytest

from curator.dataset.codes import PROFILES
from curator.dataset.rule import load_rules

RULES = load_rules()

SAID = [
    ("Training file has 7 example(s), but must have at least 10 examples", "D01"),
    ("Invalid file format. Example 100, message 2 Discriminator 'role' is missing in value", "S04"),
    ('Invalid file format. Example 536 contains an extra "tools".', "S03"),
    ("Invalid file format. Example 1 is missing key 'messages'.", "S01"),
    ("Invalid file format. Example 1 is missing key 'input'.", "D12"),
    ("Unexpected file format, expected either prompt/completion pairs or chat messages.", "S01"),
    (
        "Input file file-a is in the fine-tune-chat format, but the specified fine-tuning job is "
        "not using 'supervised' as the training method (provided method=dpo).",
        "D12",
    ),
    (
        "Invalid file format. Example 1273 cannot be parsed. Error: line contains invalid json: "
        "Expecting ',' delimiter: line 1 column 79 (char 78) (line 1273)",
        "F01",
    ),
    ('Line 1 is not a dictionary (HINT: line starts with: "{...").', "F02"),
    ("This file failed moderation safety checks. Flagged lines: 4, 13", "P03"),
    ("Model gpt-9 is not available for fine-tuning or does not exist.", "J01"),
    ("contains invalid schema (20)", "S14"),
    ("File is not UTF-8 encoded. Error raised: x", "F05"),
    ("Error parsing json payload. Unexpected format on line 3.", "F01"),
    (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'.",
        "T05",
    ),
    (
        "Invalid schema for function 'get_time': schema must be a JSON Schema of 'type: \"object\"', "
        "got 'type: \"None\"'.",
        "T19",
    ),
]


@pytest.mark.parametrize(("said", "rule"), SAID)
def test_a_services_words_lead_to_our_rule(said, rule):
    found = [r.id for r in RULES.values() if any(re.search(t, said) for t in r.provider_texts)]
    assert found == [rule]


def test_line_and_message_numbers_are_read_from_the_words():
    (pattern,) = RULES["S04"].provider_texts
    said = "Example 100, message 2 Discriminator 'role' is missing in value"
    assert re.search(pattern, said).groupdict() == {"line": "100", "message": "2"}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rule_says_what_where_and_the_way_out(rule):
    assert re.fullmatch(r"[FSTVLDPJ]\d\d", rule.id)
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.message[-1] in ".}"
    assert rule.why.endswith(".")
    assert "!" not in rule.message + rule.why
    assert rule.source.tag
    assert rule.source.ref
    assert rule.source.checked_on
    named = [name for _, name, _, _ in string.Formatter().parse(rule.message) if name is not None]
    assert all(name.isidentifier() for name in named)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_profiles_and_limits_are_known(rule):
    known = {*PROFILES, "*"}
    assert {*rule.profiles, *rule.severity_by_profile, *rule.limits} <= known
    assert rule.fix is None or rule.fix.label[0].isupper()


def test_gravity_differs_by_profile():
    assert RULES["S12"].severity_for("openai_sft") == "warning"
    assert RULES["S12"].severity_for("azure") == "error"
    assert RULES["S14"].severity_for("openai_sft") is None
    assert RULES["D01"].limit_for("bedrock") == 32
    assert RULES["D01"].limit_for("nebius") == 10
