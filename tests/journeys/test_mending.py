"""Somebody brings a broken file in, mends what is safe, and takes out what repeats itself."""

import pytest

LINE = '{"messages":[{"role":"user","content":"%s"},{"role":"assistant","content":"Yes."}]}'


@pytest.fixture
def sample(annotator):
    annotator.tries_the_sample()
    return annotator


def rules(annotator):
    return {row[0]: row[1] for row in annotator.rows("Rules")}


def test_what_is_safe_is_shown_first_then_mended_then_taken_back(sample):
    sample.presses("Ctrl+3")
    sample.waits_until(lambda: len(rules(sample)) > 5)
    before = rules(sample)
    sample.clicks("Fix what is safe")
    sample.waits_for(r"^[\d,]+ findings in [\d,]+ conversations$")
    sample.waits_for("^Example 1 of")
    sample.presses("Return")
    sample.waits_for("conversations fixed")
    sample.waits_until(lambda: len(rules(sample)) < len(before))
    sample.presses("Ctrl+Z")
    sample.waits_until(lambda: rules(sample) == before)


def test_cancel_changes_nothing(sample):
    sample.presses("Ctrl+3")
    sample.waits_until(lambda: len(rules(sample)) > 5)
    before = rules(sample)
    sample.clicks("Fix what is safe")
    sample.waits_for("^Example 1 of")
    sample.presses("Escape")
    sample.waits_until(lambda: sample.can_click("Fix what is safe"))
    assert rules(sample) == before


def test_copies_are_decided_by_key_and_brought_back(sample):
    sample.presses("Ctrl+4", "Ctrl+Shift+F")
    sample.waits_until(lambda: len(sample.rows("Clusters of duplicates")) == 3)
    count = len(sample.rows("Clusters of duplicates"))
    sample.presses("[")
    sample.waits_for_button("Removed 1")
    sample.waits_until(lambda: len(sample.rows("Clusters of duplicates")) == count - 1)
    sample.presses("=")
    sample.waits_until(lambda: len(sample.rows("Clusters of duplicates")) == count - 2)
    sample.clicks("Removed 1")
    sample.waits_until(lambda: len(sample.rows("Removed conversations")) == 1)
    sample.selects("Removed conversations", 0)
    sample.clicks("Restore")
    sample.waits_for_button("Removed 0")
    sample.clicks(f"Clusters {count - 1}")
    sample.waits_until(lambda: len(sample.rows("Clusters of duplicates")) == count - 1)


def test_broken_lines_are_listed_with_file_line_rule_and_reason(annotator, tmp_path):
    file = tmp_path / "chats.jsonl"
    file.write_text("\n".join([LINE % "one", '{"messages": [', LINE % "two", "[1, 2]"]), "utf-8")
    annotator.drops(file)
    annotator.waits_for_table()
    assert annotator.titles() == ["one", "two"]
    annotator.waits_for("^2 imported · 2 left out$")
    annotator.clicks("Show the list")
    annotator.waits_until(lambda: len(annotator.rows("Lines left out")) == 2)
    rows = annotator.rows("Lines left out")
    assert [row[:3] for row in rows] == [
        ["chats.jsonl", "line 2", "F01"],
        ["chats.jsonl", "line 4", "F02"],
    ]
    assert all(len(row[3]) > 10 for row in rows)
    annotator.presses("Return")
    annotator.drops(file)
    annotator.waits_for("^0 imported · 2 already there")
    assert annotator.titles() == ["one", "two"]
