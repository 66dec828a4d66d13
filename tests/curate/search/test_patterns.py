"""A person's regular expression means what Python's engine says, and is given up where it takes too long."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.search import patterns
from curator.curate.search.matching import matcher
from curator.curate.search.patterns import Pattern
from curator.curate.search.query import parse_query
from curator.curate.search.replace import Replacer, Search
from curator.dataset import Conversation, Message
from curator.dataset.errors import WrongUse

ATOMS = (
    *("a", "b", "é", "ß", "ſ", "s", "K", "1", " ", ".", r"\d", r"\w", r"\s", r"\b", "^", "$"),
    *("[ab]", "[^a]", "(a|b)", "(?:ab)", "(?=a)", "(?<=a)", "(?P<n>a)", "(?>a)", "(?i:a)", "(?#c)"),
    *("a{2}", "a{1,2}", "a{,2}", "b{,}", "{}", "x{name}", "a{e}", "{s}", "a{i<=1}", r"\{e}"),
    *("[[:alpha:]]", "[^[:alpha:]b]", "[]a]", "[^]a]", "[[]", "[a[]", "[[a]b]", r"[a\[]", "[a||b]"),
    *("[a{e}]", r"[\]a]", r"\[", r"\{", r"[\w-]", "a++", "a*+", r"\x41", r"\n", r"\.", "[a-z]"),
)
PATTERNS = st.lists(
    st.tuples(st.sampled_from(ATOMS), st.sampled_from(("", "", "*", "+", "?", "*?"))),
    min_size=1, max_size=4,
).map(lambda pieces: "".join(atom + times for atom, times in pieces))  # fmt: skip
TEXTS = st.text("aAbBéÉßSsſkK1 \n.{}exn[:lph]-|", max_size=14)
ENDLESS = "(x+x+)+y"
LONG = "x" * 5_000


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(patterns, "SECONDS", 0.2)


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@settings(max_examples=800, deadline=None)
@given(PATTERNS, TEXTS, st.booleans())
def test_a_pattern_finds_what_pythons_engine_finds(source, text, match_case):
    try:
        judge = re.compile(source, 0 if match_case else re.IGNORECASE)
    except re.error:
        with pytest.raises(WrongUse):
            Pattern(source, match_case=match_case)
        return
    spans = [m.span() for m in judge.finditer(text) if m[0]]
    found = Pattern(source, match_case=match_case)
    assert [m.span() for m in found.matches(text) if m[0]] == spans
    assert found.found_in(text) == bool(judge.search(text))


@pytest.mark.parametrize("source", ["(", "[a", "a{2}{3}", r"\q", "*a", "(?P<1>a)"])
def test_what_is_no_pattern_is_told_in_a_sentence(source):
    with pytest.raises(WrongUse, match="is no regular expression"):
        Pattern(source)


def test_a_pattern_that_tries_too_many_ways_is_given_up(hurried):
    pattern = Pattern(ENDLESS)
    for work in (lambda: pattern.found_in(LONG), lambda: list(pattern.matches(LONG))):
        with pytest.raises(WrongUse, match=r"/\(x\+x\+\)\+y/ was given up"):
            work()


def test_search_and_replace_give_it_up_alike(hurried):
    query = parse_query(f"/{ENDLESS}/i")
    assert not query.notes
    with pytest.raises(WrongUse, match="was given up"):
        matcher(query)(LONG)
    replacer = Replacer(Search(ENDLESS, "z", is_regex=True, whole_word=True))
    with pytest.raises(WrongUse, match=r"^/\(x\+x\+\)\+y/ was given up"):
        replacer.hits(Conversation.of([Message.of("user", LONG)]))


def test_the_pattern_people_warn_of_is_no_danger():
    assert not Pattern("(a+)+$").found_in("a" * 200 + "b")
    assert Pattern("(a+)+$").found_in("a" * 200)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from((r"\1", r"\g<n>", r"\g<0>", r"\n", r"\\", "{", "z", r"\t")), max_size=4
    )
)
def test_a_replacement_says_what_it_says_to_pythons_engine(pieces):
    source, template = "(?P<n>a)b|c", "".join(pieces)
    Pattern(source).check_replacement(template)
    there = re.compile(source).finditer("xabc")
    here = Pattern(source).matches("xabc")
    assert [m.expand(template) for m in here] == [m.expand(template) for m in there]
