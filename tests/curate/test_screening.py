"""The quick look at many lines misses nothing that the slow look at one text finds."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.checks.invisible import is_blank, unseen
from curator.curate.checks.misread import misread
from curator.curate.checks.odd_characters import odd_characters
from curator.curate.checks.privacy import PERSONAL, SECRETS
from curator.curate.checks.screening import (
    CONTROL,
    bytes_need_reading,
    needs_reading,
    texts_to_read,
    which_need_reading,
)

PIECES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            *(sign for kind in (*SECRETS, *PERSONAL) for sign in kind.signs),
            "<|im_end|>",
            "<｜end｜>",
            "[INST]",
            "<<SYS>>",
            "<start_of_turn>",
            "+49 171 2345678",
            "4111 1111 1111 1111",
            "1234-5678",
            "\n",
            '"',
            "\\",
            "a1B2" * 6,
            "task-",
            "caf\ufffd",
            "Ã",
            "©",
            "â€",
            "Р",
            "џ",
            "\u200b",
            "\u202e",
            "\U000e0041",
            "\xad",
            "\ufe0f",
        ]
    ),
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)
# Odd and control characters are looked for in the texts themselves.
USUAL = TEXTS.map(lambda text: CONTROL.sub("", text)).filter(
    lambda text: not odd_characters([text])
)


@settings(max_examples=500)
@given(st.lists(TEXTS, max_size=6))
def test_every_line_that_needs_reading_is_among_the_found(texts):
    lines = [
        json.dumps({"content": t}, ensure_ascii=False).encode("utf-8", "replace") for t in texts
    ]
    expected = {row for row, line in enumerate(lines) if bytes_need_reading(line)}
    assert expected <= which_need_reading(lines, b"\n".join(lines))


@settings(max_examples=300)
@given(st.lists(USUAL, min_size=1, max_size=3))
def test_what_a_text_needs_its_line_needs(texts):
    line = json.dumps({"content": texts}, ensure_ascii=False).encode("utf-8", "replace")
    if any(needs_reading(text) for text in texts):
        assert bytes_need_reading(line)
        assert which_need_reading([b"{}", line, b"{}"], b"{}\n" + line + b"\n{}\n") == {1}


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


def test_prose_needs_no_reading():
    lines = [b'{"content":"I paid on 3 March 2024 - all of it. AI is on TV"}'] * 3
    assert which_need_reading(lines, b"\n".join(lines)) == set()
    assert which_need_reading([], b"") == set()


@given(st.lists(st.text() | st.sampled_from(["12345678\n", "1234\n5678", "\ud800", "-----BEGIN"])))
def test_every_text_that_needs_reading_is_among_those_to_read(texts):
    expected = {number for number, text in enumerate(texts) if needs_reading(text)}
    assert expected <= texts_to_read(texts) <= set(range(len(texts)))
