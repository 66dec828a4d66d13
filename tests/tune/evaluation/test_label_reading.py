"""A label is read from what a reply says, and only where it says one."""

import pytest

from curator.dataset.errors import WrongUse
from curator.tune.evaluation.items import Item, Prompt
from curator.tune.evaluation.label_reading import (
    NO_CALL,
    Reading,
    guess_reading,
    meanings_of,
    parse_reading,
)

CHOICES = ("card_lost", "card lost abroad", "Card", "top-up", "शुल्क", "no")


def said(text):
    return {"role": "assistant", "content": text}


def called(*calls):
    made = [
        {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
        for name, arguments in calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("card_lost", "card_lost"),
        (" Card_Lost.\n", "card_lost"),
        ("The intent is: **card_lost**", "card_lost"),
        ("card lost abroad", "card lost abroad"),
        ("It is card lost abroad, I think", "card lost abroad"),
        ("card_lost card_lost", "card_lost"),
        ("card_lost or top-up", None),
        ("discard", None),
        ("nothing", None),
        ("", None),
        ("top-up", "top-up"),
        ("यह शुल्क है", "शुल्क"),
        ("I cannot help with that.", None),
        ("x" * 200_000 + " top-up", "top-up"),
        ("cut \ud83d top-up", "top-up"),
    ],
)
def test_a_choice_is_read_from_a_sentence(reply, label):
    assert parse_reading("choice", CHOICES).reader()(said(reply)) == label


@pytest.mark.parametrize(
    ("how", "message", "label"),
    [
        ("exact", said(" Yes "), "Yes"),
        ("exact", said("yes"), "yes"),
        ("exact", said(" \n"), None),
        ("normalised", said('"NO."'), "no"),
        ("normalised", said("never seen!"), "never seen"),
        ("regex=label: (\\w+)", said("My label: fraud."), "fraud"),
        ("regex=\\d+", said("about 12 or 13"), "12"),
        ("regex=(a|aa)+$", said("a" * 5_000 + "b"), None),
        ("regex=x", said("none"), None),
        ("json=label", said('{"label": "fraud"}'), "fraud"),
        ("json=a.0.b", said('```json\n{"a": [{"b": 3}]}\n```'), "3"),
        ("json=label", said('{"label": null}'), None),
        ("json=label", said('{"lab'), None),
        ("json=label", said("[1]"), None),
        ("tool", called(("lookup", '{"id": 1}')), "lookup"),
        ("tool", called(("b", "{}"), ("a", "{}")), "a + b"),
        ("tool", called(("a", "not json")), "a"),
        ("tool", said("I answer myself."), NO_CALL),
        ("tool", said(""), None),
        ("choice=fraud, loss", said("a FRAUD case"), "fraud"),
    ],
)
def test_every_way_reads_what_is_there(how, message, label):
    assert parse_reading(how, CHOICES).reader()(message) == label


@pytest.mark.parametrize("how", ["nearly", "regex", "regex=(", "json", "json="])
def test_what_cannot_be_looked_for_is_wrong_use(how):
    with pytest.raises(WrongUse):
        parse_reading(how)


def test_a_demonstrated_reply_means_the_label_of_its_conversations():
    meanings = meanings_of({1: "Call us.", 2: "call us", 3: "Open it."}, {1: "x", 2: "x", 3: "y"})
    read = Reading("demonstrated", "", ("x", "y"), meanings).reader()
    assert read(said("Call us!")) == "x"
    assert read(said("I would say y")) == "y"
    assert read(said("Who knows")) is None


def test_the_annotated_label_is_the_right_one():
    item = Item(1, Prompt(()), said("a"), "annotated")
    assert parse_reading("exact").expected(item) == "annotated"


@pytest.mark.parametrize(
    ("answers", "way"),
    [
        (["a", "b"] * 10, "choice"),
        ([f"Answer {n}." for n in range(20)], None),
        (["A long answer " * 20] * 20, None),
        ([], None),
    ],
)
def test_few_short_answers_are_labels(answers, way):
    found = guess_reading(answers)
    assert (found and found.way) == way


def test_a_reading_is_kept_whole():
    found = parse_reading("choice=a,b")
    assert Reading.from_json(found.to_json()) == found
