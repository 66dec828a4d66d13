"""Pasting lines of JSON as conversations: each that can be read becomes one, all of them one step."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from curator.app.counted import counted
from curator.app.session.session import Level, Session
from curator.curate.checks import holds_two_values
from curator.dataset import ContentPatch, Conversation, Edit
from curator.dataset.json_values import BadJson, Json, loads
from curator.formats.conversion import BadRecord
from curator.formats.registry import as_chat


class Pasted(NamedTuple):
    """What a pasted text holds: the conversations, and the first element that is none with its reason."""

    conversations: tuple[Conversation, ...]
    refused: int
    first: str


def conversations_in(text: str) -> Pasted:
    """Read lines of JSON, one value over several lines, or an array of them; anything else is refused."""
    found: list[Conversation] = []
    reasons: list[str] = []
    for number, (value, reason) in enumerate(_values(text), 1):
        problem = reason
        if not reason and isinstance(value, dict):
            try:
                value = as_chat(value)
            except BadRecord as error:
                problem = str(error)[:1].lower() + str(error)[1:].rstrip(".")
            if isinstance(value.get("messages"), list):
                found.append(Conversation(value))
                continue
        missing = _tr("it has no list of messages")
        reasons.append(_tr("number {0}, {1}").format(number, problem or missing))
    return Pasted(tuple(found), len(reasons), reasons[0] if reasons else "")


def paste(session: Session, text: str) -> int | None:
    """Make conversations of a pasted text as one step, and tell of it; returns the first one's id."""
    project = session.project
    if project is None:
        return None
    pasted = conversations_in(text)
    count, refused = len(pasted.conversations), ""
    if pasted.refused:
        one, many = "element is no conversation", "elements are no conversations, the first one"
        refused = f"{counted(pasted.refused, one, many)}: {pasted.first}"
    if not count:
        session.notify("warning", _tr("There is no conversation in what was copied."), refused)
        return None
    title = _tr("Paste {0}").format(counted(count, "conversation"))
    ids = project.new_conversation_ids(count)
    pairs = zip(ids, pasted.conversations, strict=True)
    patches = tuple(ContentPatch(id_, None, each.to_json()) for id_, each in pairs)
    edit = Edit(title, session.author, patches)
    if session.push(edit) is None:
        return None
    if count > 1 or refused:
        done = _tr("{0} pasted").format(counted(count, "conversation"))
        level: Level = "warning" if refused else "success"
        session.notify_step(done, refused, level=level)
    return ids[0]


def _values(text: str) -> Iterator[tuple[Json, str]]:
    try:
        whole = loads(text)
    except BadJson:
        # Only these end a line; U+2028 and its like are text.
        for line in filter(str.strip, re.split(r"\r\n|\r|\n", text)):
            try:
                value = loads(line)
            except BadJson as error:
                yield None, error.reason
            else:
                yield value, _loss(line)
        return
    loss = _loss(text)
    for value in whole if isinstance(whole, list) else [whole]:
        yield value, loss


def _loss(text: str) -> str:
    """Say why a text would not be kept whole; empty where it would."""
    return _tr("a key stands twice with two values") if holds_two_values(text) else ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("pasting", text)
