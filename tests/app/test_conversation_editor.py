"""The editor changes what a person changes and nothing else; drafts are safe, undo brings back."""

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QWidget

from curator.app.editor import draft_counter
from curator.app.editor.conversation_editor import ConversationEditor
from curator.app.editor.json_field import JsonField
from curator.app.editor.parts import Parts, picture_of
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.token_estimates import stored_encoding
from curator.app.widgets.message_text import MessageText
from curator.dataset import AnnotationPatch, ContentPatch, Edit
from curator.dataset.errors import ProjectError
from curator.dataset.json_values import dumps, loads
from curator.project import Project
from curator.project.queries.index import Index

PLAIN = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
)
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HARD_LINES = (
    PLAIN,
    '{"messages":[{"role":"user","content":"10\\u00a0€ \\u2028\\u2029\\u0085 CR\\r\\nLF\\r NUL\\u0000"},'
    '{"role":"assistant","content":"\\ud800 lone <|im_start|> \\ue000 \\ufdd0\\ufeff"}]}',
    '{"messages":[{"role":"user","content":"my card 4111 1111 1111 1111"},'
    '{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":'
    '{"name":"f","arguments":"{ \\"a\\":1 "}}]},{"role":"tool","tool_call_id":"x","content":"ok"}],'
    '"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"extra":1.0}',
    json.dumps(
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "see\u00a0\r\n👩‍👩‍👧‍👦"},
                        {"type": "image_url", "image_url": {"url": PIXEL}},
                        {"type": "input_audio", "input_audio": {"data": "x"}},
                    ],
                },
                {"role": "assistant", "content": "a", "weight": True, "name": "n\u00a0m"},
            ]
        }
    ),
    '{"messages":["odd",5,{"role":7,"content":{"x":1}},{"content":"שלום مرحبا"},{}]}',
    '{"messages":[{"role":"system","content":""},{"role":"user","content":"a\\nb"}],"tools":"no list"}',
)


@pytest.fixture
def session(qtbot, tmp_path):
    jobs = Jobs()
    session = Session(jobs, "anna")
    project = Project.create(tmp_path / "p.curator", "anna")
    ids = project.new_conversation_ids(len(HARD_LINES))
    patches = (ContentPatch(i, None, line) for i, line in zip(ids, HARD_LINES, strict=True))
    project.apply(Edit("lines", "anna", tuple(patches)))
    session.project, session.index = project, Index(project.path)
    session.ids = ids
    yield session
    assert jobs.shutdown()
    session.close_project()


@pytest.fixture
def editor(session, qtbot):
    editor = ConversationEditor(session, session.jobs)
    editor.resize(800, 700)
    qtbot.addWidget(editor)
    editor.draft_counter.load()
    editor.show()
    with qtbot.waitSignal(editor.draft_counter.ready, timeout=20_000):
        pass
    return editor


def journal(session):
    return [step.title for step in session.project.journal() if step.state == "done"]


def text_of(editor, number):
    field = editor.cards.card(number).content.field
    assert isinstance(field, MessageText)
    return field


def test_looking_at_every_conversation_changes_nothing(editor, session, qtbot):
    for _round in range(2):
        for conversation in (*session.ids, *reversed(session.ids)):
            editor.open(conversation)
            for number in range(len(editor.cards.placeholders)):
                editor.cards.card(number)
            editor.check()
            qtbot.wait(5)
    editor.commit()
    assert session.project.contents(session.ids) == list(HARD_LINES)
    assert journal(session) == ["lines"]


@pytest.mark.parametrize("place", range(len(HARD_LINES)))
def test_editing_another_field_keeps_every_other_value(editor, session, place):
    conversation = session.ids[place]
    editor.open(conversation)
    editor.step("add")
    after = loads(session.project.content(conversation))
    before = loads(HARD_LINES[place])
    assert len(after["messages"]) == len(before["messages"]) + 1
    del after["messages"][0]
    assert json.dumps(after) == json.dumps(before)


