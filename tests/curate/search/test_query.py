import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.search.matching import fold, is_plain, matcher
from curator.curate.search.query import Filter, Query, Term, parse_query


def test_words_phrases_and_regular_expressions():
    query = parse_query(r'refund -angry "my card" -"no way" /\d{4} \d{4}/ -/x/i')
    assert query.terms == (
        Term("word", "refund"),
        Term("word", "angry", negated=True),
        Term("phrase", "my card"),
        Term("phrase", "no way", negated=True),
        Term("regex", r"\d{4} \d{4}"),
        Term("regex", "(?i)x", negated=True),
    )
    assert query.needs_text
    assert not query.notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tokens:>100", Filter("tokens", (), 101, None)),
        ("tokens:>=100", Filter("tokens", (), 100, None)),
        ("turns:2..4", Filter("turns", (), 2, 4)),
        ("turns:2..", Filter("turns", (), 2, None)),
        ("turns:..4", Filter("turns", (), None, 4)),
        ("errors:0", Filter("errors", (), 0, 0)),
        ("-warnings:<3", Filter("warnings", (), None, 2, negated=True)),
        ("status:accepted,rej", Filter("status", ("accepted", "rejected"))),
        ("Split:None", Filter("split", ("none",))),
        ('tag:"needs work"', Filter("tag", ("needs work",))),
        ("-is:removed", Filter("is", ("removed",), negated=True)),
        ("label:intent=refund", Filter("label", ("intent=refund",))),
    ],
)
def test_fields(text, expected):
    query = parse_query(text)
    assert query.filters == (expected,)
    assert not query.terms
    assert not query.notes


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("tokens:many", "wants a number"),
        ("tokens:", "wants a number"),
        ("status:done", "status:done is unknown"),
        ("tag:", "wants a value"),
        ("/[/", "no regular expression"),
        ("https://example.org", "is no field"),
    ],
)
def test_what_is_not_understood_becomes_a_note(text, note):
    assert note in parse_query(text).notes[0]


def test_text_that_looks_like_a_field_is_still_searched():
    assert parse_query("https://example.org").terms == (Term("phrase", "https://example.org"),)
    assert parse_query("- hello").terms == (Term("word", "hello"),)
    assert parse_query("  ").is_empty


@given(st.text(max_size=60))
def test_it_never_raises(text):
    query = parse_query(text)
    assert query.text == text
    matcher(query)("some text")


@given(
    st.lists(
        st.sampled_from(
            ['"', "-", "/", ":", "tokens:", ">", "..", "9", "status:", "is:", "a", " ", "\\", "["]
        ),
        max_size=12,
    )
)
def test_it_never_raises_on_its_own_signs(parts):
    matcher(parse_query("".join(parts)))("a 9")


@pytest.mark.parametrize(
    ("query", "text", "fits"),
    [
        ("refun", "All refunds", True),
        ("fund", "All refunds", False),
        ("CAFÉ", "the cafe", True),
        ("straße", "in der Straße", True),
        ('"my card"', "my, card", True),
        ('"my car"', "my card", False),
        ("c++", "in C++ only", True),
        ("c++", "in C only", False),
        ("don't", "I don't", True),
        ("ab", "abc", False),
        ("银行", "我的银行卡", True),
        ("😀", "well 😀", True),
        ("snake_case", "a snake_case", True),
        ("-angry", "calm", True),
        ("-angry", "angry", False),
        (r"/\bO\w+/", "my order", False),
        (r"/\bO\w+/i", "my order", True),
        ("-/Order/", "my order", True),
        ("refund angry", "refund", False),
    ],
)
def test_what_fits(query, text, fits):
    assert matcher(parse_query(query))(text) is fits


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


def test_only_spaced_scripts_are_plain():
    assert is_plain(Term("word", "Crème"))
    assert is_plain(Term("phrase", "две карты"))
    assert not is_plain(Term("word", "银行"))
    assert not is_plain(Term("word", "c++"))
    assert not is_plain(Term("regex", "abc"))
    assert Query().is_empty
