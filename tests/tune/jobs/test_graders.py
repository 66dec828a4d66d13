"""Graders: what the protocol takes is told before anything is sent."""

import json

import pytest
from pydantic import TypeAdapter

from curator.dataset.errors import TargetError, UnreadableInput, WrongUse
from curator.tune.jobs.dry_run import dry_run
from curator.tune.jobs.graders import KINDS, check_grader, fields_of, read_grader, row_faults
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.starting import start_job
from curator.tune.jobs.training_files import open_export
from curator.tune.services.port import State
from tests.tune.conftest import FAST

ASK = [{"role": "user", "content": "Rate {{sample.output_text}} against {{item.reference.text}}"}]
CHECK = {"type": "string_check", "name": "same", "operation": "eq",
         "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}  # fmt: skip
GRADERS = (
    CHECK,
    {"type": "text_similarity", "name": "near", "evaluation_metric": "rouge_l",
     "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"},
    {"type": "python", "name": "own", "source": "def grade(sample, item):\n    return 1.0\n"},
    {"type": "score_model", "name": "judge", "model": "gpt-4.1", "input": ASK, "range": [0, 1]},
    {"type": "multi", "name": "both", "calculate_output": "0.5 * same + 0.5 * kind", "graders": {
        "same": CHECK,
        "kind": {"type": "label_model", "name": "kind", "model": "gpt-4.1", "input": ASK,
                 "labels": ["kind", "rude"], "passing_labels": ["kind"]}}},
)  # fmt: skip


@pytest.mark.parametrize("grader", GRADERS, ids=lambda each: each["type"])
def test_every_kind_is_taken_as_the_sdk_types_have_it(grader):
    from openai.types.fine_tuning import reinforcement_method_param

    assert check_grader(grader, KINDS) == grader
    if grader["type"] != "multi":  # the SDK's type has one grader there; the service takes several
        TypeAdapter(reinforcement_method_param.Grader).validate_python(grader)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "horoscope"}, 'type "horoscope" is not taken'),
        ({"type": "label_model"}, 'type "label_model" is not taken'),
        ({"operation": "near"}, "operation"),
        ({"name": ""}, "name"),
        ({"extra": 1}, "extra"),
        ({"reference": "{{item.two words}}"}, "without spaces"),
        ({"reference": "{{item.list[0]}}"}, "numbered places"),
    ],
)
def test_what_is_wrong_is_named(change, words):
    with pytest.raises(WrongUse, match=words.replace("[", r"\[")):
        check_grader({**CHECK, **change}, KINDS)


@pytest.mark.parametrize(
    ("grader", "words"),
    [
        ({**GRADERS[2], "source": "def grade(:"}, "no Python"),
        ({**GRADERS[2], "source": "#" * 300_000}, "256 KB"),
        ({**GRADERS[3], "range": [1, 0]}, "must rise"),
        ({"type": "lambda", "function": "mine"}, "ARN"),
    ],
)
def test_what_a_service_would_refuse_later_is_refused_now(grader, words):
    with pytest.raises(WrongUse, match=words):
        check_grader(grader, (*KINDS, "lambda"))


def test_a_function_at_amazon_is_sent_as_it_is():
    grader = {
        "type": "lambda",
        "lambda_arn": "arn:aws:lambda:us-east-1:123456789012:function:score",
    }
    assert check_grader(grader, ("lambda",)) == grader


def test_a_file_that_is_no_grader_is_named(tmp_path):
    path = tmp_path / "grader.json"
    with pytest.raises(UnreadableInput, match="no grader file"):
        read_grader(path)
    path.write_text("[1]")
    with pytest.raises(UnreadableInput, match="not a JSON object"):
        read_grader(path)
    path.write_text("{")
    with pytest.raises(UnreadableInput, match="not JSON"):
        read_grader(path)
    path.write_text(json.dumps(CHECK))
    assert read_grader(path) == CHECK


