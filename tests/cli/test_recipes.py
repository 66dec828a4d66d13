# ruff: noqa: F401, F811 - fixtures come by name
"""Recipes, files and lineage on the command line, against a real server on loopback."""

import json

from tests.cli.test_training import BASE, export, server

GRADER = {"type": "string_check", "name": "g", "operation": "eq",
          "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}  # fmt: skip


def test_a_recipe_is_kept_and_used_again(curator, export, server):
    made = ("--target", "here", "--base", BASE, "--set", "n_epochs=2", "--seed", "5")
    code, _ = curator("train", export, *made, "--save-recipe", "desk", "--dry-run")
    assert code == 0
    code, told = curator("train", export, "--recipe", "desk", "--set", "batch_size=3", "--follow")
    assert code == 0, told
    hyper = server.bodies[-1]["method"]["supervised"]["hyperparameters"]
    assert (hyper["n_epochs"], hyper["batch_size"], server.bodies[-1]["seed"]) == (2, 3, 5)
    code, _ = curator("train", export, "--again", told["job"])
    assert code == 0
    assert server.bodies[-1]["method"] == server.bodies[-2]["method"]
    code, told = curator("train", export, "--recipe", "unknown", "--dry-run")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_a_target_or_a_recipe_must_be_named(curator, export):
    code, told = curator("train", export, "--dry-run")
    assert code == 2
    assert "--recipe" in told["error"]["message"]


def test_a_reinforcement_job_needs_its_grader_file(curator, server, tmp_path):
    row = {"messages": [{"role": "user", "content": "U"}], "answer": "A"}
    folder = tmp_path / "rows"
    folder.mkdir()
    for name in ("train", "validation"):
        (folder / f"{name}.jsonl").write_text((json.dumps(row) + "\n") * 12)
    grader = tmp_path / "grader.json"
    words = ("train", folder, "--target", "here", "--base", "b", "--method", "rft")
    code, told = curator(*words, "--grader", grader)
    assert (code, told["error"]["path"]) == (2, str(grader))
    grader.write_text(json.dumps(GRADER))
    code, told = curator(*words, "--grader", grader, "--wandb", "desk")
    assert code == 0, told
    assert server.bodies[-1]["method"]["reinforcement"]["grader"] == GRADER
    assert server.bodies[-1]["integrations"][0]["wandb"] == {"project": "desk"}


def test_files_models_and_lineage_of_a_job(curator, export, server, tmp_path):
    told = curator("train", export, "--target", "here", "--base", BASE, "--follow")[1]
    code, got = curator("jobs", "download", told["job"], tmp_path / "got")
    assert code == 0
    assert got["files"][0]["path"] == str(tmp_path / "got" / "step_metrics.csv")
    code, made = curator("jobs", "lineage", told["checkpoint"])
    assert code == 0
    assert made["rows"]["train"] == 32
    assert all(isinstance(each, int) for each in made["conversations"]["train"])
    assert made["manifest"]["rule_pack"]
    code, gone = curator("jobs", "delete-model", told["job"])
    assert (code, gone["deleted"]) == (0, told["checkpoint"])
    assert curator("jobs", "delete-model", told["job"])[0] == 2
