import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.duplicates import shingles
from curator.curate.duplicates.compared_text import Compared
from curator.curate.duplicates.shingles import CHARACTERS_5, WORDS_3
from curator.curate.duplicates.words import normal_form, words
from curator.dataset.errors import Cancelled
from tests.curate.near import corpus_of

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
    sets = [[] for _ in range(len(corpus))]
    for batch in corpus.batches():
        for row, start, size in zip(batch.rows, batch.starts, batch.sizes, strict=True):
            sets[row] = batch.keys[start : start + size].tolist()
            assert sets[row] == sorted(set(sets[row]))
    return [set(keys) for keys in sets]


@given(TEXTS, st.sampled_from([WORDS_3, CHARACTERS_5]), st.booleans())
def test_equal_keys_are_equal_shingles(texts, measure, narrow):
    largest = shingles._LARGEST_KEY
    shingles._LARGEST_KEY = 40 if narrow else largest
    try:
        sets = corpus_sets(corpus_of(texts, measure))
    finally:
        shingles._LARGEST_KEY = largest
    truth = list(shingle_sets(texts, measure))
    assert [len(s) for s in sets] == [len(s) for s in truth]
    for a, x in zip(truth, sets, strict=True):
        for b, y in zip(truth, sets, strict=True):
            assert len(a & b) == len(x & y)


def test_batches_are_complete_whatever_their_size(monkeypatch):
    texts = [f"w{i} x y z w{i + 1} q " * (i % 7 + 1) for i in range(50)] + ["", "a"]
    whole = corpus_sets(corpus_of(texts))
    monkeypatch.setattr(shingles, "_BATCH_SHINGLES", 7)
    monkeypatch.setattr(shingles, "_BATCH_TEXTS", 3)
    corpus = corpus_of(texts)
    rows = np.concatenate([batch.rows for batch in corpus.batches()])
    assert sorted(rows.tolist()) == list(range(52))
    assert [len(s) for s in corpus_sets(corpus)] == [len(s) for s in whole]


def test_what_is_left_out_does_not_count_unless_nothing_else_is_there():
    corpus = corpus_of(["a b c d", "a b c", "x y z a b c"])
    before = corpus_sets(corpus)
    corpus.left_out = np.array(sorted(before[1]), np.int64)
    after = corpus_sets(corpus)
    assert after == [before[0] - before[1], before[1], before[2] - before[1]]


def test_shingles_run_on_from_one_text_to_the_next():
    tokens = shingles.read_tokens([Compared(["a b", "c"]), Compared(["a b c"])], WORDS_3)
    assert (tokens.distinct, tokens.counts) == ([b"a", b"b", b"c"], [3, 3])


def test_reading_stops_when_cancelled():
    with pytest.raises(Cancelled):
        corpus_of(["a", "b", "c"], cancelled=lambda: True)
