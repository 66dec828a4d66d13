"""The kernel: the fast path finds what the general way finds, and nothing gets in that should not."""

import json
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.curate.analysis import identity
from curator.curate.analysis.columns import (
    NUMBERS,
)
from curator.curate.analysis.fast_lines import quick_titles
from curator.curate.analysis.kernel import Kernel, analyse, analyse_conversation
from curator.curate.analysis.plain_lines import decode_plain, encode_plain
from curator.curate.analysis.tokens import count_conversation, counter
from curator.curate.checks import check_conversation, explain_rejected
from curator.dataset import Conversation
from curator.dataset.codes import (
    HAS_NAMES,
    HAS_PARTS,
    HAS_SYSTEM,
    HAS_TOOL_CALLS,
    HAS_TOOLS,
    HAS_WEIGHTS,
)
from curator.dataset.conversation import title_of
from curator.dataset.json_values import loads
from tests.curate.strange_json import json_values, lines

TERMS = {"encoding": "o200k_base", "rules_profile": "openai_sft", "limit": 200}
KERNEL = Kernel("o200k_base", "openai_sft", 200)

texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "role",
            '"role"',
            "content",
            'say "content": now',
            " ",
            "",
            "\u3000",
            "<|im_end|>",
            "mail ann@acme.org now",
            "call +49 171 2345678",
            "sk-proj-" + "a1B2" * 8,
            "task-sk-flask and 4000-2000",
            "a\u2028b\x00\x7f",
            "word " * 120,
            "AI am",
            "caf\ufffd",
            "cafÃ© РџСЂРёРІРµС‚",
            "lo\u200ban",
            "\u200b",
            "\u2800\ufeff",
            "\x00",
            "\x1b[31m",
            "\b",
            "\\b",
            "\\\b \\begin",
            "\x85",
            "می\u200cخواهم",
            "\U000e0041",
        ]
    ),
)
ROLES = ["system", "developer", "user", "assistant", "tool", "function"]
messages = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": st.sampled_from(ROLES), "content": texts}),
        st.fixed_dictionaries(
            {"content": texts, "role": st.just("assistant")},
            optional={"weight": st.sampled_from([0, 1, 2, 1.0, True])},
        ),
    ),
    max_size=6,
)


def written(value, ascii_only, spaced, repeat):
    separators = (", ", ": ") if spaced else (",", ":")
    line = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
    if repeat:
        line = line.replace('"role"', '"role": "user", "role"', 1)
    return line.encode("utf-8", "surrogatepass")


def general(line):
    return KERNEL._general(line)[0]


@settings(max_examples=500, deadline=None)
@given(messages, st.booleans(), st.booleans(), st.booleans())
@example([{"role": "user", "content": 'a " and \\ b'}], True, True, False)
@example([{"role": "assistant", "content": "x", "weight": 0}], False, False, False)
def test_the_fast_path_equals_the_general_way(found, ascii_only, spaced, repeat):
    line = written({"messages": found}, ascii_only, spaced, repeat)
    plain = KERNEL.plain_row(line.decode("utf-8", "surrogatepass"))
    if plain is not None:
        assert plain == general(line)
        # One edited line goes the same ways.
        edited = Conversation(loads(line.decode()))
        terms = {"encoding": KERNEL.encoding, "profile": KERNEL.profile, "limit": KERNEL.limit}
        assert analyse_conversation(edited, raw=line.decode(), **terms) == general(line)


def test_the_fast_path_takes_plain_lines():
    usual = [
        [("system", "Be brief."), ("user", "Hi there"), ("assistant", 'She said "role".')],
        [("user", "Ünïcödé 中文"), ("assistant", "Fine\n\nthanks")],
        [("user", "mail ann@acme.org"), ("assistant", "ok")],
    ]
    for pairs in usual:
        value = {"messages": [{"role": r, "content": c} for r, c in pairs]}
        for ascii_only in (False, True):
            assert KERNEL._path.read([written(value, ascii_only, True, False)]).numbers == [0]
    weighted = {"messages": [{"role": "assistant", "content": "x", "weight": 1}]}
    assert KERNEL._path.read([written(weighted, False, True, False)]).numbers == [0]