@pytest.mark.parametrize("place", range(len(HARD_LINES)))
def test_a_letter_in_every_text_changes_only_that_letter(editor, session, qtbot, place):
    conversation = session.ids[place]
    before = loads(HARD_LINES[place])
    for number, message in enumerate(before["messages"]):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            continue
        editor.open(None)
        editor.open(conversation)
        field = text_of(editor, number)
        field.moveCursor(QTextCursor.MoveOperation.End)
        qtbot.keyClicks(field, "x")
        editor.commit()
        after = loads(session.project.content(conversation))
        assert after["messages"][number]["content"] == message["content"] + "x"
        after["messages"][number]["content"] = message["content"]
        assert json.dumps(after) == json.dumps(before)
        session.undo()
        assert session.project.content(conversation) == HARD_LINES[place]


def test_typing_is_written_a_moment_after_the_last_key(editor, session, qtbot):
    editor.open(session.ids[0])
    qtbot.keyClicks(text_of(editor, 0), "abc")
    assert editor.drafts.is_dirty
    qtbot.waitUntil(lambda: not editor.drafts.is_dirty, timeout=2_000)
    assert session.project.conversation(session.ids[0]).messages[0].text == "abcHi"
    qtbot.keyClicks(text_of(editor, 0), "d")
    editor.commit()
    assert journal(session) == ["Edit turn 1", "lines"]


def test_leaving_the_field_or_the_conversation_writes_at_once(editor, session, qtbot):
    editor.open(session.ids[0])
    qtbot.keyClicks(text_of(editor, 0), "x")
    editor.open(session.ids[1])
    assert session.project.conversation(session.ids[0]).messages[0].text == "xHi"


def test_typed_and_taken_back_leaves_the_very_line(editor, session, qtbot):
    editor.open(session.ids[0])
    qtbot.keyClicks(text_of(editor, 0), "x")
    qtbot.keyClick(text_of(editor, 0), Qt.Key.Key_Backspace)
    editor.commit()
    assert session.project.content(session.ids[0]) == PLAIN
    assert journal(session) == ["lines"]


def test_undo_of_the_session_reloads_the_field_and_keeps_the_caret(editor, session, qtbot):
    editor.open(session.ids[0])
    field = text_of(editor, 1)
    field.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(field, "!!")
    editor.commit()
    first = text_of(editor, 0)
    first.moveCursor(QTextCursor.MoveOperation.End)
    session.undo()
    assert text_of(editor, 1) is field
    assert field.text() == "Hello"
    assert first.textCursor().position() == 2


def test_steps_on_messages(editor, session):
    editor.open(session.ids[0])
    project, conversation = session.project, session.ids[0]

    def said():
        return [(m.role, m.text) for m in project.conversation(conversation).messages]

    editor.cards.go_to(0)
    editor.step("duplicate")
    assert said() == [("user", "Hi"), ("user", "Hi"), ("assistant", "Hello")]
    editor.step("down")
    assert said()[1:] == [("assistant", "Hello"), ("user", "Hi")]
    assert editor.cards.current == 2
    editor.step("up")
    editor.step("remove")
    assert said() == [("user", "Hi"), ("assistant", "Hello")]
    editor.step("add")
    assert said()[2] == ("user", "")
    for _ in range(5):
        session.undo()
    assert project.content(conversation) == PLAIN
    assert len(editor.cards.placeholders) == 2


def test_role_weight_and_name(editor, session, qtbot):
    editor.open(session.ids[0])
    card = editor.cards.card(1)
    card.toggle_weight()
    assert session.project.conversation(session.ids[0]).messages[1].weight == 0
    editor.cards.card(1).toggle_weight()
    assert session.project.conversation(session.ids[0]).messages[1].weight == 1
    card.header.role.role_chosen.emit("user")
    assert session.project.conversation(session.ids[0]).messages[1].role == "user"
    card.header.focus_name()
    qtbot.keyClicks(editor.cards.card(1).header._name, "Bo")
    editor.commit()
    assert session.project.conversation(session.ids[0]).messages[1].fields["name"] == "Bo"


