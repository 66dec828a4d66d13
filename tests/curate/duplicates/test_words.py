"""Words as Unicode has them, in every script."""

import re
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.duplicates.words import encoded_words, normal_form, spans, words

OLD_UNSPACED = "\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
SCRIPTS = {
    "Hindi": ("राजा की रानी", ["राजा", "की", "रानी"]),
    "Tamil": ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
    "Bengali": ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
    "Arabic with points": ("مَتى يفتح المُتحف", ["مَتى", "يفتح", "المُتحف"]),
    "Persian": ("می\u200cخواهم", ["می\u200cخواهم"]),
    "Hebrew with points": ("שָׁלוֹם עולם", [normal_form("שָׁלוֹם"), "עולם"]),
    "Thai": ("กี่โมง ๑๒", ["กี่", "โ", "ม", "ง", "๑", "๒"]),
    "Khmer": ("ភាសា ខ្មែរ", ["ភាសា", "ខ្មែរ"]),
    "Chinese": ("你好ab \U00020000世", ["你", "好", "ab", "\U00020000", "世"]),
    "Japanese": ("カ\u3099ギ", ["ガ", "ギ"]),
    "Korean": ("한국 말", ["한", "국", "말"]),
    "Latin": ("It's A_1 Straße 3.5", ["it", "s", "a_1", "strasse", "3", "5"]),
    "decomposed": ("cafe\u0301", ["café"]),
    "raised figures": ("10² ½ ①", ["10²", "½", "①"]),
    "pictographs": ("so 👍🏽👎 👩\u200d👧 🇩🇪🇫🇷", ["so", "👍🏽", "👎", "👩\u200d👧", "🇩🇪", "🇫🇷"]),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_words_keep_their_marks(script):
    text, expected = SCRIPTS[script]
    assert words(text) == expected


@pytest.mark.parametrize("text", ["...", "?!", "\u2026", "\u0301", "=> <="])
def test_a_text_without_words_is_one_by_itself(text):
    (only,) = words(text)
    assert only.endswith(normal_form(text))
    assert only not in words(f"{text} a")
    assert words(f" {text}\n") == [only]


def test_no_text_has_no_words():
    assert words("") == words(" \n") == []


@given(st.text())
def test_no_letter_and_no_mark_of_a_word_is_lost(text):
    form = normal_form(text)
    found = words(text)
    if found and found[0].startswith("\t"):
        assert not any(sign.isalnum() for sign in form)
        return
    kept = "".join(found)
    letters = [s for s in form if regex.fullmatch(r"[\p{L}\p{N}]", s)]
    assert letters == [s for s in kept if regex.fullmatch(r"[\p{L}\p{N}]", s)]
    for mark in regex.finditer(r"(?<=[\p{L}\p{N}])\p{M}+", form):
        assert any(mark.group() in word for word in found)


@given(st.text(), st.text())
def test_equal_texts_have_equal_words(a, b):
    for form in ("NFC", "NFD"):
        assert words(unicodedata.normalize(form, a)) == words(a)
    assert (words(a) == words(b)) or normal_form(a) != normal_form(b)


@given(st.text(st.characters(max_codepoint=0xFFFF)))
def test_the_faster_pattern_finds_the_same(text):
    beside = words(f"{text} \U0001f1e9")
    assert beside[:-1] == [word for word in words(text) if not word.startswith("\t")]


@given(st.text("abcXYZ ,.'-_019\n"))
def test_plain_letters_are_the_words_they_always_were(text):
    """What the lists of pairs count: runs of \\w, which differ only by marks and signs no list holds."""
    old = re.findall(rf"[{OLD_UNSPACED}]|[^\W{OLD_UNSPACED}]+", text.casefold())
    assert [word for word in words(text) if not word.startswith("\t")] == old


@given(st.text() | st.text(st.characters(max_codepoint=127)))
def test_words_in_bytes_are_the_same_words(text):
    assert encoded_words(text) == [word.encode("utf-8", "surrogatepass") for word in words(text)]


@given(st.text())
def test_spans_are_where_the_words_stand(text):
    form = normal_form(text)
    found = [form[first:end] for first, end in spans(form)]
    assert found == [word for word in words(text) if not word.startswith("\t")]