@pytest.mark.parametrize("control", [*map(chr, range(32)), "\x7f"])
@pytest.mark.parametrize("before", ["", "\\", "\\\\", "a"])
def test_control_characters_are_found_on_both_ways(control, before):
    text = f"{before}{control}x"
    for ascii_only in (True, False):
        line = written({"messages": [{"role": "user", "content": text}]}, ascii_only, True, False)
        raw = line.decode()
        plain = KERNEL.plain_row(raw)
        assert plain is None or plain == general(line)
        found = {
            f.rule
            for f in analyse_conversation(
                Conversation(loads(raw)),
                raw=raw,
                encoding="o200k_base",
                profile="openai_sft",
                limit=200,
            ).findings
        }
        assert ("F13" in found) == (not control.isspace() or control in "\x1c\x1d\x1e\x1f")
    assert (
        KERNEL.plain_row('{"messages":[{"role":"user","content":"\\\\begin \\\\u0041"}]}')
        is not None
    )


@pytest.mark.parametrize(
    "line",
    [
        b'{"messages":[{"role":"user","role":"user","content":"a"}]}',
        b'{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"a"}]}',
        b'{"messages":[{"role":"user","r\\u006fle":"user","content":"a"}]}',
        b'{"messages":[{"role":"user","content":"\\u0022\\u0022\\u0022\\u0022","role":"user"}]}',
        b'{"messages":[{"role":"user","content":"a","weight":1,"weight":1}]}',
    ],
)
def test_a_repeated_key_is_never_overlooked(line):
    usual = b'{"messages":[{"role":"user","content":"a"}]}'
    assert KERNEL._path.read([line]).numbers == []
    assert KERNEL._path.read([usual, line, usual]).numbers == [0, 2]
    assert {"F08", "F14"} & {found.rule for found in general(line).findings}


@settings(max_examples=300, deadline=None)
@given(st.one_of(lines, json_values, messages.map(lambda m: {"messages": m})))
def test_any_json_value_gets_in_or_is_explained(value):
    line = written(value, True, True, False)
    found = analyse([line], **TERMS)
    rule, reason = explain_rejected(line)
    assert bool(found.rejected) == bool(rule)
    if found.rejected:
        assert (found.rejected[0].rule, found.rejected[0].reason) == (rule, reason)
    else:
        conversation = Conversation(loads(line.decode()))
        assert found.columns["content_hash"][0] == identity.content_hash(conversation)
        assert found.columns["prompt_hash"][0] == identity.prompt_hash(conversation)
        assert found.columns["system_hash"][0] == identity.system_hash(conversation)
        tokens = count_conversation(conversation, counter("o200k_base"))
        assert found.columns["tokens"][0] == tokens.total
        assert found.columns["trained_tokens"][0] == tokens.trained
        assert found.columns["tokens_exact"][0] == tokens.exact
        checked = check_conversation(
            conversation, limit=200, tokens=tokens.total, raw=line.decode()
        )
        assert tuple(f for _, f in found.findings) == checked


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf{}")
@example(b"\x00\x00")
@example(b"\x1c")
def test_any_bytes_are_refused_with_a_reason_or_blank(data):
    found = analyse([data], **TERMS)
    assert len(found) + len(found.rejected) + found.blank == 1
    assert all(r.rule and r.reason for r in found.rejected)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_the_typed_encoder_writes_the_canonical_form(text):
    value = {"messages": [{"role": "user", "content": text}]}
    line = json.dumps(value).encode()
    assert encode_plain(decode_plain(line)).decode() == Conversation(value).canonical()


def test_bottomless_nesting_is_refused():
    for opening in (b"[", b'{"a":', b'{"messages":['):
        found = analyse([opening * 100_000], **TERMS)
        assert [r.rule for r in found.rejected] == ["F01"]
        assert "nested too deeply" in found.rejected[0].reason
    closed = b'{"messages":[{"role":"user","content":"a"}],"x":' + b"[" * 900 + b"]" * 900 + b"}"
    found = analyse([closed], **TERMS)
    assert len(found) + len(found.rejected) == 1


