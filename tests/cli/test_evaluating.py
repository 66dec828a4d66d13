# ruff: noqa: F811 - fixtures come by name
"""evaluate and compare, as people and scripts run them."""

import json

import pytest

from curator.cli.main import main
from curator.project import Project
from curator.project.store.evaluation_rows import items_of
from tests.cli.sample_lines import line, write
from tests.cli.test_training import server  # noqa: F401
from tests.project.projects import annotate, edit
from tests.tune.protocol_server import KEY, status

CHAT = ("POST", "/chat/completions")
BASE, TUNED = ("--candidate", "base=here/gpt-6-luna"), ("--candidate", "tuned=here/ft:luna")
LABELS = ("fraud", "card_lost", "top_up")


def right_label(body):
    number = int(body["messages"][-1]["content"].split()[1])
    return LABELS[number % 3]


def half_and_all(body):
    """The base says the right label to even questions, the tuned model to all."""
    number = int(body["messages"][-1]["content"].split()[1])
    if body["model"].startswith("ft:"):
        return f"The intent is {LABELS[number % 3]}."
    return LABELS[number % 3] if number % 2 else "I am not sure."


@pytest.fixture
def project(curator, tmp_path):
    path = tmp_path / "a.curator"
    curator("new", path)
    lines = [line(f"Question {n} about it?", LABELS[n % 3]) for n in range(60)]
    curator("import", path, write(tmp_path / "f.jsonl", *lines))
    curator("split", path, "--train", "0", "--validation", "20", "--test", "40", "--fresh")
    return path


def test_base_against_tuned_has_the_keys_of_the_contract(curator, project, server):
    server.plan.answer = half_and_all
    code, told = curator("evaluate", project, "--split", "test", *BASE, *TUNED)
    assert code == 0, told
    assert told["items"] == 40
    base, tuned = told["candidates"]["base"], told["candidates"]["tuned"]
    promised = "accuracy precision_macro recall_macro f1_macro f1_micro unparsable intervals"
    assert set(promised.split()) <= set(base)
    assert tuned["accuracy"] == tuned["f1_macro"] == 1.0
    wrong = base["unparsable"]
    assert base["accuracy"] == pytest.approx(1 - wrong / 40)
    assert [row["error"] for row in base["unreadable"]] == [""] * wrong
    found = told["comparison"]
    assert {"a", "b", "wins", "losses", "ties", "difference", "low", "high", "p"} <= set(found)
    assert (found["a"], found["b"], found["wins"], found["losses"]) == ("base", "tuned", wrong, 0)
    assert found["low"] <= found["difference"] <= found["high"]
    assert found["p"] < 0.05
    assert f"better on {wrong}, worse on 0" in found["sentence"]
    assert told["gate"] == {"passed": True, "failed": []}
    assert told["labels_read"] == "choice"
    matrix = tuned["confusion"]
    assert sum(map(sum, matrix["counts"])) == 40
    assert matrix["columns"][-1] == "(unreadable)"


def test_a_gate_that_fails_is_exit_1(curator, project, server):
    server.plan.answer = half_and_all
    words = ("evaluate", project, *BASE, *TUNED)
    assert curator(*words, "--fail-under", "f1_macro=0.99")[0] == 0
    # The other way round, the second one is worse.
    code, told = curator("evaluate", project, *TUNED, *BASE, "--fail-under", "f1_macro=0.99")
    assert code == 1
    assert [each["candidate"] for each in told["gate"]["failed"]] == ["base"]
    code, told = curator("evaluate", project, *TUNED, *BASE, "--no-regression")
    assert (code, told["gate"]["failed"][0]["metric"]) == (1, "regression")
    assert curator(*words, "--no-regression")[0] == 0
    # All of it was asked once.
    assert len(server.bodies) == 80


@pytest.mark.parametrize(
    "words",
    [
        ("--fail-under", "nothing=0.5", *BASE),
        ("--fail-under", "accuracy", *BASE),
        ("--fail-under", "accuracy=nan", *BASE),
        ("--no-regression", *BASE),
        ("--split", "nowhere", *BASE),
        ("--where", "split:nowhere", *BASE),
        ("--where", "label:none=1", *BASE),
        ("--score", "nearly", *BASE),
        ("--score", "exact", "--score", "tool", *BASE),
        ("--set", "mood", *BASE),
        ("--report", "x.txt", *BASE),
        ("--resume", "nothing"),
        ("--resume", "last", *BASE),
        (*BASE, *BASE),
        ("--candidate", "base=nowhere/x"),
        (),
    ],
)
def test_wrong_use_is_exit_2(curator, project, server, words):
    code, told = curator("evaluate", project, *words)
    assert (code, told["error"]["kind"]) == (2, "wrong_use"), told


