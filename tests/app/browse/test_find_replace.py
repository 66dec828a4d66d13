"""Find and replace shows every place, leaves out what is unticked, and is one step."""

import threading

import pytest
from PySide6.QtCore import Qt

from curator.app.browse.find_replace import FindReplaceDialog
from curator.app.browse.view_maker import ViewMaker
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.curate.search import patterns
from curator.curate.search.replace import Search
from curator.dataset import ContentPatch, Edit
from curator.dataset.errors import Cancelled
from curator.project import Project
from curator.project.prompts import unifying, used_prompts
from curator.project.queries.index import Index
from curator.project.replacing import find, replacing


def quiet(*_):
    return None


def line(text):
    return (
        f'{{"messages":[{{"role":"system","content":"S"}},{{"role":"user","content":"{text}"}}]}}'
    )


@pytest.fixture
def session(tmp_path, qapp):
    session = Session(Jobs(), "anna")
    project = Project.create(tmp_path / "p.curator", "anna")
    session.ids = project.new_conversation_ids(3)
    lines = (line("one two one"), line("two"), line("One"))
    project.apply(
        Edit(
            "x",
            "anna",
            tuple(ContentPatch(i, None, t) for i, t in zip(session.ids, lines, strict=True)),
        )
    )
    session.project, session.index = project, Index(project.path)
    yield session
    assert session.jobs.shutdown()
    session.close_project()


def texts(session):
    return [session.project.conversation(i).messages[1].text for i in session.ids]


@pytest.fixture
def dialog(session, qtbot):
    dialog = FindReplaceDialog(session)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.look_in(session.ids)
    return dialog


def look_for(dialog, qtbot, find_text, replace_text):
    dialog.find_field.setText(find_text)
    dialog.replace_field.setText(replace_text)
    dialog.search_now()
    qtbot.waitUntil(lambda: dialog._found is not None, timeout=30_000)


