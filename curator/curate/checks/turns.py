"""Rules S about the order of the turns; they read nothing but the roles."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from curator.curate.checks.subject import Subject, Trouble, shown, trouble, usual_role

_MAY_REPEAT: Final = frozenset({"tool", "function", ""})


def last_is_no_answer(subject: Subject) -> Iterator[Trouble]:
    """S12: something stands after the last answer."""
    if "assistant" in subject.roles and subject.roles[-1] != "assistant":
        last = len(subject.roles) - 1
        yield trouble(last, role=shown(subject.roles[-1]) or "message without a role")


def same_role_twice(subject: Subject) -> Iterator[Trouble]:
    """S13: two turns of one role; two answers at Azure are the graver S14."""
    for index, (first, second) in enumerate(pairwise(subject.roles)):
        if first != second or first in _MAY_REPEAT:
            continue
        if first == "assistant" and subject.profile == "azure":
            continue
        yield trouble(
            index + 1,
            role=shown(first),
            a=index + 1,
            b=index + 2,
            fixable=_can_merge(subject, index),
        )


def two_answers(subject: Subject) -> Iterator[Trouble]:
    """S14: two assistant messages in a row, which Azure refuses."""
    for index, roles in enumerate(pairwise(subject.roles)):
        if roles == ("assistant", "assistant"):
            yield trouble(index + 1, a=index + 1, b=index + 2, fixable=_can_merge(subject, index))


def system_not_first(subject: Subject) -> Iterator[Trouble]:
    """S16: a system message in the middle; it can move where none stands first."""
    for index, role in enumerate(subject.roles):
        if role == "system" and index:
            yield trouble(index, fixable=_can_move(subject.roles, index))


def answer_before_question(subject: Subject) -> Iterator[Trouble]:
    """S17: the assistant speaks before any user does."""
    if "assistant" not in subject.roles:
        return
    first = subject.roles.index("assistant")
    if "user" not in subject.roles[:first]:
        yield trouble(first)


def developer_role(subject: Subject) -> Iterator[Trouble]:
    """S18: a role of reinforcement files."""
    for index, message in enumerate(subject.messages):
        if usual_role(message.get("role")) == "developer":
            yield trouble(index, "role")


def system_role(subject: Subject) -> Iterator[Trouble]:
    """S19: a role that reinforcement files do not take."""
    for index, message in enumerate(subject.messages):
        if usual_role(message.get("role")) == "system":
            yield trouble(index, "role")


def _can_move(roles: list[str], index: int) -> bool:
    """Say whether a system message can go first without a second one, or twins closing up behind it."""
    if "system" in roles[:index]:
        return False
    after = roles[index + 1] if index + 1 < len(roles) else ""
    return roles[index - 1] != after or after in _MAY_REPEAT


def _can_merge(subject: Subject, index: int) -> bool:
    """Say whether two neighbours are texts with nothing else in them."""
    return all(
        isinstance(message.get("content"), str) and message.keys() <= {"role", "content", "weight"}
        for message in subject.messages[index : index + 2]
    )


CHECKS: Final = (
    ("S12", last_is_no_answer),
    ("S13", same_role_twice),
    ("S14", two_answers),
    ("S16", system_not_first),
    ("S17", answer_before_question),
    ("S18", developer_role),
    ("S19", system_role),
)