def test_a_wrong_use_asks_nobody(curator, project, server):
    curator("evaluate", project, *BASE, "--report", "x.txt", "--split", "test")
    curator("evaluate", project, *BASE, "--score", "regex=(")
    curator("evaluate", project, *BASE, "--no-regression")
    curator("evaluate", project, *BASE, "--fail-under", "accuracy=high")
    assert server.bodies == []


def test_a_run_that_stopped_is_resumed_and_shown_again(curator, project, server):
    server.plan.answer = right_label
    answered = []

    def some(body):
        answered.append(1)
        if len(answered) >= 10:
            server.fault(*CHAT, status(401, KEY), always=True)
        return right_label(body)

    server.plan.answer = some
    code, told = curator("evaluate", project, *BASE, "--parallel", "1")
    assert (code, told["error"]["kind"]) == (1, "target")
    assert "--resume" in told["error"]["message"]
    assert KEY not in told["error"]["message"]
    (run,) = curator("evaluate", project, "--list")[1]["runs"]
    assert (run["state"], run["replies"], run["items"]) == ("stopped", 10, 40)
    server.clear_faults()
    server.plan.answer = right_label
    code, told = curator("evaluate", project, "--resume", "last")
    assert code == 0, told
    assert (told["items"], told["candidates"]["base"]["accuracy"]) == (40, 1.0)
    assert len(server.bodies) == 40
    again = curator("evaluate", project, "--resume", "last", "--score", "text")[1]
    assert again["candidates"]["base"]["bleu"] >= 0
    assert again["candidates"]["base"]["f1_macro"] is None
    assert len(server.bodies) == 40


def test_a_run_says_how_many_of_its_conversations_changed_since(curator, project, server):
    server.plan.answer = right_label
    told = curator("evaluate", project, *BASE)[1]
    assert told["changed"] == 0
    with Project.open(project) as opened:
        (first, second) = items_of(opened, 1)[:2]
        edit(opened, first.conversation, line("Another question?", LABELS[0]))
        annotate(opened, [second.conversation], "removed", {"reason": "x", "partner": None})
    again = curator("evaluate", project, "--resume", "last")[1]
    assert (again["changed"], again["items"]) == (2, 40)
    assert again["candidates"]["base"]["accuracy"] == 1.0


def test_runs_are_compared_by_their_names(curator, project, server):
    server.plan.answer = half_and_all
    one = curator("evaluate", project, *BASE)[1]["run"]
    other = curator("evaluate", project, *TUNED, "--where", "split:test")[1]["run"]
    code, told = curator("compare", one, other, "--no-regression")
    assert code == 0, told
    found = told["comparison"]
    assert (found["a"], found["b"]) == ("base", "tuned")
    assert found["wins"] > 0
    code, told = curator("compare", other, one, "--no-regression", "--fail-under", "accuracy=0.9")
    assert code == 1
    assert {each["metric"] for each in told["gate"]["failed"]} == {"accuracy", "regression"}
    same = curator("compare", project, f"{project}#last/tuned")[1]["comparison"]
    assert (same["wins"], same["losses"], same["p"]) == (0, 0, 1.0)
    assert same["a"] != same["b"]


@pytest.mark.parametrize("run", ["nothing", "#x", "#last/nobody"])
def test_a_run_that_is_not_there_cannot_be_compared(curator, project, server, run):
    server.plan.answer = right_label
    curator("evaluate", project, *BASE)
    there = str(project)
    words = (there + run if run.startswith("#") else run, there)
    assert curator("compare", *words)[0] == 2