def test_every_hit_is_listed_and_one_can_be_left_out(dialog, session, qtbot):
    look_for(dialog, qtbot, "one", "1")
    assert dialog.table.rowCount() == 3
    first = dialog.table.index(0, 0)
    dialog.table.setData(first, Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    with qtbot.waitSignal(dialog.replaced, timeout=30_000):
        dialog.replace()
    assert texts(session) == ["one two 1", "two", "1"]
    session.undo()
    assert texts(session) == ["one two one", "two", "One"]


def test_a_wrong_pattern_is_told_and_nothing_can_be_replaced(dialog, qtbot):
    dialog._regex.setChecked(True)
    dialog.find_field.setText("(")
    dialog.search_now()
    assert "regular expression" in dialog._state.text()
    assert not dialog.replace_button.isEnabled()


def test_ticks_of_all_hits(dialog, qtbot):
    look_for(dialog, qtbot, "two", "2")
    dialog.table.tick_all(on=False)
    assert not dialog.replace_button.isEnabled()
    dialog.table.tick_all(on=True)
    assert dialog.replace_button.isEnabled()


def test_the_work_can_be_cancelled(session):
    with pytest.raises(Cancelled):
        find(session.project, session.ids, Search("one"), quiet, lambda: True)
    with pytest.raises(Cancelled):
        replacing(session.project, session.ids, Search("one"), (), "anna", quiet, lambda: True)


def test_nothing_to_replace_is_no_edit(session):
    edit = replacing(session.project, session.ids, Search("zzz"), (), "anna", quiet, lambda: False)
    assert edit is None


def test_prompts_are_counted_and_put_in_place_of_each_other(session):
    assert [(p.text, p.count) for p in used_prompts(session.project)] == [("S", 3)]
    edit = unifying(session.project, session.ids[:2], "New", "anna", quiet, lambda: False)
    session.push(edit)
    assert [(p.text, p.count) for p in used_prompts(session.project)] == [("New", 2), ("S", 1)]
    again = unifying(session.project, session.ids[:2], "New", "anna", quiet, lambda: False)
    assert again is None


def test_a_conversation_that_says_a_key_twice_keeps_both_values(session):
    twice = '{"messages":[{"role":"user","content":"a","content":"b"}]}'
    patch = ContentPatch(session.ids[0], session.project.content(session.ids[0]), twice)
    session.project.apply(Edit("x", "anna", (patch,)))
    edit = unifying(session.project, session.ids[:2], "New", "anna", quiet, lambda: False)
    assert [each.conversation for each in edit.patches] == [session.ids[1]]


def test_other_words_typed_just_before_are_not_replaced_by_the_former_ones(dialog, session, qtbot):
    look_for(dialog, qtbot, "one", "1")
    dialog.replace_field.setText("eins")
    dialog.replace()
    qtbot.waitUntil(lambda: dialog._found is not None, timeout=30_000)
    assert texts(session) == ["one two one", "two", "One"]
    with qtbot.waitSignal(dialog.replaced, timeout=30_000):
        dialog.replace()
    assert texts(session) == ["eins two eins", "two", "eins"]


def test_typing_during_a_replacement_does_not_hide_its_news(dialog, session, qtbot, monkeypatch):
    go_on = threading.Event()
    apply = session.project.apply

    def slow(edit):
        assert go_on.wait(10)
        return apply(edit)

    monkeypatch.setattr(session.project, "apply", slow)
    look_for(dialog, qtbot, "one", "1")
    with qtbot.waitSignal(session.edited, timeout=30_000):
        dialog.replace()
        dialog.find_field.setText("two")
        dialog.search_now()
        dialog.close()
        go_on.set()
    assert texts(session) == ["1 two 1", "two", "1"]
    qtbot.waitUntil(lambda: dialog._found is not None, timeout=30_000)
    assert dialog.table.rowCount() == 2


def test_an_edit_meanwhile_shows_the_places_anew(dialog, session, qtbot):
    look_for(dialog, qtbot, "one", "1")
    dialog.table.setData(
        dialog.table.index(0, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole
    )
    patch = ContentPatch(session.ids[0], line("one two one"), line("so one two one"))
    session.push(Edit("x", "anna", (patch,)))
    assert dialog._found is None
    qtbot.waitUntil(lambda: dialog._found is not None, timeout=30_000)
    assert dialog.table.left_out == []
    assert [hit.start for _, hit in dialog.table.hits] == [3, 11, 0]


def test_a_pattern_that_would_never_end_is_given_up_in_a_sentence(
    session, dialog, qtbot, monkeypatch
):
    monkeypatch.setattr(patterns, "SECONDS", 0.3)
    content = session.project.content(session.ids[0])
    patch = ContentPatch(session.ids[0], content, line("x" * 5_000))
    session.push(Edit("x", "anna", (patch,)))
    dialog._regex.setChecked(True)
    dialog.find_field.setText("(x+x+)+y")
    dialog.search_now()
    qtbot.waitUntil(lambda: "was given up" in dialog._state.text(), timeout=60_000)
    assert not dialog.replace_button.isEnabled()
    look_for(dialog, qtbot, "x+", "z")
    assert dialog._found.total == 1


def test_the_search_bar_gives_up_such_a_pattern_too(session, qtbot, monkeypatch):
    monkeypatch.setattr(patterns, "SECONDS", 0.3)
    content = session.project.content(session.ids[0])
    patch = ContentPatch(session.ids[0], content, line("x" * 5_000))
    session.push(Edit("x", "anna", (patch,)))
    told: list[str] = []
    session.notice.connect(lambda notice: told.append(notice.text))
    maker = ViewMaker(session)
    with qtbot.waitSignal(maker.made, timeout=60_000):
        maker.ask("/(x+x+)+y/")
    assert "/(x+x+)+y/ was given up" in told[0]
    maker.deleteLater()


def test_a_slow_search_stops_at_the_next_text_when_it_is_given_up(session):
    asked: list[bool] = []

    def stop_at_the_second() -> bool:
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(Cancelled):
        find(session.project, session.ids, Search("o", "0"), quiet, stop_at_the_second)
    assert len(asked) == 2
