"""Rules S: the messages, their keys and contents."""

from collections.abc import Iterator, Mapping
from typing import Final

from curator.curate.checks.keys import meant_key, way_out
from curator.curate.checks.subject import (
    KNOWN_ROLES,
    Subject,
    Trouble,
    is_name,
    shown,
    trouble,
    where,
)
from curator.dataset.conversation import CONTENT_KEYS, kind_of
from curator.dataset.json_values import Json
from curator.dataset.record import Kind, looks_like

MESSAGE_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content", "name"}),
    "developer": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset(
        {"role", "content", "name", "weight", "tool_calls", "function_call", "refusal"}
    ),
    "tool": frozenset({"role", "content", "name", "tool_call_id"}),
    "function": frozenset({"role", "content", "name"}),
}
"""The keys a message of each role may have; weight has a rule of its own."""

ANY_KEYS: Final = frozenset[str]().union(*MESSAGE_KEYS.values())
"""What a message of an unknown role may have."""

NULLABLE: Final = frozenset({"content", "refusal", "function_call"})

WEIGHTS: Final[Mapping[str, int]] = {"0": 0, "1": 1, "false": 0, "true": 1, "0.0": 0, "1.0": 1}
"""The ways files write a weight, and the number each means."""


def no_messages_list(subject: Subject) -> Iterator[Trouble]:
    """S01: nothing to read as messages."""
    if not isinstance(subject.fields.get("messages"), list):
        yield trouble(field="messages", way_out=way_to_messages(subject.fields))


def no_messages(subject: Subject) -> Iterator[Trouble]:
    """S02: an empty list."""
    if subject.fields.get("messages") == []:
        yield trouble(field="messages")


def unknown_keys(subject: Subject) -> Iterator[Trouble]:
    """S03: top-level keys that are no part of a training line."""
    for key in subject.fields:
        if key not in CONTENT_KEYS:
            meant = meant_key(key, CONTENT_KEYS - subject.fields.keys())
            yield trouble(field=key, key=shown(key), way_out=way_out(meant), fixable=not meant)


def no_role(subject: Subject) -> Iterator[Trouble]:
    """S04: a message that does not say who speaks."""
    for index, message in enumerate(subject.messages):
        if isinstance(subject.entries[index], dict) and not is_name(message.get("role")):
            yield trouble(index, "role")


def unknown_role(subject: Subject) -> Iterator[Trouble]:
    """S05: a role that no service knows; the words of other formats can be mapped."""
    for index, message in enumerate(subject.messages):
        role = message.get("role")
        if is_name(role) and role not in KNOWN_ROLES:
            can_map = subject.roles[index] in KNOWN_ROLES
            yield trouble(index, "role", role=shown(role), fixable=can_map)


def unknown_message_keys(subject: Subject) -> Iterator[Trouble]:
    """S06: keys that a message of this role does not have."""
    for index, message in enumerate(subject.messages):
        role = subject.roles[index]
        allowed = MESSAGE_KEYS.get(role, ANY_KEYS)
        for key, value in message.items():
            if key not in allowed and key != "weight" and not (value is None and key in ANY_KEYS):
                meant = meant_key(key, allowed - message.keys())
                if "content" not in message and not acts(message) and value is not None:
                    # A message that says nothing may say it under another name, such as value.
                    meant = meant or "content"
                yield trouble(
                    index,
                    key,
                    role=_speaker(role),
                    key=shown(key),
                    way_out=way_out(meant),
                    fixable=not meant,
                )


def null_keys(subject: Subject) -> Iterator[Trouble]:
    """S24: a known key that holds null."""
    for key in ("tools", "functions", "parallel_tool_calls"):
        if key in subject.fields and subject.fields[key] is None:
            yield trouble(field=key, where=where(None), key=key)
    for index, message in enumerate(subject.messages):
        for key, value in message.items():
            if (
                value is None
                and key in ANY_KEYS
                and key != "role"
                and not _may_be_null(key, subject, index)
            ):
                yield trouble(index, key, where=where(index, subject.roles[index]), key=key)


def _may_be_null(key: str, subject: Subject, index: int) -> bool:
    if key == "content":
        return True
    return key in NULLABLE and subject.roles[index] not in KNOWN_ROLES - {"assistant"}


def no_text(subject: Subject) -> Iterator[Trouble]:
    """S07: nothing said, where only an assistant that calls a tool may stay silent."""
    for index, message in enumerate(subject.messages):
        role = subject.roles[index]
        if not isinstance(subject.entries[index], dict) or role == "function":
            continue
        content = message.get("content")
        if role == "assistant" and (content is None or acts(message)):
            continue
        if content == "" and role == "tool":
            continue
        if content is None or content == "" or content == [] or has_only_empty_parts(content):
            yield trouble(index, "content", role=_speaker(role))


def no_content(subject: Subject) -> Iterator[Trouble]:
    """S21: an assistant message with neither words nor calls."""
    for index, message in enumerate(subject.messages):
        if (
            subject.roles[index] == "assistant"
            and message.get("content") is None
            and not acts(message)
        ):
            yield trouble(index, "content")


