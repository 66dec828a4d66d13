"""Every figure is that of scikit-learn, sacrebleu, rouge-score or statsmodels; odd cases have a result."""

import json
import random
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.tune.evaluation import text_scores
from curator.tune.evaluation.intervals import (
    Measured,
    interval_of,
    items_needed,
    mcnemar,
    resample,
    wilson,
)
from curator.tune.evaluation.scores import (
    FIGURES,
    UNREADABLE,
    confusions,
    encode,
    figures_of,
    per_class,
    score_labels,
)

LABELS = st.sampled_from(["a", "b", "c", "d", "e"])
REPLIES = st.one_of(st.none(), LABELS, st.sampled_from(["never seen", "x"]))
PAIRS = st.lists(st.tuples(LABELS, REPLIES), min_size=1, max_size=60)
TEXTS = st.text(alphabet="ab AB.,é0\n", max_size=40)


def oracle(actual, predicted, weights=None):
    from sklearn import metrics

    said = [UNREADABLE if each is None else each for each in predicted]
    real = sorted(set(actual))
    found = {"accuracy": metrics.accuracy_score(actual, said, sample_weight=weights)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found["balanced_accuracy"] = metrics.balanced_accuracy_score(
            actual, said, sample_weight=weights
        )
        found["mcc"] = metrics.matthews_corrcoef(actual, said, sample_weight=weights)
        for average in ("macro", "micro", "weighted"):
            three = metrics.precision_recall_fscore_support(
                actual, said, labels=real, average=average, zero_division=0, sample_weight=weights
            )
            for name, value in zip(("precision", "recall", "f1"), three, strict=False):
                found[f"{name}_{average}"] = value
    return found


@settings(deadline=None, max_examples=150)
@given(PAIRS)
@example([("a", "a")])
@example([("a", None)])
@example([("a", "b"), ("b", "a")])
@example([("a", "never seen"), ("b", None)])
def test_every_figure_is_that_of_scikit_learn(pairs):
    actual, predicted = map(list, zip(*pairs, strict=True))
    ours = score_labels(encode(actual, predicted, ["e", "nobody has it"]))
    theirs = oracle(actual, predicted)
    assert set(ours) == set(FIGURES) == set(theirs)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, abs=1e-12), name


@settings(deadline=None, max_examples=60)
@given(PAIRS)
def test_the_matrix_and_the_classes_are_those_of_scikit_learn(pairs):
    from sklearn import metrics

    actual, predicted = map(list, zip(*pairs, strict=True))
    coded = encode(actual, predicted)
    said = [UNREADABLE if each is None else each for each in predicted]
    order = [*coded.classes, UNREADABLE]
    theirs = metrics.confusion_matrix(actual, said, labels=order)
    assert (coded.matrix == theirs[: coded.n_real]).all()
    scores = metrics.precision_recall_fscore_support(
        actual, said, labels=list(coded.classes[: coded.n_real]), average=None, zero_division=0
    )
    rows = per_class(coded)[: coded.n_real]
    for at, name in enumerate(("precision", "recall", "f1", "items")):
        assert [row[name] for row in rows] == pytest.approx(list(scores[at]))
    cells = confusions(coded, range(len(actual)))
    assert sum(map(len, cells.values())) == len(actual)
    assert all(len(found) == coded.matrix[cell] for cell, found in cells.items())


def test_no_items_no_classes():
    coded = encode([], [])
    assert set(score_labels(coded).values()) == {0.0}
    assert per_class(coded) == []


def test_a_class_without_items_is_in_the_table_and_in_no_average():
    coded = encode(["a", "b"], ["a", "b"], ["a", "b", "c"])
    assert score_labels(coded)["f1_macro"] == 1.0
    (row,) = [row for row in per_class(coded) if row["label"] == "c"]
    assert (row["items"], row["recall"], row["f1"]) == (0, None, None)


def test_one_class_only_has_no_correlation():
    assert score_labels(encode(["a"] * 5, ["a"] * 5))["mcc"] == 0.0
    assert score_labels(encode(["a"] * 5, ["a"] * 5))["accuracy"] == 1.0


# In a process of its own: its logging library keeps the stderr of the test that imports it first.
ROUGE = """
import json, sys
from rouge_score.rouge_scorer import RougeScorer
scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
scores = [scorer.score(expected, reply) for reply, expected in json.load(sys.stdin)]
print(json.dumps([{name: each.fmeasure for name, each in found.items()} for found in scores]))
"""


def test_rouge_is_that_of_rouge_score():
    chance = random.Random(5)
    letters = "aab  ABc.,é0\n日"
    texts = ["".join(chance.choices(letters, k=chance.randrange(60))) for _ in range(800)]
    pairs = [("", ""), ("", "a"), ("a b", "b a"), *zip(texts[::2], texts[1::2], strict=True)]
    told = subprocess.run(
        [sys.executable, "-c", ROUGE],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=True,
    )
    for (reply, expected), theirs in zip(pairs, json.loads(told.stdout), strict=True):
        assert text_scores.rouge(reply, expected) == pytest.approx(theirs), (reply, expected)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_bleu_and_chrf_are_those_of_sacrebleu(pairs):
    import sacrebleu

    replies, expected = map(list, zip(*pairs, strict=True))
    ours = text_scores.score_corpus(replies, expected)
    assert ours["bleu"] == pytest.approx(sacrebleu.corpus_bleu(replies, [expected]).score)
    assert ours["chrf"] == pytest.approx(sacrebleu.corpus_chrf(replies, [expected]).score)


