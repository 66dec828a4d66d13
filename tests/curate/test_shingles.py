import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate import shingles
from curator.curate.shingles import CHARACTERS_5, WORDS_3, build_corpus, normal_form, words
from curator.dataset.errors import Cancelled

TEXTS = st.lists(
    st.text(alphabet="ab cdÅß\n\t.,'_9你好ไทยカ한Ａ\u0301\ud800", max_size=40), max_size=12
)


def shingle_sets(texts, measure):
    """The definition, word for word, as sets of tuples."""
    for text in texts:
        tokens = words(text) if measure is WORDS_3 else list(normal_form(text))
        width = measure.width
        yield {tuple(tokens[i : i + width]) for i in range(max(1, len(tokens) - width + 1))}


def corpus_sets(corpus):
    sets = [set() for _ in range(len(corpus))]
    for batch in corpus.batches():
        for row, key in zip(batch.rows.tolist(), batch.keys.tolist(), strict=True):
            assert key not in sets[row]
            sets[row].add(key)
    return sets


@given(TEXTS, st.sampled_from([WORDS_3, CHARACTERS_5]), st.booleans())
def test_equal_keys_are_equal_shingles(texts, measure, narrow):
    largest = shingles._LARGEST_KEY
    shingles._LARGEST_KEY = 40 if narrow else largest
    try:
        sets = corpus_sets(build_corpus(texts, measure))
    finally:
        shingles._LARGEST_KEY = largest
    truth = list(shingle_sets(texts, measure))
    assert [len(s) for s in sets] == [len(s) for s in truth]
    for a, x in zip(truth, sets, strict=True):
        for b, y in zip(truth, sets, strict=True):
            assert len(a & b) == len(x & y)


def test_words_follow_the_definition():
    assert words("It's  A_1 ＡＢ\u00a0Straße") == ["it", "s", "a_1", "ab", "strasse"]
    assert words("ab你好cd ไทย") == ["ab", "你", "好", "cd", "ไ", "ท", "ย"]
    assert words("") == []


def test_ascii_and_general_paths_agree():
    text = "".join(map(chr, range(128))) + "Hello, World_9\x1cx"
    general = shingles._WORDS(unicodedata.normalize("NFKC", text).casefold())
    assert words(text) == general


def test_normal_form_folds_width_case_and_space():
    assert normal_form("  Ａ\u00a0\n\tb\u3000ß ") == "a b ss"


def test_batches_are_ascending_whatever_their_size(monkeypatch):
    texts = [f"w{i} x y z w{i + 1} q" for i in range(50)] + ["", "a"]
    whole = corpus_sets(build_corpus(texts, WORDS_3))
    monkeypatch.setattr(shingles, "_BATCH_CHARACTERS", 7)
    corpus = build_corpus(texts, WORDS_3)
    rows = np.concatenate([batch.rows for batch in corpus.batches()])
    assert (np.diff(rows) >= 0).all()
    assert [len(s) for s in corpus_sets(corpus)] == [len(s) for s in whole]


def test_an_executor_gives_the_same_corpus(monkeypatch):
    monkeypatch.setattr(shingles, "_BATCH_TEXTS", 3)
    texts = [f"w{i % 7} x y z w{i % 5} q" for i in range(40)]
    with ThreadPoolExecutor(2) as executor:
        pooled = build_corpus(texts, WORDS_3, executor=executor)
    assert corpus_sets(pooled) == corpus_sets(build_corpus(texts, WORDS_3))


def test_reading_stops_when_cancelled(monkeypatch):
    monkeypatch.setattr(shingles, "_BATCH_TEXTS", 2)
    with pytest.raises(Cancelled):
        build_corpus(["a", "b", "c"], WORDS_3, cancelled=lambda: True)