def test_tool_arguments_are_checked_and_kept_letter_by_letter(editor, session, qtbot):
    editor.open(session.ids[2])
    field = editor.cards.card(1).text_field("tool_calls[0].function.arguments")
    assert field.text() == '{ "a":1 '
    form = field.parentWidget()
    assert isinstance(form, JsonField)
    assert not form.is_valid
    field.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(field, "}")
    assert form.is_valid
    editor.commit()
    call = session.project.conversation(session.ids[2]).messages[1].tool_calls[0]
    assert call.arguments == '{ "a":1 }'


def test_odd_content_is_written_only_while_it_is_json(editor, session, qtbot):
    editor.open(session.ids[4])
    field = editor.cards.card(2).content.field
    assert isinstance(field, JsonField)
    field.text.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(field.text, "}")
    editor.commit()
    assert session.project.content(session.ids[4]) == HARD_LINES[4]
    qtbot.keyClick(field.text, Qt.Key.Key_Backspace)
    field.text.selectAll()
    qtbot.keyClicks(field.text, "[1]")
    editor.commit()
    message = loads(session.project.content(session.ids[4]))["messages"][2]
    assert message == {"role": 7, "content": [1]}


def test_parts_show_pictures_without_a_network_and_texts_to_write_in(editor, session, qtbot):
    editor.open(session.ids[3])
    parts = editor.cards.card(0).content.field
    assert isinstance(parts, Parts)
    assert picture_of(PIXEL) is not None
    assert picture_of("https://example.org/cat.png") is None
    assert picture_of("data:image/png;base64,AAAA") is None
    text = editor.cards.card(0).text_field("content[0].text")
    text.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(text, "!")
    editor.commit()
    content = loads(session.project.content(session.ids[3]))["messages"][0]["content"]
    assert content[0]["text"] == "see\u00a0\r\n👩‍👩‍👧‍👦!"
    assert content[1:] == loads(HARD_LINES[3])["messages"][0]["content"][1:]


def test_tokens_follow_every_key_and_findings_soon_after(editor, session, qtbot):
    editor.open(session.ids[0])
    before = editor.measure.count.total
    qtbot.keyClicks(text_of(editor, 0), "one two three ")
    assert editor.measure.count.total > before
    assert editor.measure.count.exact
    qtbot.keyClicks(text_of(editor, 0), "my card 4111 1111 1111 1111 ")
    with qtbot.waitSignal(editor.checked, timeout=2_000):
        pass
    assert "P02" in {finding.rule for finding in editor.findings}


def test_the_fix_key_mends_and_moves_what_it_takes_out(editor, session):
    editor.open(session.ids[2])
    rules = {finding.rule for finding in editor.findings}
    assert "S03" in rules
    editor.fix(next(f for f in editor.findings if f.rule == "S03"))
    assert "extra" not in loads(session.project.content(session.ids[2]))
    assert session.project.annotation(session.ids[2]).metadata["extra"] == 1.0
    session.undo()
    assert session.project.content(session.ids[2]) == HARD_LINES[2]


def test_estimates_are_told_apart(editor, session):
    editor.open(session.ids[2])
    assert not editor.measure.count.exact
    assert "about" in editor.header._tokens.text()


def test_a_long_conversation_makes_only_the_cards_that_are_seen(editor, session, qtbot):
    line = json.dumps({"messages": [{"role": "user", "content": f"q{i}"} for i in range(600)]})
    new = session.project.new_conversation_ids(1)[0]
    session.push(Edit("long", "anna", (ContentPatch(new, None, line),)))
    editor.open(new)
    qtbot.wait(100)
    built = sum(slot.card is not None for slot in editor.cards.placeholders)
    assert 0 < built < 60
    editor.cards.go_to(599)
    assert editor.cards.placeholders[599].card is not None


def test_the_cut_line_stands_where_the_base_model_stops(editor, session, qtbot):
    words = "word " * 40_000
    line = json.dumps({"messages": [
        {"role": "user", "content": words}, {"role": "user", "content": words},
        {"role": "assistant", "content": "end"},
    ]})  # fmt: skip
    new = session.project.new_conversation_ids(1)[0]
    session.push(Edit("long", "anna", (ContentPatch(new, None, line),)))
    editor.open(new)
    assert editor.measure.cut == 1
    editor.cards.card(1)
    assert editor.cards.placeholders[1].cut is not None
    assert editor.cards.placeholders[2].cut is None or editor.cards.placeholders[2].cut.isHidden()


