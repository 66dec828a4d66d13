"""What is the same, seen from the terminal: splits, leaks, contradictions and exports agree."""

import json

import apsw
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


LONG = " ".join(
    f"Rule {n}: greet the guest, then ask how many of kind {n * 3} are wanted." for n in range(40)
)
TOPICS = (
    "parcels",
    "invoices",
    "passwords",
    "opening hours",
    "refunds",
    "cards",
    "trains",
    "rooms",
)
QUESTIONS = [f"{topic} {n} please" for n, topic in enumerate(TOPICS)]
ANSWERS = [f"Ask {'ABCDEFGH'[n]} about {topic}." for n, topic in enumerate(TOPICS)]


def plain(asked, answered, system=None, **more):
    said = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    head = [] if system is None else [{"role": "system", "content": system}]
    return json.dumps({"messages": [*head, *said], **more})


def tool(words):
    function = {"name": "look", "description": words, "parameters": {"type": "object"}}
    return {"type": "function", "function": function}


def pictured(n, words):
    part = {"type": "image_url", "image_url": {"url": f"https://example.org/{n}.png"}}
    asked = {"role": "user", "content": [{"type": "text", "text": words}, part]}
    return json.dumps({"messages": [asked, {"role": "assistant", "content": "It shows a gate."}]})


def booked(n, words, old=False):
    made = {"name": "book", "arguments": json.dumps({"room": n})}
    call = {"id": "c", "type": "function", "function": made}
    said = [
        {"role": "user", "content": words},
        {"role": "assistant", **({"function_call": made} if old else {"tool_calls": [call]})},
        {"role": "assistant", "content": "It is done."},
    ]
    return json.dumps({"messages": said})


UNLIKE = {
    "under one long system prompt": [
        plain(q, a, LONG) for q, a in zip(QUESTIONS, ANSWERS, strict=True)
    ],
    "with the same long tools": [
        plain(q, a, tools=[tool(LONG)]) for q, a in zip(QUESTIONS, ANSWERS, strict=True)
    ],
    "with other images under long texts": [pictured(n, LONG) for n in range(6)],
    "with other arguments under long texts": [booked(n, LONG) for n in range(6)],
    "with other arguments of old calls": [booked(n, LONG, old=True) for n in range(6)],
    "without words": [plain(sign, "...") for sign in ("?", "!", "\U0001f600", "\u2026")],
    "with nothing but another face": [
        plain(f"great {face}", "noted") for face in ("\U0001f44d", "\U0001f44e")
    ],
    "in Hindi, that share no word": [
        plain(
            "\u0930\u093e\u091c\u093e \u0930\u093e\u0928\u0940",
            "\u0915\u0939\u093e\u0901 \u092e\u093f\u0932\u0940",
        ),
        plain(
            "\u0930\u093f\u091c\u0940 \u0930\u094b\u0928\u093e",
            "\u0915\u0939\u0940\u0902 \u092e\u0948\u0932\u093e",
        ),
    ],
    "with other raised figures": [
        plain("What is 10\u00b2 in all?", "It depends."),
        plain("What is 102 in all?", "It depends."),
    ],
}


@pytest.mark.parametrize("what", UNLIKE)
def test_unlike_conversations_are_no_near_duplicates(curator, import_into, what):
    project = import_into(UNLIKE[what])
    told = curator("dedupe", project, "--threshold", 0.8, "--dry-run")[1]
    assert (told["pairs"], told["removed"]) == (0, 0)
    assert told["left_out"] == ["system", "tools"]
    assert curator("dedupe", project, "--preset", "exact", "--dry-run")[1]["pairs"] == 0


def test_like_conversations_are_found_whatever_stands_around_them(curator, import_into):
    base = "I have lost my blue card on the way home from the old market"
    lines = [plain(f"{base} {word}", "Yes.", LONG * n) for n, word in enumerate(("today", "again"))]
    lines += [pictured(1, f"{base} {word}") for word in ("today", "again")]
    lines += [booked(1, f"{base} {word}") for word in ("today", "again")]
    project = import_into([*lines, *UNLIKE["under one long system prompt"]])
    assert curator("dedupe", project, "--threshold", 0.6, "--dry-run")[1]["pairs"] == 3


def test_system_prompts_and_tools_count_if_asked_for(curator, import_into):
    for name in ("under one long system prompt", "with the same long tools"):
        project = import_into(UNLIKE[name])
        told = curator("dedupe", project, "--count", "system,tools", "--dry-run")[1]
        assert (told["pairs"], told["left_out"]) == (28, [])
        project.unlink()
    assert curator("dedupe", project, "--count", "weights")[0] == 2


@pytest.mark.parametrize("where", ["asked", "answered"])
def test_other_text_that_most_share_is_named_and_can_be_left_out(curator, import_into, where):
    lines = [
        plain(f"{LONG} {q}", a) if where == "asked" else plain(q, f"{a} {LONG}")
        for q, a in zip(QUESTIONS, ANSWERS, strict=True)
    ]
    own = [plain(f"{word} by itself", "Well.") for word in ("wood", "iron", "glass")]
    project = import_into([*lines, lines[0].replace("please", "thanks"), *own])
    told = curator("dedupe", project, "--threshold", 0.8, "--dry-run")[1]
    assert told["pairs"] == 36
    (shared,) = told["shared"]
    assert shared["conversations"] == 9
    assert LONG.startswith(shared["text"][:300].strip())
    told = curator("dedupe", project, "--threshold", 0.35, "--leave-out-shared", "--dry-run")[1]
    assert (told["pairs"], told["left_out"]) == (1, ["system", "tools", "shared"])


