"""Somebody labels a queue without touching the mouse."""

import pytest

from curator.dataset import ContentPatch, Conversation, Edit, LabelSet, Message
from curator.project import Project
from curator.project.labels import label_sets_patch


@pytest.fixture
def queue(annotator, tmp_path):
    """The Label page over twelve conversations and two questions."""
    path = tmp_path / "desk.curator"
    project = Project.create(path, "anna")
    ids = project.new_conversation_ids(12)
    lines = (
        Conversation.of(
            (Message.of("user", f"Question {n}"), Message.of("assistant", f"Answer {n}"))
        ).to_json()
        for n in range(1, 13)
    )
    patches = tuple(ContentPatch(i, None, line) for i, line in zip(ids, lines, strict=True))
    project.apply(Edit("Write", "anna", patches))
    sets = (
        LabelSet("Intent", "choice", ("card", "transfer", "other")),
        LabelSet("Tone", "rating", ("1", "2", "3")),
    )
    project.apply(Edit("Label sets", "anna", (label_sets_patch(project, sets),)))
    project.close()
    annotator.opens(path)
    annotator.presses("Ctrl+2")
    annotator.waits_for("^1 of 12$")
    return annotator


def test_decisions_labels_and_notes_by_key(queue):
    queue.presses("A", "X", "Space")
    queue.waits_for("^1 accepted · 1 rejected · 10 to do, 1 of them skipped$")
    queue.waits_for("^Conversation 4 ")
    queue.presses("F", "2", "6")
    queue.waits_until(lambda: queue.is_pressed("Intent: transfer") and queue.is_pressed("Tone: 3"))
    assert queue.is_pressed("Flag")
    queue.presses("N")
    assert queue.is_typing()
    queue.types("ax 1 as said")
    queue.presses("Escape", "A")
    queue.waits_for("^2 accepted · 1 rejected · 9 to do, 1 of them skipped$")
    queue.waits_for("^Conversation 5 ")
    assert not queue.is_pressed("Flag")


def test_undo_goes_back_over_the_conversations(queue):
    queue.presses("A", "X")
    queue.waits_for("^Conversation 3 ")
    queue.presses("Ctrl+Z")
    queue.waits_for("^Conversation 2 ")
    queue.presses("Ctrl+Z")
    queue.waits_for("^Conversation 1 ")
    queue.waits_for("^0 accepted · 0 rejected · 12 to do$")
    queue.presses("Ctrl+Shift+Z")
    queue.waits_for("^1 accepted · 0 rejected")
    queue.waits_for("^Conversation 1 ")


def test_the_end_of_the_queue_says_so_and_what_was_skipped_comes_last(queue):
    queue.presses("Space", *("A" * 11))
    queue.waits_for("^Conversation 1 ")
    queue.presses("A")
    queue.waits_for("^All done$")
    queue.waits_for("^12 accepted")
    queue.clicks("Show all")
    queue.waits_for("^Conversation 1 ")


def test_arrows_and_the_rail_follow(queue):
    queue.presses("Right", "Right", "Left")
    queue.waits_for("^Conversation 2 ")
    queue.presses("A")
    queue.waits_for("^Conversation 3 ")
    queue.presses("Ctrl+1")
    queue.waits_for_table()
    assert queue.messages()[0] == "Question 3"
