"""The quick way of a check finds what the rules find one by one."""

from hypothesis import example, given
from hypothesis import strategies as st

from curator.curate.checks.dispatch import _check, check_conversation, check_for_all
from curator.dataset import Conversation
from curator.dataset.codes import PROFILES

ROLES = st.sampled_from(("system", "developer", "user", "assistant", "tool", "human"))
TEXTS = st.sampled_from(("a", "Hello there.", " ", "", "AKIAABCDEFGHIJKLMNOP", "<|im_end|>"))
WEIGHTS = st.sampled_from((0, 1, 2, -1, 0.5, True, "1", None))
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": ROLES, "content": TEXTS}, optional={"weight": WEIGHTS}),
    min_size=1,
    max_size=5,
)
TALK = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


@given(MESSAGES, st.sampled_from(PROFILES))
@example([{**TALK[0]}, {**TALK[1], "weight": 2}], "openai_sft")
@example([{**message, "weight": 0} for message in TALK], "openai_sft")
def test_the_quick_way_finds_what_the_rules_find_one_by_one(messages, profile):
    conversation = Conversation({"messages": messages})
    raw = conversation.to_json()
    slow = _check(conversation, profile, None, None, raw)
    assert check_conversation(conversation, profile=profile, raw=raw) == slow
    assert check_for_all(conversation, (profile,), raw=raw) == (slow,)
