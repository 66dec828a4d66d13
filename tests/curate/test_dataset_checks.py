"""The rules on all conversations together."""

import numpy as np
import pytest

from curator.curate.analysis.identity import Beginnings, Sameness
from curator.curate.dataset_checks import DATASET_CHECKS, DatasetFacts, check_dataset
from curator.dataset.rule import load_rules


def facts(n=60, **columns):
    """Columns in which no rule finds anything, some of them replaced."""
    usual = {
        "ids": np.arange(1, n + 1),
        "content_hash": np.arange(n) + 1_000,
        "prompt_hash": np.arange(n) + 2_000,
        "answer": np.arange(n) + 3_000,
        "system_hash": np.full(n, 7),
        "trained_tokens": np.full(n, 20),
        "split": np.ones(n, np.int8),
        "has_images": np.zeros(n, np.bool_),
    }
    values = {**usual, **columns}
    answers = values.pop("answer")
    begun = Beginnings.unpack([int(each).to_bytes(8, "big") for each in answers])
    same = Sameness(values.pop("content_hash"), values.pop("prompt_hash"), begun)
    return DatasetFacts(same=same, **values)


def with_rows(column, n=60, **values):
    usual = facts(n)
    known = {"answer": usual.same.beginnings.whole}
    named = usual.same if column.endswith("t_hash") else usual
    array = known.get(column, getattr(named, column, None)).copy()
    for row, value in values.items():
        array[int(row[1:])] = value
    return {column: array}


EXAMPLES = {
    "D01": (facts(9), ()),
    "D02": (facts(49), ()),
    "D03": (
        facts(**with_rows("content_hash", _5=1_002), **with_rows("prompt_hash", _5=2_002)),
        (6,),
    ),
    "D04": (facts(near=((3, 9, 0.876),)), (9,)),
    "D05": (
        facts(
            **with_rows("prompt_hash", _5=2_002),
            **with_rows("split", _5=3),
            **with_rows("content_hash", _5=1_002),
        ),
        (3, 6),
    ),
    "D06": (facts(**with_rows("prompt_hash", _5=2_002)), (3, 6)),
    "D07": (facts(**with_rows("system_hash", _5=8)), (6,)),
    "D09": (facts(labels={"mood": ["good"] * 58 + ["bad", ""]}), (59,)),
    "S15": (facts(**with_rows("system_hash", _5=0)), (6,)),
    "T07": (facts(tools={"weather": ((1, 2, 3), (4,)), "tides": ((5,),)}), (4,)),
    "V06": (facts(**with_rows("has_images", _5=True)), (6,)),
    "L04": (facts(**with_rows("trained_tokens", _5=161)), (6,)),
}


def test_every_check_has_an_example_and_every_rule_a_check():
    checked = {rule for rule, _ in DATASET_CHECKS}
    assert checked == EXAMPLES.keys()
    by_scope = {r.id for r in load_rules().values() if r.scope == "dataset"}
    assert by_scope - checked == {"P03"}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_failing_example(rule):
    columns, ids = EXAMPLES[rule]
    found = [f for f in check_dataset(columns) if f.finding.rule == rule]
    assert [f.conversations for f in found] == [ids]
    assert "{" not in found[0].finding.message


def test_passing_example():
    assert check_dataset(facts()) == ()
    assert check_dataset(facts(3), "fireworks")[0].finding.rule == "D02"
    assert [f.finding.rule for f in check_dataset(facts(0))] == ["D01"]


def test_equal_answers_to_one_prompt_contradict_nothing():
    one = facts(**with_rows("prompt_hash", _5=2_002), **with_rows("answer", _5=3_002))
    assert "D06" not in {f.finding.rule for f in check_dataset(one)}


def test_a_system_prompt_of_its_own_for_each_is_meant_so():
    assert check_dataset(facts(system_hash=np.arange(60) + 1)) == ()
