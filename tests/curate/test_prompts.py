"""The system prompts in use are counted, offered and exchanged."""

import numpy as np

from curator.curate.prompts import group_prompts, known_prompts, with_system_prompt
from curator.dataset import Conversation, Message

TALK = Conversation.of([Message.of("user", "Hi"), Message.of("assistant", "Hello")], tools=[])


def test_groups_come_with_the_most_used_first_and_without_the_promptless():
    groups = group_prompts(np.array([7, 0, 9, 9, 7, 9], dtype=np.int64))
    assert [(g.system_hash, g.count, g.first_row) for g in groups] == [(9, 3, 2), (7, 2, 0)]


def test_groups_of_some_rows_name_rows_of_the_whole():
    hashes = np.array([7, 0, 9, 9, 7, 9], dtype=np.int64)
    groups = group_prompts(hashes, np.array([4, 5], dtype=np.int32))
    assert {(g.system_hash, g.first_row) for g in groups} == {(7, 4), (9, 5)}


def test_a_prompt_is_inserted_exchanged_and_taken_away():
    with_one = with_system_prompt(TALK, "Be kind.")
    assert with_one.system_prompt == "Be kind."
    assert with_one.messages[1:] == TALK.messages
    assert with_one.fields["tools"] == []
    other = with_system_prompt(with_one, "Be brief.")
    assert [m.text for m in other.messages] == ["Be brief.", "Hi", "Hello"]
    assert with_system_prompt(other, "") == TALK
    assert with_system_prompt(TALK, "") == TALK


def test_a_prompt_keeps_its_role_and_other_keys():
    talk = Conversation.of([Message.of("developer", "old", name="house"), Message.of("user", "Hi")])
    lead = with_system_prompt(talk, "new").messages[0]
    assert lead.fields == {"role": "developer", "content": "new", "name": "house"}


def test_saved_prompts_are_offered_first_and_once():
    assert known_prompts(["a", 5, "b", ""], ["b", "c", " "]) == ("a", "b", "c")
