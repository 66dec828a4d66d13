"""Every published failure text finds its rule, its line and the conversation there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.tune.services.failures import explain_failure


@pytest.mark.parametrize(
    ("said", "rule", "lines"),
    [
        ("Training file has 7 example(s), but must have at least 10 examples", "D01", []),
        ("file-1 has 5 example(s), but must have at least 10 examples", "D01", []),
        ("The job failed due to an invalid training file. Invalid file format. Example 100, "
         "message 2 Discriminator 'role' is missing in value", "S04", [(100, 2)]),
        ('Invalid file format. Example 536 contains an extra "tools".', "S03", [(536, None)]),
        ("Invalid file format. Example 1 is missing key 'messages'.", "S01", [(1, None)]),
        ("Invalid file format. Example 1273 cannot be parsed. Error: line contains invalid json: "
         "Expecting ',' delimiter: line 1 column 79 (char 78) (line 1273)", "F01", [(1273, None)]),
        ("Expected file to have JSONL format, where every line is a JSON dictionary. Line 1 is "
         "not a dictionary (HINT: line starts with: \"{...\")", "F02", [(1, None)]),
        ("This file failed moderation safety checks. please try removing the flagged lines and "
         "uploading the file again. Flagged lines: 4, 13, 14", "P03",
         [(4, None), (13, None), (14, None)]),
        ("Model gpt-9 is not available for fine-tuning or does not exist.", "J01", []),
        ("Error parsing json payload. Unexpected format on line 8.", "F01", [(8, None)]),
        ("contains invalid schema (20)", "S14", []),
        ("The job failed due to an internal error", "", []),
        ("", "", []),
    ],
)  # fmt: skip
def test_published_texts_find_rule_and_line(said, rule, lines):
    found = explain_failure(said, lambda line: line + 1000)
    assert found.rule == rule
    assert [(one.line, one.message) for one in found.lines] == lines
    assert [one.conversation for one in found.lines] == [line + 1000 for line, _ in lines]
    assert found.conversation == (lines[0][0] + 1000 if lines else None)
    assert found.sentence()


def test_the_sentence_names_the_conversation():
    text = explain_failure('Example 3 contains an extra "weight".', {3: 77}.get).sentence()
    assert "line 3 (conversation 77)" in text


def test_a_fault_of_the_service_says_that_the_data_are_fine():
    assert (
        "Start the job again" in explain_failure("The job failed due to an internal error").way_out
    )


@given(st.text())
def test_any_text_is_explained(said):
    assert explain_failure(said).sentence()