def test_the_cut_line_of_a_base_on_this_computer_is_its_own(editor, session, qtbot, monkeypatch):
    from curator.tune.jobs.base_counts import Frame

    around = {"user": 5, "assistant": 8, "system": 5}
    frame = Frame("tiny", 30, 0, around, lambda text: len(text.split()))
    monkeypatch.setattr(
        draft_counter, "counting_frame", lambda name: frame if name == "tiny" else None
    )
    line = json.dumps({"messages": [
        {"role": "user", "content": "one two three"}, {"role": "assistant", "content": "x " * 20},
    ]})  # fmt: skip
    new = session.project.new_conversation_ids(1)[0]
    session.push(Edit("long", "anna", (ContentPatch(new, None, line),)))
    editor.open(new)
    assert editor.measure.cut is None
    with qtbot.waitSignal(editor.draft_counter.ready, timeout=20_000):
        editor.draft_counter.choose("tiny")
    assert (editor.measure.count.total, editor.measure.limit, editor.measure.cut) == (36, 30, 1)
    assert editor.draft_counter.cut_in(editor.measure, "x " * 20) == len("x " * 14)
    assert stored_encoding("tiny") == editor.draft_counter.facts.encoding
    # A base nobody knows is counted as before, and so is one of a service.
    for name, limit in (("some-other", 65_536), ("gpt-4.1", 65_536), ("tiny", 30)):
        with qtbot.waitSignal(editor.draft_counter.ready, timeout=20_000):
            editor.draft_counter.choose(name)
        assert editor.measure.limit == limit


def test_every_focusable_widget_has_a_name(editor, session):
    for conversation in session.ids:
        editor.open(conversation)
        for number in range(len(editor.cards.placeholders)):
            editor.cards.card(number)
        for widget in editor.findChildren(QWidget):
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(editor):
                assert widget.accessibleName(), widget


def test_a_read_only_project_cannot_be_typed_into(editor, session, qtbot, monkeypatch):
    monkeypatch.setattr(type(session), "is_read_only", property(lambda _self: True))
    editor.open(session.ids[0])
    assert text_of(editor, 0).isReadOnly()
    editor.step("add")
    assert session.project.content(session.ids[0]) == PLAIN


def test_what_is_not_read_is_greyed_from_the_very_character(editor, session):
    words = "word " * 70_000
    line = json.dumps(
        {"messages": [{"role": "user", "content": words}, {"role": "user", "content": "x"}]}
    )
    new = session.project.new_conversation_ids(1)[0]
    session.push(Edit("long", "anna", (ContentPatch(new, None, line),)))
    editor.open(new)
    place = editor.draft_counter.cut_in(editor.measure, words)
    from curator.curate.analysis.tokens import counter

    count = counter(editor.draft_counter.facts.encoding).count
    read = editor.measure.count.per_message[0] - count(words) + count(words[:place])
    assert read == editor.measure.limit
    assert editor.cards.card(0).content._highlighters


def test_a_fix_keeps_metadata_of_the_same_name(editor, session):
    conversation = session.ids[2]
    patch = AnnotationPatch("metadata", (conversation,), ({},), ({"extra": "typed by hand"},))
    session.push(Edit("x", "anna", (patch,)))
    editor.open(conversation)
    editor.fix(next(finding for finding in editor.findings if finding.rule == "S03"))
    metadata = session.project.annotation(conversation).metadata
    assert metadata == {"extra": "typed by hand", "extra (2)": 1.0}


def test_a_key_that_stands_twice_is_mended(editor, session):
    twice = PLAIN.replace('"role": "user"', '"role": "user", "role": "user"')
    session.push(Edit("x", "anna", (ContentPatch(session.ids[0], PLAIN, twice),)))
    editor.open(session.ids[0])
    editor.fix(next(finding for finding in editor.findings if finding.rule == "F14"))
    assert session.project.content(session.ids[0]) == dumps(loads(PLAIN))
    assert "F14" not in {finding.rule for finding in editor.findings}


