"""What is the same, seen from the terminal: splits, leaks, contradictions and exports agree."""

import json

import pytest

from curator.dataset import AnnotationPatch, Edit
from curator.project import Project
from tests.cli.sample_lines import write

THIRDS = ("--train", 0.5, "--validation", 0.25, "--test", 0.25)


def talk(*texts, **more):
    roles = ("user", "assistant")
    said = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return json.dumps({"messages": said, **more})


def shown(n):
    part = {"type": "image_url", "image_url": {"url": f"https://example.org/{n}.png"}}
    asked = {"role": "user", "content": [{"type": "text", "text": "What is this?"}, part]}
    return json.dumps({"messages": [asked, {"role": "assistant", "content": f"Kind {n}."}]})


def called(n):
    call = {"id": f"c{n}", "type": "function"}
    call["function"] = {"name": "book", "arguments": json.dumps({"room": n})}
    said = [
        {"role": "user", "content": "Do it please."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"c{n}", "content": "done"},
        {"role": "assistant", "content": f"Done, number {n}."},
    ]
    return json.dumps({"messages": said})


OTHER_PROMPTS = {
    "after another offer": [
        talk("Hello", f"Shall I bring {n}?", "Yes please", f"One {n}, here.") for n in range(20)
    ],
    "under another image": [shown(n) for n in range(20)],
    "after another call": [called(n) for n in range(20)],
    "with other raised figures": [
        talk(f"What is 10{figure}?", f"Answer {n}.")
        for n, figure in enumerate("2\u00b23\u00b3\u20744")
    ],
}


@pytest.fixture
def import_into(curator, tmp_path):
    def run(lines):
        path = tmp_path / "a.curator"
        curator("new", path)
        curator("import", path, write(tmp_path / "f.jsonl", *lines))
        return path

    return run


@pytest.mark.parametrize("what", OTHER_PROMPTS)
def test_another_prompt_contradicts_nothing_and_may_go_to_another_split(curator, import_into, what):
    lines = OTHER_PROMPTS[what]
    project = import_into(lines)
    assert "D06" not in curator("check", project)[1]["rules"]
    assert "D06" not in curator("check", project.with_name("f.jsonl"))[1]["rules"]
    code, told = curator("split", project, *THIRDS, "--dry-run")
    assert (code, told["groups"]) == (0, len(lines))
    assert min(told["train"], told["validation"], told["test"]) > 0


def test_the_same_prompt_with_other_answers_contradicts_itself(curator, import_into):
    project = import_into([talk("Hi", "Tea?", "Yes", answer) for answer in ("One.", "Two.")])
    assert curator("check", project)[1]["rules"]["D06"]["count"] == 2
    assert curator("split", project, *THIRDS, "--dry-run")[1]["groups"] == 1


def test_a_conversation_stays_with_its_beginning(curator, import_into):
    lines = []
    for n in range(40):
        chain = (f"Parcel {n} is late.", f"It left at {n}.", f"Can neighbour {n} take it?", "Yes.")
        lines += [talk(*chain[:2]), talk(*chain), talk(*chain, "Thanks", "Welcome.")]
    project = import_into(lines)
    code, told = curator("split", project, *THIRDS)
    assert (code, told["groups"], told["straddling_groups"], told["leaks"]) == (0, 40, 0, 0)
    with Project.open(project) as opened:
        split = [opened.annotation(id_).split for id_ in range(1, 121)]
    assert all(len(set(split[at : at + 3])) == 1 for at in range(0, 120, 3))
    assert set(split) == {"train", "validation", "test"}


def test_a_torn_beginning_is_a_leak_everywhere(curator, import_into, tmp_path):
    lines = [talk(f"Parcel {n}?", "Late.", "Why?", "Snow.") for n in range(12)]
    project = import_into([talk("Parcel 0?", "Late."), *lines])
    with Project.open(project, author="ann") as opened:
        by_hand = ("test", *["train"] * 12)
        patch = AnnotationPatch("split", tuple(range(1, 14)), ("",), by_hand)
        opened.apply(Edit("by hand", "ann", (patch,)))
    found = curator("check", project)[1]
    assert found["rules"]["D05"]["count"] == 2
    (leak,) = [each for each in found["findings"] if each["rule"] == "D05"]
    assert leak["conversations"] == [1, 2]
    assert curator("export", project, tmp_path / "out")[0] == 1
    left = curator("export", project, tmp_path / "out", "--skip-errors")[1]["left_out"]
    assert left["prompt in another split"] == 1
