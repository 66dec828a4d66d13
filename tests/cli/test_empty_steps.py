"""No verb makes a step that changes nothing: undo would take back nothing, and say that it did."""

import pytest

from tests.cli.sample_lines import line, write

VERBS = {
    "import": ["import", "P", "f.jsonl"],
    "import empty": ["import", "P", "empty.jsonl"],
    "check": ["check", "P"],
    "count": ["count", "P"],
    "fix": ["fix", "P", "--safe"],
    "dedupe": ["dedupe", "P"],
    "dedupe exact": ["dedupe", "P", "--preset", "exact"],
    "label status": ["label", "P", "status", "accepted"],
    "label tag": ["label", "P", "tag", "x"],
    "label tag --remove": ["label", "P", "tag", "y", "--remove"],
    "label define": ["label", "P", "define", "mood", "good", "bad"],
    "label set": ["label", "P", "set", "mood", "good"],
    "label clear": ["label", "P", "set", "mood"],
    "label list": ["label", "P", "list"],
    "label import": ["label", "P", "import", "said.jsonl"],
    "label export": ["label", "P", "export", "out.jsonl"],
    "split": ["split", "P"],
    "split anew": ["split", "P", "--fresh"],
    "split by counts": ["split", "P", "--train", "0", "--validation", "0", "--test", "0"],
    "export": ["export", "P", "out"],
    "history": ["history", "P"],
}


MADE = (
    ("new", "a.curator"),
    ("label", "a.curator", "define", "mood", "good", "bad"),
    ("label", "a.curator", "export", "said.jsonl"),
)


@pytest.fixture
def steps(curator, copy_of, tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of(0, *MADE))
    write(tmp_path / "empty.jsonl")
    write(tmp_path / "f.jsonl", *[line(f"Question {n}?  ", f"Answer {n}") for n in range(30)])

    def count():
        return [step["id"] for step in curator("history", "a.curator")[1]["steps"]]

    return count


def words(verb):
    return ["a.curator" if word == "P" else word for word in VERBS[verb]]


@pytest.mark.parametrize("verb", [v for v in VERBS if v != "import"])
def test_nothing_done_on_an_empty_project_is_a_step(verb, steps, curator):
    # What is defined is there before anything is; what it holds already is no step.
    before = steps()
    curator(*words(verb))
    assert steps() == before


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_done_twice_is_one_step(verb, steps, curator):
    curator("import", "a.curator", "f.jsonl")
    curator(*words(verb))
    before = steps()
    curator(*words(verb))
    assert steps() == before
