# ruff: noqa: F401, F811 - fixtures come by name
"""Every verb, and every part of a verb, answers people and scripts; one that is not listed here fails."""

import argparse
import json
from contextlib import closing
from functools import cached_property
from uuid import uuid4

import pytest

from curator.cli.main import build_parser
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import State
from tests.cli.sample_lines import questions, write
from tests.cli.test_offers import folder
from tests.cli.test_training import BASE, server

CANDIDATE = ("--candidate", "base=here/gpt-6-luna")
HERE = ("--target", "here", "--base", BASE)

WORDS = {
    "new": lambda world: ["new", world / "fresh.curator"],
    "import": lambda world: ["import", world.project, world / "f.jsonl"],
    "check": lambda world: ["check", world.project],
    "fix": lambda world: ["fix", world.project, "--safe"],
    "count": lambda world: ["count", world.project],
    "dedupe": lambda world: ["dedupe", world.project],
    "label status": lambda world: ["label", world.project, "status", "accepted"],
    "label tag": lambda world: ["label", world.project, "tag", "x", "--where", "errors:0"],
    "label set": lambda world: ["label", world.project, "set", "mood", "good"],
    "label define": lambda world: ["label", world.project, "define", "tone", "dry"],
    "label list": lambda world: ["label", world.project, "list"],
    "label import": lambda world: ["label", world.project, "import", world.said],
    "label export": lambda world: ["label", world.project, "export", world / "said.jsonl"],
    "suspects": lambda world: ["suspects", world.project, "--set", "mood"],
    "split": lambda world: ["split", world.project],
    "export": lambda world: ["export", world.project, world / "again"],
    "verify": lambda world: ["verify", world.export],
    "undo": lambda world: ["undo", world.project],
    "redo": lambda world: ["redo", world.project],
    "history": lambda world: ["history", world.project],
    "targets list": lambda _: ["targets", "list"],
    "targets add": lambda _: ["targets", "add", "mine", "--address", "address=http://[::1]:9/v1"],
    "targets test": lambda _: ["targets", "test", "here"],
    "train": lambda world: ["train", world.export, *HERE],
    "jobs list": lambda _: ["jobs", "list"],
    "jobs show": lambda world: ["jobs", "show", world.job],
    "jobs follow": lambda world: ["jobs", "follow", world.job],
    "jobs pause": lambda world: ["jobs", "pause", world.job],
    "jobs resume": lambda world: ["jobs", "resume", world.job],
    "jobs cancel": lambda world: ["jobs", "cancel", world.job],
    "jobs discard": lambda world: ["jobs", "discard", world.unclear],
    "jobs delete-model": lambda world: ["jobs", "delete-model", world.job],
    "jobs download": lambda world: ["jobs", "download", world.job, world / "got"],
    "jobs lineage": lambda world: ["jobs", "lineage", world.job],
    "ask": lambda _: ["ask", "--target", "here", "--candidate", "gpt-6-luna", "Hello?"],
    "prompts list": lambda _: ["prompts", "list"],
    "prompts add": lambda _: ["prompts", "add", "b", *HERE, "--system", "Be brief."],
    "prompts remove": lambda world: ["prompts", "remove", world.prompt],
    "evaluate": lambda world: ["evaluate", world.project, "--where", "id:1..5", *CANDIDATE],
    "ablate": lambda world: ["ablate", world.divided, "--plan", world.plan, "--yes"],
    "compare": lambda world: ["compare", world.run, world.run],
    "models list": lambda _: ["models", "list"],
    "models add": lambda world: ["models", "add", world / "mine", "--name", "desk"],
    "models remove": lambda _: ["models", "remove", "there"],
    "serve": lambda _: ["serve", "--stop"],
    "trainer": lambda _: ["trainer"],
    "demo": lambda world: ["demo", world / "tour", "--no-training", "--no-screenshots"],
}


def leaves(parser, path=()):
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    for action in inner:
        for name, each in action.choices.items():
            yield from leaves(each, (*path, name))
    if not inner:
        yield " ".join(path)


def test_every_verb_is_run_here():
    assert set(leaves(build_parser())) - {*WORDS} == set()
    assert {*WORDS} - set(leaves(build_parser())) == set()


class World:
    """What the verbs are given, made when it is asked for first."""

    def __init__(self, curator, path):
        self.curator, self.path = curator, path
        write(path / "f.jsonl", *questions(40))

    def __truediv__(self, name):
        return self.path / name

    @cached_property
    def project(self):
        project = self / "a.curator"
        self.curator("new", project)
        self.curator("import", project, self / "f.jsonl")
        self.curator("label", project, "define", "mood", "good", "bad")
        self.curator("label", project, "set", "mood", "bad", "--ids", "1")
        return project

    @cached_property
    def said(self):
        self.curator("label", self.project, "export", self / "labels.jsonl")
        return self / "labels.jsonl"

    @cached_property
    def export(self):
        self.curator("export", self.project, self / "out")
        return self / "out"

    @cached_property
    def job(self):
        return self.curator("train", self.export, *HERE, "--follow")[1]["job"]

    @property
    def unclear(self):
        with closing(JobTable()) as table:
            made = table.add(Job(str(uuid4()), "here", "http://x/v1", "b", status=State.UNCLEAR))
        return made.token

    @cached_property
    def run(self):
        return self.curator(*WORDS["evaluate"](self))[1]["run"]

    @cached_property
    def divided(self):
        self.curator("split", self.project, "--train", "20", "--validation", "5", "--test", "5")
        return self.project

    @cached_property
    def plan(self):
        entries = [{"name": "all"}, {"share": 60}]
        text = json.dumps({"target": "here", "base": BASE, "variants": entries})
        return write(self / "plan.json", text)

    @cached_property
    def prompt(self):
        self.curator("prompts", "add", "kept", *HERE, "--system", "Hello.")
        return "kept"


@pytest.fixture
def world(curator, server, folder, tmp_path):
    return World(curator, tmp_path)


@pytest.mark.parametrize("verb", sorted(WORDS))
def test_a_verb_answers_people_and_scripts(verb, curator, world):
    code, told = curator(*WORDS[verb](world))
    refused = isinstance(told.get("error"), dict)
    assert refused == (verb == "models remove"), told
    assert code == (2 if refused else 0) or verb == "check", told


@pytest.mark.parametrize("verb", ["label status", "label tag", "label set", "label list", "export"])
@pytest.mark.parametrize("word", ["--where", "--filter"])
def test_a_filter_is_called_the_same_everywhere(verb, word, curator, world):
    words = [each for each in WORDS[verb](world) if each not in ("--where", "errors:0")]
    code, told = curator(*words, word, '"topic 21"')
    assert code == 0, told
    found = told.get("conversations")
    assert (sum(file["rows"] for file in told["files"]) if found is None else found) == 1