@pytest.mark.parametrize(
    ("reply", "expected", "f1", "exact"),
    [
        ("", "", 1.0, 1.0),
        ("", "yes", 0.0, 0.0),
        ("Yes, it is.", "yes it is", 1.0, 0.0),
        ("a b c d", "a b", 2 / 3, 0.0),
        ("cut \ud83d here", "cut \ud83d here", 1.0, 1.0),
        (" x\n", "x", 1.0, 1.0),
    ],
)
def test_texts_have_their_scores(reply, expected, f1, exact):
    found = text_scores.score_texts([reply], [expected])
    assert found["token_f1"][0] == pytest.approx(f1)
    assert found["exact_match"][0] == exact
    assert 0 <= text_scores.score_corpus([reply], [expected])["chrf"] <= 100


def test_a_reply_of_200_kb_is_scored():
    long = "word after word " * 13_000
    found = text_scores.score_texts([long, long], ["word", long])
    assert found["rougeL"][1] == 1.0
    assert 0 < found["token_f1"][0] < 0.01
    assert text_scores.score_corpus([long], ["word"])["bleu"] < 1


@pytest.mark.parametrize(
    ("text", "valid"),
    [('{"a": 1}', True), ("```json\n[1]\n```", True), ("", False), ("{a}", False), ("NaN", False)],
)
def test_json_is_valid_or_not(text, valid):
    assert text_scores.is_valid_json(text) is valid


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(wins, losses):
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs([[3, wins], [losses, 4]], exact=True).pvalue if wins + losses else 1.0
    assert mcnemar(wins, losses) == pytest.approx(expected)


def test_mcnemar_of_thousands_is_a_number():
    assert mcnemar(5_200, 4_800) < 0.001
    assert 0.9 < mcnemar(5_000, 4_999) <= 1.0


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_is_that_of_statsmodels(right, items):
    from statsmodels.stats.proportion import proportion_confint

    right = min(right, items)
    low, high = proportion_confint(right, items, method="wilson")
    found = wilson(right, items)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


@settings(deadline=None, max_examples=30)
@given(PAIRS, st.lists(REPLIES, min_size=60, max_size=60))
def test_a_resample_is_the_figure_of_the_weighted_items(pairs, others):
    actual, predicted = map(list, zip(*pairs, strict=True))
    others = others[: len(actual)]
    coded = [encode(actual, predicted), encode(actual, others)]
    values = np.arange(len(actual), dtype=float)
    found = resample(
        [Measured(each, {"v": values}) for each in coded], len(actual), times=5, seed=3
    )
    weights = np.random.default_rng(3).standard_exponential((5, len(actual)))
    for row, each in enumerate(weights):
        for candidate, said in enumerate((predicted, others)):
            for name, value in oracle(actual, said, each).items():
                assert found[candidate][name][row] == pytest.approx(value, abs=1e-9), name
            assert found[candidate]["v"][row] == pytest.approx(np.average(values, weights=each))


@settings(deadline=None, max_examples=60)
@given(PAIRS)
@example([(label, label) for label in "abcde"] + [("a", "b")])
def test_a_figure_lies_within_its_interval(pairs):
    actual, predicted = map(list, zip(*pairs, strict=True))
    coded = encode(actual, predicted)
    (found,) = resample([Measured(coded, {})], len(actual), times=400)
    figures = score_labels(coded)
    # The others are ratios of sums: on a few items their middle may lie a little beside the figure.
    for name in ("accuracy", "balanced_accuracy", "recall_macro", "recall_weighted"):
        within = interval_of(found[name])
        assert within.low - 1e-9 <= figures[name] <= within.high + 1e-9, name


def test_equal_candidates_differ_by_nothing():
    coded = encode(["a", "b", "a"], ["a", "a", None])
    one, other = resample([Measured(coded, {})] * 2, 3)
    assert (one["f1_macro"] == other["f1_macro"]).all()
    assert interval_of(one["f1_macro"] - other["f1_macro"]).low == 0.0


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    chance = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        right = chance.random(120) < 0.7
        found = interval_of(
            resample([Measured(None, {"r": right.astype(float)})], 120, times=300)[0]["r"]
        )
        held += found.low <= 0.7 <= found.high
    assert 0.88 <= held / 200 <= 1.0


def test_how_many_items_would_be_needed():
    assert items_needed(5, 5, 20) is None
    assert items_needed(0, 0, 0) is None
    few, many = items_needed(6, 2, 20), items_needed(11, 9, 100)
    assert few is not None
    assert many is not None
    assert 20 < few < 120 < 1_000 < many
    # With so many items of the same kind, the test finds it about four times in five.
    chance = np.random.default_rng(2)
    found = 0
    for _ in range(400):
        wins, losses, _ = chance.multinomial(few, [0.3, 0.1, 0.6])
        found += mcnemar(int(wins), int(losses)) < 0.05
    assert 0.68 <= found / 400 <= 0.92


def test_figures_of_nothing_are_zero():
    empty = np.zeros((1, 0))
    found = figures_of(empty, empty, np.zeros((1, 1)), np.zeros(1))
    assert {float(value[0]) for value in found.values()} == {0.0}