def not_a_message(subject: Subject) -> Iterator[Trouble]:
    """S22: an entry of the list that is no object."""
    for index, entry in enumerate(subject.entries):
        if not isinstance(entry, dict):
            yield trouble(index, kind=kind_of(entry))


def wrong_content(subject: Subject) -> Iterator[Trouble]:
    """S23: content that is neither a text nor a list of parts."""
    for index, message in enumerate(subject.messages):
        content = message.get("content")
        if content is not None and not isinstance(content, (str, list)):
            role = _speaker(subject.roles[index])
            yield trouble(index, "content", role=role, kind=kind_of(content))


def no_answer(subject: Subject) -> Iterator[Trouble]:
    """S09: no assistant message at all."""
    if subject.messages and "assistant" not in subject.roles:
        yield trouble()


def nothing_trained(subject: Subject) -> Iterator[Trouble]:
    """S10: every assistant message is masked."""
    weights = [
        usual_weight(message.get("weight"))
        for message, role in zip(subject.messages, subject.roles, strict=True)
        if role == "assistant"
    ]
    if weights and not any(weight is None or weight for weight in weights):
        yield trouble(field="weight")


def wrong_weight(subject: Subject) -> Iterator[Trouble]:
    """S11: a weight that is not the whole number 0 or 1, or stands where nothing is trained."""
    for index, message in enumerate(subject.messages):
        weight = message.get("weight")
        if weight is None:
            continue
        role = subject.roles[index]
        if role in KNOWN_ROLES and role != "assistant":
            way_out = "Only assistant messages are trained; move it to the metadata."
        elif type(weight) is int and weight in (0, 1):
            continue
        else:
            way_out = "Use 0 or 1."
        fixable = way_out != "Use 0 or 1." or usual_weight(weight) is not None
        yield trouble(
            index,
            "weight",
            role=_speaker(role),
            value=shown(weight),
            way_out=way_out,
            fixable=fixable,
        )


def unusual_name(subject: Subject) -> Iterator[Trouble]:
    """S20: a speaker's name that services refuse."""
    for index, message in enumerate(subject.messages):
        name = message.get("name")
        role = subject.roles[index]
        if name is None or role == "function" or name_is_usual(name):
            continue
        problem = f"“{shown(name)}”" if isinstance(name, str) else kind_of(name)
        yield trouble(
            index, "name", role=_speaker(role), problem=problem, fixable=isinstance(name, str)
        )


def name_is_usual(name: Json) -> bool:
    """Say whether a name has only the characters services take, and at most 64 of them."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 64
        and name.isascii()
        and name.replace("_", "a").replace("-", "a").isalnum()
    )


def usual_weight(weight: Json) -> int | None:
    """Return the 0 or 1 that a weight means, however it is written; None where it means neither."""
    if isinstance(weight, (dict, list)) or weight is None:
        return None
    if isinstance(weight, str):
        return WEIGHTS.get(weight.strip().lower())
    return int(weight) if weight in (0, 1) else None


def way_to_messages(fields: Mapping[str, Json]) -> str:
    """Say what the keys of a line without messages look like, and what to do."""
    if "messages" in fields:
        return f'Its "messages" is {kind_of(fields["messages"])}. Write the messages as a list.'
    if looks_like(fields) is Kind.PREFERENCE:
        return "It looks like a preference pair: convert it to chat messages first."
    for keys, words in (
        ({"conversations"}, "ShareGPT"),
        ({"instruction", "output"}, "Alpaca"),
        ({"instruction", "response"}, "Alpaca"),
        ({"prompt", "completion"}, "a prompt with its completion"),
    ):
        if keys <= fields.keys():
            return f"It looks like {words}: a file of such lines can be imported and is converted."
    shapes = (
        ({"chosen", "rejected"}, "It looks like a preference pair"),
        ({"reference_answer"}, "It looks like a reinforcement item"),
        ({"contents"}, "It looks like Gemini's format"),
    )
    for keys, words in shapes:
        if keys <= fields.keys():
            return f"{words}: convert it to chat messages first."
    return "Rename the list of messages, or convert the line first."


def _speaker(role: str) -> str:
    return shown(role) if role else "no role"


def acts(message: Mapping[str, Json]) -> bool:
    """Say whether a message does something without words: calls a tool or refuses."""
    return bool(message.get("tool_calls") or message.get("function_call") or message.get("refusal"))


def has_only_empty_parts(content: Json) -> bool:
    """Say whether a list of parts holds no word and nothing else."""
    return isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" and part.get("text") == ""
        for part in content
    )


CHECKS: Final = (
    ("S01", no_messages_list),
    ("S02", no_messages),
    ("S03", unknown_keys),
    ("S04", no_role),
    ("S05", unknown_role),
    ("S06", unknown_message_keys),
    ("S07", no_text),
    ("S11", wrong_weight),
    ("S20", unusual_name),
    ("S21", no_content),
    ("S22", not_a_message),
    ("S23", wrong_content),
    ("S24", null_keys),
    ("S09", no_answer),
    ("S10", nothing_trained),
)
