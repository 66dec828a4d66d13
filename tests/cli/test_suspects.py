"""curator suspects: labels that disagree with those of similar conversations."""

import csv
import json

import pytest

from curator.cli.main import main


@pytest.fixture
def desk(curator, tmp_path):
    """Twelve questions about cards and twelve about accounts; conversation 3 has the wrong label."""
    rows = [f"Where is my card {n}?" for n in range(12)]
    rows += [f"Please close the account {n}." for n in range(12)]
    lines = tmp_path / "in.jsonl"
    lines.write_text(
        "".join(
            json.dumps(
                {
                    "messages": [
                        {"role": "user", "content": text},
                        {"role": "assistant", "content": "x"},
                    ]
                }
            )
            + "\n"
            for text in rows
        )
    )
    project = tmp_path / "p.curator"
    assert curator("new", project)[0] == 0
    assert curator("import", project, lines)[0] == 0
    assert curator("label", project, "define", "topic", "card", "account")[0] == 0
    ids = [str(n) for n in range(1, 25)]
    curator("label", project, "set", "topic", "card", "--ids", ",".join(ids[:12]))
    curator("label", project, "set", "topic", "account", "--ids", ",".join(ids[12:]))
    curator("label", project, "set", "topic", "account", "--ids", "3")
    return project


def test_the_wrong_label_is_listed_with_the_right_one(curator, desk, tmp_path):
    out = tmp_path / "out.tsv"
    code, told = curator("suspects", desk, "--set", "topic", "--out", out)
    assert code == 0
    assert (told["items"], told["set"], told["classes"]) == (24, "topic", 2)
    (first, *_) = told["suspects"]
    assert first["conversation"] == first["source_line"] == 3
    assert (first["given"], first["suggested"]) == ("account", "card")
    assert first["nearest"] in {*range(1, 13)} - {3}
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 24
    assert [*rows[0]] == ["conversation", "source_line", "given", "suggested", "score"]
    assert rows[0]["conversation"] == "3"
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_a_selection_and_a_limit(curator, desk):
    code, told = curator(
        "suspects", desk, "--set", "topic", "--where", "label:topic=card", "--limit", 1
    )
    assert (code, told["classes"], told["suspects"]) == (0, 1, [])
    code, told = curator("suspects", desk, "--set", "topic", "--limit", 0)
    assert (code, told["suspects"], told["disagreeing"] > 0) == (0, [], True)


def test_a_set_that_is_not_there_or_not_answered_is_said(curator, desk):
    code, told = curator("suspects", desk, "--set", "mood")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
    assert "there: topic" in told["error"]["message"]
    curator("label", desk, "define", "mood", "good", "bad")
    code, told = curator("suspects", desk, "--set", "mood")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
    assert "nothing to compare" in told["error"]["message"]


def test_labels_that_do_not_follow_from_the_questions_are_said_to_be_so(curator, desk, capsys):
    curator("label", desk, "define", "luck", "heads", "tails")
    curator("label", desk, "set", "luck", "heads", "--where", "id:1..24")
    tails = ",".join(str(n) for n in range(1, 25) if n * n % 7 in (1, 2))
    curator("label", desk, "set", "luck", "tails", "--ids", tails)
    capsys.readouterr()
    code, told = curator("suspects", desk, "--set", "luck")
    assert (code, told["agreeing"] < 0.6) == (0, True)
    assert curator("suspects", desk, "--set", "topic")[1]["agreeing"] > 0.9


def test_how_many_more_there_are_counts_from_what_is_shown(curator, desk, capsys):
    curator("label", desk, "set", "topic", "account", "--ids", "5")
    (first, *others) = curator("suspects", desk, "--set", "topic")[1]["suspects"]
    assert others
    capsys.readouterr()
    assert main(["suspects", str(desk), "--set", "topic", "--limit", "1"]) == 0
    shown = capsys.readouterr().out
    assert f"conversation {first['conversation']}" in shown
    assert f"and {len(others)} more" in shown
