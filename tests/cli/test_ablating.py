# ruff: noqa: F811 - fixtures come by name
"""ablate: variants are trained once each, asked once each, and compared with the first."""

import itertools
import json
import os
import signal

import pytest

from curator.cli.main import build_parser, main
from curator.dataset.resources import resource
from curator.tune.ablations.plan import read_plan
from curator.tune.jobs.table import JobTable
from tests.cli.sample_lines import line, write
from tests.cli.test_training import BASE, server  # noqa: F401
from tests.tune.protocol_server import KEY, status

LABELS = ("fraud", "card_lost", "top_up")
CREATE, CHAT = ("POST", "/fine_tuning/jobs"), ("POST", "/chat/completions")


@pytest.fixture
def project(curator, tmp_path):
    path = tmp_path / "a.curator"
    curator("new", path)
    lines = [line(f"Question {n} about it?", LABELS[n % 3]) for n in range(120)]
    curator("import", path, write(tmp_path / "f.jsonl", *lines))
    curator("split", path, "--train", "60", "--validation", "20", "--test", "40", "--fresh")
    return path


@pytest.fixture
def ablate(curator, project, tmp_path):
    """Run a plan of these variants."""

    def run(*variants, words=("--yes",), **more):
        plan = {"target": "here", "base": BASE, "variants": variants, **more}
        path = write(tmp_path / "plan.json", json.dumps(plan))
        return curator("ablate", project, "--plan", path, *words)

    return run


def trained_rows(server):
    """Return the training rows of each job, in the order the jobs were made."""
    files = [job["training_file"] for job in server.jobs.values()]
    return [[json.loads(row) for row in server.contents[f].splitlines()] for f in files]


def asked_of(row):
    return row["messages"][-2]["content"]


@pytest.fixture
def learned(server):
    """A model that says the right label where its training rows had it, and knows nothing else."""

    def answer(body):
        job = server.jobs[body["model"].rpartition(":")[2]]
        rows = server.contents[job["training_file"]].decode()
        label = LABELS[int(body["messages"][-1]["content"].split()[1]) % 3]
        return label if f'"{label}"' in rows else "I do not know."

    server.plan.answer = answer
    return server


ALL, NO_FRAUD = {"name": "all"}, {"name": "no fraud", "without": '"fraud"'}


def test_a_variant_without_a_label_is_worse_by_more_than_chance(ablate, learned):
    code, told = ablate(ALL, NO_FRAUD, {"name": "control", "same_size_as": "no fraud"})
    assert code == 0, told
    every, less, control = told["variants"]
    assert {"name", "settings", "metrics", "low", "high", "job"} <= set(every)
    assert every["metrics"]["accuracy"] == control["metrics"]["accuracy"] == 1.0
    assert less["rows"] == control["rows"] < every["rows"] == 60
    assert less["metrics"]["accuracy"] < 0.8
    assert every["comparison"] is None
    assert less["comparison"]["more_than_chance"]
    assert not control["comparison"]["more_than_chance"]
    assert "no fraud is worse than all" in told["sentence"]
    assert len({each["job"] for each in told["variants"]}) == 3
    shown = learned.count(*CHAT)
    assert shown == 3 * 40


def test_what_is_asked_is_never_trained(ablate, learned):
    for split in ("test", "validation"):
        code, told = ablate(ALL, {"name": "half", "share": 50}, split=split, limit=10)
        assert code == 0, told
        asked = {b["messages"][-1]["content"] for b in learned.bodies if "messages" in b}
        for content in learned.contents.values():
            assert not asked & {asked_of(json.loads(row)) for row in content.splitlines()}
        learned.reset()
        learned.plan.answer = lambda body: "fraud"


def test_what_is_left_out_is_told_and_neither_trained_nor_asked(curator, project, ablate, learned):
    curator("label", project, "status", "rejected", "--where", "id:1..30")
    code, told = ablate(ALL)
    assert code == 0, told
    assert told["left_out"] == {"rejected": 30}
    gone = {f"Question {n} about it?" for n in range(30)}
    assert not gone & {asked_of(row) for row in trained_rows(learned)[0]}
    assert not gone & {b["messages"][-1]["content"] for b in learned.bodies if "messages" in b}
    assert told["questions"] == learned.count(*CHAT) < 40


