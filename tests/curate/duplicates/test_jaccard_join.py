import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.duplicates import jaccard_join, shingles
from curator.curate.duplicates.clusters import find_near as find_near_items
from curator.curate.duplicates.compared_text import Compared
from curator.curate.duplicates.jaccard_join import join
from curator.curate.duplicates.shingles import CHARACTERS_5, MEASURES, WORDS_3
from curator.curate.duplicates.words import normal_form, words
from curator.dataset.errors import Cancelled
from tests.curate.near import corpus_of, find_near

THRESHOLDS = st.one_of(
    st.sampled_from([0.1, 1 / 3, 0.5, 0.6, 2 / 3, 0.7, 0.75, 0.8, 0.9, 1.0]),
    st.floats(0.01, 1.0),
)
WORD = st.sampled_from(
    ["a", "b", "c", "d", "e", "f", "g", "card", "pin", "lost", "new", "你", "好"]
)
TEXTS = st.lists(st.lists(WORD, max_size=14).map(" ".join), max_size=25)


def brute_force(texts, measure, threshold):
    sets = []
    empty = [not text.strip() for text in texts]
    for text in texts:
        tokens = words(text) if measure is WORDS_3 else normal_form(text)
        width = measure.width
        sets.append({tuple(tokens[i : i + width]) for i in range(max(1, len(tokens) - width + 1))})
    found = {}
    for b, right in enumerate(sets):
        for a, left in enumerate(sets[:b]):
            value = len(left & right) / len(left | right)
            # A row without any text is like nothing.
            if value >= threshold and not (empty[a] or empty[b]):
                found[a, b] = value
    return found


@settings(max_examples=150, deadline=None)
@given(TEXTS, THRESHOLDS, st.sampled_from(MEASURES))
def test_the_join_equals_brute_force(texts, threshold, measure):
    found = {(p.a, p.b): p.similarity for p in find_near(texts, threshold, measure=measure).pairs()}
    assert found == brute_force(texts, measure, threshold)


@settings(max_examples=40, deadline=None)
@given(TEXTS, THRESHOLDS)
def test_tiny_chunks_and_narrow_keys_change_nothing(texts, threshold):
    kept = jaccard_join._CHUNK, shingles._BATCH_SHINGLES, shingles._LARGEST_KEY
    jaccard_join._CHUNK, shingles._BATCH_SHINGLES, shingles._LARGEST_KEY = 3, 11, 60
    try:
        found = {(p.a, p.b): p.similarity for p in find_near(texts, threshold).pairs()}
    finally:
        jaccard_join._CHUNK, shingles._BATCH_SHINGLES, shingles._LARGEST_KEY = kept
    assert found == brute_force(texts, WORDS_3, threshold)


def test_colliding_hashes_are_compared_in_full(monkeypatch):
    monkeypatch.setattr(jaccard_join, "_MIXER", np.uint64(0))
    monkeypatch.setattr(jaccard_join, "_MIXER_2", np.uint64(0))
    texts = ["a b c d", "e f g h", "a b c d", "a b c x", "e f g h i"]
    found = {(p.a, p.b): p.similarity for p in find_near(texts, 0.3).pairs()}
    assert found == brute_force(texts, WORDS_3, 0.3)


THINGS = st.integers(0, 2)
ITEMS = st.lists(st.tuples(st.lists(WORD, max_size=8).map(" ".join), THINGS), max_size=20)


@settings(max_examples=100, deadline=None)
@given(ITEMS, THRESHOLDS)
def test_rows_with_other_things_are_never_alike(items, threshold):
    """Images and calls are compared exactly; of those with equal ones the texts decide."""
    pairs = find_near_items([Compared([t] if t else [], n) for t, n in items], threshold).pairs()
    found = {(p.a, p.b): p.similarity for p in pairs}
    expected = {}
    for thing in range(3):
        rows = [row for row, (text, n) in enumerate(items) if n == thing and (text or n)]
        texts = [items[row][0] or "-" for row in rows]
        for (a, b), value in brute_force(texts, WORDS_3, threshold).items():
            expected[rows[a], rows[b]] = value
    assert found == expected


def test_ten_thousand_rows_with_nothing_but_another_image_stay_cheap():
    found = find_near_items([Compared([], n + 1) for n in range(10_000)], 0.5)
    assert found.count() == 0


def test_many_copies_of_one_text_stay_cheap():
    matches = find_near(
        ["the same old line of text"] * 30_000 + ["the same old line of words"], 0.5
    )
    assert matches.count() == 30_000 * 29_999 // 2 + 30_000
    assert len(matches.links.first) == 1


def test_the_join_stops_when_cancelled():
    corpus = corpus_of([f"a b c d {i}" for i in range(30)])
    with pytest.raises(Cancelled):
        join(corpus, 0.5, cancelled=lambda: True)


def _banking(data):
    with (data / "classify/banking77_train.csv").open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def _gpteacher(data):
    rows = json.loads((data / "instruct/gpteacher_codegen.json").read_text("utf-8"))
    return ["\n".join((r["instruction"], r["input"], r["response"])) for r in rows]


@pytest.mark.data
@pytest.mark.skipif("CURATOR_DATA" not in os.environ, reason="CURATOR_DATA names no data folder")
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("banking77_train.w3pairs_0.5.tsv", _banking),
        ("gpteacher_codegen.w3pairs_0.5.tsv", _gpteacher),
    ],
)
def test_the_published_pair_lists_are_met_exactly(name, read):
    data = Path(os.environ["CURATOR_DATA"])
    texts = read(data)
    with (data / "dedup" / name).open(encoding="utf-8") as file:
        listed = list(csv.DictReader(file, delimiter="\t"))
    expected = {(int(r["rec_a"]) - 1, int(r["rec_b"]) - 1): float(r["jaccard_w3"]) for r in listed}
    found = {(p.a, p.b): round(p.similarity, 4) for p in find_near(texts, 0.5).pairs()}
    assert found == expected
    characters = {
        (int(r["rec_a"]) - 1, int(r["rec_b"]) - 1): float(r["jaccard_c5"])
        for r in listed
        if float(r["jaccard_c5"]) >= 0.7
    }
    near = find_near(texts, 0.7, measure=CHARACTERS_5)
    by_characters = {(p.a, p.b): round(p.similarity, 4) for p in near.pairs()}
    assert characters.items() <= by_characters.items()