def test_typing_when_another_project_opens_is_written_to_its_own(editor, session, tmp_path, qtbot):
    other = tmp_path / "other.curator"
    with Project.create(other, "anna") as project:
        ids = project.new_conversation_ids(1)
        project.apply(Edit("x", "anna", (ContentPatch(ids[0], None, PLAIN),)))
    assert ids[0] == session.ids[0]
    editor.open(session.ids[0])
    mine = session.project.path
    with qtbot.waitSignal(session.project_changed, timeout=30_000):
        job = session.open_project(other)
        job.progressed.connect(lambda _: None)
        text_of(editor, 0).insertPlainText("typed ")
    editor.commit()
    assert session.project.content(ids[0]) == PLAIN
    assert editor.drafts.id is None
    with Project.open(mine, read_only=True) as project:
        assert project.conversation(ids[0]).messages[0].text == "typed Hi"


def test_what_could_not_be_written_is_there_again(editor, session, qtbot, monkeypatch):
    def full(_edit):
        raise ProjectError("The disk is full.", session.project.path)

    editor.open(session.ids[0])
    with monkeypatch.context() as patched:
        patched.setattr(session.project, "apply", full)
        text_of(editor, 0).insertPlainText("typed ")
        editor.open(session.ids[1])
    assert session.project.content(session.ids[0]) == PLAIN
    editor.open(session.ids[0])
    assert text_of(editor, 0).text() == "typed Hi"
    qtbot.waitUntil(lambda: not editor.drafts.is_dirty, timeout=30_000)
    assert session.project.conversation(session.ids[0]).messages[0].text == "typed Hi"


def test_typing_while_a_job_edits_the_same_conversation_is_written(editor, session, qtbot):
    editor.open(session.ids[0])
    flag = ContentPatch(session.ids[0], PLAIN, PLAIN.replace("Hello", "Servus"))
    changes = session.project.apply(Edit("by a job", "anna", (flag,)))
    text_of(editor, 0).insertPlainText("typed ")
    editor.commit()
    assert editor.drafts.is_dirty
    session._spread(changes)
    qtbot.waitUntil(lambda: not editor.drafts.is_dirty, timeout=30_000)
    assert session.project.conversation(session.ids[0]).messages[0].text == "typed Hi"
    assert journal(session)[:2] == ["Edit turn 1", "by a job"]


def long_talk(session, count, words="Some words. "):
    line = json.dumps({"messages": [
        {"role": ("user", "assistant")[i % 2], "content": f"{i}: " + words * (1 + i % 7)}
        for i in range(count)
    ]})  # fmt: skip
    new = session.project.new_conversation_ids(1)[0]
    session.push(Edit("long", "anna", (ContentPatch(new, None, line),)))
    return new


def seen(editor):
    """Return the numbers of the messages whose room can be seen, top to bottom."""
    port = editor.cards.viewport()
    there = []
    for slot in editor.cards.placeholders:
        if slot.frame is not None and slot.frame.isVisible():
            top = slot.frame.mapTo(port, QPoint(0, 0)).y()
            if top < port.rect().bottom() and top + slot.frame.height() > 0:
                there.append(slot.number)
    return there


def fills_the_view(editor):
    numbers = seen(editor)
    if not numbers or numbers != list(range(numbers[0], numbers[-1] + 1)):
        return False
    cards, port = editor.cards, editor.cards.viewport()
    first, last = cards.placeholders[numbers[0]].frame, cards.placeholders[numbers[-1]].frame
    top = first.mapTo(port, QPoint(0, 0)).y()
    bottom = last.mapTo(port, QPoint(0, last.height())).y()
    return (top <= 0 or numbers[0] == 0) and (
        bottom >= port.rect().bottom() or last is cards.placeholders[-1].frame
    )


def test_wherever_one_scrolls_there_are_cards_of_the_messages_in_order(editor, session, qtbot):
    editor.open(long_talk(session, 300))
    qtbot.waitUntil(lambda: fills_the_view(editor), timeout=30_000)
    assert seen(editor)[0] == 0
    bar = editor.cards.verticalScrollBar()
    for share in (0.5, 0.9, 0.2, 1.0, 0.0):
        bar.setValue(int(bar.maximum() * share))
        qtbot.waitUntil(lambda: fills_the_view(editor), timeout=30_000)
        for number in seen(editor):
            assert text_of(editor, number).text().startswith(f"{number}: ")
            assert editor.cards.card(number).number == number