def test_a_smaller_share_is_contained_in_every_larger_one(ablate, learned):
    code, told = ablate({"name": "curve", "share": [10, 25, 50, 100]})
    assert code == 0, told
    rows = [{asked_of(row) for row in each} for each in trained_rows(learned)]
    assert [len(each) for each in rows] == [6, 15, 30, 60]
    assert all(small < large for small, large in itertools.pairwise(rows))
    points = told["curve"]
    assert [(p["share"], p["rows"]) for p in points] == [(10, 6), (25, 15), (50, 30), (100, 60)]
    assert all(p["low"] <= p["value"] <= p["high"] for p in points)


def test_without_system_prompts_no_row_has_one_and_the_questions_stay(ablate, learned):
    code, told = ablate(ALL, {"name": "bare", "system_prompts": False})
    assert code == 0, told
    with_them, without = trained_rows(learned)
    assert [row["messages"][1:] for row in with_them] == [row["messages"] for row in without]
    sent = [b["messages"] for b in learned.bodies if "messages" in b]
    assert {each[0]["role"] for each in sent} == {"system"}


def test_a_grid_is_every_combination_and_equal_variants_are_one_job(ablate, learned):
    grid = {"name": "grid", "settings": {"n_epochs": [1, 2], "batch_size": [1, 4]}}
    code, told = ablate(ALL, {"name": "again"}, grid)
    assert code == 0, told
    names = [each["name"] for each in told["variants"]]
    assert names[2:] == [
        f"grid n_epochs {e}, batch_size {b}" for e, b in ((1, 1), (1, 4), (2, 1), (2, 4))
    ]
    assert told["variants"][0]["job"] == told["variants"][1]["job"]
    assert len(learned.jobs) == 5


def test_a_study_is_done_once_and_grows(ablate, learned):
    ablate(ALL, NO_FRAUD)
    asked, run = learned.count(*CHAT), ablate(ALL, NO_FRAUD)[1]["run"]
    assert (len(learned.jobs), learned.count(*CHAT)) == (2, asked)
    assert ablate(ALL, NO_FRAUD, {"name": "half", "share": 50})[0] == 0
    assert (len(learned.jobs), learned.count(*CHAT)) == (3, asked + 40)
    assert ablate(ALL, NO_FRAUD)[1]["run"] == run


def test_several_seeds_are_averaged(ablate, learned):
    code, told = ablate(ALL, NO_FRAUD, seeds=[1, 2])
    assert code == 0, told
    assert [body["seed"] for body in learned.bodies if "training_file" in body] == [1, 2, 1, 2]
    assert told["variants"][1]["seeds"] == [1, 2]
    assert told["variants"][1]["comparison"]["more_than_chance"]
    assert len(told["variants"][1]["jobs"]) == 2


def test_a_failed_variant_is_named_and_the_others_go_on(ablate, learned):
    learned.fault(*CREATE, status(400, "No."))
    code, told = ablate(ALL, NO_FRAUD, {"name": "half", "share": 50})
    assert code == 1, told
    assert [each["name"] for each in told["failed"]] == ["all"]
    assert [each["status"] for each in told["variants"]] == ["failed", "done", "done"]
    assert told["variants"][2]["comparison"]["a"] == "no fraud"
    code, told = ablate(ALL, NO_FRAUD, {"name": "half", "share": 50})
    assert (code, told["failed"]) == (0, [])
    assert len(learned.jobs) == 3


def test_a_checkpoint_that_cannot_be_asked_is_named(ablate, learned):
    answer = learned.plan.answer
    gone = []

    def vanishing(body):
        if not gone:
            learned.fault(*CHAT, status(404, "The model does not exist."), always=True)
            gone.append(1)
        return answer(body)

    learned.plan.answer = vanishing
    code, told = ablate(ALL, NO_FRAUD)
    assert code == 1, told
    assert "all" in str(told["error"]["message"])
    assert KEY not in str(told)
    learned.clear_faults()
    assert ablate(ALL, NO_FRAUD)[0] == 0
    assert len(learned.jobs) == 2


def test_the_others_are_asked_where_one_cannot_be(ablate, learned):
    answer, said = learned.plan.answer, []

    def vanishing(body):
        said.append(1)
        if len(said) == 40:
            learned.fault(*CHAT, status(404, "The model does not exist."), always=True)
        return answer(body)

    learned.plan.answer = vanishing
    code, told = ablate(ALL, NO_FRAUD)
    assert code == 1, told
    assert [each["status"] for each in told["variants"]] == ["done", "failed"]
    assert "could not be asked" in told["failed"][0]["reason"]
    learned.clear_faults()
    assert ablate(ALL, NO_FRAUD)[0] == 0
    assert len(said) == 80


