"""Find and replace shows every place and changes nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.search.replace import Replacer, Search
from curator.dataset import Conversation, Message
from curator.dataset.errors import WrongUse

TALK = Conversation.of(
    [
        Message.of("system", "Be brief. be kind."),
        Message.of("user", "Is Berlin big?"),
        Message(
            {"role": "user", "content": [{"type": "text", "text": "be"}, {"type": "image_url"}]}
        ),
        Message.of("assistant", "Be sure: yes.", weight=1),
    ],
    extra={"be": 1},
)


def test_hits_name_message_part_and_context():
    hits = Replacer(Search("be ", "is ")).hits(TALK)
    assert [(h.message, h.part, h.start, h.end, h.before) for h in hits] == [
        (0, None, 0, 3, "Be "), (0, None, 10, 13, "be "), (3, None, 0, 3, "Be "),
    ]  # fmt: skip
    assert hits[1].context == ("Be brief. ", "kind.")


def test_case_whole_word_and_roles_narrow_the_search():
    assert len(Replacer(Search("be")).hits(TALK)) == 5
    assert len(Replacer(Search("be", match_case=True)).hits(TALK)) == 2
    assert len(Replacer(Search("be", whole_word=True)).hits(TALK)) == 4
    assert len(Replacer(Search("be", roles=frozenset({"assistant"}))).hits(TALK)) == 1


def test_replacing_touches_only_the_hits_that_are_not_left_out():
    changed = Replacer(Search("be", "B", whole_word=True)).replaced(TALK, {(0, None, 0)})
    assert changed.messages[0].content == "Be brief. B kind."
    assert changed.messages[2].content == [{"type": "text", "text": "B"}, {"type": "image_url"}]
    assert changed.messages[3].fields == {
        "role": "assistant",
        "content": "B sure: yes.",
        "weight": 1,
    }
    assert changed.messages[1].fields is TALK.fields["messages"][1]
    assert changed.fields["extra"] == {"be": 1}


def test_a_regular_expression_may_use_its_groups():
    changed = Replacer(Search(r"(\w+), (\w+)", r"\2 \1", is_regex=True)).replaced(
        Conversation.of([Message.of("user", "Doe, Jane")])
    )
    assert changed.messages[0].text == "Jane Doe"


def test_plain_replacements_are_taken_by_the_letter():
    talk = Conversation.of([Message.of("user", "a.b")])
    assert Replacer(Search(".", r"\1")).replaced(talk).messages[0].text == r"a\1b"


@pytest.mark.parametrize(
    "search",
    [Search(""), Search("(", is_regex=True), Search("a", r"\2", is_regex=True)],
    ids=["nothing", "bad pattern", "bad group"],
)
def test_a_wrong_search_says_so(search):
    with pytest.raises(WrongUse):
        Replacer(search)


def test_empty_matches_are_no_places():
    assert Replacer(Search("x*", "-", is_regex=True)).hits(TALK) == ()


def test_no_hit_gives_the_very_conversation_back():
    assert Replacer(Search("zebra")).replaced(TALK) is TALK


@given(st.text(max_size=30), st.text(min_size=1, max_size=3), st.booleans())
def test_the_quick_look_never_misses_a_hit(text, find, match_case):
    replacer = Replacer(Search(find, match_case=match_case))
    talk = Conversation.of([Message.of("user", text)])
    if replacer.hits(talk):
        assert replacer.may_match(talk.to_json())


@pytest.mark.parametrize("text", ["\u212aelvin", "\u017ftrasse", "İ", "ı"])
def test_the_quick_look_knows_letters_that_match_without_case(text):
    for find in "ksi":
        talk = Conversation.of([Message.of("user", text)])
        replacer = Replacer(Search(find))
        assert replacer.may_match(talk.to_json()) or not replacer.hits(talk)


@given(st.text(alphabet="ab ", max_size=20))
def test_replacing_equals_python_replace(text):
    talk = Conversation.of([Message.of("user", text)])
    changed = Replacer(Search("a", "xy", match_case=True)).replaced(talk)
    assert changed.messages[0].text == text.replace("a", "xy")


@pytest.mark.parametrize("is_regex", [False, True])
@pytest.mark.parametrize(
    ("find", "text"), [("राज", "राजा राज"), ("e", "cafe\u0301 e"), ("می", "می\u200cخواهم می")]
)
def test_a_whole_word_ends_after_its_marks(find, text, is_regex):
    """In scripts whose vowels are marks a part of a word is no word."""
    talk = Conversation.of([Message.of("user", text)])
    search = Search(find, "x", whole_word=True, is_regex=is_regex)
    assert [hit.start for hit in Replacer(search).hits(talk)] == [text.rindex(find)]
