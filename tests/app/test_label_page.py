"""The queue: keys, labels, decisions, going on, coming back, undo across conversations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from curator.app.page import OpenRequest
from curator.app.pages.label.keys import Answer, assign_keys
from curator.app.pages.label.queue import LabelQueue
from curator.app.pages.label.sets_dialog import LabelSetsDialog
from curator.app.session.session import View
from curator.app.widgets.tags_field import parse_tags
from curator.dataset import AnnotationPatch, Edit, LabelSet, Status
from curator.project import Project
from curator.project.queries.filters import view


@pytest.fixture
def page(opened):
    return opened.front


def status(page, conversation: int) -> str:
    return str(page.session.project.annotation(conversation).status)


def test_the_queue_begins_with_the_first_pending_one(page):
    assert page.queue.current == 1
    assert len(page.queue) == 12
    assert page.rail_count() == 12


@pytest.mark.parametrize(
    ("key", "wanted"),
    [(Qt.Key.Key_A, "accepted"), (Qt.Key.Key_X, "rejected"), (Qt.Key.Key_Space, "skipped")],
)
def test_a_key_decides_and_goes_on(opened, page, qtbot, key, wanted):
    qtbot.keyClick(opened.window, key)
    assert status(page, 1) == wanted
    assert page.queue.current == 2


def test_going_on_can_be_switched_off(opened, page):
    opened.dialogs.store().change("advance", False)
    opened.menus.run("label.accept")
    assert status(page, 1) == "accepted"
    assert page.queue.current == 1


def numbers_of(page) -> set[int]:
    """Every number of what is to do: the chip's, the rail's, the progress line's and the header's."""
    said = page._progress._words.text()
    todo = int(said.split(" to do")[0].rsplit(" ", 1)[1])
    chip = int(page._chips.chips["todo"].text().rsplit(" ", 1)[1])
    return {chip, page.rail_count(), todo}


def test_every_count_of_what_is_to_do_is_the_same(opened, page, qtbot):
    """A skipped conversation is to do still, and one that comes again is no other one."""
    left = 12
    for verb in ("label.skip", "label.skip", "label.accept", "label.reject", "label.skip"):
        opened.menus.run(verb)
        left -= verb in ("label.accept", "label.reject")
        qtbot.waitUntil(lambda: not page._soon.isActive())
        assert numbers_of(page) == {left}
        assert page.subtitle.text().endswith("of 12")
    assert page._progress._words.text() == "1 accepted · 1 rejected · 10 to do, 3 of them skipped"
    for _ in range(7):
        opened.menus.run("label.accept")
    assert (page.queue.current, page.subtitle.text()) == (1, "Skipped before: 1 of 3")


def test_what_is_skipped_comes_back_at_the_end(opened, page):
    opened.menus.run("label.skip")
    for _ in range(11):
        opened.menus.run("label.accept")
    assert page.queue.current == 1
    opened.menus.run("label.accept")
    assert page.queue.current is None
    assert page.rail_count() == 0
    assert page._stack.currentWidget() is page._empty


def test_digits_give_and_take_labels(opened, page, qtbot):
    qtbot.keyClick(opened.window, Qt.Key.Key_2)
    qtbot.keyClick(opened.window, Qt.Key.Key_6)
    labels = {label.label_set: label.value for label in page.session.project.labels(1)}
    assert labels == {"Intent": "transfer", "Tone": "3"}
    assert page._bar._buttons[Answer("Intent", "transfer")].isChecked()
    qtbot.keyClick(opened.window, Qt.Key.Key_1)
    qtbot.keyClick(opened.window, Qt.Key.Key_6)
    labels = {label.label_set: label.value for label in page.session.project.labels(1)}
    assert labels == {"Intent": "card"}


def test_the_answers_of_others_are_not_shown(opened, page):
    patch = AnnotationPatch("label:Intent", (1,), (None,), ("other",), "somebody else")
    page.session.push(Edit("Label", "somebody else", (patch,)))
    assert not page._bar._buttons[Answer("Intent", "other")].isChecked()
    opened.menus.run("label.value_1")
    assert page._bar._buttons[Answer("Intent", "card")].isChecked()


def test_undo_goes_back_to_the_conversation_it_was_about(opened, page):
    opened.menus.run("label.accept")
    opened.menus.run("label.reject")
    assert page.queue.current == 3
    opened.menus.run("edit.undo")
    assert page.queue.current == 2
    assert status(page, 2) == "pending"
    opened.menus.run("edit.undo")
    assert page.queue.current == 1
    opened.menus.run("edit.redo")
    assert status(page, 1) == "accepted"
    assert page._inspector.history.count() == 1


def test_flag_is_apart_from_the_decision(opened, page):
    opened.menus.run("label.flag")
    assert page.session.project.annotation(1).flag
    assert page.queue.current == 1
    opened.menus.run("label.flag")
    assert not page.session.project.annotation(1).flag


def test_letters_in_a_note_are_typed(opened, page, qtbot):
    opened.menus.run("label.note")
    note = page._inspector.note
    assert QApplication.focusWidget() is note
    qtbot.keyClicks(note, "axf 10\u00a0000")
    assert status(page, 1) == "pending"
    qtbot.keyClick(note, Qt.Key.Key_Escape)
    assert page.session.project.annotation(1).note == "axf 10\u00a0000"
    qtbot.keyClick(opened.window, Qt.Key.Key_A)
    assert status(page, 1) == "accepted"
    assert page._inspector.note.text() == ""


def test_a_note_left_open_is_written_to_its_own_conversation(opened, page, qtbot):
    opened.menus.run("label.note")
    qtbot.keyClicks(page._inspector.note, "mine")
    opened.menus.run("conversation.next")
    assert page.session.project.annotation(1).note == "mine"
    assert page.session.project.annotation(2).note == ""


def test_tags(opened, page, qtbot):
    opened.menus.run("label.tags")
    field = page._inspector._tags
    qtbot.keyClicks(field, "refund, polite ,refund")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert page.session.project.annotation(1).tags == ("refund", "polite")


def test_escape_leaves_a_field_and_letters_are_keys_again(opened, page, qtbot):
    opened.menus.run("label.tags")
    field = page._inspector._tags
    qtbot.keyClicks(field, "ax")
    assert status(page, 1) == "pending"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is not field
    assert page.session.project.annotation(1).tags == ("ax",)
    qtbot.keyClick(opened.window, Qt.Key.Key_A)
    assert status(page, 1) == "accepted"


def test_the_queue_follows_the_order_of_the_filter(opened, page):
    index = opened.session.index
    opened.session.view = View(view(index)[::-1][:3])
    opened.session.current = None
    opened.show_page("start")
    opened.show_page("label")
    assert [page.queue.current, page.queue.next(), page.queue.next()] == [12, 11, 10]
    assert page.queue.next() is None


def test_scopes(opened, page):
    opened.menus.run("label.flag")
    opened.menus.run("label.skip")
    page._chips.chips["flagged"].click()
    assert (len(page.queue), page.queue.current) == (1, 1)
    page._chips.chips["skipped"].click()
    assert (len(page.queue), page.queue.current) == (1, 1)
    page._chips.chips["all"].click()
    assert len(page.queue) == 12


def test_the_history_reopens(opened, page):
    opened.menus.run("label.accept")
    opened.menus.run("label.accept")
    history = page._inspector.history
    assert history.count() == 2
    history.itemActivated.emit(history.item(1))
    assert page.queue.current == 1


def test_turns_by_key(page, qtbot, opened):
    for _ in range(2):
        qtbot.keyClick(opened.window, Qt.Key.Key_J)
    assert page._pane._place == 1
    qtbot.keyClick(opened.window, Qt.Key.Key_K)
    assert page._pane._place == 0


def test_a_removed_conversation_is_not_queued(opened, page):
    removal = {"reason": "copy", "partner": 1}
    patch = AnnotationPatch("removed", (2,), (None,), (removal,))
    opened.session.push(Edit("Remove", "anna", (patch,)))
    opened.show_page("start")
    opened.show_page("label")
    assert len(page.queue) == 11


def test_label_sets_are_edited_as_one_step(opened, page):
    page._sets_chosen((LabelSet("Quality", "rating", ("1", "2", "3", "4", "5")),))
    assert page._bar.answers["5"] == Answer("Quality", "5")
    opened.session.undo()
    assert page._bar.answers["1"] == Answer("Intent", "card")


def test_the_sets_dialog_gives_back_what_it_got(qtbot):
    sets = (LabelSet("A", "choice", ("x", "y"), "help"), LabelSet("B", "rating", ("1", "2", "3")))
    dialog = LabelSetsDialog(sets)
    qtbot.addWidget(dialog)
    assert dialog.sets() == sets


def test_the_sets_dialog_refuses_two_equal_names(qtbot):
    dialog = LabelSetsDialog(
        (LabelSet("A", "choice", ("x", "y")), LabelSet("A", "rating", ("1", "2")))
    )
    qtbot.addWidget(dialog)
    chosen = []
    dialog.chosen.connect(chosen.append)
    dialog._keep()
    assert chosen == []
    assert "same name" in dialog._fault.text()


def test_keys_run_through_all_sets():
    sets = [LabelSet("A", "choice", tuple("abcdef")), LabelSet("B", "choice", tuple("uvwxyz"))]
    keys = assign_keys(sets)
    assert len(keys) == 10
    assert keys["7"] == Answer("B", "u")
    assert keys["0"] == Answer("B", "x")


def test_a_long_set_leaves_its_keys_to_the_short_ones():
    many = LabelSet("intent", "choice", tuple(f"intent {n}" for n in range(77)))
    keys = assign_keys([many, LabelSet("tone", "rating", ("1", "2", "3"))])
    assert [keys[key].label_set for key in "1234567890"] == ["tone"] * 3 + ["intent"] * 7


@given(st.lists(st.integers(1, 50), unique=True), st.lists(st.sampled_from("npg"), max_size=40))
def test_the_queue_never_loses_or_invents_an_id(ids, steps):
    queue = LabelQueue(ids)
    for step in steps:
        if step == "n":
            queue.next()
        elif step == "p":
            queue.previous()
        elif queue.current is not None:
            queue.put_off(queue.current)
        assert queue.current is None or queue.current in ids
        assert 0 <= queue.place <= len(queue)
        assert set(ids) == set(queue.ids())


def test_tags_are_read_without_spaces_and_repeats():
    assert parse_tags(" a, b,,a ,c d") == ("a", "b", "c d")


def test_statuses_match_the_codes_of_the_index(page):
    index = page.session.index
    patch = AnnotationPatch("status", (4,), ("pending",), (str(Status.SKIPPED),))
    page.session.push(Edit("Skip", "anna", (patch,)))
    assert page.session.index.counts()["skipped"] == 1
    assert np.flatnonzero(index.status == 3).tolist() == [3]


def test_a_note_being_typed_stays_with_its_conversation(opened, page, tmp_path, qtbot):
    project, note = opened.session.project, page._inspector.note
    assert page.queue.current == 1
    note.insertPlainText("of the first")
    page.open(OpenRequest("label", conversation=3))
    assert (project.annotation(1).note, project.annotation(3).note) == ("of the first", "")
    note.insertPlainText("of the third")
    opened.session.current = 5
    opened.session.project_changed.emit()
    assert (project.annotation(3).note, project.annotation(5).note) == ("of the third", "")
    page.open(OpenRequest("label", conversation=5))
    note.insertPlainText("of the fifth")
    path = project.path
    with qtbot.waitSignal(opened.session.project_changed, timeout=30_000):
        opened.session.new_project(tmp_path / "other.curator")
    with Project.open(path, read_only=True) as closed:
        assert closed.annotation(5).note == "of the fifth"