def test_a_budget_ends_before_it_is_exceeded(ablate, learned):
    plan = ablate(ALL, NO_FRAUD, words=("--dry-run",))[1]
    first, second = (each["tokens"] for each in plan["variants"])
    code, told = ablate(ALL, NO_FRAUD, budget={"tokens": first + second - 1})
    assert (code, len(learned.jobs)) == (1, 1), told
    assert "budget" in told["failed"][0]["reason"]
    # Beginning again does not double the budget.
    assert ablate(ALL, NO_FRAUD, budget={"tokens": first + second - 1})[0] == 1
    assert len(learned.jobs) == 1
    assert ablate(ALL, NO_FRAUD, budget={"tokens": first + second})[0] == 0
    code, told = ablate(ALL, budget={"cost": 1})
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_a_dry_run_starts_nothing_and_money_needs_a_yes(ablate, learned):
    code, told = ablate(ALL, NO_FRAUD, words=("--dry-run",))
    assert code == 0, told
    found = told["estimate"]
    assert (found["jobs"], found["jobs_there"], found["charged"]) == (2, 0, True)
    assert found["rows"] == sum(each["rows"] for each in told["variants"])
    code, told = ablate(ALL, NO_FRAUD, words=())
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
    assert "--yes" in told["error"]["message"]
    assert not learned.jobs
    assert not learned.bodies


