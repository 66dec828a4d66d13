"""Right answers are counted, and only those."""

import json

import pytest

from curator.tune.evaluation.trial import Item, item_of, labels_of_replies, read_items, score


def asked(number, expected):
    return Item(number, ({"role": "user", "content": f"question {number}"},), expected)


ITEMS = (asked(1, "Open the app."), asked(2, "Call us."), asked(3, "Call us."))
LABELS = {1: "login", 2: "fraud", 3: "fraud"}


def test_exact_replies_and_labels_are_counted_apart():
    known = labels_of_replies(ITEMS, LABELS)
    result = score(
        "x",
        ITEMS,
        [" Open the app.\n", "Open the app.", "No idea."],
        labels=LABELS,
        known_replies=known,
    )
    assert result.exact_match == pytest.approx(1 / 3)
    assert result.label_accuracy == pytest.approx(1 / 3)
    assert result.unparsable == 1
    assert "replies" not in result.to_row()


def test_another_reply_of_the_same_label_counts_for_the_label_only():
    known = {"Call us.": "fraud", "Ring the bank.": "fraud"}
    result = score("x", ITEMS[1:2], ["Ring the bank."], labels=LABELS, known_replies=known)
    assert (result.exact_match, result.label_accuracy) == (0.0, 1.0)


def test_without_labels_there_is_no_label_accuracy():
    assert score("x", ITEMS, ["a", "b", "c"], labels={}, known_replies={}).label_accuracy is None
    assert score("x", (), [], labels={}, known_replies={}).exact_match == 0.0


def test_a_reply_shared_by_two_labels_takes_the_more_frequent_one():
    items = (asked(1, "Call us."), asked(2, "Call us."), asked(3, "Call us."))
    assert labels_of_replies(items, {1: "fraud", 2: "login", 3: "login"}) == {"Call us.": "login"}


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "a"}],
        [{"role": "assistant", "content": "a"}],
        [{"role": "user", "content": "a"}, {"role": "assistant", "content": None}],
    ],
)
def test_what_ends_without_a_text_answer_asks_nothing(messages):
    assert item_of(1, {"messages": messages}) is None


def test_items_come_from_an_export_with_their_conversations(tmp_path):
    record = {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b", "weight": 1},
        ]
    }
    (tmp_path / "test.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "test.manifest.jsonl").write_text('{"line": 1, "conversation": 12}\n')
    (item,) = read_items(tmp_path / "test.jsonl", tmp_path / "test.manifest.jsonl")
    assert item == Item(12, ({"role": "user", "content": "a"},), "b")
