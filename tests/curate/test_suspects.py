"""Suspect labels: scores are those of a regression that never saw the row, and find what was moved."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate import suspects as module
from curator.curate.suspects import find_suspects
from curator.dataset.errors import Cancelled
from curator.dataset.progress import never_cancelled, no_progress

TEXTS = st.text("abc éक्षि字 \n", max_size=20)


@pytest.fixture(autouse=True, scope="module")
def _narrow():
    """Few columns are quick, and the laws hold for any number of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COLUMNS", 64)
        yield


def found(texts, given):
    return find_suspects(texts, given, progress=no_progress, cancelled=never_cancelled)


@given(st.lists(st.tuples(TEXTS, st.sampled_from("xyz")), min_size=4, max_size=12), st.data())
def test_a_score_is_that_of_a_fit_without_the_row(rows, data):
    """The closed form of leaving one out equals leaving it out, with the same vectors."""
    texts, given_labels = map(list, zip(*rows, strict=True))
    classes = sorted(set(given_labels))
    own = np.array([classes.index(each) for each in given_labels])
    features = module._Features(texts, no_progress, never_cancelled)
    fits = module._left_out(features, own, len(classes), never_cancelled)
    vectors = np.concatenate([block for _, block in features.blocks()]).astype(np.float64)
    row = data.draw(st.integers(0, len(texts) - 1))
    rest = np.arange(len(texts)) != row
    wanted = np.eye(len(classes))[own]
    inner = vectors[rest].T @ vectors[rest] + np.eye(64)
    weights = np.linalg.solve(inner, vectors[rest].T @ wanted[rest])
    np.testing.assert_allclose(fits[row], vectors[row] @ weights, atol=1e-4)


def test_few_and_many_rows_are_scored_alike(monkeypatch):
    """Below as many rows as columns the smaller of two equal matrices is solved."""
    texts = [f"{'card' if n % 2 else 'bank'} question {n % 7} of {n}" for n in range(40)]
    own = np.arange(40) % 3
    features = module._Features(texts, no_progress, never_cancelled)
    few = module._left_out(features, own, 3, never_cancelled)
    monkeypatch.setattr(module, "_is_few", lambda _count: False)
    np.testing.assert_allclose(module._left_out(features, own, 3, never_cancelled), few, atol=1e-5)


@given(st.lists(st.tuples(TEXTS, st.sampled_from("xyz")), min_size=1, max_size=12))
def test_every_row_has_one_score_most_suspect_first(rows):
    texts, labels = map(list, zip(*rows, strict=True))
    listed = found(texts, labels)
    assert sorted(each.row for each in listed) == list(range(len(rows)))
    scores = [each.score for each in listed]
    assert scores == sorted(scores, reverse=True)
    for each in listed:
        assert each.given == labels[each.row]
        assert each.suggested != each.given
        # A label that stands once, or alone, can be neither judged nor suggested.
        if labels.count(each.given) < 2:
            assert (each.suggested, each.score) == ("", 0.0)
        assert (each.nearest is not None) == (each.score > 0)
        if each.nearest is not None:
            assert labels[each.nearest] == each.suggested
        if each.suggested:
            assert labels.count(each.suggested) > 1


def test_the_one_that_was_moved_stands_first_and_names_where_it_belongs():
    texts = [f"where is my card number {n}" for n in range(9)]
    texts += [f"kündige bitte mein Konto {n}" for n in range(9)]
    labels = ["card"] * 9 + ["end"] * 9
    labels[4] = "end"
    first, second = found(texts, labels)[:2]
    assert (first.row, first.suggested) == (4, "card")
    assert labels[first.nearest] == "card"
    assert first.score > 0 > second.score


def test_one_class_and_no_words_accuse_nobody():
    assert {each.score for each in found(["a", "b", ""], ["x", "x", "x"])} == {0.0}
    assert {round(each.score, 6) for each in found(["", "", "", ""], ["x", "x", "y", "y"])} == {0.0}


def test_it_can_be_stopped():
    with pytest.raises(Cancelled):
        find_suspects(["a"] * 4, ["x", "y"] * 2, progress=no_progress, cancelled=lambda: True)


def area(scores, moved):
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    count = moved.sum()
    return (ranks[moved].sum() - count * (count + 1) / 2) / (count * (~moved).sum())


def average_precision(scores, moved):
    hits = moved[np.argsort(-scores)]
    return (np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()


@pytest.mark.data
@pytest.mark.slow
def test_labels_moved_on_purpose_are_found(monkeypatch):
    monkeypatch.setattr(module, "COLUMNS", 2048)
    if not os.environ.get("CURATOR_DATA"):
        pytest.skip("CURATOR_DATA names no development data")
    path = Path(os.environ["CURATOR_DATA"]) / "classify" / "banking77_train.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    texts, true = map(list, zip(*rows, strict=True))
    names = sorted(set(true))
    chance = np.random.default_rng(7)

    def scores_of(labels):
        scores = np.empty(len(texts))
        suggested = {}
        for each in found(texts, labels):
            scores[each.row] = each.score
            suggested[each.row] = each.suggested
        return scores, suggested

    def moved(share, where):
        which = np.zeros(len(texts), bool)
        which[chance.choice(len(texts), int(share * len(texts)), replace=False)] = True
        return which, [where(t) if m else t for t, m in zip(true, which, strict=True)]

    _, suggested = scores_of(true)
    taken_for: dict[str, dict[str, int]] = {name: {} for name in names}
    for row, name in suggested.items():
        counts = taken_for[true[row]]
        counts[name] = counts.get(name, 0) + 1
    nearest = {name: max(counts, key=counts.get) for name, counts in taken_for.items()}
    which, labels = moved(0.03, lambda t: names[(names.index(t) + chance.integers(1, 77)) % 77])
    assert area(scores_of(labels)[0], which) > 0.985
    which, labels = moved(0.10, nearest.__getitem__)
    scores, _ = scores_of(labels)
    assert area(scores, which) > 0.92
    assert average_precision(scores, which) > 0.61