class Killed(BaseException):
    """What ends a program at once."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 6, 9])
def test_a_study_killed_at_any_change_of_a_job_trains_nothing_twice(
    at, after, ablate, learned, monkeypatch, curator
):
    count, update = [], JobTable.update

    def dying(table, token, **changes):
        count.append(1)
        if len(count) == at and not after:
            raise Killed
        found = update(table, token, **changes)
        if len(count) == at and after:
            raise Killed
        return found

    monkeypatch.setattr(JobTable, "update", dying)
    with pytest.raises(Killed):
        ablate(ALL, NO_FRAUD)
    monkeypatch.setattr(JobTable, "update", update)
    code, told = ablate(ALL, NO_FRAUD)
    if code == 1:
        # Nobody can know whether the service made it; a person says so.
        (failed,) = told["failed"]
        assert "jobs discard" in failed["reason"]
        assert len(learned.jobs) == 1
        for job in curator("jobs", "list")[1]["jobs"]:
            if job["status"] == "unclear":
                assert curator("jobs", "discard", job["job"])[0] == 0
        code, told = ablate(ALL, NO_FRAUD)
    assert code == 0, told
    assert len(learned.jobs) == 2
    assert len({job["training_file"] for job in learned.jobs.values()}) == 2


@pytest.mark.parametrize("at", [1, 20, 41, 79])
def test_a_study_killed_while_it_asks_asks_only_what_was_on_its_way(
    at, ablate, learned, monkeypatch
):
    from curator.tune.evaluation import runs

    count, add = [], runs.rows.add_replies

    def dying(project, run, came, prompts=()):
        add(project, run, came, prompts)
        count.extend(came)
        if len(count) >= at:
            raise Killed

    monkeypatch.setattr(runs.rows, "add_replies", dying)
    with pytest.raises(Killed):
        ablate(ALL, NO_FRAUD)
    kept = len(count)
    monkeypatch.setattr(runs.rows, "add_replies", add)
    before = learned.count(*CHAT)
    assert ablate(ALL, NO_FRAUD)[0] == 0
    assert learned.count(*CHAT) - before == 80 - kept
    assert len(learned.jobs) == 2


@pytest.mark.parametrize(
    ("variants", "more"),
    [
        ([], {}),
        ([ALL, ALL], {}),
        ([{"name": "x", "nothing": 1}], {}),
        ([{"share": 0}], {}),
        ([{"share": []}], {}),
        ([{"share": True}], {}),
        ([{"share": [50, "all"]}], {}),
        ([{"settings": {"n_epochs": []}}], {}),
        ([{"settings": {"n_epochs": -1}}], {}),
        ([{"settings": {"nothing": 1}}], {}),
        ([{"same_size_as": "nobody"}], {}),
        ([{"where": "label:none=1"}], {}),
        ([{"without": "split:nowhere"}], {}),
        ([{"where": "split:test"}], {}),
        ([ALL], {"target": "nowhere"}),
        ([ALL], {"split": "train"}),
        ([ALL], {"metric": "luck"}),
        ([ALL], {"score": ["nearly"]}),
        ([ALL], {"set": "mood"}),
        ([ALL], {"seeds": []}),
        ([ALL], {"seeds": [1, 1]}),
        ([ALL], {"seeds": [-1]}),
        ([ALL], {"budget": {"tokens": 0}}),
        ([ALL], {"limit": 0}),
        ([{"settings": {"n_epochs": list(range(1, 10)), "batch_size": list(range(1, 100))}}], {}),
    ],
)
def test_a_faulty_plan_is_one_sentence_and_starts_nothing(ablate, learned, variants, more):
    code, told = ablate(*variants, **more)
    assert code == 2, told
    assert told["error"]["message"].count("\n") == 0
    assert not learned.bodies


def plans_shown():
    """Yield each plan that the help and the guide show, as it stands there."""
    verb = next(a for a in build_parser()._actions if a.dest == "verb").choices["ablate"]
    help_ = verb.epilog.partition("plan.json:")[2].partition("beside them")[0]
    guide = resource("guide", "evaluation.md").read_text("utf-8")
    shown = guide.partition("A plan is a small JSON file:")[2].split("```")[1]
    yield from (help_, shown)


def test_the_plans_that_are_shown_are_plans(tmp_path):
    for text in plans_shown():
        plan, variants = read_plan(write(tmp_path / "plan.json", text))
        assert plan.base == "practice"
        assert len(variants) == 11


def test_an_interrupted_study_says_how_to_go_on(ablate, learned, monkeypatch):
    answer, said = learned.plan.answer, []

    def interrupting(body):
        said.append(1)
        if len(said) == 50:
            os.kill(os.getpid(), signal.SIGINT)
        return answer(body)

    learned.plan.answer = interrupting
    code, told = ablate(ALL, NO_FRAUD)
    assert (code, told["error"]["kind"]) == (130, "cancelled")
    assert "To go on" in told["error"]["message"]
    assert ablate(ALL, NO_FRAUD)[0] == 0
    assert len(said) == 80
    assert len(learned.jobs) == 2


def test_the_lines_show_the_table_the_curve_and_a_sentence(
    ablate, project, learned, capsys, tmp_path
):
    ablate({"name": "curve", "share": [50, 100]}, NO_FRAUD)
    capsys.readouterr()
    words = ["ablate", str(project), "--plan", str(tmp_path / "plan.json"), "--yes"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "more than chance" in out
    assert "What mattered most: no fraud" in out
    assert "100 %  60 |" in out


def test_a_project_without_a_test_part_says_what_to_do(curator, tmp_path, server):
    path = tmp_path / "b.curator"
    curator("new", path)
    curator("import", path, write(tmp_path / "g.jsonl", *[line(f"Q {n}?") for n in range(12)]))
    plan = write(
        tmp_path / "p.json", json.dumps({"target": "here", "base": BASE, "variants": [ALL]})
    )
    code, told = curator("ablate", path, "--plan", plan)
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
    assert "split" in told["error"]["message"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_variants_of_the_tiny_base_are_trained_here(curator, project, tmp_path):
    from curator.tune.local.bases.environment import trainer_python

    if trainer_python() is None:
        pytest.skip("training on this computer needs the trainer: curator trainer --install")
    plan = {"target": "this-computer", "base": "tiny", "settings": {"n_epochs": 1}, "limit": 6,
            "max_tokens": 8, "variants": [ALL, {"name": "curve", "share": [50, 100]}]}  # fmt: skip
    path = write(tmp_path / "plan.json", json.dumps(plan))
    try:
        code, told = curator("ablate", project, "--plan", path)
        assert code == 0, told
        assert [each["status"] for each in told["variants"]] == ["done"] * 3
        assert [point["share"] for point in told["curve"]] == [50, 100]
        again = curator("ablate", project, "--plan", path)[1]
        assert again["estimate"]["jobs"] == 0
        assert again["run"] == told["run"]
    finally:
        curator("serve", "--stop")
