"""Repairs inside texts: broken characters, control tokens, secrets, parts."""

from collections.abc import Mapping
from typing import Final

from curator.curate.checks.files import LONE_SURROGATE
from curator.curate.checks.length import CONTROL_TOKEN
from curator.curate.checks.privacy import PERSONAL, SECRETS
from curator.curate.repairs.messages import Moved, RepairOf
from curator.curate.repairs.places import holder_of, value_at, with_holder, with_value
from curator.dataset.conversation import Conversation
from curator.dataset.finding import Finding
from curator.dataset.json_values import Json


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
    mended: dict[str, Json] = {}
    for key, item in value.items():
        name = LONE_SURROGATE.sub("\ufffd", key)
        while name in mended or (name != key and name in value):
            name += "\ufffd"
        mended[name] = _whole(item)
    return mended


def _break_token(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    """Put a space after a control token's first sign, so that no template reads it as its own."""
    words = _words(conversation, finding)
    match = CONTROL_TOKEN.match(words, finding.place.start or 0)
    if not match or match.end() != finding.place.end:
        return conversation
    return _with_span(conversation, finding, words, f"{match[0][0]} {match[0][1:]}")


def _mask(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    """Put a stand-in where a secret or personal data stands."""
    words = _words(conversation, finding)
    for kind in (*SECRETS, *PERSONAL):
        match = kind.pattern.search(words, finding.place.start or 0)
        if match and match.span() == (finding.place.start, finding.place.end):
            return _with_span(conversation, finding, words, kind.stand_in)
    return conversation


def _remove_part(conversation: Conversation, finding: Finding, _moved: Moved) -> Conversation:
    fields = holder_of(conversation, finding.place)
    part = value_at(fields, finding.place.field)
    content = fields.get("content")
    if not isinstance(content, list):
        return conversation
    rest = [item for item in content if item is not part]
    return with_holder(conversation, finding.place, {**fields, "content": rest})


def _words(conversation: Conversation, finding: Finding) -> str:
    words = value_at(holder_of(conversation, finding.place), finding.place.field)
    return words if isinstance(words, str) else ""


def _with_span(conversation: Conversation, finding: Finding, words: str, new: str) -> Conversation:
    place = finding.place
    text = words[: place.start] + new + words[place.end :]
    fields = with_value(holder_of(conversation, place), place.field, text)
    return with_holder(conversation, place, fields)


REPAIRS: Final[Mapping[str, RepairOf]] = {
    "replace_broken_characters": _replace_broken,
    "break_control_token": _break_token,
    "mask_secret": _mask,
    "mask_personal": _mask,
    "remove_part": _remove_part,
}
