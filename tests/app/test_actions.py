"""Actions are data: unique ids and keys, known groups, a tip each, and a fuzzy way to find them."""

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLineEdit, QMainWindow, QPlainTextEdit, QPushButton

from curator.app.actions import ACTIONS, GROUPS, action
from curator.app.dialogs.palette_match import NO_MATCH, score
from curator.app.menus import Menus
from curator.app.shortcuts import PlainKeyFilter, is_plain


def test_ids_and_keys_are_unique():
    ids = [entry.id for entry in ACTIONS]
    keys = [QKeySequence(entry.shortcut).toString() for entry in ACTIONS if entry.shortcut]
    assert len(set(ids)) == len(ids)
    assert len(set(keys)) == len(keys)
    assert all(keys)


def test_every_action_has_a_group_and_a_tip():
    for entry in ACTIONS:
        assert entry.group in GROUPS
        assert entry.text
        assert entry.tip, entry.id
        assert not entry.tip.endswith(".")


def test_bare_backspace_and_delete_change_nothing():
    keys = {entry.shortcut for entry in ACTIONS}
    assert not keys & {"Backspace", "Delete", "Del"}


def test_an_unknown_action_is_a_mistake():
    with pytest.raises(KeyError):
        action("file.fly")


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("imp", "file.import"),
        ("dark", "view.theme_dark"),
        ("fr", "edit.replace"),
        ("exp", "export.run"),
    ],
)
def test_a_few_letters_find_an_action(typed, wanted):
    best = max(ACTIONS, key=lambda entry: score(typed, entry.label()))
    assert best.id == wanted


def test_letters_out_of_order_do_not_match():
    assert score("tropmi", "Import files") == NO_MATCH


def test_menus_offer_what_somebody_answers(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    menus = Menus(window)
    asked = []
    menus.offer({"label.accept": lambda: asked.append("accept")})
    menus.entries["label.accept"].trigger()
    menus.run("label.reject")
    assert asked == ["accept"]
    assert not menus.entries["label.reject"].isEnabled()
    assert menus.available() == ("label.accept",)
    with pytest.raises(KeyError):
        menus.offer({"label.fly": lambda: None})


@pytest.mark.parametrize(
    ("key", "plain"), [("A", True), ("Space", True), ("?", True), ("Ctrl+A", False), ("F8", False)]
)
def test_plain_keys(key, plain):
    assert is_plain(QKeySequence(key)) is plain


def test_letters_are_typed_where_a_text_has_the_focus(qapp, qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    menus, gate = Menus(window), PlainKeyFilter(qapp, window)
    gate.watch(menus.entries.values())
    field, button = QLineEdit(window), QPushButton("b", window)
    read_only = QPlainTextEdit(window)
    read_only.setReadOnly(True)
    accept, skip, undo = (menus.entries[i] for i in ("label.accept", "label.skip", "edit.undo"))
    heard = []
    gate.typing_changed.connect(heard.append)
    gate._focus_moved(None, field)
    assert not accept.shortcuts()
    assert not skip.shortcuts()
    assert undo.shortcuts()
    gate._focus_moved(field, button)
    assert accept.shortcuts()
    assert not skip.shortcuts()
    gate._focus_moved(button, read_only)
    assert accept.shortcuts()
    assert skip.shortcuts()
    assert heard == [True, False]
