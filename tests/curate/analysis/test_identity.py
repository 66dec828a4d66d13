"""What is the same: content, prompt, answers and beginnings, and nothing else."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.analysis import identity
from curator.curate.analysis.identity import NO_PROMPT, prompt_hash
from curator.dataset import Conversation, Message


def talk(*pairs, **more):
    return Conversation.of([Message.of(role, text) for role, text in pairs], **more)


def made(*messages, **more):
    return Conversation({"messages": list(messages), **more})


def call(arguments, name="book", id_="c1"):
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls):
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def picture(url, **more):
    return {"type": "image_url", "image_url": {"url": url, **more}}


ASKED = {"role": "user", "content": "Do it please."}
DONE = {"role": "assistant", "content": "Done."}


def test_spacing_and_key_order_do_not_matter_for_the_content_hash():
    one = Conversation.parse('{"messages": [{"role": "user", "content": "Hi"}]}')
    other = Conversation.parse('{ "messages":[{"content":"H\\u0069","role":"user"}] }')
    assert identity.content_hash(one) == identity.content_hash(other)
    assert identity.content_hash(one) != identity.content_hash(talk(("user", "hi")))


def test_the_hash_is_the_first_eight_bytes_of_sha_256():
    assert identity.hash_text("") == int.from_bytes(bytes.fromhex("e3b0c44298fc1c14"), signed=True)


SAME = {
    "spaces": (
        talk(("user", "How  are\nyou?"), ("assistant", "Fine")),
        talk(("user", " How are you? "), ("assistant", "Not fine")),
    ),
    "composed or not": (
        talk(("user", "caf\u00e9"), ("assistant", "x")),
        talk(("user", "cafe\u0301"), ("assistant", "x")),
    ),
    "what follows the last answer": (
        talk(("user", "a"), ("assistant", "x")),
        talk(("user", "a"), ("assistant", "y"), ("user", "later")),
    ),
    "no answer yet": (talk(("user", "a"), ("assistant", "x")), talk(("user", "a"))),
    "a text or one part": (
        talk(("user", "a"), ("assistant", "x")),
        made({"role": "user", "content": [{"type": "text", "text": "a"}]}, DONE),
    ),
    "developer or system": (
        talk(("system", "S"), ("user", "a"), ("assistant", "x")),
        talk(("developer", "S"), ("user", "a"), ("assistant", "x")),
    ),
    "ids of calls": (
        made(
            ASKED,
            calling(call("{}")),
            {"role": "tool", "tool_call_id": "c1", "content": "ok"},
            DONE,
        ),
        made(
            ASKED,
            calling(call("{}", id_="z9")),
            {"role": "tool", "tool_call_id": "z9", "content": "ok"},
            DONE,
        ),
    ),
    "spacing and order of arguments": (
        made(ASKED, calling(call('{"a":1,"b":2}')), DONE),
        made(ASKED, calling(call('{ "b": 2, "a": 1 }')), DONE),
    ),
    "weights": (
        made(ASKED, {**DONE, "weight": 0}, ASKED, DONE),
        made(ASKED, {**DONE, "weight": 1}, ASKED, DONE),
    ),
    "order of tools": (
        made(ASKED, DONE, tools=[{"type": "function", "function": {"name": n}} for n in "ab"]),
        made(ASKED, DONE, tools=[{"type": "function", "function": {"name": n}} for n in "ba"]),
    ),
    "functions or tools": (
        made(ASKED, DONE, tools=[{"type": "function", "function": {"name": "a"}}]),
        made(ASKED, DONE, functions=[{"name": "a"}]),
    ),
}

OTHER = {
    "raised figures": (
        talk(("user", "What is 10\u00b2?"), ("assistant", "100")),
        talk(("user", "What is 102?"), ("assistant", "102")),
    ),
    "case": (
        talk(("user", "Translate: Polish"), ("assistant", "x")),
        talk(("user", "Translate: polish"), ("assistant", "x")),
    ),
    "width": (
        talk(("user", "\uff21"), ("assistant", "x")),
        talk(("user", "A"), ("assistant", "x")),
    ),
    "earlier answers": (
        talk(("user", "Hi"), ("assistant", "Tea?"), ("user", "Yes"), ("assistant", "Here.")),
        talk(("user", "Hi"), ("assistant", "Coffee?"), ("user", "Yes"), ("assistant", "Here.")),
    ),
    "the system message": (
        talk(("system", "S"), ("user", "a"), ("assistant", "x")),
        talk(("system", "T"), ("user", "a"), ("assistant", "x")),
    ),
    "who says it": (
        talk(("system", "b"), ("user", "a"), ("assistant", "x")),
        talk(("user", "b"), ("user", "a"), ("assistant", "x")),
    ),
    "where a message ends": (
        talk(("user", "a b"), ("user", "c"), ("assistant", "x")),
        talk(("user", "a"), ("user", "b c"), ("assistant", "x")),
    ),
    "tool results": (
        talk(("user", "a"), ("assistant", "x"), ("tool", "21"), ("assistant", "y")),
        talk(("user", "a"), ("assistant", "x"), ("tool", "22"), ("assistant", "y")),
    ),
    "images": (
        made({"role": "user", "content": [{"type": "text", "text": "a"}, picture("0.png")]}, DONE),
        made({"role": "user", "content": [{"type": "text", "text": "a"}, picture("1.png")]}, DONE),
    ),
    "an image and none": (
        made({"role": "user", "content": [{"type": "text", "text": "a"}, picture("0.png")]}, DONE),
        made({"role": "user", "content": "a"}, DONE),
    ),
    "sounds and files": (
        made(
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA"}}]},
            DONE,
        ),
        made(
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "BB"}}]},
            DONE,
        ),
    ),
    "arguments": (
        made(ASKED, calling(call('{"room": 0}')), DONE),
        made(ASKED, calling(call('{"room": 1}')), DONE),
    ),
    "names of calls": (
        made(ASKED, calling(call("{}", "book")), DONE),
        made(ASKED, calling(call("{}", "cancel")), DONE),
    ),
    "old calls": (
        made(ASKED, {"role": "assistant", "function_call": {"name": "b", "arguments": "1"}}, DONE),
        made(ASKED, {"role": "assistant", "function_call": {"name": "b", "arguments": "2"}}, DONE),
    ),
    "a key that stands twice": (
        made(ASKED, calling(call('{"room": 0, "room": 1}')), DONE),
        made(ASKED, calling(call('{"room": 1}')), DONE),
    ),
    "which call is answered": (
        made(
            ASKED,
            calling(call('"a"', id_="1"), call('"b"', id_="2")),
            {"role": "tool", "tool_call_id": "1", "content": "ok"},
            DONE,
        ),
        made(
            ASKED,
            calling(call('"a"', id_="1"), call('"b"', id_="2")),
            {"role": "tool", "tool_call_id": "2", "content": "ok"},
            DONE,
        ),
    ),
    "refusals": (
        made(ASKED, {"role": "assistant", "refusal": "No."}, ASKED, DONE),
        made(ASKED, {"role": "assistant", "refusal": "Never."}, ASKED, DONE),
    ),
    "names of speakers": (
        made({**ASKED, "name": "Ann"}, DONE),
        made({**ASKED, "name": "Bob"}, DONE),
    ),
    "tool definitions": (
        made(ASKED, DONE, tools=[{"type": "function", "function": {"name": "a"}}]),
        made(ASKED, DONE, tools=[{"type": "function", "function": {"name": "b"}}]),
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_the_prompt_is_no_more_than_what_was_read(what):
    one, other = SAME[what]
    assert prompt_hash(one) == prompt_hash(other) != NO_PROMPT


@pytest.mark.parametrize("what", OTHER)
def test_the_prompt_is_no_less_than_what_was_read(what):
    one, other = OTHER[what]
    assert NO_PROMPT not in (prompt_hash(one), prompt_hash(other))
    assert prompt_hash(one) != prompt_hash(other)


@pytest.mark.parametrize(
    "nothing",
    [
        talk(("assistant", "x")),
        talk(("system", "S"), ("assistant", "x")),
        talk(("user", " "), ("assistant", "x")),
        talk(("system", "S")),
        made({"role": "user", "content": None}, DONE),
        made(),
    ],
)
def test_where_nothing_is_asked_there_is_no_prompt(nothing):
    assert identity.read(nothing) == (NO_PROMPT, b"")


def beginnings(conversation):
    packed = identity.read(conversation).beginnings
    return [packed[at : at + 8] for at in range(0, len(packed), 8)]


ROLES = st.sampled_from(["system", "user", "assistant"])
TALKS = st.lists(st.tuples(ROLES, st.sampled_from("abc")), min_size=1, max_size=6)


@given(TALKS, TALKS)
def test_a_beginning_equals_the_conversation_that_ends_there(one, other):
    """For any two: the whole of one is among the beginnings of the other just where it begins so."""
    ends = [place for place, (role, _) in enumerate(one) if role == "assistant"]
    asked = [end for end in ends if any(role != "system" for role, _ in one[:end])]
    begun = beginnings(talk(*one))
    assert begun == [beginnings(talk(*one[: end + 1]))[-1] for end in asked]
    whole = beginnings(talk(*other))
    last = max((n for n, (role, _) in enumerate(other) if role == "assistant"), default=-1)
    starts = one[: last + 1] == other[: last + 1] and len(one) > last >= 0
    assert bool(whole and whole[-1] in begun) == bool(whole and starts)


@given(TALKS)
def test_the_fast_way_reads_the_same(pairs):
    conversation = talk(*pairs)
    shape = identity.shape_of([role for role, _ in pairs])
    pieces = identity.normalise_all([text for _, text in pairs])
    assert identity.read_plain(shape, pieces) == identity.read(conversation)


def test_the_last_answer_is_text_and_calls():
    assert identity.answer_hash(talk(("user", "a"))) == 0
    assert identity.answer_hash(made(ASKED, {"role": "assistant", "content": " "})) == 0
    one, other = (made(ASKED, calling(call(json.dumps({"room": n})))) for n in (0, 1))
    assert identity.answer_hash(one) != identity.answer_hash(other)
    assert identity.answer_hash(talk(("user", "a"), ("assistant", "x "))) == identity.answer_hash(
        talk(("user", "b"), ("assistant", "x"))
    )


def test_the_system_hash_is_zero_without_a_system_prompt():
    assert identity.system_hash(talk(("user", "a"))) == 0
    assert identity.system_hash(talk(("system", "S"), ("user", "a"))) == identity.hash_text("S")


def test_a_lone_surrogate_can_be_hashed():
    assert identity.content_hash(talk(("user", "\ud800"))) != identity.content_hash(
        talk(("user", "\ud801"))
    )
    assert prompt_hash(talk(("user", "\ud800"))) != prompt_hash(talk(("user", "\ud801")))


@given(st.text())
def test_folding_is_stable_and_single_spaced(text):
    folded = identity.normalise(text)
    assert folded == " ".join(folded.split())
    assert identity.normalise(f"  {text}\n") == folded
    assert folded == " ".join(unicodedata.normalize("NFC", text).split())


def each(texts):
    return [identity.normalise(text).encode() for text in texts]


whole = st.characters(exclude_categories=["Cs"])
spaces = st.sampled_from("a \0\t\n\x0b\x1c\x1f\x85\xa0\u1680\u2003\u2028\u2029\u3000")


@given(st.lists(st.text(whole | spaces), max_size=4))
def test_folding_texts_together_is_folding_each(texts):
    assert identity.normalise_all(texts) == each(texts)


def test_every_sign_folds_together_as_by_itself():
    signs = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = [f"A{sign} {sign}b" for sign in signs if sign != "\0"]
    assert identity.normalise_all(texts) == each(texts)


def test_folding_together_keeps_marks_signs_and_ends_apart():
    texts = [
        "e",
        "\u0301a",
        "",
        "x\0y",
        "\u0344",
        "\uac00",
        "\u11a8",
        "\ufb03",
        "A",
        "\u1e9e",
        "  ",
    ]
    for chosen in (texts, [text for text in texts if "\0" not in text]):
        assert identity.normalise_all(chosen) == each(chosen)


@given(st.text(max_size=20), st.text(max_size=20))
def test_different_texts_have_different_hashes(a, b):
    assert (identity.hash_text(a) == identity.hash_text(b)) == (a == b)
