"""The fast ways miss nothing that the rules' own patterns find, whatever kind of text the rule data names."""

import json
import re
import shutil
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.analysis.kernel import Kernel, kernel
from curator.curate.checks import dispatch, finder, kinds, subject
from curator.curate.checks.finder import CONTROL, finder_of_errors, lines_to_read, needs_reading
from curator.curate.checks.invisible import is_blank, unseen
from curator.curate.checks.kinds import kinds_of
from curator.curate.checks.misread import misread
from curator.curate.checks.odd_characters import odd_characters
from curator.dataset import Conversation, rule
from curator.dataset.resources import resource
from curator.project.exports.strict_check import PROFILE, check_piece

ALL = kinds_of(*rule.load_rules())
KERNEL = kernel("o200k_base", PROFILE, None)
LETTERS = st.characters(codec="utf-8")


def made_of(pattern):
    """Return a pattern that texts are made by: what must not stand around them is left to chance."""
    without = re.sub(r"\(\?<?![^()]*\)|\(\?=\[[^()]*\)", "", pattern)
    # A private key may go on for 9,000 characters; its beginning is enough.
    return re.sub(r"\(\?<?=([^()]*)\)", r"\1", without).replace("{1,9000}?", "{1,9}?")


PATTERNS = [made_of(kind.pattern.pattern) for kind in ALL]
PLANTED = st.one_of([st.from_regex(pattern, alphabet=LETTERS) for pattern in PATTERNS])
REAL = st.sampled_from(
    [
        "+49 171 2345678",
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        "ann@bank.org",
        "sk-" + "a1B2c3D4" * 4,
        "ghp_" + "x9" * 18,
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN PRIVATE KEY-----",
        "https://ann:pass@host",
        "<|im_end|>",
        "<｜User｜>",
        "[INST]",
        "<<SYS>>",
        "<end_of_turn>",
    ]
)
OTHERS = ["\n", '"', "\\", " ", "-", "/", "1234-5678", "a1B2" * 6, "task", "caf\ufffd", "\u200b"]
PIECES = st.one_of(
    PLANTED,
    REAL,
    st.sampled_from([sign for kind in ALL for sign in kind.signs]),
    st.sampled_from(OTHERS),
    st.text(LETTERS, max_size=8),
)
TEXTS = st.lists(PIECES, min_size=1, max_size=5).map("".join)


def slowly(line):
    """Check a line by every rule, every text of it read closely."""
    with patch.object(subject, "texts_to_read", lambda texts: set(range(len(texts)))):
        return dispatch._check(Conversation.parse(line), PROFILE, None, None, line)


def line_of(texts, **how):
    roles = ["user", "assistant"]
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return json.dumps({"messages": messages}, **how)


def agree(line):
    """Assert that the ways of an import and of an export find what the slow way finds."""
    slow = slowly(line)
    row = KERNEL.plain_row(line)
    assert row is None or row.findings == slow
    assert dispatch.check_conversation(Conversation.parse(line), profile=PROFILE, raw=line) == slow
    _, problems = check_piece(line.encode() + b"\n")
    errors = [(f.rule, f.message) for f in slow if f.severity == "error"]
    assert [(p.rule, p.message) for p in problems] == errors


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3), st.booleans())
def test_the_fast_ways_find_what_the_slow_way_finds(texts, escaped):
    agree(line_of(texts, ensure_ascii=escaped))


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_match_of_a_kind_is_overlooked(kind, data):
    text = data.draw(st.from_regex(PATTERNS[ALL.index(kind)], alphabet=LETTERS))
    if any(kind.is_real(match[0]) for match in kind.pattern.finditer(text)):
        assert needs_reading(text)
        assert not kind.signs or any(sign in text for sign in kind.signs)


@pytest.mark.parametrize(("escape", "meant"), [("\\/", "/"), ("\\u0073", "s"), ("\\u004b", "K")])
def test_a_secret_that_escapes_hide_is_found_in_an_export(escape, meant):
    for text in ("https://ann:pass@host", "sk-" + "a1B2c3D4" * 4, "AKIAIOSFODNN7EXAMPLE"):
        agree(line_of(["x", text.replace(meant, "@@")]).replace("@@", escape))
    assert not finder_of_errors(PROFILE).places(rb'"caf\u00e9 \n \u4f60"')


@contextmanager
def own_rules(folder):
    """Read the rules below another folder for a while."""
    caches = [
        rule.load_rules,
        kinds.kinds_of,
        kinds.control_token,
        finder.finder_of_all,
        finder.finder_of_errors,
        dispatch.plain_findings,
    ]
    for cache in caches:
        cache.cache_clear()
    with patch.object(rule, "resource", folder.joinpath):
        yield
    for cache in caches:
        cache.cache_clear()


def test_a_new_kind_of_secret_is_one_entry_of_the_rule_data(tmp_path):
    shutil.copytree(resource("rules"), tmp_path / "rules")
    file = tmp_path / "rules" / "privacy.json"
    pack = json.loads(file.read_text("utf-8"))
    new = {"name": "Acme key", "pattern": r"(?<!\w)acme!\d{8}", "signs": ["acme!"]}
    next(r for r in pack["rules"] if r["id"] == "P01")["kinds"].append(new)
    file.write_text(json.dumps(pack), "utf-8")
    lines = [line_of([f"Use acme!1234567{n}", "Thanks"]) for n in range(3)] + [
        line_of(["Hi", "Ho"])
    ]
    with own_rules(tmp_path):
        for line in lines:
            agree(line)
        analysed = Kernel("o200k_base", PROFILE, None).analyse([line.encode() for line in lines])
        assert [(row, found.rule) for row, found in analysed.findings] == [
            (row, "P01") for row in range(3)
        ]
        assert "Acme key" in analysed.findings[0][1].message
        _, problems = check_piece("\n".join([*lines, ""]).encode())
        assert [(p.line, p.rule) for p in problems] == [(line, "P01") for line in (1, 2, 3)]
    assert not slowly(lines[0])


@pytest.mark.parametrize("sign", ['say "', "back\\slash", "line\n", ""])
def test_a_sign_that_json_writes_otherwise_is_refused(sign):
    with pytest.raises(ValueError, match="sign"):
        rule.TextKind(name="x", pattern="x", signs=(sign,))


ODD = st.lists(
    st.one_of(
        st.text(max_size=6), st.sampled_from(["a", " ", "Ã©", "â€™", "вЂ™", "\u200b", "\ufffd"])
    ),
    max_size=5,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(st.lists(ODD, max_size=5))
def test_every_text_with_an_odd_character_is_among_the_found(texts):
    odd = odd_characters(texts)
    for number, text in enumerate(texts):
        usual = CONTROL.sub("", text)
        is_odd = "\ufffd" in text or any(unseen(usual)) or any(misread(text))
        if is_odd or (is_blank(usual) and usual.strip()):
            assert number in odd
        assert (number in odd) == bool(odd_characters([text]))


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS | st.sampled_from(["12345678\n", "1234\n5678", "\ud800", "a\ud800sk-"])))
def test_a_text_that_needs_reading_does_so_among_others(texts):
    alone = {number for number, text in enumerate(texts) if needs_reading(text)}
    assert finder.texts_to_read(texts) >= alone


def test_prose_needs_no_reading():
    line = b'{"content":"On 3 March 2024 - all of it, a task-based risk. AI is at http://x.org"}'
    assert lines_to_read(b"\n".join([line] * 3)) == set()
    assert lines_to_read(b"") == set()


def test_a_sign_within_another_is_found():
    assert needs_reading("task-----BEGIN PRIVATE KEY-----")
