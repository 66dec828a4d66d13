"""The system prompts a project uses: which, how often, and putting one in place of another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curator.dataset import Conversation, Message
from curator.dataset.conversation import SYSTEM_ROLES
from curator.dataset.json_values import Json


@dataclass(frozen=True, slots=True)
class PromptGroup:
    """One system prompt by its hash: how many rows have it, and a row to read its text from."""

    system_hash: int
    count: int
    first_row: int


def group_prompts(
    system_hashes: npt.NDArray[np.int64], rows: npt.NDArray[np.int32] | None = None
) -> tuple[PromptGroup, ...]:
    """Return the system prompts among the rows, the most used first; hash 0 (none) is left out."""
    chosen = np.arange(len(system_hashes), dtype=np.int32) if rows is None else rows
    hashes, first, counts = np.unique(system_hashes[chosen], return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    return tuple(
        PromptGroup(int(hashes[i]), int(counts[i]), int(chosen[first[i]]))
        for i in order
        if hashes[i] != 0
    )


def with_system_prompt(conversation: Conversation, text: str) -> Conversation:
    """Return the conversation led by this system prompt; an empty text takes the prompt away.

    A prompt that is there keeps its role and its other keys; a missing one is inserted first.
    """
    messages: list[Json] = list(conversation.fields.get("messages", ()))
    leads = bool(messages) and Message(_fields(messages[0])).role in SYSTEM_ROLES
    if leads and text:
        messages[0] = {**messages[0], "content": text}
    elif leads:
        del messages[0]
    elif text:
        messages.insert(0, {"role": "system", "content": text})
    return conversation.replace(messages=messages)


def known_prompts(saved: Iterable[Json], used: Sequence[str]) -> tuple[str, ...]:
    """Return the texts to offer: those saved in the project's settings, then those in use, each once."""
    texts = [text for text in saved if isinstance(text, str)]
    return tuple(dict.fromkeys(text for text in (*texts, *used) if text.strip()))


def _fields(message: Json) -> dict[str, Json]:
    return message if isinstance(message, dict) else {}
