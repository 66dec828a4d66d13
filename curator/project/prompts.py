"""The system prompts of a project: which are used and how often, and one put in place of others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from curator.curate.checks import holds_two_values
from curator.curate.prompts import group_prompts, with_system_prompt
from curator.dataset import ContentPatch, Conversation, Edit
from curator.dataset.counted import counted
from curator.dataset.edit import Patch
from curator.dataset.errors import Cancelled
from curator.dataset.json_values import BadJson
from curator.dataset.progress import CancelledCall
from curator.project.store.reader import Reader

if TYPE_CHECKING:
    import numpy as np

SAVED: Final = "system_prompts"
"""The setting that holds the prompts a project keeps: a list of texts."""

MOST_PROMPTS: Final = 200
_EVERY: Final = 500


@dataclass(frozen=True, slots=True)
class UsedPrompt:
    """One system prompt and how many conversations begin with it."""

    text: str
    count: int


def used_prompts(reader: Reader, rows: "np.ndarray | None" = None) -> tuple[UsedPrompt, ...]:
    """Return the system prompts in use, the most used first, at most MOST_PROMPTS of them."""
    ids = reader.ids()
    groups = group_prompts(reader.column("system_hash"), rows)[:MOST_PROMPTS]
    found: list[UsedPrompt] = []
    for group in groups:
        try:
            text = reader.conversation(int(ids[group.first_row])).system_prompt
        except BadJson:
            continue
        found.append(UsedPrompt(text, group.count))
    return tuple(found)


def unifying(
    reader: Reader,
    ids: Sequence[int],
    text: str,
    author: str,
    progress: Callable[[int, int, str], None],
    cancelled: CancelledCall,
) -> Edit | None:
    """Return the one edit that lets all these conversations begin with a prompt; None if all do.

    One in which a key has two values is left alone: written anew it would lose one of them.
    """
    patches: list[Patch] = []
    for number, (conversation, line) in enumerate(reader.iterate(ids)):
        if number % _EVERY == 0:
            progress(number, len(ids), "")
            if cancelled():
                raise Cancelled("unify")
        try:
            before = Conversation.parse(line)
        except BadJson:
            continue
        if before.system_prompt != text and not holds_two_values(line):
            after = with_system_prompt(before, text)
            patches.append(ContentPatch(conversation, line, after.to_json()))
    if not patches:
        return None
    title = f"System prompt of {counted(len(patches), 'conversation')}"
    return Edit(title, author, tuple(patches))
