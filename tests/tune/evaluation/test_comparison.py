"""Better, worse or chance, in words that claim no more than the numbers do; odd replies have their place."""

import json

import numpy as np
import pytest

from curator.dataset.errors import WrongUse
from curator.project import Project
from curator.project.store import evaluation_rows as rows
from curator.project.store.patches import now_ms
from curator.tune.evaluation.candidates import RunCandidate
from curator.tune.evaluation.comparison import compare
from curator.tune.evaluation.gate import Gate
from curator.tune.evaluation.intervals import Measured, resample
from curator.tune.evaluation.items import read_items
from curator.tune.evaluation.label_reading import Reading
from curator.tune.evaluation.report import parts_of, to_html, to_markdown
from curator.tune.evaluation.results import Scoring, pair, read_results
from curator.tune.evaluation.runs import RunPlan, start_run
from tests.project.projects import import_lines, line


def compared(wins, losses, same):
    a = np.array([False] * wins + [True] * losses + [True] * same, bool)
    b = np.array([True] * wins + [False] * losses + [True] * same, bool)
    values = [{"accuracy": each.astype(float)} for each in (a, b)]
    drawn = resample([Measured(None, each) for each in values], len(a))
    figures = tuple({"accuracy": float(each.mean()) if len(each) else 0.0} for each in (a, b))
    return compare(("base", "tuned"), (a, b), figures, tuple(drawn))


@pytest.mark.parametrize(
    ("counts", "words", "advice"),
    [
        ((31, 4, 65), "better on 31, worse on 4, same on 65: more than chance.", ""),
        ((4, 31, 65), "better on 4, worse on 31, same on 65: more than chance.", ""),
        ((3, 1, 6), "no more than chance can do", "about 77 would be needed"),
        ((5, 5, 10), "no more than chance can do", "do not tell which one is better"),
        ((0, 0, 100), "no difference on these questions", "up to 3%"),
        ((8, 0, 0), "more than chance", "are few"),
        ((0, 0, 0), "no difference", "no question that both answered"),
    ],
)
def test_the_words_claim_no_more_than_the_numbers(counts, words, advice):
    found = compared(*counts)
    assert (found.wins, found.losses, found.ties) == counts
    assert words in found.sentence()
    assert advice in found.advice()
    assert (found.advice() == "") == (advice == "")
    assert found.low <= found.difference <= found.high
    assert found.is_regression == (counts == (4, 31, 65))


def test_a_gate_names_what_is_too_low():
    gate = Gate.parse(["accuracy=0.9", "f1_macro=0.2"], no_regression=True)
    figures = {
        "base": {"accuracy": 0.1, "f1_macro": 0.1},
        "tuned": {"accuracy": 0.5, "f1_macro": 0.5},
    }
    verdict = gate.check(figures, [compared(4, 31, 65)])
    assert [each["metric"] for each in verdict["failed"]] == ["accuracy", "regression"]
    assert not verdict["passed"]
    assert gate.check({"only": {"accuracy": 0.95, "f1_macro": 0.3}}, ())["passed"]
    with pytest.raises(WrongUse, match="has no figure"):
        gate.check({"only": {"accuracy": 0.95, "f1_macro": None}}, ())


ODD = {
    "empty": {"role": "assistant", "content": ""},
    "refusal": {"role": "assistant", "content": None, "refusal": "I cannot say yes or no."},
    "huge": {"role": "assistant", "content": "yes " + "x" * 200_000},
    "broken": {"role": "assistant", "content": "cut \ud83d yes"},
    "unseen": {"role": "assistant", "content": "perhaps"},
    "both": {"role": "assistant", "content": "yes and no"},
    "failed": {},
    "right": {"role": "assistant", "content": "Yes."},
}


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="Ann") as made:
        yield made


def answered(project, messages, way, *, error_at=()):
    """A done run in which one candidate said these messages to questions whose answer is yes."""
    ids = import_lines(project, [line(f"Is it {name}?", "yes") for name in messages])
    plan = RunPlan(
        (RunCandidate("tuned", "here", "m"),),
        scoring=Scoring(Reading(way, "", ("yes", "no")), texts=True, json_valid=True).to_json(),
    )
    run = start_run(project, plan, read_items(project, ids)[0])
    came = []
    for item, (name, message) in zip(rows.items_of(project, run.id), messages.items(), strict=True):
        error = "too long" if name in error_at else ""
        reply = rows.StoredReply(
            bytes([item.position]), item.prompt, "here", "m", {}, "Ann", now_ms(), message, "stop",
            3, 2, 10, error,
        )  # fmt: skip
        came.append((0, [item.position], reply))
    rows.add_replies(project, run.id, came)
    rows.set_state(project, run.id, rows.DONE)
    return rows.find_run(project, run.token)


def test_odd_replies_have_a_stated_result(project):
    run = answered(project, ODD, "choice", error_at=("failed",))
    found = read_results(project, run)
    (candidate,) = found.candidates
    labels = dict(zip(ODD, candidate.labels, strict=True))
    assert labels == {
        "empty": None, "refusal": None, "huge": "yes", "broken": "yes", "unseen": None,
        "both": None, "failed": None, "right": "yes",
    }  # fmt: skip
    row = found.candidate_row(0)
    assert row["accuracy"] == pytest.approx(3 / 8)
    assert (row["unparsable"], row["empty"], row["refusals"], row["failed"]) == (5, 1, 1, 1)
    said = {each["reply"] for each in row["unreadable"]}
    assert "I cannot say yes or no." in said
    assert [each["error"] for each in row["unreadable"]].count("too long") == 1
    assert 0 <= row["chrf"] <= 100
    assert row["json_valid"] == 0
    for text in (to_markdown(parts_of(found, "a")), to_html(parts_of(found, "a"))):
        assert "refused by the server" in text
    json.dumps(row, allow_nan=False)


def test_an_unseen_label_is_a_column_and_a_wrong_answer(project):
    found = read_results(project, answered(project, ODD, "normalised", error_at=("failed",)))
    row = found.candidate_row(0)
    assert "perhaps" in row["confusion"]["columns"]
    assert row["confusion"]["rows"] == ["yes"]
    assert row["unparsable"] == 3


def test_a_stopped_run_counts_what_every_candidate_answered(project):
    run = answered(project, ODD, "choice")
    rows.set_state(project, run.id, rows.STOPPED, "x")
    assert len(read_results(project, rows.find_run(project, run.token)).items) == len(ODD)


def test_runs_of_two_projects_are_compared_by_their_questions(project, tmp_path):
    one = read_results(project, answered(project, ODD, "choice"))
    with Project.create(tmp_path / "b.curator", author="Bea") as other:
        import_lines(other, [line("Something else?", "no")])
        some = dict.fromkeys(("unseen", "right", "both"), ODD["right"])
        second = read_results(other, answered(other, some, "choice"))
    both = pair(one, 0, second, 0)
    assert len(both.items) == 3
    (found,) = both.comparisons()
    assert (found.wins, found.losses, found.ties) == (2, 0, 1)
