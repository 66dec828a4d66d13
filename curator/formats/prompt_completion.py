"""A prompt and its completion: two texts, or, as TRL has them, two lists of messages."""

from typing import Final

from curator.dataset.json_values import Json
from curator.formats.conversion import BadRecord, Fields, others, refuse_preferences

NAME: Final = "prompt_completion"
TITLE: Final = "Prompt and completion"

_KNOWN: Final = frozenset({"prompt", "completion"})


def holds(fields: Fields) -> bool:
    """Say whether an object looks like a record of this format."""
    return fields.keys() >= _KNOWN and "messages" not in fields


def convert(fields: Fields) -> Fields:
    """Return a record as OpenAI chat; raises BadRecord.

    Only a completion is trained on, so the answers in a prompt of messages get the weight 0.
    """
    refuse_preferences(fields)
    prompt, completion = fields["prompt"], fields["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        messages: list[Json] = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": completion},
        ]
    elif _are_messages(prompt) and _are_messages(completion):
        messages = [_masked(message) for message in prompt] + list(completion)
    else:
        raise BadRecord("Its prompt and completion are neither two texts nor two message lists.")
    return {"messages": messages} | others(fields, _KNOWN)


def _are_messages(value: Json) -> bool:
    return isinstance(value, list) and all(
        isinstance(message, dict) and "role" in message for message in value
    )


def _masked(message: dict[str, Json]) -> dict[str, Json]:
    return message | {"weight": 0} if message["role"] == "assistant" else message