def test_runs_without_a_common_question_cannot_be_compared(curator, project, server):
    server.plan.answer = right_label
    one = curator("evaluate", project, *BASE, "--split", "test")[1]["run"]
    other = curator("evaluate", project, *BASE, "--split", "validation")[1]["run"]
    code, told = curator("compare", one, other)
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_labels_of_annotators_say_what_is_right(curator, project, server):
    curator("label", project, "define", "mood", "good", "bad")
    curator("label", project, "set", "mood", "good", "--where", "id:1..30")
    curator("label", project, "set", "mood", "bad", "--where", "id:31..50")
    server.plan.answer = lambda body: "It looks good."
    code, told = curator("evaluate", project, *BASE, "--where", "id:>0", "--set", "mood")
    assert code == 0, told
    assert told["items"] == 50
    assert told["left_out"] == {"no label in the label set": 10}
    assert told["candidates"]["base"]["accuracy"] == pytest.approx(30 / 50)


@pytest.mark.parametrize("ending", ["md", "html"])
def test_a_report_is_written(curator, project, server, tmp_path, ending):
    server.plan.answer = half_and_all
    path = tmp_path / f"report.{ending}"
    code, told = curator("evaluate", project, *BASE, *TUNED, "--report", path)
    assert (code, told["report"]) == (0, str(path))
    text = path.read_text("utf-8")
    for words in ("gpt-6-luna", "better on", "right answers", "not sure", "split test"):
        assert words in text, words
    assert KEY not in text
    assert ("<svg" in text) == (ending == "html")


def test_a_report_shows_marks_as_they_are(curator, project, server, tmp_path):
    server.plan.answer = lambda body: "<script>alert(1)</script> | `x` \ud83d"
    for ending in ("md", "html"):
        path = tmp_path / f"r.{ending}"
        assert curator("evaluate", project, *BASE, *TUNED, "--report", path)[0] == 0
        assert "<script>" not in path.read_text("utf-8")


def test_texts_are_scored_where_answers_are_no_labels(curator, tmp_path, server):
    path = tmp_path / "b.curator"
    curator("new", path)
    lines = [line(f"Question {n}?", f"A long answer number {n} about things.") for n in range(12)]
    curator("import", path, write(tmp_path / "g.jsonl", *lines))
    server.plan.answer = lambda body: "A long answer number 3 about things."
    code, told = curator("evaluate", path, *BASE, "--where", "id:>0", "--limit", "8")
    assert code == 0, told
    found = told["candidates"]["base"]
    assert told["items"] == 8
    assert found["precision_macro"] is None
    assert found["token_f1"] > 0.8
    assert {"chrf", "bleu", "rouge1", "rouge2", "rougeL", "exact_match"} <= set(found)


def test_tool_calls_are_scored_by_name_and_arguments(curator, tmp_path, server):
    path = tmp_path / "t.curator"
    curator("new", path)
    tool = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}

    def call(number):
        arguments = json.dumps({"id": number})
        made = {"id": "c", "type": "function"}
        made["function"] = {"name": "find", "arguments": arguments}
        return {"role": "assistant", "content": None, "tool_calls": [made]}

    lines = [
        json.dumps(
            {"messages": [{"role": "user", "content": f"Card {n}?"}, call(n)], "tools": [tool]}
        )
        for n in range(8)
    ]
    curator("import", path, write(tmp_path / "t.jsonl", *lines))

    def answer(body):
        number = int(body["messages"][-1]["content"].split()[1].rstrip("?"))
        return "I do not know." if number == 0 else call(number % 4)

    server.plan.answer = answer
    code, told = curator(
        "evaluate", path, *BASE, "--where", "id:>0", "--fail-under", "accuracy=0.8"
    )
    assert code == 0, told
    found = told["candidates"]["base"]
    assert told["labels_read"] == "tool"
    assert server.bodies[0]["tools"] == [tool]
    assert found["accuracy"] == pytest.approx(7 / 8)
    assert found["tool_arguments"] == pytest.approx(3 / 8)
    assert found["confusion"]["columns"] == ["find", "(no call)", "(unreadable)"]


def test_an_empty_split_says_what_is_missing(curator, tmp_path, server):
    path = tmp_path / "c.curator"
    curator("new", path)
    code, told = curator("evaluate", path, *BASE)
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
    assert "nothing to ask" in told["error"]["message"]
    assert curator("evaluate", path, "--list")[1] == {"runs": []}


def test_the_lines_show_figures_with_their_intervals(project, server, capsys):
    server.plan.answer = half_and_all
    capsys.readouterr()
    assert main(["evaluate", str(project), *BASE, *TUNED]) == 0
    out = capsys.readouterr().out
    assert "right answers" in out
    assert "100.0% (91.2% to 100.0%)" in out
    assert "better on" in out
