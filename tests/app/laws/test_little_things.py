"""What people looked for: a Saved sign, recent projects, marked hits, pasted lines, writing from scratch."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.app.editor.hits import Hits
from curator.app.pasting import conversations_in
from curator.app.recent_menu import RecentMenu
from curator.app.theme import tokens
from curator.curate.search.query import parse_query
from tests.app.laws.conftest import RICH, bring, plain, settle, visit
from tests.formats.test_formats import BAD, GOOD


def test_saved_is_said_after_a_change_and_not_before(whole, qtbot):
    sign = whole.window.status._saved
    assert sign.text() == ""
    visit(whole, "label", qtbot)
    whole.menus.run("label.flag")
    assert sign.text() == "Saved"
    assert ":" in sign.toolTip()
    whole.menus.run("file.close")
    assert sign.text() == ""


def test_recent_projects_open_from_the_menu(whole, qtbot, rich_path):
    whole.menus.run("file.close")
    (menu,) = whole.window.findChildren(RecentMenu)
    menu.aboutToShow.emit()
    (entry,) = menu.actions()
    assert entry.text() == rich_path.stem
    entry.trigger()
    qtbot.waitUntil(lambda: whole.session.project is not None, timeout=60_000)
    assert whole.session.project.path == rich_path


def tinted(field) -> list[str]:
    """Return the stretches of a text that stand on the ground of a hit."""
    ground = tokens().colour("selection")
    found = []
    block = field.document().begin()
    while block.isValid():
        formats = [f for f in block.layout().formats() if f.format.background().color() == ground]
        found += [block.text()[each.start : each.start + each.length] for each in formats]
        block = block.next()
    return found


def test_search_hits_are_marked_in_the_text(whole, qtbot):
    page = visit(whole, "write", qtbot)
    page.list.search.set_text('card "a new"')
    settle(whole, qtbot)
    page.editor.cards.card(1).content.mute_after(100)
    page.list.search.set_text('card "a new" /c.mes/')
    settle(whole, qtbot)
    assert whole.session.current == 1
    page.editor.cards.card(6)
    texts = [slot.card.content.field for slot in page.editor.cards.placeholders if slot.card]
    marks = [word for field in texts if hasattr(field, "document") for word in tinted(field)]
    assert marks == ["card", "A new", "comes"]
    page.list.search.set_text("")
    settle(whole, qtbot)
    texts = [slot.card.content.field for slot in page.editor.cards.placeholders if slot.card]
    assert not [word for field in texts if hasattr(field, "document") for word in tinted(field)]


@given(
    st.lists(st.sampled_from(["card", "new", "karte", "ab"]), min_size=1),
    st.text("ab cé\n", max_size=40),
)
def test_every_word_of_a_search_is_found_again(words, around):
    hits = Hits(parse_query(" ".join(words)))
    text = around + "".join(f" {word.upper()} " for word in words)
    marked = [text[start:end].lower() for start, end in hits.places(text)]
    assert set(words) <= set(marked)
    assert all(marked)


LINES = [json.dumps(RICH), plain(1), plain(2)]


def copy(text: str) -> None:
    QApplication.clipboard().setText(text)


def test_pasted_lines_become_conversations_in_one_step(whole, qtbot):
    page = visit(whole, "write", qtbot)
    page.list.grid.setFocus()
    copy("\n".join([*LINES, "no json", "{}"]))
    QTest.keyClick(page.list.grid, "v", Qt.KeyboardModifier.ControlModifier)
    settle(whole, qtbot)
    assert len(whole.session.index) == 12
    notice = whole.window.toaster.notices()[-1]
    assert notice.text == "3 conversations pasted"
    assert notice.detail.startswith("2 elements are no conversations")
    assert whole.session.current == 10
    notice.action()
    settle(whole, qtbot)
    assert len(whole.session.index) == 9


def test_what_holds_no_conversation_says_so(whole, qtbot):
    visit(whole, "write", qtbot)
    for text in ("", "hello", "[1, 2]", '{"messages": 7}'):
        copy(text)
        whole.menus.run("conversation.paste")
        assert len(whole.session.index) == 9
        notice = whole.window.toaster.notices()[-1]
        assert "no conversation" in notice.text
        assert "1 elements" not in notice.detail


def test_ctrl_v_in_a_text_pastes_the_text(whole, qtbot):
    page = visit(whole, "write", qtbot)
    copy(LINES[1])
    page.editor.cards.go_to(1, enter=True)
    field = QApplication.focusWidget()
    QTest.keyClick(field, "v", Qt.KeyboardModifier.ControlModifier)
    assert LINES[1] in field.text()
    assert len(whole.session.index) == 9


def test_pasted_texts_keep_every_character_and_every_value():
    said = '{"messages":[{"role":"user","content":"a\u2028b\x85c"}]}'
    twice = '{"messages":[{"role":"user","content":"a","content":"b"}]}'
    pasted = conversations_in(f"{said}\n{twice}\n{LINES[0]}")
    assert [each.to_json() for each in pasted.conversations][:1] == [said]
    assert (len(pasted.conversations), pasted.refused) == (2, 1)
    assert pasted.first == "number 2, a key stands twice with two values"
    assert conversations_in(f"[{twice}]").conversations == ()


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_lines_arrays_and_pretty_values_hold_the_same(lines, as_array, is_pretty):
    values = [json.loads(line) for line in lines]
    text = "\n\n".join(lines)
    if as_array:
        text = json.dumps(values, indent=2 if is_pretty else None)
    elif len(values) == 1 and is_pretty:
        text = json.dumps(values[0], indent=2)
    found = conversations_in(text)
    assert [dict(c.fields) for c in found.conversations] == values
    assert found.refused == 0


@pytest.mark.parametrize(("_module", "fields", "wanted"), GOOD)
def test_what_is_pasted_is_read_in_every_format_as_an_import_reads_it(_module, fields, wanted):
    found = conversations_in(json.dumps([fields, wanted]))
    assert [dict(c.fields) for c in found.conversations] == [wanted, wanted]
    assert found.refused == 0


@pytest.mark.parametrize(("_module", "fields", "words"), BAD)
def test_what_no_import_would_take_is_not_pasted(_module, fields, words):
    found = conversations_in(json.dumps(fields))
    assert (found.conversations, found.refused) == ((), 1)
    assert found.first.startswith("number 1, ")
    assert words.lower() in found.first.lower()


def test_writing_from_scratch_begins_in_the_first_question(curator, tmp_path, qtbot):
    curator.file_actions.file_dialogs.new_project = lambda *_: tmp_path / "mine.curator"
    curator.window.activateWindow()
    curator.menus.run("file.write")
    qtbot.waitUntil(lambda: curator.front.page_id == "write", timeout=60_000)
    qtbot.waitUntil(lambda: len(curator.session.index) == 1, timeout=60_000)
    settle(curator, qtbot)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    field = QApplication.focusWidget()
    assert field.accessibleName() == "Text"
    QTest.keyClicks(field, "Hello")
    curator.front.editor.commit()
    stored = json.loads(curator.session.project.content(1))
    assert stored["messages"][0] == {"role": "user", "content": "Hello"}


def drag(card, target, *, below: bool) -> None:
    """Drag a card by its dots to the upper or lower quarter of another one."""
    grip = card.header.drag_handle
    bring(grip)
    start = grip.rect().center()
    there = QPoint(target.width() // 2, target.height() - 4 if below else 4)
    QTest.mousePress(grip, Qt.MouseButton.LeftButton, pos=start)
    for part in (0.5, 1.0):
        place = grip.mapFromGlobal(target.mapToGlobal(there)) - start
        QTest.mouseMove(grip, start + QPoint(int(place.x() * part), int(place.y() * part)))
    end = grip.mapFromGlobal(target.mapToGlobal(there))
    QTest.mouseRelease(grip, Qt.MouseButton.LeftButton, pos=end)


def test_a_message_is_dragged_to_another_place(whole, qtbot):
    page = visit(whole, "write", qtbot)
    cards = page.editor.cards
    before = [slot.message for slot in cards.placeholders]
    drag(cards.card(1), cards.card(3), below=True)
    after = [slot.message for slot in cards.placeholders]
    assert after == [before[0], before[2], before[3], before[1], *before[4:]]
    drag(cards.card(3), cards.card(0), below=False)
    assert cards.placeholders[0].message == before[1]
    whole.menus.run("edit.undo")
    whole.menus.run("edit.undo")
    settle(whole, qtbot)
    assert [slot.message for slot in cards.placeholders] == before
    assert cards._gap.isHidden()


def test_a_mere_click_on_the_dots_moves_nothing(whole, qtbot):
    page = visit(whole, "write", qtbot)
    step = whole.session.project.last_step()
    QTest.mouseClick(page.editor.cards.card(1).header.drag_handle, Qt.MouseButton.LeftButton)
    assert whole.session.project.last_step() == step
