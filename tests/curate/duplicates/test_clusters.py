import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.duplicates.clusters import (
    KEEP_RULES,
    Cluster,
    Pair,
    RowFacts,
    choose_kept,
    find_exact,
    ranks,
)
from curator.dataset.errors import WrongUse
from tests.curate.near import find_near

TEXTS = st.lists(
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=8).map(" ".join), max_size=20
)


def facts(size, lengths=None, labels=None, status=None):
    return RowFacts(
        np.array(lengths or [0] * size, dtype=np.int64),
        np.array(labels or [0] * size, dtype=np.int64),
        np.array(status or [1] * size, dtype=np.int64),
    )


def test_exact_copies_share_a_cluster():
    matches = find_exact([7, 3, 7, 9, 7, 3])
    assert matches.count() == 4
    assert sorted(matches.pairs()) == [(0, 2, 1.0), (0, 4, 1.0), (1, 5, 1.0), (2, 4, 1.0)]
    assert [c.rows for c in matches.clusters()] == [(0, 2, 4), (1, 5)]
    assert find_exact([]).clusters() == []
    assert find_exact([]).count() == 0


def test_clusters_join_chains_and_carry_their_best_pair():
    texts = ["a b c d e f", "a b c d e g", "x y z", "a b c d h g", "X, y z!"]
    clusters = find_near(texts, 0.3).clusters()
    assert [c.rows for c in clusters] == [(0, 1, 3), (2, 4)]
    assert clusters[0].best == Pair(0, 1, 0.6)
    assert clusters[1].best == Pair(2, 4, 1.0)


@settings(max_examples=80, deadline=None)
@given(TEXTS, st.sampled_from([0.3, 0.6, 0.8]), st.sampled_from(KEEP_RULES))
def test_every_removed_row_is_paired_with_a_kept_one(texts, threshold, rule):
    matches = find_near(texts, threshold)
    pairs = {(p.a, p.b): p.similarity for p in matches.pairs()}
    order = ranks(rule, facts(len(texts), lengths=[len(t) for t in texts]))
    neighbours = matches.neighbours()
    for cluster in matches.clusters():
        decisions = choose_kept(cluster, matches, neighbours, order)
        assert [d.row for d in decisions] == list(cluster.rows)
        kept = {d.row for d in decisions if d.kept}
        assert min(cluster.rows, key=lambda row: order[row]) in kept
        assert not [pair for pair in pairs if kept.issuperset(pair)]
        for decision in decisions:
            if not decision.kept:
                pair = tuple(sorted((decision.row, decision.partner)))
                assert decision.partner in kept
                assert pairs[pair] == decision.similarity


@settings(max_examples=80, deadline=None)
@given(TEXTS, st.data())
def test_marked_pairs_vanish_and_no_other(texts, data):
    matches = find_near(texts, 0.5)
    pairs = sorted(matches.pairs())
    marked = data.draw(st.lists(st.sampled_from(pairs), max_size=4)) if pairs else []
    left = matches.without((p.b, p.a) for p in marked)
    assert sorted(left.pairs()) == [p for p in pairs if p not in marked]
    assert left.count() == len(set(pairs) - set(marked))


@settings(max_examples=50, deadline=None)
@given(TEXTS, st.sampled_from([0.5, 0.7, 1.0]))
def test_a_higher_threshold_is_counted_without_a_new_search(texts, threshold):
    found = find_near(texts, 0.4).count_at_least(threshold)
    assert found == len(list(find_near(texts, threshold).pairs()))


@settings(max_examples=50, deadline=None)
@given(TEXTS, st.data())
def test_matches_among_some_rows_are_what_a_search_of_them_finds(texts, data):
    rows = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    alive = np.array(rows, dtype=bool)
    left = find_near(texts, 0.5).only(alive)
    assert sorted(left.pairs()) == [
        pair for pair in sorted(find_near(texts, 0.5).pairs()) if alive[pair.a] and alive[pair.b]
    ]


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ("oldest", 0),
        ("newest", 3),
        ("longest", 1),
        ("most_labelled", 2),
        ("accepted_first", 3),
        ("accepted-first", 3),
    ],
)
def test_keep_rules_prefer_what_they_say(rule, first):
    order = ranks(rule, facts(4, [5, 9, 9, 1], [0, 1, 4, 0], [3, 1, 1, 0]))
    assert int(np.argmin(order)) == first


def test_unknown_keep_rule_names_the_known_ones():
    with pytest.raises(WrongUse, match="accepted_first, most_labelled, longest, oldest, newest"):
        ranks("best", facts(2))


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(WrongUse, match="above 0 and not above 1"):
        find_near(["a"], threshold)


def test_a_cluster_is_a_plain_value():
    assert Cluster((1, 2), Pair(1, 2, 1.0)) == Cluster((1, 2), Pair(1, 2, 1.0))
