"""From one line of a training file to what the loss reads: a conversation, plain text, or a preference.

Plain text (continued pre-training) trains every token: a line with one message, or with ``text``,
is that bare text and an end token; a line with several messages is rendered by the base's template.
A longer text becomes several samples instead of being cut.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.encoding import (
    MASKED,
    Sample,
    TemplateRefused,
    encode_conversation,
    encode_whole,
)
from curator.tune.local.trainer.token_ids import end_ids, plain_ids, require_whole

_BARE: Final = frozenset({"role", "content", "weight"})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to the same prompt, of which the first is preferred."""

    preferred: Sample
    other: Sample

    @property
    def trained(self) -> int:
        """How much the pair counts in the loss: every pair the same."""
        return 1

    @property
    def length(self) -> int:
        """How many tokens are read."""
        return self.preferred.length + self.other.length

    @property
    def longest(self) -> int:
        """How many tokens one row of a batch needs for it."""
        return max(self.preferred.length, self.other.length)

    @property
    def lost(self) -> int:
        """How many tokens were cut off both answers."""
        return self.preferred.lost + self.other.lost


Example = Sample | Pair
Encoder = Callable[[Mapping[str, Any]], tuple[Example, ...]]


def encoder(tokenizer: Any, options: TrainingOptions) -> Encoder:
    """Return the function that turns a line into examples for the options' objective."""
    if options.objective == "text":
        return lambda record: encode_text(tokenizer, record, options.max_tokens)
    if options.objective == "preference":
        return lambda record: (encode_pair(tokenizer, record, options.max_tokens),)
    return lambda record: encode_conversation(tokenizer, record, options.max_tokens)


def encode_text(tokenizer: Any, record: Mapping[str, Any], max_tokens: int) -> tuple[Sample, ...]:
    """Return a line's whole text as samples of at most max_tokens, every token of it trained."""
    text = _bare_text(record)
    end = tokenizer.eos_token_id
    if text is None:
        ids = encode_whole(tokenizer, record)
        ids = ids if end_ids(tokenizer).intersection(ids) else [*ids, end]
    else:
        if not text.strip():
            raise TemplateRefused("it has no text to learn from")
        ids = plain_ids(tokenizer, text)
        require_whole(tokenizer, ids, text)
        # Between two texts stands what ends one; after it the first token can be guessed as well.
        ids = [end, *ids, end]
    # The first token of a sample is given, never guessed: it is the last one of the sample before.
    pieces = [tuple(ids[at : at + max_tokens]) for at in range(0, len(ids) - 1, max_tokens - 1)]
    return tuple(Sample(piece, (MASKED, *piece[1:])) for piece in pieces)


def _bare_text(record: Mapping[str, Any]) -> str | None:
    """Return the text of a line that is nothing but a text, None for a conversation."""
    if "messages" not in record:
        return str(record["text"])
    messages = record["messages"]
    if len(messages) != 1 or record.get("tools") or record.get("functions"):
        return None
    (only,) = messages
    held = {key for key, value in only.items() if value is not None}
    text = only.get("content")
    return text if held <= _BARE and isinstance(text, str) else None


def encode_pair(tokenizer: Any, record: Mapping[str, Any], max_tokens: int) -> Pair:
    """Return a preference line (input, preferred_output, non_preferred_output) as a pair."""
    preferred = _answer(tokenizer, record, "preferred_output", max_tokens)
    other = _answer(tokenizer, record, "non_preferred_output", max_tokens)
    if preferred == other:
        raise TemplateRefused("both answers are the same, so nothing is preferred")
    return Pair(preferred, other)


def _answer(tokenizer: Any, record: Mapping[str, Any], name: str, max_tokens: int) -> Sample:
    given = record["input"]
    before = [{**message, "weight": 0} for message in given["messages"]]
    after = [{**message, "weight": 1} for message in record[name]]
    whole = {**given, "messages": before + after}
    samples = encode_conversation(tokenizer, whole, max_tokens)
    if len(samples) != 1:
        raise TemplateRefused(f"{name} must hold one answer that this base's template can follow")
    return samples[0]
