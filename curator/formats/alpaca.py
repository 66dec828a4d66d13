"""Alpaca: an instruction, perhaps an input, and the output; with a system prompt and a history."""

from typing import Final

from curator.dataset.json_values import Json
from curator.formats.conversion import BadRecord, Fields, others, refuse_preferences, text_of

NAME: Final = "alpaca"
TITLE: Final = "Alpaca (instruction, input, output)"

# Some data sets call the output response.
_OUTPUTS: Final = ("output", "response")
_KNOWN: Final = frozenset({"instruction", "input", "system", "history", *_OUTPUTS})


def holds(fields: Fields) -> bool:
    """Say whether an object looks like a record of this format."""
    has_output = any(key in fields for key in _OUTPUTS)
    return "instruction" in fields and has_output and "messages" not in fields


def convert(fields: Fields) -> Fields:
    """Return a record as OpenAI chat, the input on lines of its own; raises BadRecord."""
    refuse_preferences(fields)
    if all(key in fields for key in _OUTPUTS):
        raise BadRecord('It has both "output" and "response". Keep one of them.')
    messages: list[Json] = []
    if fields.get("system") not in (None, ""):
        messages.append({"role": "system", "content": text_of(fields, "system")})
    messages += _history(fields.get("history"))
    asked = text_of(fields, "instruction")
    if fields.get("input") not in (None, ""):
        # As LLaMA-Factory joins them.
        asked = f"{asked}\n{text_of(fields, 'input')}"
    answer = text_of(fields, next(key for key in _OUTPUTS if key in fields))
    messages += _turn(asked, answer)
    return {"messages": messages} | others(fields, _KNOWN)


def _history(pairs: Json) -> list[Json]:
    if pairs is None:
        return []
    if not isinstance(pairs, list):
        raise BadRecord('Its "history" is not a list.')
    found: list[Json] = []
    for number, pair in enumerate(pairs, 1):
        is_pair = isinstance(pair, list) and len(pair) == 2
        if not is_pair or not all(isinstance(text, str) for text in pair):
            raise BadRecord(f"Entry {number} of its history is not a question and an answer.")
        found += _turn(*pair)
    return found


def _turn(asked: str, answer: str) -> list[Json]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