def test_answers_that_are_calls_are_compared_by_their_calls(curator, import_into):
    lines = [
        booked(n, q).replace('{"role": "assistant", "content": "It is done."}', "")
        for n, q in enumerate(QUESTIONS)
    ]
    lines = [line.replace(", ]", "]") for line in lines]
    project = import_into([*lines, lines[0].replace("please", "thanks")])
    for preset in ("exact", "near"):
        told = curator("dedupe", project, "--preset", preset, "--compare", "answer", "--dry-run")[1]
        assert told["pairs"] == 1


def test_a_line_that_says_a_key_twice_is_no_copy_of_one_that_says_it_once(curator, import_into):
    once = plain("Where is it?", "Here, next to the old well.")
    twice = once.replace('"content": "Here', '"content": "There.", "content": "Here')
    project = import_into([once, twice.replace("messages", "messages", 1)])
    for preset in ("exact", "near"):
        told = curator("dedupe", project, "--preset", preset, "--dry-run")[1]
        assert (told["removed"], told["kept"], told["not_compared"]) == (0, 2, 1)


def test_the_wished_rows_of_a_split_make_up_all_rows(curator, import_into):
    lines = [talk(*(f"{n} {m}" for m in range(2 * k))) for n in range(10) for k in (1, 2, 3)]
    told = curator("split", import_into(lines), *THIRDS, "--dry-run")[1]
    assert sum(told["obstacle"]["wished"].values()) == 30


WITHOUT_WAY = {
    "prompt": ([talk("Hello", f"Good day {n}.") for n in range(30)], "equal prompts"),
    "beginning": (
        [talk("Hi", "Ho.", *(f"word {m}" for m in range(2 * n))) for n in range(20)],
        "one being the beginning of another",
    ),
}


@pytest.mark.parametrize("kind", WITHOUT_WAY)
def test_a_split_that_groups_forbid_says_so(curator, import_into, capsys, kind):
    lines, _words = WITHOUT_WAY[kind]
    project = import_into(lines)
    code, told = curator("split", project, "--dry-run")
    assert (code, told["train"], told["validation"], told["test"]) == (0, len(lines), 0, 0)
    obstacle = told["obstacle"]
    assert (obstacle["largest_group"], obstacle["tied_by"][0]) == (len(lines), kind)
    assert obstacle["wished"]["test"] == len(lines) // 10
    assert obstacle["conversations"] == list(range(1, 1 + min(20, len(lines))))


def test_a_split_as_wished_names_no_obstacle(curator, import_into):
    project = import_into([talk(f"Question {n}?", "Yes.") for n in range(50)])
    assert curator("split", project, "--dry-run")[1]["obstacle"] is None


def test_people_read_what_ties_the_largest_group(import_into, capsys):
    from curator.cli.main import main

    lines = [
        plain(f"Where is parcel {n}, if you please, dear sir or madam?", "Here.") for n in range(30)
    ]
    project = import_into(lines)
    capsys.readouterr()
    assert main(["split", str(project), "--together", "prompt,duplicates,source", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert (
        "The groups do not allow the shares you asked for (24 train, 3 validation, 3 test)." in told
    )
    assert "The largest group has 30 of 30 conversations, tied by" in told
    assert "coming from one file" in told
    assert "Leave source out of --together" in told or "duplicates and source" in told


def made_older(project):
    """Turn a project into one of the first version, with hashes that mean nothing now."""
    old = apsw.Connection(str(project))
    old.execute("ALTER TABLE conversation DROP COLUMN beginnings")
    old.execute("ALTER TABLE conversation DROP COLUMN text_hash")
    old.execute("ALTER TABLE conversation DROP COLUMN kind")
    for table in ("evaluation_reply", "evaluation_item", "evaluation", "asked_prompt", "reply"):
        old.execute(f"DROP TABLE IF EXISTS {table}")
    old.execute("UPDATE conversation SET prompt_hash = 7")
    version = "UPDATE stamp SET value = json_replace(value, '$[3]', 2)"
    old.execute(version)
    old.pragma("user_version", 1)
    old.close()


VERBS = [
    ("split", "--dry-run"),
    ("split",),
    ("dedupe", "--preset", "exact", "--compare", "prompt", "--dry-run"),
    ("dedupe", "--preset", "exact", "--compare", "prompt"),
    ("check",),
    ("export", "out"),
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_old_groups_are_never_shown(curator, import_into, tmp_path, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    project = import_into([talk(f"Question {n}?", "Yes.") for n in range(30)])
    made_older(project)
    name, *more = verb
    code, told = curator(name, project, *more)
    assert code == 0
    assert "D06" not in told.get("rules", {})
    assert told.get("groups", 30) == 30
    assert told.get("removed", 0) == 0
    with Project.open(project, read_only=True) as opened:
        assert len(set(opened.column("prompt_hash").tolist())) == 30


def test_a_known_file_adds_nothing_to_an_old_project(curator, import_into, tmp_path):
    project = import_into([talk(f"Question {n}?", "Yes.") for n in range(5)])
    made_older(project)
    told = curator("import", project, tmp_path / "f.jsonl")[1]
    assert (told["imported"], told["unchanged"]) == (0, 5)
