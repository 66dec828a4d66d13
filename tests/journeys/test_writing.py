"""Somebody tries the sample, searches, writes, thinks again, closes the window and comes back."""

import re
from pathlib import Path

import pytest

SECRET = "AKIA" + "IOSFODNN7EXAMPLE "


@pytest.fixture
def sample(annotator, tmp_path) -> Path:
    annotator.tries_the_sample()
    return next(tmp_path.rglob("*.curator"))


def tokens(annotator) -> int:
    words = annotator.waits_for(r"[\d,]+ tokens, [\d,]+ trained")
    return int(re.match(r"[\d,]+", words)[0].replace(",", ""))


def test_search_write_and_come_back(annotator, sample):
    annotator.searches("id:3", 1)
    before, text = tokens(annotator), annotator.messages()[0]
    assert not annotator.sees("^P01$")
    annotator.presses("Return")
    assert annotator.is_typing()
    annotator.presses("Ctrl+Home")
    annotator.types(SECRET)
    annotator.waits_until(lambda: tokens(annotator) > before)
    annotator.waits_for("^P01$")
    annotator.waits_until(lambda: SECRET in annotator.file_of(sample, 3))
    annotator.presses("Ctrl+Z")
    annotator.waits_until(lambda: SECRET not in annotator.file_of(sample, 3))
    annotator.presses("Ctrl+Shift+Z")
    annotator.waits_until(lambda: SECRET in annotator.file_of(sample, 3))
    annotator.comes_back()
    annotator.searches("id:3", 1)
    annotator.waits_until(lambda: annotator.messages()[0] == SECRET + text)
    annotator.presses("Ctrl+Z")
    annotator.waits_until(lambda: annotator.messages()[0] == text)
    annotator.waits_until(lambda: SECRET not in annotator.file_of(sample, 3))
    annotator.presses("Ctrl+Shift+Z")
    annotator.waits_until(lambda: annotator.messages()[0] == SECRET + text)


def test_what_is_typed_is_in_the_file_a_moment_later(annotator, sample):
    annotator.searches("id:5", 1)
    annotator.presses("Return", "Ctrl+Home")
    annotator.types("Hello there. ")
    annotator.waits_until(lambda: "Hello there. " in annotator.file_of(sample, 5))
    assert annotator.is_typing()


def test_closing_in_the_middle_of_a_word_loses_nothing(annotator, sample):
    annotator.searches("id:5", 1)
    annotator.presses("Return", "Ctrl+Home")
    annotator.types("Half a wo")
    annotator.leaves()
    annotator.starts()
    assert "Half a wo" in annotator.file_of(sample, 5)


def test_a_new_conversation_is_written_by_keyboard_alone(annotator, sample):
    count = len(annotator.titles())
    annotator.presses("Ctrl+Shift+N")
    annotator.waits_until(annotator.is_typing)
    annotator.types("Where is my card?")
    annotator.presses("Ctrl+Return")
    annotator.waits_until(lambda: len(annotator.titles()) == count + 1)
    annotator.waits_until(lambda: "Where is my card?" in annotator.titles())
