"""Tuning without weights: variants ask the base with words of their own, and never with what is tested."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset.errors import UnreadableInput, WrongUse
from curator.tune.candidates import who_can_be_asked
from curator.tune.evaluation.chatting import Question, ask
from curator.tune.evaluation.prompt_variants import (
    Demonstration,
    PromptVariant,
    broken_variants,
    find_variant,
    load_variants,
    make_variant,
    remove_variant,
    save_variant,
)
from curator.tune.targets.profiles import save_target
from tests.tune.protocol_server import KEY

ROWS = (
    ("Where is my card?", "On its way."),
    ("What does a transfer cost?", "Nothing."),
    ("How do I change my PIN?", "At any machine."),
    ("Is the branch open today?", "Until three."),
)


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    lines = [
        {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": q},
                      {"role": "assistant", "content": a}]}
        for q, a in ROWS
    ]  # fmt: skip
    lines.append({"messages": [{"role": "user", "content": "no answer"}]})
    (folder / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    test = {"messages": [{"role": "user", "content": "TESTED"},
                         {"role": "assistant", "content": "SECRET"}]}  # fmt: skip
    (folder / "test.jsonl").write_text(json.dumps(test) + "\n")
    return folder


def test_the_system_prompt_of_a_variant_takes_the_place_of_the_questions_own():
    variant = PromptVariant(name="v", target="openai", base="b", system="Short.")
    asked = ({"role": "system", "content": "Long."}, {"role": "user", "content": "Hi"})
    assert variant.messages(asked) == (
        {"role": "system", "content": "Short."}, {"role": "user", "content": "Hi"},
    )  # fmt: skip
    plain = PromptVariant(name="v", target="openai", base="b", shots=1,
                          pool=(Demonstration(question="q", answer="a"),))  # fmt: skip
    assert [m["content"] for m in plain.messages(asked)] == ["Long.", "q", "a", "Hi"]


def test_demonstrations_are_the_same_for_a_seed_and_come_from_the_train_part(export):
    made = make_variant("v", "openai", "b", shots=2, export=export)
    assert made == make_variant("v", "openai", "b", shots=2, export=export)
    assert len(made.pool) == 2
    assert all((one.question, one.answer) in ROWS for one in made.pool)
    every = make_variant("v", "openai", "b", shots=50, export=export)
    assert every.shots == len(every.pool) == 4
    assert "SECRET" not in every.model_dump_json()


def test_the_nearest_demonstrations_stand_last(export):
    variant = make_variant("v", "openai", "b", shots=2, pick="nearest", export=export)
    said = variant.messages(({"role": "user", "content": "How do I get a new PIN?"},))
    assert said[-3]["content"] == "How do I change my PIN?"
    assert len(said) == 5


@given(st.sampled_from(ROWS), st.sampled_from(["", "  ", "\n"]))
def test_the_very_question_is_never_its_own_demonstration(row, air):
    pool = tuple(Demonstration(question=q, answer=a) for q, a in ROWS)
    variant = PromptVariant(name="v", target="t", base="b", shots=4, pick="nearest", pool=pool)
    said = variant.messages(({"role": "user", "content": air + row[0].upper() + air},))
    assert row[1] not in [m["content"] for m in said]
    assert len(said) == 7


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "system prompt, demonstrations, or both"),
        ({"shots": 3}, "name its folder"),
        ({"system": "x", "shots": -1}, "at most 64"),
        ({"system": "x", "pick": "best"}, "fixed"),
        ({"system": "x", "target": "nobody"}, "no target"),
    ],
)
def test_what_does_not_go_together_is_told(more, words, export):
    chosen = {"target": "openai", "base": "b", "export": export if "pick" in more else None, **more}
    with pytest.raises(WrongUse, match=words):
        make_variant("v", chosen.pop("target"), chosen.pop("base"), **chosen)


def test_variants_are_kept_found_and_removed(export):
    save_variant(make_variant("few shots", "openai", "b", shots=2, export=export))
    save_variant(make_variant("brief", "openai", "b", system="Short."))
    assert [one.name for one in load_variants()] == ["brief", "few shots"]
    assert find_variant("prompt:few shots").shots == 2
    remove_variant("brief")
    with pytest.raises(WrongUse, match="Kept: few shots"):
        find_variant("brief")
    path = save_variant(make_variant("bad", "openai", "b", system="x"))
    path.write_text("{}")
    with pytest.raises(UnreadableInput, match=r"bad\.json"):
        find_variant("bad")
    # The others are there all the same.
    assert [one.name for one in load_variants()] == ["few shots"]
    assert [one.path for one in broken_variants()] == [str(path)]


@pytest.fixture
def asked(target, export, monkeypatch):
    monkeypatch.setenv(target.key_env, KEY)
    save_target(target)
    save_variant(make_variant("few", target.id, "gpt-4.1-mini", shots=2, export=export))
    return target


def test_a_variant_is_a_candidate_beside_its_base(asked):
    (found,) = (one for one in who_can_be_asked() if one.target.id == asked.id)
    assert found.candidates[0].name == "prompt:few"
    assert found.candidates[0].label == "few (prompt on gpt-4.1-mini)"
    assert found.candidates[0].partner == "gpt-4.1-mini"


def test_asking_a_variant_sends_its_words_to_its_base(asked, connection, server):
    question = Question("prompt:few", ({"role": "user", "content": "And now?"},))
    reply = ask(connection, question)
    assert "And now?" in reply.text
    assert reply.candidate == "prompt:few"
    assert server.bodies[-1]["model"] == "gpt-4.1-mini"
    assert [m["role"] for m in server.bodies[-1]["messages"]] == ["user", "assistant"] * 2 + [
        "user"
    ]
