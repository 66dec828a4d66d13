"""Fixes inside texts: characters, control tokens, secrets, parts."""

from collections.abc import Callable, Mapping
from typing import Final

from curator.curate.checks.images import foreign_text
from curator.curate.checks.invisible import without_unseen
from curator.curate.checks.kinds import control_token, kinds_of
from curator.curate.checks.misread import reread
from curator.curate.fixes.messages import FixFunction, Moved
from curator.curate.fixes.places import holder_of, value_at, value_in, with_holder, with_value_in
from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding
from curator.dataset.json_values import LONE_SURROGATE, Json


def _replace_broken(conversation: Conversation, _finding: Finding, _moved: Moved) -> Conversation:
    """Replace every broken character of the line, so that ids stay equal on both ends."""
    fields = _whole(dict(conversation.fields))
    return Conversation(fields)


def _whole(value: Json) -> Json:
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if not isinstance(value, dict):
        return value
    fixed: dict[str, Json] = {}
    for key, item in value.items():
        name = LONE_SURROGATE.sub("\ufffd", key)
        while name in fixed or (name != key and name in value):
            name += "\ufffd"
        fixed[name] = _whole(item)
    return fixed


def _break_token(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    """Put a space after a control token's first sign, so that no template reads it as its own."""
    words = _words(conversation, finding)
    match = control_token().match(words, finding.place.start or 0)
    if not match or match.end() != finding.place.end:
        return conversation
    return _with_span(conversation, finding, words, f"{match[0][0]} {match[0][1:]}")


def _mask(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    """Put a stand-in where a secret or personal data stands."""
    words = _words(conversation, finding)
    for kind in kinds_of("P01", "P02"):
        match = kind.pattern.search(words, finding.place.start or 0)
        if match and match.span() == (finding.place.start, finding.place.end):
            return _with_span(conversation, finding, words, kind.stand_in)
    return conversation


def _remove_part(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    place = finding.place
    fields = holder_of(conversation, place)
    part = value_at(fields, place.field)
    content = fields.get("content")
    if not isinstance(content, list):
        return conversation
    moved[f"messages[{place.message}].{place.field}"] = part
    rest = [item for item in content if item is not part]
    return with_holder(conversation, place, {**fields, "content": rest})


def _part_to_text(conversation: Conversation, finding: Finding, moved: Moved) -> Conversation:
    """Write a text of another format as a text part; what else the part holds moves to the metadata."""
    place = finding.place
    part = value_in(conversation, place)
    words = foreign_text(part)
    if words is None:
        return conversation
    text = {"type": "text", "text": words}
    for key, value in part.items():
        if value is not None and value not in text.values():
            moved[f"messages[{place.message}].{place.field}.{key}"] = value
    return with_value_in(conversation, place, text)


def _content_to_parts(conversation: Conversation, _f: Finding, _moved: Moved) -> Conversation:
    """Write every text as a list of one part, as the other contents are."""
    messages = [
        {**message, "content": [{"type": "text", "text": message["content"]}]}
        if isinstance(message, dict) and isinstance(message.get("content"), str)
        else message
        for message in conversation.fields["messages"]
    ]
    return conversation.replace(messages=messages)


def _reworded(fixed: Callable[[str], str]) -> FixFunction:
    """Return the fix that writes a text otherwise."""

    def fix(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
        words = _words(conversation, finding)
        if not words:
            return conversation
        return with_value_in(conversation, finding.place, fixed(words))

    return fix


def _words(conversation: Conversation, finding: Finding) -> str:
    words = value_in(conversation, finding.place)
    return words if isinstance(words, str) else ""


def _with_span(conversation: Conversation, finding: Finding, words: str, new: str) -> Conversation:
    place = finding.place
    return with_value_in(conversation, place, words[: place.start] + new + words[place.end :])


FIXES: Final[Mapping[str, FixFunction]] = {
    "replace_broken_characters": _replace_broken,
    "break_control_token": _break_token,
    "mask_secret": _mask,
    "mask_personal": _mask,
    "remove_part": _remove_part,
    "part_to_text": _part_to_text,
    "content_to_parts": _content_to_parts,
    "remove_invisible": _reworded(without_unseen),
    "undo_wrong_encoding": _reworded(reread),
}