def test_rows_must_hold_what_the_grader_reads():
    grader = GRADERS[4]
    assert fields_of(grader) == ("answer", "reference.text")
    good = {"messages": [{"role": "developer", "content": "D"}, {"role": "user", "content": "U"}],
            "answer": "A", "reference": {"text": "R"}}  # fmt: skip
    rows = (
        good,
        {**good, "reference": {}},
        {**good, "messages": [*good["messages"], {"role": "assistant", "content": "A"}]},
        {**good, "messages": [{"role": "system", "content": "S"}, *good["messages"]]},
        {"answer": "A"},
    )
    told = row_faults(((n, json.dumps(row)) for n, row in enumerate(rows, 1)), grader)
    assert [line.split(":")[0] for line in told] == [
        f"Line {n} cannot be trained by reinforcement" for n in (2, 3, 4, 5)
    ]
    assert 'reads "reference.text"' in told[0]
    assert "nothing to answer" in told[1]
    assert "developer" in told[2]
    many = row_faults(((n, "{}") for n in range(1, 21)), grader)
    assert len(many) == 6
    assert many[-1] == "So it is with 15 more lines."


@pytest.fixture
def graded(tmp_path):
    row = {"messages": [{"role": "user", "content": "U"}], "answer": "A"}
    for name in ("train", "validation"):
        (tmp_path / f"{name}.jsonl").write_text((json.dumps(row) + "\n") * 12)
    return open_export(tmp_path)


def begin(connection, table, exported, quiet, **more):
    recipe = make_recipe(connection.target, "small-reasoner", method="rft", **more)
    plan = dry_run(exported, recipe, **quiet)
    return start_job(connection, table, exported, recipe, plan, pace=FAST, **quiet)


def test_the_service_is_asked_about_the_grader_before_anything_is_uploaded(
    connection, table, graded, server, quiet
):
    with pytest.raises(TargetError, match="Invalid grader"):
        begin(connection, table, graded, quiet, grader={**CHECK, "name": "strange"})
    assert not server.files
    assert table.all()[0].status is State.FAILED


def test_a_reinforcement_job_carries_its_grader(connection, table, graded, server, quiet):
    wandb = {"project": "desk", "tags": ["a"]}
    job = begin(connection, table, graded, quiet, grader=CHECK, wandb=wandb)
    body = server.bodies[-1]
    assert body["method"]["reinforcement"]["grader"] == CHECK
    assert body["integrations"] == [{"type": "wandb", "wandb": wandb}]
    assert table.get(job.token).grader == CHECK
    assert server.count("POST", "/fine_tuning/alpha/graders/validate") == 1


def test_a_service_without_the_free_check_trains_all_the_same(
    connection, table, graded, server, quiet
):
    from tests.tune.protocol_server import status

    server.fault("POST", "/fine_tuning/alpha/graders/validate", status(404), always=True)
    assert begin(connection, table, graded, quiet, grader=CHECK).job in server.jobs


def test_rows_without_the_field_stop_the_start(connection, graded, quiet):
    recipe = make_recipe(
        connection.target,
        "small-reasoner",
        method="rft",
        grader={**CHECK, "reference": "{{item.other}}"},
    )
    plan = dry_run(graded, recipe, **quiet)
    assert any('reads "other"' in error for error in plan.errors)


def test_reinforcement_without_validation_rows_is_an_error(connection, graded, quiet):
    graded.validation.unlink()
    recipe = make_recipe(connection.target, "small-reasoner", method="rft", grader=CHECK)
    plan = dry_run(open_export(graded.folder), recipe, **quiet)
    assert any("validation part" in error for error in plan.errors)


def test_weights_and_biases_only_where_offered(connection):
    from curator.tune.targets.profiles import find_target

    with pytest.raises(WrongUse, match="Weights & Biases"):
        make_recipe(find_target("nebius"), "b", wandb={"project": "p"})
    with pytest.raises(WrongUse, match="Name the Weights & Biases project"):
        make_recipe(connection.target, "b", wandb={"name": "run"})
    with pytest.raises(WrongUse, match='no setting "key"'):
        make_recipe(connection.target, "b", wandb={"project": "p", "key": "secret"})