def test_extents_point_at_the_object_inside_its_line():
    rows = [
        b'{"messages":[{"role":"user","content":"a"}]}',
        b"",
        b' \t{"messages":[{"role":"user","content":"b"}]} \r',
        b"[1]",
        '\u00a0{"messages":[{"role":"nobody","content":"ü"}]}\u2028'.encode(),
    ]
    found = analyse(rows, **TERMS)
    assert found.line.tolist() == [0, 2, 4]
    assert found.blank == 1
    assert [(r.line, r.rule) for r in found.rejected] == [(3, "F02")]
    for line, left, length in zip(found.line, found.left, found.length, strict=True):
        piece = rows[line][left : left + length]
        assert piece.startswith(b"{")
        assert piece.endswith(b"}")


def test_flags_tell_what_a_conversation_holds():
    value = {
        "messages": [
            {"role": "developer", "content": "S"},
            {"role": "user", "name": "Ann", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "weight": 1, "tool_calls": [{"id": "1"}]},
        ],
        "tools": [{"type": "function"}],
    }
    row = analyse_conversation(
        Conversation(value), encoding="o200k_base", profile="openai_sft", limit=None
    )
    assert row.flags == (
        HAS_TOOLS | HAS_TOOL_CALLS | HAS_PARTS | HAS_SYSTEM | HAS_NAMES | HAS_WEIGHTS
    )
    assert row.tokens_exact == 0


def test_an_edited_row_gets_the_columns_an_import_gives():
    value = {
        "messages": [
            {"role": "user", "content": "Where is my parcel?\nIt is late. " * 9},
            {"role": "assistant", "content": "On its way."},
        ]
    }
    row = analyse_conversation(
        Conversation(value), encoding="o200k_base", profile="openai_sft", limit=200
    )
    found = analyse([json.dumps(value).encode()], **TERMS)
    assert {name: int(found.columns[name][0]) for name in NUMBERS} == {
        name: getattr(row, name) for name in NUMBERS
    }
    assert found.titles == [row.title]
    assert row.title == Conversation(value).title


def test_a_title_never_holds_half_a_character():
    found = analyse([b'{"messages":[{"role":"user","content":"a\\ud800b"}]}'], **TERMS)
    assert found.titles == ["a\ufffdb"]
    assert [f.rule for _, f in found.findings if f.rule == "F10"] == ["F10"]


def test_length_is_checked_on_plain_lines_too():
    value = {"messages": [{"role": "user", "content": "word " * 300}]}
    found = analyse([json.dumps(value).encode()], **TERMS)
    assert "L01" in {f.rule for _, f in found.findings}
    assert found.columns["errors"][0] >= 1


def test_an_empty_batch_has_no_rows():
    found = analyse([], **TERMS)
    assert (len(found), found.blank, found.rejected) == (0, 0, [])
    assert set(found.columns) == set(NUMBERS)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(lines, messages.map(lambda m: {"messages": m})), max_size=8),
    st.sampled_from([1, 100, 1 << 18]),
)
@example([" {}", {"messages": []}], 1)
def test_a_batch_gives_the_rows_of_its_lines_one_by_one(values, size):
    rows = [written(value, True, True, False) for value in values]
    with patch("curator.curate.analysis.kernel._TOGETHER", size):
        together = analyse(rows, **TERMS)
    at = blank = 0
    refused = []
    for number, row in enumerate(rows):
        alone = analyse([row], **TERMS)
        blank += alone.blank
        refused += [each._replace(line=number) for each in alone.rejected]
        if len(alone):
            assert together.line[at] == number
            assert together.titles[at] == alone.titles[0]
            assert together.beginnings[at] == alone.beginnings[0]
            assert (together.left[at], together.length[at]) == (alone.left[0], alone.length[0])
            for name in NUMBERS:
                assert together.columns[name][at] == alone.columns[name][0], name
            found = [f for place, f in together.findings if place == at]
            assert found == [f for _, f in alone.findings]
            at += 1
    assert at == len(together)
    assert together.rejected == refused
    assert together.blank == blank


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(("word", " ", "  ", "\n", "\u00a0", "😀", "x" * 30, " " * 390)), max_size=20
    )
)
def test_the_quick_title_is_the_title(pieces):
    text = "".join(pieces)
    assert quick_titles([text, "Hi", text]) == [title_of(text), "Hi", title_of(text)]
    assert len(title_of(text)) <= 80
