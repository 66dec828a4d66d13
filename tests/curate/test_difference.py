import time

from hypothesis import given
from hypothesis import strategies as st

from curator.curate.difference import Span, compare_conversations, compare_texts, shown_text
from curator.dataset.conversation import Conversation, Message

TEXT = st.text(alphabet="ab c\n.é你", max_size=30)


def conversation(*turns):
    return Conversation.of(Message.of(role, text) for role, text in turns)


@given(TEXT, TEXT)
def test_spans_of_a_side_are_its_text(left, right):
    left_spans, right_spans = compare_texts(left, right)
    assert "".join(s.text for s in left_spans) == left
    assert "".join(s.text for s in right_spans) == right
    same = ["".join(s.text for s in side if s.kind == "same") for side in (left_spans, right_spans)]
    assert same[0] == same[1]
    assert all(s.text for s in (*left_spans, *right_spans))
    assert {s.kind for s in left_spans} <= {"same", "gone"}
    assert {s.kind for s in right_spans} <= {"same", "new"}


def test_whole_words_are_marked():
    left, right = compare_texts("My card is lost.", "My cart is lost!")
    assert left == (
        Span("same", "My "),
        Span("gone", "card"),
        Span("same", " is lost"),
        Span("gone", "."),
    )
    assert right[1] == Span("new", "cart")


def test_long_texts_are_compared_quickly():
    left = "alpha beta gamma delta " * 8_000
    right = "start " + left.replace("beta gamma", "gamma beta") + "end"
    begin = time.process_time()
    left_spans, _ = compare_texts(left, right)
    assert time.process_time() - begin < 1.0
    assert "".join(s.text for s in left_spans) == left


def test_turns_are_aligned_by_text_then_by_role():
    left = conversation(("system", "S"), ("user", "Hi there"), ("assistant", "A"), ("user", "U2"))
    right = conversation(
        ("user", "Hi here"), ("assistant", "A"), ("assistant", "B"), ("user", "U2")
    )
    pairs = compare_conversations(left, right)
    assert [(p.left, p.right) for p in pairs] == [(0, None), (1, 0), (2, 1), (None, 2), (3, 3)]
    assert [p.same for p in pairs] == [False, False, True, False, True]


def test_a_difference_outside_the_text_is_no_sameness():
    left = Conversation.of([Message.of("assistant", "A", weight=0)])
    right = Conversation.of([Message.of("assistant", "A", weight=1)])
    assert not compare_conversations(left, right)[0].same


def test_tool_calls_are_shown():
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    message = Message({"role": "assistant", "content": None, "tool_calls": [call]})
    assert shown_text(message) == 'f({"x":1})'
    odd = Message({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]})
    assert '"image_url"' in shown_text(odd)


def test_words_with_marks_are_whole():
    left, right = compare_texts("राजा की रानी", "राजी की रानी")
    assert [span.text for span in left if span.kind == "gone"] == ["राजा"]
    assert [span.text for span in right if span.kind == "new"] == ["राजी"]


def test_true_and_1_are_different_as_json():
    """Python takes them for equal."""
    one, yes = (Conversation({"messages": [{"role": "user", "weight": w}]}) for w in (1, True))
    assert not compare_conversations(one, yes)[0].same
    assert compare_conversations(one, one)[0].same
    (a, b) = ({"role": "user", "content": "x"}, {"content": "x", "role": "user"})
    assert compare_conversations(Conversation({"messages": [a]}), Conversation({"messages": [b]}))[
        0
    ].same