def test_scrolling_up_over_places_not_seen_yet_leaves_what_is_seen_where_it_is(
    editor, session, qtbot
):
    editor.open(long_talk(session, 200))
    editor.cards.go_to(150)
    port = editor.cards.viewport()
    place = editor.cards.card(150).mapTo(port, QPoint(0, 0)).y()
    qtbot.waitUntil(lambda: fills_the_view(editor), timeout=30_000)
    qtbot.waitUntil(lambda: not editor.cards._turn.isActive(), timeout=30_000)
    assert editor.cards.placeholders[140].card is not None
    assert editor.cards.card(150).mapTo(port, QPoint(0, 0)).y() == place
    assert 150 in seen(editor)


def test_after_a_huge_message_all_cards_of_a_short_conversation_are_there(editor, session, qtbot):
    line = json.dumps({"messages": [{"role": "user", "content": "Some words. " * 15_000}] * 2})
    huge = session.project.new_conversation_ids(1)[0]
    session.push(Edit("huge", "anna", (ContentPatch(huge, None, line),)))
    short = long_talk(session, 4)
    for _ in range(2):
        editor.open(huge)
        qtbot.waitUntil(lambda: editor.cards.placeholders[0].card is not None, timeout=30_000)
        qtbot.waitUntil(lambda: not editor.cards._turn.isActive(), timeout=30_000)
        editor.open(short)
        editor.cards.card(0)
        # The room had the huge message; what else is to be made is reckoned from its height.
        assert editor.cards.placeholders[0].height < 1_000
        qtbot.waitUntil(lambda: editor.cards.placeholders[3].card is not None, timeout=30_000)


def test_another_conversation_takes_the_cursor_to_its_first_message(editor, session, qtbot):
    first, second = long_talk(session, 30), long_talk(session, 3, "Other words. ")
    editor.open(first)
    editor.cards.go_to(20, enter=True)
    editor.open(second)
    qtbot.waitUntil(lambda: fills_the_view(editor), timeout=30_000)
    qtbot.waitUntil(lambda: editor.cards.current == 0, timeout=30_000)
    assert editor.cards.card(0).hasFocus()
    assert [slot.card is not None for slot in editor.cards.placeholders] == [True] * 3


def test_messages_come_and_go_above_and_below_the_stretch_that_is_shown(editor, session, qtbot):
    editor.open(long_talk(session, 120))
    editor.cards.go_to(60)
    qtbot.waitUntil(lambda: fills_the_view(editor), timeout=30_000)
    messages = loads(session.project.content(editor.drafts.id))["messages"]
    for number in (0, 60, 119):
        editor._add(number, "user")
        editor._verb(number, "duplicate")
        editor._verb(number, "remove")
        editor._verb(number, "remove")
        qtbot.waitUntil(lambda: fills_the_view(editor), timeout=30_000)
        assert [slot.number for slot in editor.cards.placeholders] == list(range(120))
        assert [slot.message for slot in editor.cards.placeholders] == messages
        assert all(text_of(editor, n).text() == messages[n]["content"] for n in seen(editor))


def test_a_long_conversation_is_counted_and_checked_a_moment_after_it_is_open(
    editor, session, qtbot
):
    long = long_talk(session, 300)
    checked: list[object] = []
    editor.checked.connect(checked.append)
    editor.open(long)
    assert "Counting" in editor.header._tokens.text()
    qtbot.waitUntil(lambda: editor.measure is not None, timeout=20_000)
    assert editor.measure.count.total == int(session.project.row(long).tokens)
    # Nothing is found at first, and later what the checks find.
    qtbot.waitUntil(lambda: len(checked) >= 2, timeout=20_000)
    # Another one that is opened meanwhile is counted as ever.
    editor.open(long_talk(session, 300, "Other words. "))
    editor.open(session.ids[0])
    assert editor.measure.count.total == int(session.project.row(session.ids[0]).tokens)
