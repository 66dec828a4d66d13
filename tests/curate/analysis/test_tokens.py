"""Token counts equal tiktoken's, always; base models resolve or say that they were guessed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.analysis import encodings
from curator.curate.analysis.encodings import (
    Engine,
    agrees_with_golden,
    fast_engine,
    golden_texts,
    tiktoken_engine,
)
from curator.curate.analysis.tokens import (
    ENCODINGS,
    Counter,
    count_conversation,
    counter,
    resolve_base_model,
)
from curator.dataset import Conversation, Message
from curator.dataset.errors import CuratorError, WrongUse

VOCABULARIES = ("o200k_base", "cl100k_base")


def tiktoken_count(encoding):
    return tiktoken_engine(encoding).count


def fast_count(encoding):
    engine = fast_engine(encoding)
    return engine and engine.count


SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|endofprompt|>", "<|return|>", "<|fim_prefix|>"]
PIECES = st.one_of(
    st.text(max_size=30),
    st.text(
        alphabet="abcXYZ 'sStTlL019\n\r\t .,;:-_/\u00a0\u3000éßſ中あ한👍🏽\u200d\u0301", max_size=40
    ),
    st.sampled_from(
        [
            *SPECIALS,
            "\u180e",
            "\u182c\u180e'",
            "\ud800",
            "\udc00\ud800",
            "  \n",
            "'LL",
            "\x00",
            "a" * 400,
        ]
    ),
    st.characters(),
)


@pytest.mark.parametrize("encoding", VOCABULARIES)
def test_both_engines_agree_with_the_golden_file(encoding):
    assert agrees_with_golden(encoding, tiktoken_count(encoding))
    fast = fast_count(encoding)
    assert fast is not None
    began = time.process_time()
    assert agrees_with_golden(encoding, fast)
    assert time.process_time() - began < 0.2, "the self-test runs at every first load"


CONTEXTS = "{0}'s {0}. a{0}1 ’{0}z\n{0}\r\n  {0}{0}  A{0}b-{0}/'{0}"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", VOCABULARIES)
def test_every_code_point_counts_as_tiktoken_does(encoding):
    fast = fast_engine(encoding)
    assert fast is not None
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    for begin in range(0, len(points), 20_000):
        texts = [CONTEXTS.format(chr(point)) for point in points[begin : begin + 20_000]]
        counts = fast.count_clean(texts).tolist()
        expected = tiktoken_engine(encoding).count_clean(texts).tolist()
        assert counts == expected, [
            ascii(text) for text, a, b in zip(texts, counts, expected, strict=True) if a != b
        ][:5]


def test_a_character_that_the_fast_engine_misreads_is_counted_by_tiktoken():
    text = "a\u180e's"
    assert text in golden_texts()[0]
    assert encodings.VOCABULARIES["cl100k_base"].misread in text
    fast = fast_engine("cl100k_base")
    exact = tiktoken_count("cl100k_base")(text)
    assert fast.count(text) == exact
    assert fast.count_clean(["b", text, "c"]).tolist() == [1, exact, 1]


def test_the_golden_file_holds_hundreds_of_texts_for_both_vocabularies():
    texts, counts = golden_texts()
    assert len(texts) >= 300
    assert {len(counts[encoding]) for encoding in VOCABULARIES} == {len(texts)}


@pytest.mark.parametrize("encoding", VOCABULARIES)
@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(PIECES, max_size=12))
def test_fastokens_counts_as_tiktoken_does(encoding, pieces):
    text = "".join(pieces)
    assert fast_count(encoding)(text) == tiktoken_count(encoding)(text)


@pytest.mark.parametrize("encoding", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(st.one_of(st.text(), st.sampled_from([*SPECIALS, "", " \n"])), max_size=9))
def test_many_texts_count_as_each_of_them(encoding, texts):
    expected = [tiktoken_count(encoding)(text) for text in texts]
    assert fast_engine(encoding).count_clean(texts).tolist() == expected
    assert tiktoken_engine(encoding).count_clean(texts).tolist() == expected


def test_special_tokens_inside_text_are_plain_text():
    count = tiktoken_count("o200k_base")
    for special in SPECIALS:
        assert count(special) > 1
        assert fast_count("o200k_base")(special) == count(special)


def test_a_lone_surrogate_counts_as_the_replacement_character():
    for count in (tiktoken_count("o200k_base"), fast_count("o200k_base")):
        assert count("a\ud83d b") == count("a\ufffd b")
        assert count("\ud83d\ude00") == count("😀")


def test_harmony_shares_the_ranks_of_o200k():
    assert counter("o200k_harmony").count("Hello, world!") == counter("o200k_base").count(
        "Hello, world!"
    )


def test_an_unknown_encoding_is_refused():
    with pytest.raises(WrongUse, match="o200k_base"):
        Counter("p50k_base")


def test_a_damaged_vocabulary_is_refused(monkeypatch, tmp_path):
    (tmp_path / "o200k_base.tiktoken").write_bytes(b"AA== 0\n")
    monkeypatch.setattr(encodings, "resource", lambda *parts: tmp_path / parts[-1])
    with pytest.raises(CuratorError, match="damaged"):
        encodings.verified_vocabulary("o200k_base")
    with pytest.raises(CuratorError, match="cannot be read"):
        encodings.verified_vocabulary("cl100k_base")


def test_an_engine_that_differs_is_not_used(monkeypatch):
    monkeypatch.setattr("curator.curate.analysis.tokens.fast_engine", lambda _: None)
    own = Counter("o200k_base")
    assert not own.accelerate()
    assert (own.engine, own.count("Hello, world!")) == ("tiktoken", 4)


def test_what_is_not_trusted_counts_with_tiktoken_from_then_on(monkeypatch):
    monkeypatch.setattr("curator.curate.analysis.tokens.fast_engine", lambda _: Engine(len, list))
    own = Counter("o200k_base")
    assert own.accelerate()
    own.distrust()
    assert own.engine == "tiktoken"
    assert own.count("Hello, world!") == 4
    assert not own.accelerate(), "what was wrong once stays off"


def test_a_long_message_counts_within_a_millisecond():
    count = fast_count("o200k_base")
    text = "The parcel left the warehouse on Monday and should arrive soon. " * 3_200
    count(text)
    spent = []
    for _ in range(20):
        began = time.process_time()
        count(text)
        spent.append(time.process_time() - began)
    assert len(text) > 200_000
    assert min(spent) < 0.001


def test_the_formula_is_that_of_the_published_notebook():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi <|endoftext|>", "name": "Ann"},
        {"role": "assistant", "content": "Hello!"},
    ]
    count = counter("o200k_base").count
    expected = 3 + sum(3 + sum(count(v) + (k == "name") for k, v in m.items()) for m in messages)
    found = count_conversation(Conversation({"messages": messages}), counter("o200k_base"))
    assert found.total == expected == sum(found.per_message) + 3
    assert found.trained == count("Hello!")
    assert found.exact


def test_weight_zero_is_not_trained_and_weights_are_no_text():
    plain = Conversation.of([Message.of("user", "a"), Message.of("assistant", "b c")])
    masked = Conversation.of([Message.of("user", "a"), Message.of("assistant", "b c", weight=0)])
    own = counter("o200k_base")
    assert count_conversation(masked, own).total == count_conversation(plain, own).total
    assert count_conversation(masked, own).trained == 0


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "user", "content": 5},
    ],
)
def test_tools_and_parts_are_an_estimate(message):
    found = count_conversation(Conversation({"messages": [message]}), counter("o200k_base"))
    assert not found.exact
    assert found.total > 0


def test_tool_definitions_make_an_estimate():
    plain = Conversation.of([Message.of("user", "a")])
    own = counter("o200k_base")
    with_tools = count_conversation(plain.replace(tools=[{"type": "function"}]), own)
    assert not with_tools.exact
    assert with_tools.total > count_conversation(plain, own).total


@pytest.mark.parametrize(
    ("name", "encoding", "limit"),
    [
        ("gpt-4.1-mini", "o200k_base", 65_536),
        ("gpt-4o-mini-2024-07-18", "o200k_base", 65_536),
        ("ft:gpt-4.1-mini-2025-04-14:acme:desk:Abc123", "o200k_base", 65_536),
        ("ft:gpt-3.5-turbo-0125:acme::x", "cl100k_base", 16_385),
        ("gpt-3.5-turbo", "cl100k_base", 16_385),
        ("gpt-4", "cl100k_base", 8_192),
        ("openai/gpt-oss-20b", "o200k_harmony", 131_072),
        ("GPT-5-mini", "o200k_base", 65_536),
    ],
)
def test_base_models_resolve(name, encoding, limit):
    facts = resolve_base_model(name)
    assert (facts.encoding, facts.context_limit, facts.known, facts.note) == (
        encoding,
        limit,
        True,
        "",
    )


@given(st.text(max_size=40))
def test_any_name_resolves_and_a_guess_says_so(name):
    facts = resolve_base_model(name)
    assert facts.encoding in ENCODINGS
    assert facts.known or "estimates" in facts.note


def test_an_unknown_name_is_a_guess():
    facts = resolve_base_model("ft:llama-9-huge:acme")
    assert (facts.known, facts.encoding) == (False, "o200k_base")
    assert "ft:llama-9-huge:acme" in facts.note
